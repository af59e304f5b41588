"""Messages are deleted after their time, with all that is theirs, and nothing that is needed."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Table, func, insert, select

from app.delivery import publish, retain
from app.delivery.arrival import Key
from app.delivery.retain import Retaining
from app.domain.message import Channel
from app.domain.outcome import Accepted, Failure, Refused, Unclear
from app.domain.status import Status
from app.store import documents, messages, retention
from app.store.messages import Move
from app.store.tables import (
    acknowledgements,
    attempts,
    batches,
    blobs,
    daily_usage,
    events,
    feeds,
    grants,
    idempotency_keys,
    recipients,
    webhook_deliveries,
    webhook_endpoints,
)
from app.store.tables import documents as documents_table
from app.store.tables import messages as table
from tests.gateways import PDF, World, fax, sms

pytestmark = pytest.mark.anyio

KEPT = timedelta(days=100)
REFUSED = Refused(Failure(type="permanent", reason="invalid_recipient", retryable=False))
OF_A_MESSAGE = (table, attempts, events, grants, recipients, acknowledgements, idempotency_keys)


@pytest.fixture(autouse=True)
def _kept(world: World) -> None:
    timing = replace(world.gateway.timing, kept=KEPT)
    world.gateway = replace(world.gateway, timing=timing)


async def rows(world: World, *tables: Table) -> Mapping[str, int]:
    async with world.gateway.database.reading() as connection:
        return {
            one.name: (await connection.execute(select(func.count()).select_from(one))).scalar_one()
            for one in tables
        }


async def end(world: World, message_id: UUID, to: Status = Status.DELIVERED) -> None:
    """Move a message to a final status, and publish what happened to it."""
    at = world.clock.now()
    move = Move(
        message_id=message_id, to=to, at=at, source="provider_status", changes={"due_at": None}
    )
    async with world.gateway.database.transaction() as connection:
        await messages.move(connection, world.gateway.ids, [move])
    await told(world)


async def told(world: World) -> None:
    while await publish.publish(world.gateway):
        pass


async def sent(world: World, **options: object) -> UUID:
    """Send a text message that arrives."""
    message_id = await world.keep(sms(), **options)
    await world.submit(Channel.SMS)
    await end(world, message_id)
    return message_id


async def delete(world: World) -> None:
    """Let the lane do all that is due now."""

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    rests: list[float] = []
    retaining = Retaining(world.gateway, rest)
    while not rests or rests[-1] != retain.LOOK:
        await retaining.step()


async def standing(world: World) -> set[UUID]:
    async with world.gateway.database.reading() as connection:
        return set((await connection.execute(select(table.c.id))).scalars())


async def test_a_message_goes_after_its_time_with_all_that_is_its_own(world: World) -> None:
    key = Key(client_id=world.client_id, mode="live", key="k", fingerprint="a" * 64)
    fax_id = await world.keep(fax(), key=key)
    await world.submit(Channel.FAX, Accepted("42"))
    (attempt,) = await world.attempts(fax_id)
    async with world.gateway.database.transaction() as connection:
        await connection.execute(
            insert(acknowledgements).values(
                id=world.gateway.ids.new(),
                fingerprint="f",
                provider="fax123",
                reference=attempt["reference"],
                code="0",
                number="0199000001",
                received_at=world.clock.now(),
                times=1,
                attempt_id=attempt["id"],
            )
        )
        await connection.execute(
            insert(recipients).values(
                message_id=fax_id,
                place=0,
                kind="to",
                address="a@example.com",
                status="delivered",
                status_at=world.clock.now(),
            )
        )
    await end(world, fax_id)

    world.clock.turn(days=99)
    await delete(world)
    early = await rows(world, *OF_A_MESSAGE, blobs)
    world.clock.turn(days=4)
    await delete(world)

    assert 0 not in early.values()
    assert set((await rows(world, *OF_A_MESSAGE, blobs)).values()) == {0}


@pytest.mark.parametrize(
    "status", ["queued", "scheduled", "held", "submitting", "uncertain", "submitted", "sent"]
)
async def test_what_is_not_over_stays_however_old_it_is(world: World, status: str) -> None:
    message_id = await world.keep(sms())
    await told(world)
    await world.change(message_id, status=status, due_at=None)

    world.clock.turn(days=4000)
    await delete(world)

    assert await standing(world) == {message_id}


async def test_the_time_runs_from_the_last_event(world: World) -> None:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS, REFUSED)
    await told(world)
    world.clock.turn(days=90)
    news = Move(message_id=message_id, to=None, at=world.clock.now(), source="x", type="message.x")
    async with world.gateway.database.transaction() as connection:
        await messages.move(connection, world.gateway.ids, [news])
    await told(world)

    world.clock.turn(days=50)
    await delete(world)
    early = await standing(world)
    world.clock.turn(days=60)
    await delete(world)

    assert early == {message_id}
    assert await standing(world) == set()


async def test_what_no_feed_has_told_yet_stays(world: World) -> None:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS, REFUSED)
    world.clock.turn(days=200)
    await delete(world)
    early = await standing(world)

    await told(world)
    world.clock.turn(hours=2)
    await delete(world)

    assert early == {message_id}
    assert await standing(world) == set()


async def test_texts_stay_that_tell_what_became_of_an_uncertain_one(world: World) -> None:
    before = await sent(world)
    world.clock.turn(minutes=1)
    doubtful = await world.keep(sms())
    await world.submit(Channel.SMS, Unclear("broken"))
    after = await sent(world)
    fax_id = await world.keep(fax())
    await world.submit(Channel.FAX)
    await end(world, fax_id)

    world.clock.turn(days=200)
    await delete(world)

    assert await standing(world) == {doubtful, after}
    assert before != after


async def test_a_batch_goes_with_its_last_message(world: World) -> None:
    batch_id = world.gateway.ids.new()
    async with world.gateway.database.transaction() as connection:
        await connection.execute(
            insert(batches).values(
                id=batch_id,
                client_id=world.client_id,
                mode="live",
                channel="sms",
                sending="individual",
                size=2,
                created_at=world.clock.now(),
            )
        )
    await sent(world, batch_id=batch_id)
    last = await world.keep(sms(), batch_id=batch_id)
    await told(world)

    world.clock.turn(days=200)
    await delete(world)
    early = await rows(world, table, batches)
    await world.submit(Channel.SMS)
    await end(world, last)
    world.clock.turn(days=200)
    await delete(world)

    assert early == {"messages": 1, "batches": 1}
    assert await rows(world, table, batches) == {"messages": 0, "batches": 0}


async def test_a_file_stays_while_anything_has_it(world: World) -> None:
    first = await world.keep(fax())
    await world.submit(Channel.FAX)
    await end(world, first)
    world.clock.turn(days=60)
    second = await world.keep(fax())
    await world.submit(Channel.FAX)
    await end(world, second)

    world.clock.turn(days=60)
    await delete(world)
    while_used = await rows(world, table, blobs)
    world.clock.turn(days=60)
    await delete(world)

    assert while_used == {"messages": 1, "blobs": 1}
    assert await rows(world, table, blobs) == {"messages": 0, "blobs": 0}


async def test_a_file_stays_that_an_old_message_still_waits_with(world: World) -> None:
    await world.keep(fax())
    await told(world)

    world.clock.turn(days=300)
    await delete(world)

    assert await rows(world, table, blobs) == {"messages": 1, "blobs": 1}


async def test_an_uploaded_document_keeps_its_file(world: World) -> None:
    digest = documents.digest(PDF)
    async with world.gateway.database.transaction() as connection:
        await documents.keep(connection, {digest: PDF}, world.clock.now())
        await documents.add(
            connection,
            {
                "id": world.gateway.ids.new(),
                "client_id": world.client_id,
                "sha256": digest,
                "filename": "d.pdf",
                "media_type": "application/pdf",
                "size": len(PDF),
                "created_at": world.clock.now(),
            },
        )

    world.clock.turn(days=300)
    await delete(world)

    assert await rows(world, documents_table, blobs) == {"documents": 1, "blobs": 1}


async def test_a_file_that_is_taken_in_again_is_not_deleted_meanwhile(world: World) -> None:
    digest = documents.digest(PDF)
    async with world.gateway.database.transaction() as connection:
        await documents.keep(connection, {digest: PDF}, world.clock.now())
    world.clock.turn(days=300)
    if world.gateway.database.is_sqlite:
        pytest.skip("one writer at a time: nothing happens meanwhile")

    async with world.gateway.database.transaction() as connection:
        await documents.keep(connection, {digest: PDF}, world.clock.now())
        await delete(world)
    world.clock.turn(days=1)
    await delete(world)

    assert await rows(world, blobs) == {"blobs": 1}


async def test_a_feed_keeps_its_place_and_says_up_to_where_events_are_gone(world: World) -> None:
    await sent(world)
    world.clock.turn(days=80)
    young = await sent(world)

    world.clock.turn(days=60)
    await delete(world)

    async with world.gateway.database.reading() as connection:
        feed = (await connection.execute(select(feeds))).mappings().one()
        left = (await connection.execute(select(events.c.position, events.c.message_id))).all()
    assert (feed["position"], feed["forgotten"]) == (8, 4)
    assert sorted(left) == [(place, young) for place in (5, 6, 7, 8)]


async def test_deliveries_go_with_their_event_and_endpoints_after_their_deliveries(
    world: World,
) -> None:
    now = world.clock.now()
    endpoint = {
        "id": world.gateway.ids.new(),
        "client_id": world.client_id,
        "mode": "live",
        "url": "https://example.com",
        "secret": "s",
        "enabled": True,
        "created_at": now,
        "changed_at": now,
    }
    async with world.gateway.database.transaction() as connection:
        await connection.execute(insert(webhook_endpoints).values(**endpoint))
    await sent(world)
    had = await rows(world, webhook_deliveries)
    async with world.gateway.database.transaction() as connection:
        await connection.execute(
            webhook_endpoints.update().values(deleted_at=world.clock.now(), enabled=False)
        )

    world.clock.turn(days=99)
    await delete(world)
    early = await rows(world, webhook_endpoints)
    world.clock.turn(days=4)
    await delete(world)

    assert had == {"webhook_deliveries": 4}
    assert early == {"webhook_endpoints": 1}
    assert set((await rows(world, webhook_deliveries, webhook_endpoints)).values()) == {0}


async def test_counts_of_days_go_too(world: World) -> None:
    async with world.gateway.database.transaction() as connection:
        for days in (0, 150):
            await connection.execute(
                insert(daily_usage).values(
                    client_id=world.client_id,
                    mode="live",
                    channel="sms",
                    day=(world.clock.now() + timedelta(days=days)).date(),
                    messages=1,
                )
            )

    world.clock.turn(days=150)
    await delete(world)

    assert await rows(world, daily_usage) == {"daily_usage": 1}


async def test_much_is_deleted_in_slices_by_workers_that_take_turns(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retain, "MOST", 3)
    for _ in range(10):
        await sent(world)
    waiting = [await world.keep(sms()) for _ in range(4)]
    await told(world)
    world.clock.turn(days=200)

    for _ in range(12):
        await asyncio.gather(*(retain.delete_messages(world.gateway, KEPT) for _ in range(3)))

    assert await standing(world) == set(waiting)


async def test_nothing_is_deleted_where_no_time_is_set(world: World) -> None:
    message_id = await sent(world)
    world.gateway = replace(world.gateway, timing=replace(world.gateway.timing, kept=None))

    world.clock.turn(days=4000)
    await delete(world)

    assert await standing(world) == {message_id}


async def test_a_worker_that_dies_in_a_slice_has_deleted_nothing_of_it(world: World) -> None:
    message_id = await sent(world)
    everything = await rows(world, *OF_A_MESSAGE)
    world.clock.turn(days=200)

    async def dies() -> None:
        async with world.gateway.database.transaction() as connection:
            walked = await retention.walk(connection, None, world.clock.now() - KEPT, 10)
            assert walked.deleted == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await dies()
    after_it = await rows(world, *OF_A_MESSAGE)
    await delete(world)

    assert after_it == everything
    assert message_id not in await standing(world)
