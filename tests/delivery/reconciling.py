"""What the tests of reconciliation share: a report by script, and messages that become uncertain."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from app.delivery import reconcile, settle, submit
from app.delivery.reconcile import Taken
from app.domain.evidence import NoReport, Reported, Seen
from app.domain.message import Channel, Email, Letter
from app.domain.outcome import Accepted, Unclear
from tests.gateways import World

BROKE = Unclear("the connection broke")
COLUMNS = ("reference", "provider_message_id", "recipient", "date", "time")


class Reports:
    """A provider's report that says what the test says, and counts how often it is asked for."""

    def __init__(self) -> None:
        self.rows: list[Seen] = []
        self.columns: Collection[str] = COLUMNS
        self.missing: NoReport | None = None
        self.asked: list[tuple[datetime, datetime]] = []  # since when, and when

    async def report(self, since: datetime, now: datetime) -> Reported | NoReport:
        self.asked.append((since, now))
        if self.missing is not None:
            return self.missing
        return Reported(since=since, at=now, rows=tuple(self.rows), columns=self.columns)

    def show(self, attempt: RowMapping, given: str | None = "guid", **more: Any) -> None:
        """Let an e-mail, letter or fax stand in the report."""
        seen = Seen(reference=attempt["reference"], provider_message_id=given, **more)
        self.rows.append(seen)

    def show_text(self, number: str, given: str, *moments: datetime) -> None:
        self.rows.append(Seen(provider_message_id=given, recipient=number, moments=moments))


def with_reports(world: World, **timing: Any) -> Reports:
    reports = Reports()
    world.gateway = replace(
        world.gateway,
        evidence={"efidem": reports},
        timing=replace(world.gateway.timing, **timing),
    )
    return reports


def email() -> Email:
    return Email(
        to_address="anna@example.com",
        from_address="service@example.com",
        subject="Hello",
        text="Hello",
        html="<p>Hello</p>",
    )


def letter() -> Letter:
    return Letter(
        last_name="Durand",
        first_name="Marie",
        line1="12 RUE DES LILAS",
        postal_code="75011",
        city="PARIS",
        country="FR",
        files=(),
    )


async def lost(world: World, content: Any, **options: Any) -> UUID:
    """Keep a message whose call nobody answers."""
    message_id = await world.keep(content, **options)
    await world.submit(_channel(content), BROKE)
    assert (await world.row(message_id))["status"] == "uncertain"
    return message_id


async def died(world: World, content: Any, **options: Any) -> UUID:
    """Keep a message whose worker dies with it."""
    message_id = await world.keep(content, **options)
    await die(world, _channel(content))
    assert (await world.row(message_id))["status"] == "uncertain"
    return message_id


async def die(world: World, channel: Channel) -> None:
    assert await submit.claim(world.gateway, channel, 1)
    world.clock.turn(seconds=151)
    await settle.lose_leases(world.gateway)


async def later(world: World, reports: Reports, content: Any) -> None:
    """Let a later message of the same channel be accepted, and stand in the report."""
    world.clock.turn(seconds=1)
    message_id = await world.keep(content)
    await world.submit(_channel(content), Accepted(f"later-{message_id}"))
    (attempt,) = await world.attempts(message_id)
    if _channel(content) is Channel.SMS:
        reports.show_text("33639980001", attempt["provider_message_id"], world.clock.now())
    else:
        reports.show(attempt, attempt["provider_message_id"])


async def look(world: World, **turn: float) -> Taken:
    """Let time pass, and look once."""
    world.clock.turn(**turn)
    taken = await reconcile.claim(world.gateway)
    await reconcile.settle(world.gateway, taken)
    return taken


async def prove_absent(world: World) -> None:
    """Let the time pass in which two reports, far enough from each other, say nothing."""
    await look(world, minutes=31)
    await look(world, minutes=30)


def _channel(content: Any) -> Channel:
    return Channel(type(content).__name__.casefold())
