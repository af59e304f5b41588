"""No hot statement reads a table whole: the real ones, as the real steps send them."""

import random
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, text, update

from app.delivery import acknowledge, forget, hear, keep_files, publish, retain, settle, track
from app.delivery.accept import Key, accept, remember
from app.delivery.forget import Forgetting
from app.domain.acknowledgement import Acknowledgement
from app.domain.identifiers import Identifiers
from app.domain.message import Channel
from app.domain.outcome import Accepted, Deferred, Report, Unclear
from app.domain.status import Status
from app.store import (
    attempts,
    batches,
    client_rates,
    counters,
    deliveries,
    documents,
    events,
    exchanges,
    feed,
    figures,
    idempotency,
    keys,
    lists,
    looks,
    messages,
    quotas,
    reading,
    references,
    uncertain,
    webhooks,
)
from app.store.database import Database
from app.store.lists import Filter
from app.store.messages import Move
from app.store.recount import recount
from app.store.tables import (
    acknowledgements,
    api_keys,
    blobs,
    grants,
    idempotency_keys,
    recipients,
    webhook_deliveries,
    webhook_endpoints,
)
from app.store.tables import attempts as attempts_table
from app.store.tables import documents as documents_table
from app.store.tables import events as events_table
from app.store.tables import messages as messages_table
from tests.gateways import World, fax, sms
from tests.plans import Sent, alone, analyze, recording, scans

pytestmark = pytest.mark.anyio

COPIES = 1500
TIMES = 5000  # as many rows as were copied are in a large store
LARGE = {
    one.name
    for one in (
        messages_table,
        events_table,
        attempts_table,
        idempotency_keys,
        recipients,
        grants,
        acknowledgements,
        webhook_deliveries,
        blobs,
        documents_table,
        api_keys,
    )
}
# What of a row many copies share, what is a hash of its own, and what is a name of its own.
SHARED = {"client_id", "endpoint_id"}
HASHES = {"fingerprint", "recipient_digest", "digest", "sha256"}
NAMES = {"reference", "provider_message_id", "key", "token_hash"}
# Read whole, and yet small: they hold what is under way, and nothing that is over.
SMALL = {
    "ix_messages_to_submit",
    "ix_messages_to_track",
    "ix_messages_uncertain",
    "ix_messages_leased",
    "ix_messages_expiring",
    "ix_events_unpublished",
    "ix_webhook_deliveries_due",
    "ix_acknowledgements_unmatched",
}


