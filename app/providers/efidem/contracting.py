"""Efidem's contract at hand: read from its WSDL when it can be had, and asked before each call."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from app.delivery.keep_contract import ContractStore
from app.domain.message import Campaign, Submission
from app.domain.outcome import Blocked
from app.providers.efidem import answer
from app.providers.efidem.binding import Bound
from app.providers.efidem.following import Following
from app.providers.efidem.pins import Pinned
from app.providers.efidem.settings import EfidemSettings
from app.providers.efidem.soap import CannotBind, Contract, Soap
from app.providers.manual import Function
from app.providers.wire import LARGEST_ANSWER, Answered, Exchange, Wire, is_loopback

CHANGED: Final = (
    "the provider refused the request's form, and its WSDL has changed: multicanal providers accept"
)
_LARGEST_FAULT: Final = 65_536  # bytes


class Contracting:
    """Knows the contract, and calls its functions with the account's credentials."""

    def __init__(
        self,
        settings: EfidemSettings,
        functions: Iterable[Function],
        pinned: Pinned,
        store: ContractStore | None = None,
    ) -> None:
        self._settings = settings
        self._missing = settings.missing
        self._credentials = _credentials(settings)
        self._wire = Wire(
            timeout=settings.timeout,
            concurrency=settings.concurrency,
            rate=settings.rate,
            kept=settings.keep,
        )
        self._soap = Soap(self._wire, functions, pinned)
        self._following = Following(settings, self._soap, store)

    @property
    def contract(self) -> Contract | None:
        """The contract at hand, None where none could be had yet."""
        return self._following.contract

    @property
    def is_local(self) -> bool:
        """Whether both the WSDL and the service that it names are on this machine."""
        addresses = [self._settings.wsdl]
        if self.contract is not None:
            addresses.append(self.contract.address)
        return all(is_loopback(one) for one in addresses)

    async def close(self) -> None:
        """Look at the WSDL no more, and close every connection."""
        await self._following.close()
        await self._wire.close()

    def bound(self, function: Function) -> Bound | None:
        """Return a function as the contract at hand offers it, None where none was read yet."""
        contract = self._following.at_hand()
        return contract.bound[function.name] if contract is not None else None

    async def ready(self, function: Function) -> tuple[Contract, Bound] | Blocked:
        """Return what is needed to call a function, or what is missing."""
        if missing := self.missing():
            return Blocked("provider_settings", f"set {', '.join(missing)}")
        contract = self._following.at_hand() or await self.contracted()
        if contract is None:
            following = self._following
            return Blocked("provider_contract", following.why, shown=following.shown_why)
        bound = contract.bound[function.name]
        if bound.blocked:
            why = f"{function.name}: {'; '.join(bound.blocked)}"
            return Blocked("provider_contract", why, stops=False)
        return contract, bound

    async def call(
        self, contract: Contract, bound: Bound, handed: object, *, largest: int = LARGEST_ANSWER
    ) -> Exchange:
        """Call a function once with what its parameters are taken from.

        Raises ValueError for what XML cannot carry, and CannotBind for what the WSDL's types
        cannot, or what the service refused because its WSDL is another by now; nothing was sent
        then (SOAP 1.1, 4.4.1).
        """
        first = handed.first if isinstance(handed, Campaign) else handed
        may_begin = first.may_begin if isinstance(first, Submission) else None
        exchange = await self._soap.call(
            contract, bound, handed, self._credentials, largest=largest, may_begin=may_begin
        )
        if isinstance(exchange, Answered) and _refuses_the_form(exchange.body):
            changed = await self._following.has_changed(bound.function.name)
            if changed or contract is not self.contract:
                raise CannotBind(CHANGED)
        return exchange

    async def contracted(self) -> Contract | None:
        """Return the contract at hand, got now if there was none to be had before."""
        return await self._following.obtained()

    async def report(self) -> list[dict[str, object]]:
        """Return, per documented function, how the WSDL offers it; raises CannotBind."""
        if self._settings.wsdl is None:
            raise CannotBind("set MULTICANAL_EFIDEM_WSDL")
        contract = await self.contracted()
        if contract is None:
            raise CannotBind(self._following.why)
        return contract.report()

    def offers(self) -> list[dict[str, object]]:
        """Return, per documented function, how the contract at hand offers it."""
        return self.contract.report() if self.contract is not None else []

    def health(self) -> Mapping[str, Any]:
        """Say what works and what does not."""
        missing, drift = self.missing(), len(self._following.drift)
        if self.contract is None:
            why = self._following.shown_why
            return {"state": "degraded", "missing": missing, "why": why, "drift": drift}
        bound = self.contract.bound.values()
        blocked = [one.function.name for one in bound if one.blocked]
        lacking = {
            one.function.name: [parameter.name for parameter in one.missing]
            for one in bound
            if one.missing
        }
        is_well = not (missing or blocked or self._following.is_doubtful)
        return {
            "state": "ready" if is_well else "degraded",
            "missing": missing,
            "blocked": blocked,
            "not_carried": lacking,
            "drift": drift,
        }

    def missing(self) -> list[str]:
        """Return the settings that are needed and not set."""
        return self._missing


def _credentials(settings: EfidemSettings) -> Mapping[str, str]:
    password = settings.password.get_secret_value() if settings.password else ""
    return {
        "UTILISATEUR": settings.username or "",
        "MOT_DE_PASSE": password,
        "AppID": settings.app_id or "",
    }


def _refuses_the_form(body: bytes) -> bool:
    """Say whether a fault blames the request: its form may be none of the service's any more."""
    if len(body) > _LARGEST_FAULT or b"Fault" not in body:
        return False
    said = answer.read(body)
    return isinstance(said, answer.Fault) and said.sender
