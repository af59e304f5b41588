"""All providers: the only file that names them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.delivery.gateway import Desk, Evidence, Learn, Provider
from app.delivery.inspect import Inspector
from app.delivery.keep_contract import ContractStore
from app.providers.efidem import functions as efidem_functions
from app.providers.efidem import statuses
from app.providers.efidem.contracting import Contracting
from app.providers.efidem.desk import Desk as EfidemDesk
from app.providers.efidem.evidence import Evidence as EfidemEvidence
from app.providers.efidem.provider import Efidem
from app.providers.efidem.settings import EfidemSettings
from app.providers.fax123 import bindings
from app.providers.fax123.provider import Fax123
from app.providers.fax123.settings import Fax123Settings
from app.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """All that is asked of providers, each by its provider's name."""

    providers: Mapping[str, Provider]
    desks: Mapping[str, Desk]
    evidence: Mapping[str, Evidence]
    learn: Mapping[str, Learn]


def build(
    efidem: EfidemSettings,
    fax123: Fax123Settings,
    inspector: Inspector,
    database: Database,
    now: Callable[[], datetime],
) -> Built:
    """Return every provider, and the desks of those that have one."""
    said = statuses.followed(efidem.bindings)
    store = ContractStore(database, Efidem.name, now)
    contracting = Contracting(efidem, efidem_functions.FUNCTIONS, said.now().pinned, store)
    fax = Fax123(fax123, inspector, bindings.followed(fax123.bindings))
    desk = EfidemDesk(contracting, said)
    providers: tuple[Provider, ...] = (Efidem(contracting, said, desk), fax)
    return Built(
        providers={one.name: one for one in providers},
        desks={Efidem.name: desk},
        evidence={Efidem.name: EfidemEvidence(desk)},
        learn={fax.name: fax.learn},
    )


def build_efidem(settings: EfidemSettings) -> Efidem:
    """Return Efidem by its settings alone, without a store."""
    said = statuses.followed(settings.bindings)
    contracting = Contracting(settings, efidem_functions.FUNCTIONS, said.now().pinned)
    return Efidem(contracting, said, EfidemDesk(contracting, said))
