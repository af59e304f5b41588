"""The store's clock decides, whatever the clock of this host says."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.delivery import settle, submit
from app.domain.message import Channel
from app.domain.outcome import Accepted
from app.store import migrate
from app.store.clock import Clock, ClockSkewed, host_ticks, host_time
from app.store.database import UNAVAILABLE, Database
from tests.gateways import World, sms
from tests.outage.link import linked
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio


class Host:
    """A host whose clock somebody sets, and whose ticks a test may lengthen."""

    def __init__(self) -> None:
        self.wrong_by = timedelta(0)
        self.passed = 0.0

    def time(self) -> datetime:
        return host_time() + self.wrong_by + timedelta(seconds=self.passed)

    def ticks(self) -> float:
        return host_ticks() + self.passed


@pytest.fixture
async def store(postgres: Postgres) -> AsyncIterator[Database]:
    database = Database(postgres.create(f"clock_{uuid4().hex}"))
    await migrate.upgrade(database)
    yield database
    await database.close()


async def said(database: Database) -> datetime:
    async with database.reading() as connection:
        found = await connection.execute(text("SELECT clock_timestamp()"))
        return found.scalar_one().astimezone(UTC)  # type: ignore[no-any-return]


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_host_clock_that_is_set_changes_nothing(store: Database, hours: int) -> None:
    host = Host()
    clock = Clock(store, host=host.time, ticks=host.ticks)
    await clock.start()

    host.wrong_by = timedelta(hours=hours)
    unmeasured = clock.now(), await said(store), clock.now()
    measured = await clock.measure()
    after = clock.now(), await said(store), clock.now()

    half = timedelta(seconds=0.5)
    for begins, said_then, ends in (unmeasured, after):
        assert begins - half < said_then < ends + half
    assert abs(measured.skew - timedelta(hours=hours)) < timedelta(seconds=0.5)


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_lease_follows_the_store_and_not_the_host(store: Database, hours: int) -> None:
    host = Host()
    clock = Clock(store, host=host.time, ticks=host.ticks)
    await clock.start()
    world = World(store)
    world.gateway = replace(world.gateway, now=clock.now)
    world.clock.time = clock.now()
    await world.open()
    message_id = await world.keep(sms())
    ((held,),) = await submit.claim(world.gateway, Channel.SMS, 1)

    host.wrong_by = timedelta(hours=hours)
    await clock.measure()
    await settle.lose_leases(world.gateway)
    assert (await world.row(message_id))["status"] == "submitting"
    ended = await submit.call(world.gateway, [held])
    assert isinstance(ended[0].outcome, Accepted)

    # An hour of the store's passes: the host that says it is earlier must not keep the lease.
    host.passed = 3600
    await settle.lose_leases(world.gateway)
    assert (await world.row(message_id))["status"] == "uncertain"


async def test_a_host_that_is_six_seconds_off_does_not_start(store: Database) -> None:
    host = Host()
    for wrong_by, side in ((6, "ahead of"), (-6, "behind")):
        host.wrong_by = timedelta(seconds=wrong_by)
        with pytest.raises(ClockSkewed) as raised:
            await Clock(store, host=host.time, ticks=host.ticks).start()
        # It is known to half of a round trip.
        assert re.fullmatch(
            rf"this host's clock is (5\.[5-9]|6\.[0-5]) s {side} the database's; at most 5\.0 s are"
            r" allowed: synchronise both hosts \(NTP\), then start again",
            str(raised.value),
        )


@pytest.mark.parametrize("seconds", [-2, 2])
async def test_a_host_that_is_two_seconds_off_starts_with_a_warning(
    store: Database, seconds: int, capsys: pytest.CaptureFixture[str]
) -> None:
    host = Host()
    host.wrong_by = timedelta(seconds=seconds)

    await Clock(store, host=host.time, ticks=host.ticks).start()

    assert "clock_skewed" in capsys.readouterr().out


async def test_the_last_measurement_holds_while_the_store_is_away(postgres: Postgres) -> None:
    url = postgres.create(f"clock_{uuid4().hex}")
    async with linked(url) as (link, through):
        database = Database(through)
        host = Host()
        clock = Clock(database, host=host.time, ticks=host.ticks)
        await clock.start()
        host.wrong_by = timedelta(hours=1)
        await link.close()
        with pytest.raises(UNAVAILABLE):
            await clock.measure()
        drift = clock.now() - host_time()
        await database.close()

    assert abs(drift) < timedelta(seconds=0.5)


async def test_with_sqlite_a_set_clock_is_followed_at_the_next_measurement_only(
    tmp_path: Path,
) -> None:
    database = Database(f"sqlite:///{tmp_path}/store.db")
    host = Host()
    clock = Clock(database, host=host.time, ticks=host.ticks)
    await clock.start()

    host.wrong_by = timedelta(hours=1)
    between = clock.now() - host_time()
    await clock.measure()
    after = clock.now() - host_time()
    await database.close()

    assert abs(between) < timedelta(seconds=0.5)
    assert abs(after - timedelta(hours=1)) < timedelta(seconds=0.5)
