"""The table of moves against the real service: any order of sends, deaths, late workers and news.

The model says in a few lines what each act makes of a message. After each step the store must agree,
and the history of every message must be a path of the table.
"""

import asyncio
import shutil
from collections import defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from app.delivery import acknowledge, cancel, settle, submit, track
from app.delivery.acting import Actor
from app.delivery.conclude import Held
from app.domain.acknowledgement import Acknowledgement
from app.domain.errors import AlreadyFinal, AlreadySubmitted
from app.domain.message import Channel, Content, Sms
from app.domain.outcome import (
    Accepted,
    Deferred,
    Failure,
    NoStatus,
    Outcome,
    Refused,
    Report,
    Unclear,
)
from app.domain.status import BY_REPORT, FINAL, NEXT, Status
from app.store import migrate, reading, tables
from app.store.database import Database
from tests.gateways import World, fax, sms

T = TypeVar("T")
S = Status
FAILED = Failure(type="permanent", reason="invalid_recipient", retryable=False)
# Each says something: the circuit stays closed.
OUTCOMES: dict[str, tuple[Outcome, Status]] = {
    "accepted": (Accepted("a" * 32), S.SUBMITTED),
    "refused": (Refused(FAILED), S.FAILED),
    "deferred": (Deferred("busy", code="-50"), S.QUEUED),
    "unclear": (Unclear("an unknown code", "-77"), S.UNCERTAIN),
}
REPORTS = {
    "sent": Report(code="20", status=S.SENT),
    "delivered": Report(code="30", status=S.DELIVERED),
    "failed": Report(code="41", status=S.FAILED, failure=FAILED),
    "unmapped": Report(code="77", status=None),
    "none": NoStatus("-99"),
}


@dataclass
class Modelled:
    """What a message must be."""

    channel: Channel
    status: Status = S.QUEUED
    number: str = ""
    references: list[str] = field(default_factory=list)
    expires: bool = False
    acknowledged: bool = False


