"""Efidem: which function carries which channel, through the contract that its WSDL makes."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Final

import structlog

from app.delivery.gateway import Prepared
from app.domain.errors import FieldError
from app.domain.message import Channel, Content, Submission, Submitted, channel_of
from app.domain.outcome import Blocked, Failure, Finding, NoAnswer, Outcome, Refused
from app.providers.efidem import functions as efidem
from app.providers.efidem import judge, statuses
from app.providers.efidem.binding import Bound
from app.providers.efidem.settings import EfidemSettings
from app.providers.efidem.soap import CannotBind, Contract, Soap
from app.providers.efidem.statuses import Bindings
from app.providers.manual import Function, Parameter
from app.providers.wire import Wire, is_loopback

log = structlog.get_logger()

SIMULATOR: Final = "EfidemSimulator"  # the service's name in our own simulator's WSDL
SENDS: Final[Mapping[Channel, Function]] = {
    Channel.EMAIL: efidem.ENVOYER_EMAIL,
    Channel.SMS: efidem.ENVOYER_SMS,
    Channel.LETTER: efidem.COURRIER_ENVOYER,
}
# In the order of preference: the first that the WSDL offers is asked.
TELLS: Final[Mapping[Channel, tuple[Function, ...]]] = {
    Channel.EMAIL: (efidem.STATUT_EMAIL,),
    Channel.SMS: (efidem.STATUT_COMPLET_SMS, efidem.STATUT_SMS),
    Channel.LETTER: (efidem.COURRIER_STATUT,),
}
_BIND_AGAIN: Final = 10.0  # seconds after a WSDL could not be read


class Efidem:
    """The provider Efidem."""

    name = "efidem"
    channels: Collection[Channel] = tuple(SENDS)
    fetches_document = False

    def __init__(self, settings: EfidemSettings) -> None:
        self._settings = settings
        self._wire = Wire(
            timeout=settings.timeout, concurrency=settings.concurrency, rate=settings.rate
        )
        said = statuses.read_bindings(settings.bindings) if settings.bindings else Bindings()
        self._soap = Soap(self._wire, efidem.FUNCTIONS, said.pinned)
        self._contract: Contract | None = None
        self._why = "the WSDL was not read yet"
        self._try_again_at = 0.0
        self._loading = asyncio.Lock()
        self._statuses = said.statuses

    @property
    def is_local(self) -> bool:
        """Whether both the WSDL and the service that it names are on this machine."""
        addresses = [self._settings.wsdl]
        if self._contract is not None:
            addresses.append(self._contract.address)
        return all(is_loopback(one) for one in addresses)

    async def start(self) -> None:
        """Read the WSDL if it can be had now; it is tried again when it is needed."""
        await self._contracted()

    async def close(self) -> None:
        """Close every connection."""
        await self._wire.close()

    def function_for(self, channel: Channel) -> str:
        """Return the name of the function that sends on a channel."""
        return SENDS[channel].name

    async def prepare(self, submission: Submission[Content]) -> Prepared:
        """Say what the WSDL at hand cannot carry of a message."""
        prepared = Prepared(content=submission.content, files=submission.files)
        contract = self._contract
        if contract is None:
            # The WSDL is not known yet: the message is kept, and waits with the reason shown.
            return prepared
        bound = contract.bound[SENDS[channel_of(submission.content)].name]
        used = [one for one in bound.missing if one.value(submission)]
        return Prepared(
            content=submission.content,
            files=submission.files,
            errors=[_cannot_carry(one) for one in used if one.pointer],
            warnings=[f"not_carried:{one.name}" for one in used if not one.pointer],
        )

    async def submit(self, submission: Submission[Content]) -> Outcome:
        """Call the function that sends a content."""
        function = SENDS[channel_of(submission.content)]
        ready = await self._ready(function)
        if isinstance(ready, Blocked):
            return ready
        # It was prepared before the WSDL was known, or by another one: it is not sent without.
        if lacking := [
            one.name for one in ready[1].missing if one.pointer and one.value(submission)
        ]:
            why = f"{function.name}: the WSDL has no parameter {', '.join(lacking)}"
            return Blocked("provider_contract", why)
        try:
            arguments = ready[1].arguments(submission, self._credentials())
            exchange = await self._soap.call(*ready, arguments)
        except CannotBind as fault:
            return Blocked("provider_contract", fault.why)
        except ValueError:
            # zeep and lxml refuse it while rendering: no byte left.
            words = "a value that XML cannot carry"
            failure = Failure(
                type="permanent", reason="forbidden_characters", retryable=False, label=words
            )
            return Refused(failure)
        return judge.outcome(function, exchange)

    async def ask(self, submitted: Submitted) -> Finding:
        """Ask what became of an accepted message."""
        why = "no function tells the status"
        for function in TELLS[submitted.channel]:
            ready = await self._ready(function)
            if not isinstance(ready, Blocked):
                try:
                    arguments = ready[1].arguments(submitted, self._credentials())
                    exchange = await self._soap.call(*ready, arguments)
                except (CannotBind, ValueError) as fault:
                    return NoAnswer(f"{function.name} cannot be asked: {type(fault).__name__}")
                return judge.finding(function, self._statuses, exchange)
            why = ready.why
        return NoAnswer(why)

    def health(self) -> Mapping[str, object]:
        """Say what works and what does not."""
        missing = self._missing()
        if self._contract is None:
            return {"state": "degraded", "missing": missing, "why": self._why}
        blocked = [one.function.name for one in self._contract.bound.values() if one.blocked]
        warned = {
            one.function.name: [parameter.name for parameter in one.missing]
            for one in self._contract.bound.values()
            if one.missing
        }
        state = "degraded" if missing or blocked else "ready"
        return {"state": state, "missing": missing, "blocked": blocked, "not_carried": warned}

    async def report(self) -> list[dict[str, object]]:
        """Return, per documented function, how the WSDL offers it; raises CannotBind."""
        if self._settings.wsdl is None:
            raise CannotBind("set MULTICANAL_EFIDEM_WSDL")
        contract = await self._contracted()
        if contract is None:
            raise CannotBind(self._why)
        return contract.report()

    async def _ready(self, function: Function) -> tuple[Contract, Bound] | Blocked:
        """Return what is needed to call a function, or what is missing."""
        if missing := self._missing():
            return Blocked("provider_settings", f"set {', '.join(missing)}")
        contract = await self._contracted()
        if contract is None:
            return Blocked("provider_contract", self._why)
        bound = contract.bound[function.name]
        if bound.blocked:
            return Blocked("provider_contract", f"{function.name}: {'; '.join(bound.blocked)}")
        return contract, bound

    async def _contracted(self) -> Contract | None:
        """Return the contract, read now if it could not be read before."""
        if self._contract is None and self._settings.wsdl is not None:
            async with self._loading:
                await self._load(self._settings.wsdl)
        return self._contract

    async def _load(self, wsdl: str) -> None:
        now = asyncio.get_running_loop().time()
        if self._contract is not None or now < self._try_again_at:
            return
        address = str(self._settings.address) if self._settings.address else None
        try:
            contract = await self._soap.load(wsdl, address)
        except CannotBind as fault:
            self._why, self._try_again_at = fault.why, now + _BIND_AGAIN
            log.warning("wsdl_not_bound", provider=self.name, why=fault.why)
            return
        if contract.service_name == SIMULATOR:
            # Our own simulator's codes are known; the real provider's are the operator's to map.
            known = statuses.read_bindings(statuses.SIMULATOR).statuses
            self._statuses = {**known, **self._statuses}
        self._contract = contract
        for warning in contract.warnings:
            log.warning("wsdl_address", provider=self.name, why=warning)
        for bound in contract.bound.values():
            log.info("function_bound", provider=self.name, **bound.report())

    def _missing(self) -> list[str]:
        names = ("wsdl", "username", "password", "app_id")
        return [
            f"MULTICANAL_EFIDEM_{name.upper()}"
            for name in names
            if getattr(self._settings, name) is None
        ]

    def _credentials(self) -> Mapping[str, str]:
        settings = self._settings
        password = settings.password.get_secret_value() if settings.password else ""
        return {
            "UTILISATEUR": settings.username or "",
            "MOT_DE_PASSE": password,
            "AppID": settings.app_id or "",
        }


def _cannot_carry(parameter: Parameter) -> FieldError:
    detail = (
        f"The provider's WSDL has no parameter {parameter.name}: send the message without this"
        " field, or ask the operator to map it."
    )
    return FieldError(parameter.pointer or "", "not_carried", detail)
