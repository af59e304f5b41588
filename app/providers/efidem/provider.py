"""Efidem: which function carries which content, through the contract that its WSDL makes."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from app.delivery.gateway import Desk, Prepared
from app.domain.errors import ProviderContract
from app.domain.message import Campaign, Channel, Content, Submission, Submitted, channel_of
from app.domain.outcome import (
    Alive,
    Blocked,
    ByRecipient,
    Denied,
    Failure,
    Finding,
    Meant,
    NoAnswer,
    NoStatus,
    Outcome,
    Probed,
    Refused,
    Report,
    Told,
    Unclear,
    Unreached,
    Wrong,
)
from app.providers.efidem import functions as efidem
from app.providers.efidem import judge, meanings, statuses
from app.providers.efidem.binding import Bound
from app.providers.efidem.carries import PROBES, TELLS, sends
from app.providers.efidem.carrying import cannot_carry, carries_texts_alone, wrong_values
from app.providers.efidem.contracting import Contracting
from app.providers.efidem.soap import CannotBind
from app.providers.efidem.statuses import Bindings
from app.providers.manual import Function, outcome_of
from app.providers.operator_file import OperatorFile

NAME: Final = "efidem"
CONTRACT: Final = "provider_contract"


class Efidem:
    """The provider Efidem."""

    channels: Collection[Channel] = tuple(Channel)
    fetches_document = False

    def __init__(
        self,
        contracting: Contracting,
        said: OperatorFile[Bindings],
        desk: Desk,
        name: str = NAME,
    ) -> None:
        self.name = name  # its simulated twin has another
        self._contracting = contracting
        self._said = said
        self._desk = desk

    @property
    def is_local(self) -> bool:
        """Whether both the WSDL and the service that it names are on this machine."""
        return self._contracting.is_local

    async def start(self) -> None:
        """Read the WSDL if it can be had now; it is tried again when it is needed."""
        await self._contracting.contracted()

    async def close(self) -> None:
        """Close every connection."""
        await self._contracting.close()

    def function_for(self, content: Content, *, together: bool = False) -> str:
        """Return the name of the function that sends a content, alone or together with others."""
        return sends(content, together=together).name

    def carries(self, content: Content) -> bool:
        """Say whether the WSDL at hand carries a content as it is."""
        return _carries(self._contracting.bound(sends(content)), content)

    async def prepare(self, submission: Submission[Content], *, together: bool = False) -> Prepared:
        """Say what the WSDL at hand cannot carry of a message; raises ProviderContract."""
        prepared = Prepared(content=submission.content, files=submission.files)
        function = sends(submission.content, together=together)
        bound = self._contracting.bound(function)
        if _carries(bound, submission.content):
            return replace(prepared, alike=True)
        assert bound is not None
        if bound.blocked:
            detail = (
                f"The provider's WSDL does not offer {function.name}: {'; '.join(bound.blocked)}."
            )
            said = {"name": NAME, "function": function.name, "code": None, "label": None}
            raise ProviderContract(detail, provider=said)
        handed = Campaign((submission,)) if together else submission
        used = [one for one in bound.missing if one.value(handed)]
        return replace(
            prepared,
            errors=[cannot_carry(one) for one in used if one.pointer]
            or wrong_values(bound, handed),
            warnings=[f"not_carried:{one.name}" for one in used if not one.pointer],
            alike=bound.takes_any_text,
        )

    async def submit(self, submission: Submission[Content]) -> Outcome:
        """Call the function that sends a content."""
        return await self._submit(sends(submission.content), submission)

    async def submit_together(self, campaign: Campaign[Content]) -> Outcome:
        """Call the function that sends to many recipients at once."""
        return await self._submit(sends(campaign.first.content, together=True), campaign)

    async def _submit(
        self, function: Function, handed: Submission[Content] | Campaign[Content]
    ) -> Outcome:
        ready = await self._contracting.ready(function)
        if isinstance(ready, Blocked):
            return ready
        # It was prepared before the WSDL was known, or by another one: it is not sent without.
        missing = ready[1].missing
        if missing and (
            lacking := [one.name for one in missing if one.pointer and one.value(handed)]
        ):
            why = f"{function.name}: the WSDL has no parameter {', '.join(lacking)}"
            return Blocked(CONTRACT, why, stops=False)
        try:
            exchange = await self._contracting.call(*ready, handed)
        except CannotBind as fault:
            return Blocked(CONTRACT, fault.why, stops=False)
        except ValueError:
            # zeep and lxml refuse it while rendering: no byte left.
            words = "a value that XML cannot carry"
            failure = Failure(
                type="permanent", reason="forbidden_characters", retryable=False, label=words
            )
            return Refused(failure)
        outcome = judge.outcome(self._said.now().completed(function), exchange)
        if isinstance(outcome, Blocked) and outcome.code and outcome.reason == CONTRACT:
            return await self._looked_into(outcome, handed)
        return outcome

    async def _looked_into(
        self, outcome: Blocked, handed: Submission[Content] | Campaign[Content]
    ) -> Outcome:
        """Ask whether a code that may mean bad credentials does: if not, the message is at fault."""
        content = handed.first.content if isinstance(handed, Campaign) else handed.content
        if not isinstance(await self.probe(channel_of(content)), Alive):
            return outcome
        failure = Failure(
            type="permanent",
            reason="provider_contract",
            retryable=False,
            provider_code=outcome.code,
            label=outcome.words,
        )
        return Refused(failure)

    async def probe(self, channel: Channel) -> Probed:
        """Call a function that sends nothing, to see whether messages may leave."""
        blocked = Blocked(CONTRACT, "the WSDL offers no function that sends nothing")
        for function, values in PROBES[channel]:
            found = await self._desk.consult(function.name, values)
            match found:
                case Told() | Denied() | Wrong():
                    return Alive()
                case Unreached(why) | Unclear(why):
                    return NoAnswer(why)
                case Blocked(stops=True):
                    return found
                case Blocked():
                    blocked = found  # this function alone
        return blocked

    def tells_each(self, function: str) -> bool:
        """Say whether it tells each member's status of a campaign that a function sent."""
        return function == efidem.MULTI_ENVOYER_EMAIL.name

    async def ask(self, submitted: Submitted) -> Finding:
        """Ask what became of an accepted message, or of each of its recipients."""
        if submitted.function != efidem.ENVOYER_EMAIL_RELAIS.name:
            return await self._ask(submitted)
        each = [replace(submitted, recipient=one) for one in submitted.recipients]
        found = await asyncio.gather(*(self._ask(one) for one in each))
        return ByRecipient(dict(zip(submitted.recipients, found, strict=True)))

    async def _ask(self, submitted: Submitted) -> Report | NoStatus | NoAnswer:
        why = "no function tells the status"
        for function in TELLS.get(submitted.function, ()):
            ready = await self._contracting.ready(function)
            if not isinstance(ready, Blocked):
                try:
                    exchange = await self._contracting.call(*ready, submitted)
                except (CannotBind, ValueError) as fault:
                    return NoAnswer(f"{function.name} cannot be asked: {type(fault).__name__}")
                completed = self._said.now().completed(function)
                return judge.finding(completed, self._statuses(), exchange)
            why = ready.why
        return NoAnswer(why)

    def meaning_of(self, function: str, code: str) -> Meant | None:
        """Return what a code that was kept raw means by now, None where nobody has said it."""
        known = meanings.BY_NAME.get(function)
        if known is None:
            return None
        row = self._said.now().completed(known).table.get(code)
        if function in meanings.SENDING:
            return outcome_of(row) if row is not None else None
        if function not in meanings.TELLING:
            return None
        if row is not None:
            return NoStatus(code)
        report = statuses.report(self._statuses(), function, code, None, None)
        return None if report.unmapped_in else report

    def remedy(self, function: str, code: str) -> str:
        """Return the lines of the operator's file that would say what a code means."""
        return meanings.remedy(function, code)

    def health(self) -> Mapping[str, object]:
        """Say what works and what does not."""
        return self._contracting.health()

    def offers(self) -> list[dict[str, object]]:
        """Return, per documented function, how the contract at hand offers it."""
        return self._contracting.offers()

    async def report(self) -> list[dict[str, object]]:
        """Return, per documented function, how the WSDL offers it; raises CannotBind."""
        return await self._contracting.report()

    def _statuses(self) -> judge.Statuses:
        """Return what the codes mean: our own simulator's are known, others are the operator's."""
        contract, said = self._contracting.contract, self._said.now().statuses
        if contract is not None and contract.service_name == statuses.SIMULATOR_SERVICE:
            return statuses.merged(statuses.of_simulator(), said)
        return said


def _carries(bound: Bound | None, content: Content) -> bool:
    if bound is None:
        # The WSDL is not known yet: the message is kept, and waits with the reason shown.
        return True
    is_offered = bound.takes_any_text and not bound.missing and not bound.blocked
    return is_offered and carries_texts_alone(content)
