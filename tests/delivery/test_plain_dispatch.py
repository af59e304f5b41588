"""What is plain is claimed and written down with one statement: as the general way does it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Table, select, update

from app.delivery import submit
from app.delivery.conclude import Ended, Held
from app.delivery.gateway import Gateway
from app.delivery.limit import recount
from app.domain.message import Channel
from app.domain.outcome import Accepted, Blocked, Deferred, Failure, Outcome, Refused, Unclear
from app.store import claiming, migrate, submitted
from app.store.database import Database
from app.store.tables import attempts, channels, counters, events, messages
from tests.gateways import World, sms
from tests.postgres import Postgres

pytestmark = pytest.mark.anyio

TABLES = (messages, attempts, events, counters, channels)
# What no two stores share.
OWN = {"id", "message_id", "client_id", "campaign_id", "reference", "attempt_reference", "detail"}


class General:
    """A store that is taken for one where nothing is plain."""

    is_sqlite = True

    def __init__(self, database: Database) -> None:
        self._database = database

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


class Pair:
    """Two stores with the same messages: one for each way."""

    def __init__(self, plain: World, general: World) -> None:
        self.plain = plain
        self.general = general
        self.ids: dict[str, list[UUID]] = {"plain": [], "general": []}

    @property
    def worlds(self) -> dict[str, World]:
        return {"plain": self.plain, "general": self.general}

    @property
    def gateways(self) -> dict[str, Gateway]:
        without: Any = General(self.general.gateway.database)
        general = replace(self.general.gateway, database=without)
        return {"plain": self.plain.gateway, "general": general}

    async def keep(self, count: int, **options: Any) -> None:
        for name, world in self.worlds.items():
            self.ids[name] += [await world.keep(sms(), **options) for _ in range(count)]

    async def change(self, place: int, **columns: Any) -> None:
        for name, world in self.worlds.items():
            await world.change(self.ids[name][place], **columns)

    async def claim(self, limit: int = 100) -> dict[str, list[Held]]:
        held = {}
        for name, gateway in self.gateways.items():
            found = await submit.claim(gateway, Channel.SMS, limit)
            held[name] = [one for call in found for one in call]
        assert len(held["plain"]) == len(held["general"])
        return held

    async def record(
        self, held: Mapping[str, Sequence[Held]], outcomes: Sequence[Outcome]
    ) -> list[bool]:
        said = []
        for name, gateway in self.gateways.items():
            ended = [
                Ended(held=one, outcome=outcome, function="SEND")
                for one, outcome in zip(held[name], outcomes, strict=True)
            ]
            said.append(await submit.record(gateway, ended))
        assert said[0] == said[1]
        return said[0]

    def turn(self, **by: float) -> None:
        for world in self.worlds.values():
            world.clock.turn(**by)

    async def check(self) -> None:
        """Check that both hold the same, and that what belongs together does."""
        for table in TABLES:
            found = [await alike(one, table) for one in self.worlds.values()]
            assert found[0] == found[1], table.name
        for world in self.worlds.values():
            assert await recount(world.gateway.database) == {}
            await check_references(world)


async def rows(world: World, table: Table) -> list[Mapping[str, Any]]:
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(select(table))
        return [dict(row) for row in found.mappings()]


async def alike(world: World, table: Table) -> list[str]:
    """Return a table's rows as text, without what no two stores share, in an order of their own."""
    found = await rows(world, table)
    places = {one["id"]: place for place, one in enumerate(await in_order(world))}
    texts = []
    for row in found:
        kept = {name: value for name, value in row.items() if name not in OWN}
        kept["place"] = places.get(row.get("message_id", row.get("id")))
        if table is events:
            detail = row["detail"] or {}
            kept["detail"] = {k: v for k, v in detail.items() if k != "attempt_reference"}
        if table is counters:
            kept["name"] = row["name"].partition(str(world.client_id))[0]
        texts.append(repr(sorted(kept.items())))
    return sorted(texts)


async def in_order(world: World) -> list[Mapping[str, Any]]:
    return sorted(await rows(world, messages), key=lambda row: row["id"])


async def check_references(world: World) -> None:
    """Check that events and messages name the attempts that there are, in the order of time."""
    tried = await rows(world, attempts)
    named = {one["reference"]: one for one in tried}
    for row in await rows(world, messages):
        if row["attempt_reference"] is not None:
            assert named[row["attempt_reference"]]["message_id"] == row["id"]
    for event in await rows(world, events):
        reference = (event["detail"] or {}).get("attempt_reference")
        if reference is not None:
            assert named[reference]["message_id"] == event["message_id"]
            assert named[reference]["number"] == event["detail"]["attempt"]
    of_one = sorted(tried, key=lambda one: (one["message_id"], one["number"]))
    assert of_one == sorted(tried, key=lambda one: (one["message_id"], one["id"]))


@pytest.fixture
async def pair(postgres: Postgres) -> AsyncIterator[Pair]:
    worlds = []
    for _ in range(2):
        database = Database(postgres.create(f"plain_{uuid4().hex}"))
        await migrate.upgrade(database)
        world = World(database)
        await world.open()
        world.gateway = replace(world.gateway, random=lambda: 0.5)
        worlds.append(world)
    yield Pair(*worlds)
    for world in worlds:
        await world.gateway.database.close()


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what was done the plain way, as it is done."""
    done: list[str] = []
    claim, write = claiming.claim, submitted.write

    async def claimed(*arguments: Any, **options: Any) -> Any:
        found = await claim(*arguments, **options)
        done.extend(["claimed"] * len(found))
        return found

    async def written(database: Any, ids: Any, taken: Any, *rest: Any) -> Any:
        left = await write(database, ids, taken, *rest)
        done.extend(["written"] * (len(taken) - len(left)))
        return left

    monkeypatch.setattr(claiming, "claim", claimed)
    monkeypatch.setattr(submitted, "write", written)
    return done


TAKEN = [
    Accepted("id-1"),
    Accepted("id-2", "0", "OK"),
    Accepted(None, "0"),
    Accepted("id-3", "", ""),
    Accepted("i" * 100, "c" * 150, "w" * 700),
    Accepted("id-é", None, "words without a code"),
]
REFUSED = Refused(Failure(type="permanent", reason="invalid_recipient", retryable=False))


async def test_both_ways_write_the_same_for_what_is_taken(pair: Pair, sent: list[str]) -> None:
    await pair.keep(3)
    await pair.keep(3, billing_code="code", reference="order", recipient_digest="d" * 64)
    await pair.change(0, provider_code="before", provider_label="once", unmapped_code="x")
    await pair.change(1, provider_code="before", provider_label="once", unmapped_function="y")
    await pair.change(2, status="scheduled", blocked_reason="provider_credit")

    held = await pair.claim()
    await pair.check()
    assert await pair.record(held, TAKEN) == [True] * 6

    await pair.check()
    assert sent == ["claimed"] * 6 + ["written"] * 6


async def test_both_ways_write_the_same_for_whatever_comes(pair: Pair, sent: list[str]) -> None:
    await pair.keep(4)
    held = await pair.claim(4)
    await pair.record(held, [Accepted("1"), REFUSED, Accepted("2"), Deferred("busy", code="9")])
    await pair.check()
    assert sent.count("written") == 2

    # What tells of a provider that is away is told in the order of the calls: in one way alone.
    await pair.keep(3)
    held = await pair.claim(3)
    await pair.record(held, [Unclear("TimeoutError"), Accepted("3"), Unclear("TimeoutError")])
    await pair.check()
    assert sent.count("written") == 2

    # Its channel counts failures still: an answer ends that.
    await pair.keep(1)
    held = await pair.claim(1)
    await pair.record(held, [Accepted("4")])
    await pair.check()
    assert sent.count("claimed") == 7
    assert sent.count("written") == 2

    await pair.keep(2)
    held = await pair.claim(2)
    await pair.record(held, [Accepted("5"), Blocked("provider_credit", "no credit")])
    assert await pair.claim() == {"plain": [], "general": []}  # the channel is stopped
    await pair.check()


async def test_a_claim_that_was_lost_writes_nothing_but_evidence(
    pair: Pair, sent: list[str]
) -> None:
    await pair.keep(3)
    held = await pair.claim()
    await pair.change(0, fence=7)
    await pair.change(1, status="uncertain")

    said = await pair.record(held, [Accepted("1"), Accepted("2"), Accepted("3")])
    assert said[0] is False
    assert said[2] is True
    assert sent.count("written") == 1
    await pair.check()


async def test_what_is_not_due_any_more_or_not_yet_stays(pair: Pair, sent: list[str]) -> None:
    await pair.keep(4)
    now = pair.plain.clock.now()
    await pair.change(0, due_at=now.replace(year=2030))
    await pair.change(1, expires_at=now)
    await pair.change(2, provider="elsewhere")

    assert len((await pair.claim())["plain"]) == 1
    await pair.check()


async def test_the_oldest_are_claimed_first_and_a_campaign_goes_whole(
    pair: Pair, sent: list[str]
) -> None:
    await pair.keep(4)
    now = pair.plain.clock.now()
    for place, minute in enumerate((3, 1, 4, 2)):
        await pair.change(place, due_at=now.replace(hour=1, minute=minute))
    held = await pair.claim(2)
    assert [
        [pair.ids[name].index(one.claim.message_id) for one in held[name]] for name in held
    ] == [[1, 3], [1, 3]]
    assert sent == ["claimed"] * 2

    campaign_id = uuid4()
    for place in (0, 2):
        await pair.change(place, campaign_id=campaign_id)
    await pair.change(2, due_at=None)
    held = await pair.claim(1)
    assert len(held["plain"]) == 2
    assert sent == ["claimed"] * 2
    await pair.check()


async def test_a_pace_and_slots_are_kept(pair: Pair, sent: list[str]) -> None:
    await pair.keep(3)
    for world in pair.worlds.values():
        world.gateway = replace(world.gateway, rates={"efidem": 1.0})
    assert len((await pair.claim())["plain"]) < 3
    for world in pair.worlds.values():
        world.gateway = replace(world.gateway, rates={}, slots={"efidem": 2})
    assert (await pair.claim())["plain"] == []
    assert sent == []
    await pair.check()


async def test_a_restored_store_lets_nothing_be_claimed(pair: Pair, sent: list[str]) -> None:
    await pair.keep(1)
    for world in pair.worlds.values():
        async with world.gateway.database.transaction() as connection:
            await connection.exec_driver_sql(
                "INSERT INTO incarnation (place, store_id, made_at, claims, restore_since)"
                " VALUES (1, gen_random_uuid(), now(), 0, now())"
            )
    assert await pair.claim() == {"plain": [], "general": []}
    assert sent == []


async def test_workers_that_claim_at_once_share_what_is_due(pair: Pair) -> None:
    await pair.keep(40)
    gateway = pair.plain.gateway
    found = await asyncio.gather(*(submit.claim(gateway, Channel.SMS, 10) for _ in range(4)))
    ids = [one.claim.message_id for held in found for call in held for one in call]
    rest = await submit.claim(gateway, Channel.SMS, 100)
    ids += [one.claim.message_id for call in rest for one in call]
    assert sorted(ids) == sorted(pair.ids["plain"])
    async with gateway.database.transaction() as connection:
        await connection.execute(update(messages).values(lease_until=None))
    assert await recount(gateway.database) == {}


async def test_what_each_client_has_waiting_is_counted(pair: Pair, sent: list[str]) -> None:
    await pair.keep(5)
    for name, world in pair.worlds.items():
        own, world.client_id = world.client_id, UUID(int=7)
        pair.ids[name] += [await world.keep(sms()) for _ in range(3)]
        world.client_id = own
    await pair.change(6, size=None)
    for world in pair.worlds.values():
        await recount(world.gateway.database)

    for limit in (6, 100):
        await pair.claim(limit)
        for world in pair.worlds.values():
            assert await recount(world.gateway.database) == {}
    assert sent == ["claimed"] * 8
