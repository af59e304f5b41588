"""All providers: the only file that names them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.delivery.gateway import Desk, Evidence, Learn, Provider
from app.delivery.inspect import Inspector
from app.delivery.keep_contract import ContractStore
from app.domain.twins import is_twin, twin_of
from app.providers.efidem import functions as efidem_functions
from app.providers.efidem import statuses
from app.providers.efidem.contracting import Contracting
from app.providers.efidem.desk import Desk as EfidemDesk
from app.providers.efidem.evidence import Evidence as EfidemEvidence
from app.providers.efidem.provider import NAME as EFIDEM
from app.providers.efidem.provider import Efidem
from app.providers.efidem.settings import EfidemSettings
from app.providers.fax123 import bindings
from app.providers.fax123.provider import NAME as FAX123
from app.providers.fax123.provider import Fax123
from app.providers.fax123.settings import Fax123Settings
from app.providers.twins import CONCURRENCY, TwinSettings
from app.store.database import Database


class Accounts(Protocol):
    """The settings of every provider, and where their simulated twins are."""

    @property
    def efidem(self) -> EfidemSettings:
        """Of Efidem."""

    @property
    def fax123(self) -> Fax123Settings:
        """Of 123-fax."""

    @property
    def twins(self) -> TwinSettings:
        """Of the simulators."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """All that is asked of providers, each by its provider's name."""

    providers: Mapping[str, Provider]
    desks: Mapping[str, Desk]
    evidence: Mapping[str, Evidence]
    learn: Mapping[str, Learn]
    concurrency: Mapping[str, int]  # calls at once


def build(
    settings: Accounts, inspector: Inspector, database: Database, now: Callable[[], datetime]
) -> Built:
    """Return every provider and its simulated twin, and the desks of those that have one."""
    efidem, fax123, twins = settings.efidem, settings.fax123, settings.twins
    kept = ContractStore(database, EFIDEM, now)
    services = [_Service(EFIDEM, efidem, kept)]
    faxes = [Fax123(fax123, inspector, bindings.followed(fax123.bindings))]
    if (simulated := twins.efidem(efidem)) is not None:
        # Nothing of its contract is kept: it is our own, and is read anew at each start.
        services.append(_Service(twin_of(EFIDEM), simulated, None))
    if (simulated_fax := twins.fax123(fax123)) is not None:
        nothing = bindings.followed(None)
        faxes.append(Fax123(simulated_fax, inspector, nothing, twin_of(FAX123)))
    providers: list[Provider] = [*(one.provider for one in services), *faxes]
    return Built(
        providers={one.name: one for one in providers},
        desks={one.provider.name: one.desk for one in services},
        evidence={one.provider.name: EfidemEvidence(one.desk) for one in services},
        learn={one.name: one.learn for one in faxes},
        concurrency={EFIDEM: efidem.concurrency, FAX123: fax123.concurrency}
        | {one.name: CONCURRENCY for one in providers if is_twin(one.name)},
    )


class _Service:
    """Efidem's service, or its simulated twin."""

    def __init__(self, name: str, settings: EfidemSettings, store: ContractStore | None) -> None:
        said = statuses.followed(settings.bindings)
        pinned = said.now().pinned
        contracting = Contracting(settings, efidem_functions.FUNCTIONS, pinned, store)
        self.desk = EfidemDesk(contracting, said)
        self.provider = Efidem(contracting, said, self.desk, name)


def build_efidem(settings: EfidemSettings) -> Efidem:
    """Return Efidem by its settings alone, without a store."""
    return _Service(EFIDEM, settings, None).provider