class Grown:
    """A gateway whose store holds much that is over, and a little that is under way."""

    def __init__(self, world: World, sent: Sent) -> None:
        self.world = world
        self.sent = sent
        self.gateway = world.gateway
        self.old: list[UUID] = []

    async def fill(self) -> None:
        """Copy what real messages left behind, until it is much."""
        world, endpoint = self.world, self._endpoint()
        async with self.gateway.database.transaction() as connection:
            await connection.execute(insert(webhook_endpoints).values(**endpoint))
        made = [await self.keep(n) for n in range(4)]
        fax_id = await world.keep(fax(), **self._named(9))
        await world.submit(Channel.SMS, *[Accepted(f"id-{n}") for n in range(4)])
        await world.submit(Channel.FAX, Accepted("42"))
        (call,) = await world.attempts(fax_id)
        await acknowledge.receive(self.gateway, "fax123", told(call["reference"]))
        done = [self.move(one) for one in made]
        async with self.gateway.database.transaction() as connection:
            await messages.move(connection, self.gateway.ids, done)
            row = {"message_id": fax_id, "place": 0, "kind": "to", "address": "a@example.com"}
            row |= {"digest": "d" * 64, "status": "delivered", "status_at": world.clock.now()}
            await connection.execute(insert(recipients).values(**row))
        while await publish.publish(self.gateway):
            pass
        async with self.gateway.database.transaction() as connection:
            await connection.execute(update(webhook_deliveries).values(state="delivered"))
            await self._copy(connection)
        await analyze(self.gateway.database, LARGE, TIMES, small=SMALL)

    def _endpoint(self) -> dict[str, Any]:
        now = self.world.clock.now()
        return {
            "id": self.gateway.ids.new(),
            "client_id": self.world.client_id,
            "mode": "live",
            "url": "https://example.com",
            "secret": "s",
            "enabled": True,
            "created_at": now,
            "changed_at": now,
        }

    async def _copy(self, connection: Any) -> None:
        """Write every row of the large tables many times, each time of other messages."""
        draw = random.Random(5).randbytes
        fresh = Identifiers(self.world.clock.now, draw)
        renamed: dict[tuple[int, UUID], UUID] = {}

        def value(name: str, one: Any, copy: int) -> Any:
            if isinstance(one, UUID) and (name not in SHARED or copy % 2):
                # Who sends, and who is told, is another for every second copy, and one for all those.
                return renamed.setdefault((0 if name in SHARED else copy, one), fresh.new())
            return like(name, one, copy, draw)

        # First those that name messages, which all get the new names in their order.
        for table in (
            messages_table,
            attempts_table,
            events_table,
            idempotency_keys,
            recipients,
            grants,
            acknowledgements,
            webhook_deliveries,
            blobs,
        ):
            found = [dict(row) for row in (await connection.execute(select(table))).mappings()]
            rows = [
                {name: value(name, one, copy) for name, one in row.items()}
                for copy in range(1, COPIES // max(1, len(found)) + 1)
                for row in found
            ]
            if rows:
                await connection.execute(insert(table), rows)
            if table is messages_table:
                self.old = [row["id"] for row in rows]
        await connection.execute(update(feed.feeds).values(position=1000 * COPIES))

    def _named(self, n: int) -> dict[str, Any]:
        return {
            "reference": f"order-{n}",
            "billing_code": f"code-{n}",
            "batch_id": UUID(int=n),
            "recipient_digest": f"{n:064x}",
            "expires_at": self.world.clock.now() + timedelta(days=9),
        }

    async def keep(self, n: int) -> UUID:
        """Take a text message in, with all that a client may say of it."""
        key = self.key(n)
        return await self.world.keep(sms(), key=key, **self._named(n))

    async def keep_plain(self, n: int) -> None:
        """Take two text messages in that are no more than themselves and their keys, and a tag."""
        for number, tags in ((n, []), (n + 1, ["tag"])):
            arrival = self.world.arrival(sms(), key=self.key(number))
            answer = replace(arrival.answer, kept=False)
            rows = ({**arrival.messages[0], "tags": tags},)
            await accept(self.gateway, [replace(arrival, answer=answer, messages=rows)])

    def key(self, n: int) -> Key:
        """Return an Idempotency-Key."""
        return Key(client_id=self.world.client_id, mode="live", key=f"k{n}", fingerprint="a" * 64)

    def move(self, message_id: UUID) -> Move:
        """Return the move of a message that has arrived."""
        return Move(
            message_id=message_id,
            to=Status.DELIVERED,
            at=self.world.clock.now(),
            source="provider_status",
            changes={"due_at": None},
        )

    async def read_whole(self, url: str) -> Mapping[str, set[str]]:
        """Return the statements since `sent.listening` that read a large table whole, and which."""
        assert self.sent.statements
        found = await scans(self.gateway.database, self.sent, url)
        return {statement: bad for statement, read in found.items() if (bad := set(_large(read)))}


def _large(read: set[str]) -> list[str]:
    return [
        one
        for one in read
        if one.partition(" ")[0] in LARGE and one.rpartition(" ")[2] not in SMALL
    ]


def like(name: str, one: Any, copy: int, draw: Callable[[int], bytes]) -> Any:
    """Return the value of a copy's column, where it is no identifier."""
    if one is None:
        return None
    if name == "position":
        return one + 1000 * copy
    if name in HASHES:
        return draw(32).hex()
    return f"{copy}-{one}"[:16] if name in NAMES else one


def told(reference: str) -> Acknowledgement:
    """Return a callback of 123-fax."""
    return Acknowledgement(
        reference=reference, code="0", number="0199000001", pages=3, provider_time="10:00"
    )


@pytest.fixture
async def grown(database_url: str) -> AsyncIterator[Grown]:
    database = Database(database_url)
    async with recording(database) as sent:
        world = World(database)
        await world.open()
        made = Grown(world, sent)
        await made.fill()
        sent.listening = True
        yield made
    await database.close()


async def test_taking_messages_in_reads_nothing_whole(grown: Grown, database_url: str) -> None:
    for _ in range(2):  # the second time, each key is taken
        arrivals = [
            grown.world.arrival(sms(), key=grown.key(100 + n), **grown._named(n)) for n in range(5)
        ]
        await accept(grown.gateway, arrivals)
        await grown.keep_plain(150)
    async with grown.gateway.database.transaction() as connection:
        client, wanted = grown.world.client_id, ["order-1", "order-2"]
        await references.earlier(connection, client, "live", wanted)
        named = {"client_id": client, "mode": "live", "message_id": grown.old[0]}
        await references.take(connection, [named | {"reference": one} for one in wanted])
    await remember(grown.gateway, [grown.key(100), grown.key(999)])
    await grown.world.keep(fax())

    assert await grown.read_whole(database_url) == {}


async def test_sending_reads_nothing_whole(grown: Grown, database_url: str) -> None:
    for n in range(6):
        await grown.keep(200 + n)
    await grown.world.keep(fax())
    await grown.world.submit(Channel.SMS, Accepted("a"), Deferred("busy"), Unclear("broken"))
    await grown.world.submit(Channel.FAX, Accepted("b"))
    async with grown.gateway.database.reading() as connection:
        await looks.due(connection, grown.world.clock.now())
        await figures.figures(connection, grown.world.clock.now())
        await counters.read(connection)

    assert await grown.read_whole(database_url) == {}


async def test_following_reads_nothing_whole(grown: Grown, database_url: str) -> None:
    for n in range(4):
        await grown.keep(300 + n)
    fax_id = await grown.world.keep(fax())
    await grown.world.submit(Channel.SMS, Accepted("x"), Accepted("y"), Unclear("broken"))
    await grown.world.submit(Channel.FAX, Accepted("77"))
    (call,) = await grown.world.attempts(fax_id)
    grown.world.provider.findings = [Report(status=Status.DELIVERED, code="0", label="ok")]
    grown.world.clock.turn(hours=1)
    rows = await track.claim(grown.gateway, 10)
    await track.record(grown.gateway, [await track.ask(grown.gateway, row) for row in rows])
    await acknowledge.receive(grown.gateway, "fax123", told(call["reference"]))
    await acknowledge.receive(grown.gateway, "fax123", told("nobody"))
    now = grown.world.clock.now()
    async with grown.gateway.database.transaction() as connection:
        taken = await uncertain.claim(connection, due_by=now, leased_until=now, limit=5)
        ids = [row["id"] for row in taken]
        await uncertain.tries(connection, ids)
        await uncertain.taken_by_reference(connection, "efidem", ["a", "b"])
        await uncertain.texts_taken(connection, "efidem", ["a", "b"])
        await uncertain.texts_in_doubt(connection, "efidem")
        await attempts.of_reference(connection, "fax123", "42")

    assert await grown.read_whole(database_url) == {}


async def test_keeping_time_reads_nothing_whole(grown: Grown, database_url: str) -> None:
    for n in range(4):
        await grown.keep(400 + n)
    await grown.world.submit(Channel.SMS)
    late = await grown.keep(410)
    await grown.world.change(late, status="submitting", lease_until=grown.world.clock.now())
    grown.world.clock.turn(days=10)
    await settle.lose_leases(grown.gateway)
    await settle.expire(grown.gateway)

    assert await grown.read_whole(database_url) == {}


FILTERS = (
    Filter(),
    Filter(channel="sms", status="delivered"),
    Filter(reference="order-1"),
    Filter(billing_code="code-1"),
    Filter(batch_id=UUID(int=1)),
    Filter(provider_message_id="id-1"),
    Filter(digest=f"{1:064x}"),
)


async def test_reading_reads_nothing_whole(grown: Grown, database_url: str) -> None:
    client, one = grown.world.client_id, grown.old[700]
    await reading.of_ids(grown.gateway.database, grown.old[:5])
    async with grown.gateway.database.reading() as connection:
        await reading.find(connection, one, client, "live")
        for narrowed in FILTERS:
            for after in (None, grown.old[900]):
                await lists.page(connection, client, "live", narrowed, limit=20, after=after)
        await events.timeline(connection, one)
        tried = await exchanges.attempts_of(connection, one)
        await exchanges.acknowledged(connection, tried)
        await batches.counts(connection, UUID(int=1))
        await batches.members(connection, UUID(int=1), "delivered", limit=20, after=one)
        await feed.standing(connection, [(client, "live")])
        await feed.page(connection, (client, "live"), after=5000, until=9000, limit=100)

    assert await grown.read_whole(database_url) == {}


async def test_telling_reads_nothing_whole(grown: Grown, database_url: str) -> None:
    for n in range(4):
        await grown.keep(500 + n)
    await publish.publish(grown.gateway)
    now = grown.world.clock.now()
    async with grown.gateway.database.reading() as connection:
        due = await deliveries.due(connection, now, 10)
        await deliveries.pending(connection)
    async with grown.gateway.database.transaction() as connection:
        held = await deliveries.claim(
            connection, due[0]["id"], now=now, lease=timedelta(minutes=1), limit=10
        )
        over = {"state": "delivered", "due_at": None, "ended_at": now}
        await deliveries.end(connection, [(row, over) for row in held])
        await webhooks.enabled(connection, [(grown.world.client_id, "live")])
    async with grown.gateway.database.reading() as connection:
        await deliveries.told(connection, held)
        await deliveries.listed(connection, due[0]["id"], limit=20, after=None, state=None)
        await deliveries.of_events(connection, due[0]["id"], [row["event_id"] for row in held])

    assert held
    assert await grown.read_whole(database_url) == {}


async def test_whether_events_wait_is_known_without_reading_all_that_do(
    grown: Grown, database_url: str
) -> None:
    await grown.keep(600)
    grown.sent.statements.clear()
    async with grown.gateway.database.reading() as connection:
        await feed.waiting(connection)
        await feed.standing(connection, [(grown.world.client_id, "live")])
        await feed.oldest_waiting(connection)

    # Of their own index too, which is small only where they are soon published.
    read = (await scans(grown.gateway.database, grown.sent, database_url)).values()
    assert {one for each in read for one in each if one.startswith("events")} == set()


async def test_deleting_reads_nothing_whole(
    grown: Grown, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retain, "MOST", 20)  # of 3,000: a tenth is read faster with all
    monkeypatch.setattr(forget, "MOST", 20)
    timing = replace(grown.gateway.timing, kept=timedelta(days=100))
    gateway = replace(grown.gateway, timing=timing)
    grown.world.clock.turn(days=300)
    began = len(grown.old)

    assert await retain.delete_messages(gateway, timedelta(days=100))
    await retain.delete_files(gateway, timedelta(days=100))
    await Forgetting(gateway).step()
    async with gateway.database.transaction() as connection:
        await deliveries.forget(connection, grown.world.clock.now() - timedelta(days=30), 100)
    await recount(gateway.database)

    assert began
    assert await grown.read_whole(database_url) == {}


async def test_files_are_found_by_their_names(grown: Grown, database_url: str) -> None:
    gateway, now = grown.gateway, grown.world.clock.now()
    document = fax()
    message_id = await grown.world.keep(document)
    await grown.world.submit(Channel.FAX, Accepted(None))
    (call,) = await grown.world.attempts(message_id)
    large = {documents.digest(one): one for one in (b"1" * 70_000, b"2" * 70_000)}
    for _ in range(2):  # the second time, they are kept already
        await keep_files.keep_files(gateway, replace(grown.world.arrival(document), files=large))
    await documents.load_at_once(gateway.database, [*large])
    async with gateway.database.transaction() as connection:
        await documents.keep(connection, large, now + timedelta(days=9))
        await documents.load(connection, [*large])
        await documents.find(connection, grown.world.client_id, grown.old[:2])
        await attempts.look(connection, "a token", now)
        await attempts.fetch(connection, "a token", now)
        await attempts.was_fetched(connection, call["id"])
        await attempts.revoke_all(connection, message_id, now)

    assert await grown.read_whole(database_url) == {}


async def test_who_calls_is_found_by_names(grown: Grown, database_url: str) -> None:
    client, now = grown.world.client_id, grown.world.clock.now()
    rate = client_rates.Asked(
        told=timedelta(), wanted=1, each=timedelta(seconds=1), most=timedelta(seconds=5)
    )
    async with grown.gateway.database.transaction() as connection:
        await keys.find(connection, "0123456789", "d" * 64, now)
        await keys.used(connection, {"0123456789": now, "1123456789": now}, timedelta(minutes=5))
        await idempotency.find(connection, [(client, "live", "k1"), (client, "live", "k2")])
        await idempotency.answer(connection, grown.old[0], client, "k1", status=202)
        await idempotency.free(connection, grown.old[0], client, "k1")
        await client_rates.spend(connection, (client, "live"), rate, now)
        await quotas.spend(connection, {(client, "live", "sms", now.date()): 3})

    assert await grown.read_whole(database_url) == {}


async def test_hearing_of_faxes_reads_nothing_whole(grown: Grown, database_url: str) -> None:
    if grown.gateway.database.is_sqlite:
        pytest.skip("PostgreSQL's way; SQLite has the general one")
    calls = await _sent_faxes(grown, 3)

    heard = await hear.hear(grown.gateway, "fax123", [told(one) for one in [*calls, "nobody"]])

    assert sum(heard) == len(calls)
    assert await grown.read_whole(database_url) == {}


async def _sent_faxes(grown: Grown, count: int) -> list[str]:
    """Have 123-fax take some faxes; return our references of them."""
    kept = [await grown.world.keep(fax()) for _ in range(count)]
    await grown.world.submit(Channel.FAX, *[Accepted(None) for _ in kept])
    return [(await grown.world.attempts(one))[0]["reference"] for one in kept]


async def test_every_statement_that_goes_alone_is_looked_at(grown: Grown) -> None:
    if grown.gateway.database.is_sqlite:
        pytest.skip("PostgreSQL's way")
    gateway = grown.gateway
    await grown.keep_plain(600)
    calls = await _sent_faxes(grown, 1)
    await grown.world.submit(Channel.SMS)
    await hear.hear(gateway, "fax123", [told(one) for one in calls])
    await reading.of_ids(gateway.database, grown.old[:2])
    large = {documents.digest(b"3" * 70_000): b"3" * 70_000}
    await keep_files.keep_files(gateway, replace(grown.world.arrival(fax()), files=large))
    await documents.load_at_once(gateway.database, [*large])
    await recount(gateway.database)

    # Whichever is added must be sent here, and in the test above that it belongs to.
    assert {one.strip() for one in alone()} - {
        one.strip() for one in grown.sent.statements
    } == set()


async def test_what_reads_a_table_whole_is_found_whichever_way_it_goes(
    grown: Grown, database_url: str
) -> None:
    database = grown.gateway.database
    unlikely = "SELECT count(*) FROM messages WHERE units = 77"
    every = "SELECT count(*) FROM attempts"
    async with database.reading() as connection:
        await connection.execute(text(unlikely))
        await connection.execute(text(every))
    expected = {unlikely, every}
    if not database.is_sqlite:
        await database.at_once(f"{unlikely} -- at once", [])
        expected.add(f"{unlikely} -- at once")

    assert set(await grown.read_whole(database_url)) == expected
