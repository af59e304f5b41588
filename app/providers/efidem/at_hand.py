"""The contract at hand: from the store without the network, or where nothing stands, from the WSDL.

Without a store, the first that was read is the accepted one, for as long as the process runs.
"""

from collections.abc import Sequence
from typing import Final

import structlog

from app.delivery.keep_contract import ContractStore, Differences, Kept
from app.providers.efidem.binding.documents import named
from app.providers.efidem.compare import compare
from app.providers.efidem.drift import Difference, Severity, counted, told
from app.providers.efidem.settings import EfidemSettings
from app.providers.efidem.soap import CannotBind, Contract, Soap

log = structlog.get_logger()

_TOLD: Final = 5  # differences that the log shows of a changed WSDL, the gravest

UNREADABLE: Final = (
    "the accepted contract cannot be read any more, and the WSDL has changed:"
    " multicanal providers accept"
)


class AtHand:
    """The accepted contract, bound, and how the WSDL differs from it."""

    def __init__(
        self, wsdl: str, settings: EfidemSettings, soap: Soap, store: ContractStore | None
    ) -> None:
        self.location: Final = named(wsdl)
        self._wsdl = wsdl
        self._address = str(settings.address) if settings.address else None
        self._soap = soap
        self._store = store
        self._told: str | None = None  # the fingerprint whose differences were logged
        self.contract: Contract | None = None
        self.fingerprint = ""  # by which the store knows it
        self.drift: Differences = ()

    async def obtain(self) -> bool:
        """Get a contract; say whether it is as the WSDL is now. Raises CannotBind and NotKept."""
        kept = await self._store.accepted() if self._store else None
        if kept is not None and kept.location == self.location:
            try:
                await self.bind(kept, "contract_restored")
            except CannotBind as fault:
                log.warning("contract_unreadable", fingerprint=kept.fingerprint, why=fault.why)
            else:
                return False
        await self._fetch(kept)
        return True

    async def bind(self, kept: Kept, event: str) -> None:
        """Take a kept contract, without the network; raises CannotBind."""
        contract = await self._soap.load(self._wsdl, self._address, kept.documents)
        self._take(contract, kept.fingerprint, event)

    async def read(self) -> Contract:
        """Return the contract that the WSDL makes now; raises CannotBind."""
        return await self._soap.load(self._wsdl, self._address)

    async def compare(self, found: Contract) -> None:
        """Report how the WSDL differs from the accepted contract, or no longer does."""
        accepted = self.contract
        assert accepted is not None
        if found.fingerprint != accepted.fingerprint:
            differences = compare(accepted.shape, found.shape, accepted.uses())
            await self._tell(found, differences, against=self.fingerprint)
            return
        went_back = bool(self.drift)
        if self._store is not None:
            went_back = await self._store.drop_pending(self.location, against=self.fingerprint)
        if went_back:
            log.info("contract_went_back", fingerprint=self.fingerprint)
        self.drift, self._told = (), None

    async def _fetch(self, kept: Kept | None) -> None:
        """Read the WSDL, and keep it as the accepted contract: the first, or in another's place."""
        contract = await self.read()
        if self._store is not None and kept is None:
            await self._store.keep_first(self._to_keep(contract))
        elif self._store is not None and kept is not None:
            if kept.location == self.location:
                await self._stay_with(kept, contract)
            await self._store.replace(self._to_keep(contract))
        event = "contract_first_seen" if kept is None else "contract_replaced"
        self._take(contract, contract.fingerprint, event)

    async def _stay_with(self, kept: Kept, found: Contract) -> None:
        """Refuse a WSDL in place of an unreadable contract where calls by it would differ."""
        differences = compare(kept.shape, found.shape, {})
        if any(one.severity is Severity.ERROR for one in differences):
            await self._tell(found, differences, against=kept.fingerprint)
            raise CannotBind(UNREADABLE)

    async def _tell(
        self, found: Contract, differences: Sequence[Difference], *, against: str
    ) -> None:
        """Report a WSDL that has changed; each change is logged once, as one line."""
        shown = [one.shown() for one in differences]
        if self._store is not None:
            row = self._to_keep(found)
            is_new = await self._store.keep_pending(row, shown, against=against)
        else:
            is_new = self._told != found.fingerprint
        self._told, self.drift = found.fingerprint, shown
        if is_new:
            log.warning(
                "contract_drift",
                fingerprint=found.fingerprint,
                differences=counted(shown),
                first=[" ".join(told(one).split()) for one in shown[:_TOLD]],
                rest="multicanal providers check",
            )

    def _take(self, contract: Contract, fingerprint: str, event: str) -> None:
        self.contract, self.fingerprint, self.drift = contract, fingerprint, ()
        log.info(event, fingerprint=fingerprint, service=contract.service_name)
        for warning in contract.warnings:
            log.warning("wsdl_address", why=warning)
        for bound in contract.bound.values():
            log.info("function_bound", **bound.report())

    def _to_keep(self, contract: Contract) -> Kept:
        return Kept(
            location=self.location,
            fingerprint=contract.fingerprint,
            shape=contract.shape,
            documents=contract.to_keep,
        )