class Machine(RuleBasedStateMachine):
    """Acts on messages of a store, one after the other, as processes and providers may."""

    messages = Bundle("messages")

    template: Path

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.folder = TemporaryDirectory()
        path = Path(self.folder.name) / "store.db"
        shutil.copy(self.template, path)
        self.database = Database(f"sqlite:///{path}")
        self.world = World(self.database)
        self.run(self.world.open())
        self.model: dict[UUID, Modelled] = {}
        self.held: dict[UUID, Held] = {}  # claims that stand, by message
        self.calls: list[Held] = []  # calls under way, of claims that were lost as well

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run(work)

    def teardown(self) -> None:
        self.run(self.database.close())
        self.loop.close()
        self.folder.cleanup()

    @rule(target=messages, by_fax=st.booleans(), expires=st.booleans())
    def accept(self, by_fax: bool, expires: bool) -> UUID:
        content: Content = fax() if by_fax else sms()
        options = {"expires_at": self._in(minutes=30)} if expires else {}
        message_id = self.run(self.world.keep(content, **options))
        number = content.to if isinstance(content, Sms) else fax().to
        channel = Channel.FAX if by_fax else Channel.SMS
        self.model[message_id] = Modelled(channel, number=number, expires=expires)
        return message_id

    def _in(self, **time: float) -> Any:
        return self.world.clock.now() + timedelta(**time)

    @precondition(lambda self: self._waits())
    @rule(channel=st.sampled_from([Channel.SMS, Channel.FAX]))
    def claim(self, channel: Channel) -> None:
        calls = self.run(submit.claim(self.world.gateway, channel, 2))
        taken = [one for call in calls for one in call]
        for one in taken:
            known = self.model[one.claim.message_id]
            assert known.status is S.QUEUED, "only what waits is claimed"
            known.status = S.SUBMITTING
            known.references.append(one.claim.reference)
            self.held[one.claim.message_id] = one
            self.calls.append(one)

    def _waits(self) -> bool:
        return any(one.status is S.QUEUED for one in self.model.values())

    @precondition(lambda self: self.calls)
    @rule(nth=st.integers(0, 5), name=st.sampled_from(sorted(OUTCOMES)))
    def end(self, nth: int, name: str) -> None:
        """End a call; where its claim was lost meanwhile, nothing may change."""
        one = self.calls.pop(nth % len(self.calls))
        outcome, status = OUTCOMES[name]
        scripted = self.world.fax if one.channel is Channel.FAX else self.world.provider
        scripted.outcomes.append(outcome)
        ended = self.run(submit.call(self.world.gateway, [one]))
        # Held up for too long before the call, a worker must not make it any more.
        called = ended[0].outcome is outcome
        age = self.world.clock.now() - one.at
        assert called is (age <= self.world.gateway.timing.start_within)
        scripted.outcomes.clear()
        moved = self.run(submit.record(self.world.gateway, ended))
        if self.held.get(one.claim.message_id) is not one:
            assert moved == [False], "a claim that was lost writes nothing"
            return
        del self.held[one.claim.message_id]
        assert moved == [True]
        self.model[one.claim.message_id].status = status if called else S.QUEUED

    @rule(minutes=st.sampled_from([1, 5, 20, 400]))
    def pass_time(self, minutes: int) -> None:
        """Turn the clock, and let the keeper of time look."""
        self.world.clock.turn(minutes=minutes)
        self.run(settle.lose_leases(self.world.gateway))
        self.run(settle.expire(self.world.gateway))
        now = self.world.clock.now()
        for message_id, known in self.model.items():
            row = self.run(self.world.row(message_id))
            overdue = known.expires and row["expires_at"] <= now
            if known.status is S.QUEUED and overdue:
                known.status = S.EXPIRED
            held = self.held.get(message_id)
            if known.status is S.SUBMITTING and held is not None:
                lease = self.world.gateway.timing.lease
                if now > held.at + lease + 2 * lease:
                    known.status = S.UNCERTAIN
                    del self.held[message_id]
                elif row["status"] == "uncertain":
                    assert now > held.at + lease
                    known.status = S.UNCERTAIN
                    del self.held[message_id]

    @rule(name=st.sampled_from(sorted(REPORTS)))
    def look(self, name: str) -> None:
        """Ask what became of everything that is due to be asked."""
        finding = REPORTS[name]
        for row in self.run(track.claim(self.world.gateway, 50)):
            if row["channel"] == "fax":
                asked = self.run(track.ask(self.world.gateway, row))
            else:
                self.world.provider.findings.append(finding)
                asked = self.run(track.ask(self.world.gateway, row))
            self.run(track.record(self.world.gateway, [asked]))
            known = self.model[row["id"]]
            after = S(self.run(self.world.row(row["id"]))["status"])
            told = getattr(asked.finding, "status", None)
            expected = told if told in NEXT[known.status] else known.status
            assert after in {expected, S.EXPIRED}
            known.status = after

    @rule(message=messages, code=st.sampled_from(["0", "31083", "39999"]), nth=st.integers(0, 3))
    def acknowledge(self, message: UUID, code: str, nth: int) -> None:
        known = self.model[message]
        if known.channel is not Channel.FAX or not known.references:
            return
        reference = known.references[min(nth, len(known.references) - 1)]
        last = reference == known.references[-1]
        brought = Acknowledgement(
            reference=reference,
            code=code,
            number=known.number.replace("+33", "0"),
            pages=3 if code == "0" else 0,
            provider_time=None,
        )
        before = known.status
        known.acknowledged = True
        self.run(acknowledge.receive(self.world.gateway, "fax123", brought))
        after = S(self.run(self.world.row(message))["status"])
        if code == "0":
            allowed = {S.DELIVERED, before} if before is S.SUBMITTING else {S.DELIVERED}
            assert after in (allowed | ({before} if before in FINAL else set())), (before, after)
        elif not last or before in {S.SUBMITTING, S.QUEUED} or before in FINAL:
            assert after is before
        else:
            assert after is S.FAILED
        known.status = after

    @rule(message=messages)
    def cancel(self, message: UUID) -> None:
        known = self.model[message]
        before = known.status
        actor = Actor(client_id=self.world.client_id, mode="live", name="client", key_id="K")
        row = self.run(self._row(message))
        try:
            self.run(cancel.cancel(self.world.gateway, actor, row))
        except AlreadySubmitted:
            assert before not in FINAL | {S.QUEUED, S.SCHEDULED, S.HELD}
        except AlreadyFinal:
            assert before in FINAL - {S.CANCELLED}
        else:
            assert before in {S.QUEUED, S.HELD, S.CANCELLED}
            known.status = S.CANCELLED

    async def _row(self, message: UUID) -> Any:
        async with self.database.reading() as connection:
            return await reading.find(connection, message, self.world.client_id, "live")

    @invariant()
    def the_store_agrees(self) -> None:
        rows, events, attempts = self.run(self._all())
        for message_id, known in self.model.items():
            row = rows[message_id]
            status = S(row["status"])
            # An acknowledgement that waited for the end of its call is applied with it.
            if status is not known.status and known.channel is Channel.FAX and known.acknowledged:
                assert status in {S.DELIVERED, S.FAILED}, (status, known)
                known.status = status
                self.held.pop(message_id, None)
            assert status is known.status, known
            asleep = FINAL | {S.SUBMITTING, S.UNCERTAIN}
            assert row["due_at"] is not None or status in asleep, known
            self._history(events[message_id])
            self._attempts(attempts[message_id], status)

    def _history(self, events: list[Any]) -> None:
        assert [one["sequence"] for one in events] == list(range(1, len(events) + 1))
        steps = [S(one["status"]) for one in events if one["applied"]]
        for previous, following in pairwise(steps):
            legal = following in NEXT[previous] or following is previous
            assert legal or (previous, following) in BY_REPORT, (previous, following)

    def _attempts(self, attempts: list[Any], status: Status) -> None:
        still_open = [one for one in attempts if one["ended_at"] is None]
        assert len(still_open) == (1 if status is S.SUBMITTING else 0)
        assert [one["number"] for one in attempts] == list(range(1, len(attempts) + 1))
        assert sum(one["outcome"] in {"accepted", "unclear"} for one in attempts) <= 1

    async def _all(self) -> tuple[Any, Any, Any]:
        """Return every message, and its events and attempts in their order."""
        async with self.database.reading() as connection:
            found = await connection.execute(select(tables.messages))
            rows = {row["id"]: row for row in found.mappings()}
            events: dict[UUID, list[Any]] = defaultdict(list)
            found = await connection.execute(
                select(tables.events).order_by(tables.events.c.sequence)
            )
            for row in found.mappings():
                events[row["message_id"]].append(row)
            attempts: dict[UUID, list[Any]] = defaultdict(list)
            found = await connection.execute(
                select(tables.attempts).order_by(tables.attempts.c.number)
            )
            for row in found.mappings():
                attempts[row["message_id"]].append(row)
        return rows, events, attempts


def test_any_order_of_acts_keeps_to_the_table(tmp_path: Path) -> None:
    template = tmp_path / "template.db"

    async def migrated() -> None:
        database = Database(f"sqlite:///{template}")
        await migrate.upgrade(database)
        await database.close()

    asyncio.run(migrated())
    Machine.template = template
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )
