import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from app.delivery.accept import Arrival, Key, accept
from app.delivery.accept_many import accept_many
from app.delivery.gateway import Gateway
from app.delivery.gather import Gathering
from app.delivery.quota import Usage, until_midnight
from app.domain.errors import DailyQuotaExceeded
from app.store.database import Database, is_unavailable
from app.store.tables import daily_usage, messages
from tests.gateways import World, sms

pytestmark = pytest.mark.anyio
QUOTA = 500
PARIS = ZoneInfo("Europe/Paris")


def limited(world: World, quota: int, *, size: int = 1, key: Key | None = None) -> Arrival:
    first = replace(world.arrival(sms(), key=key), daily_quota=quota)
    others = [world.arrival(sms()).messages[0] for _ in range(size - 1)]
    return replace(first, messages=(*first.messages, *others))


def keyed(world: World) -> Key:
    return Key(client_id=world.client_id, mode="live", key=uuid4().hex, fingerprint="f")


async def used(world: World) -> list[tuple[str, int]]:
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(
            select(daily_usage.c.mode, daily_usage.c.messages).order_by(daily_usage.c.mode)
        )
        return [(row.mode, row.messages) for row in found]


async def kept(world: World) -> int:
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(select(func.count()).select_from(messages))
        return int(found.scalar_one())


async def each(gateway: Gateway, arrivals: list[Arrival]) -> list[Any]:
    """Take arrivals in as one process does; return what came of each."""
    accepting: Gathering[Arrival, Any] = Gathering(
        lambda items: accept(gateway, items), is_unavailable
    )
    return await asyncio.gather(*map(accepting.do, arrivals), return_exceptions=True)


async def test_a_quota_holds_exactly_over_several_processes(
    world: World, database: Database, request: pytest.FixtureRequest
) -> None:
    databases = [Database(str(database_url(database))) for _ in range(4)]
    gateways = [replace(world.gateway, database=one, usage=Usage()) for one in databases]
    try:
        outcomes = await asyncio.gather(
            *(each(one, [limited(world, QUOTA) for _ in range(250)]) for one in gateways)
        )
    finally:
        for one in databases:
            await one.close()

    flat = [one for some in outcomes for one in some]
    assert flat.count(None) == QUOTA
    assert {type(one) for one in flat if one is not None} == {DailyQuotaExceeded}
    assert await used(world) == [("live", QUOTA)]
    assert await kept(world) == QUOTA


def database_url(database: Database) -> Any:
    return database._engine.url.render_as_string(hide_password=False)


async def test_an_arrival_beyond_the_quota_fails_alone(world: World) -> None:
    arrivals = [limited(world, 2), limited(world, 2), limited(world, 2), world.arrival(sms())]

    outcomes = await each(world.gateway, arrivals)

    assert [type(one) for one in outcomes] == [type(None)] * 2 + [DailyQuotaExceeded, type(None)]
    assert await used(world) == [("live", 2)]


async def test_a_batch_that_crosses_the_quota_is_refused_whole(world: World) -> None:
    await accept(world.gateway, [limited(world, 10, size=4)])

    with pytest.raises(DailyQuotaExceeded) as fault:
        await accept(world.gateway, [limited(world, 10, size=7)])

    assert "6 are left" in fault.value.detail
    assert "tomorrow" in fault.value.detail
    await accept(world.gateway, [limited(world, 10, size=6)])
    assert await used(world) == [("live", 10)]


async def test_what_no_day_takes_is_not_put_off_until_tomorrow(world: World) -> None:
    with pytest.raises(DailyQuotaExceeded) as fault:
        await accept(world.gateway, [limited(world, 10, size=11)])

    assert "tomorrow" not in fault.value.detail
    assert "fewer" in fault.value.detail


async def test_a_large_batch_that_crosses_the_quota_is_refused_whole(world: World) -> None:
    await accept_many(world.gateway, limited(world, 150, size=80))

    with pytest.raises(DailyQuotaExceeded):
        await accept_many(world.gateway, limited(world, 150, size=80))

    assert await used(world) == [("live", 80)]
    assert await kept(world) == 80


async def test_a_replayed_key_counts_once(world: World) -> None:
    key = keyed(world)

    for _ in range(3):
        await accept(world.gateway, [limited(world, 5, key=key)])

    assert await used(world) == [("live", 1)]


async def test_a_key_is_free_again_after_a_refusal(world: World) -> None:
    key = keyed(world)
    await accept(world.gateway, [limited(world, 1)])
    with pytest.raises(DailyQuotaExceeded):
        await accept(world.gateway, [limited(world, 1, key=key)])

    (obstacle,) = await accept(world.gateway, [limited(world, 2, key=key)])

    assert obstacle is None


async def test_modes_and_days_are_counted_apart(world: World) -> None:
    test = limited(world, 1)
    test = replace(test, messages=tuple({**row, "mode": "test"} for row in test.messages))
    await accept(world.gateway, [test])
    await accept(world.gateway, [limited(world, 1)])
    assert await used(world) == [("live", 1), ("test", 1)]

    world.clock.turn(days=1)
    await accept(world.gateway, [limited(world, 1)])

    assert await used(world) == [("live", 1), ("live", 1), ("test", 1)]


async def test_who_has_no_quota_is_not_counted(world: World) -> None:
    await accept(world.gateway, [world.arrival(sms())])

    assert await used(world) == []


async def test_what_is_known_not_to_fit_is_refused_without_the_store(world: World) -> None:
    usage, now = Usage(), world.clock.now()
    await accept(replace(world.gateway, usage=usage), [limited(world, 1)])

    with pytest.raises(DailyQuotaExceeded):
        usage.admit(limited(world, 1), now)

    usage.admit(limited(world, 2), now)  # somebody raised the quota
    usage.admit(limited(world, 1), now + timedelta(days=1))


async def test_a_day_is_that_of_the_deployments_zone(world: World) -> None:
    world.gateway = replace(world.gateway, zone=PARIS)
    world.clock.turn(hours=12, minutes=59)  # 22:59 in UTC is 23:59 in Paris
    await accept(world.gateway, [limited(world, 1)])
    with pytest.raises(DailyQuotaExceeded) as fault:
        await accept(world.gateway, [limited(world, 1)])
    assert fault.value.retry_after == 60
    assert "Europe/Paris" in fault.value.detail

    world.clock.turn(minutes=1)

    await accept(world.gateway, [limited(world, 1)])
    assert await used(world) == [("live", 1), ("live", 1)]


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 11, 21), 24), ((2026, 3, 29), 23), ((2026, 10, 25), 25)]
)
def test_a_day_is_as_long_as_its_clocks_make_it(day: tuple[int, int, int], hours: int) -> None:
    begins = datetime(*day, tzinfo=PARIS)

    assert until_midnight(begins) == hours * 3600
    assert until_midnight(begins + timedelta(hours=23, minutes=59, seconds=59.5)) == 1
