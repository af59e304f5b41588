"""What clients are told of an event."""

import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.delivery import publish
from app.delivery.tell import IGNORED, TYPES, told
from app.domain.identifiers import EVENT, MESSAGE, shown
from app.domain.message import Channel
from app.domain.outcome import Failure, Refused
from app.domain.status import Status
from app.store import feed
from app.store.messages import Move, move
from app.store.tables import events, messages
from tests.gateways import World, fax, sms

pytestmark = pytest.mark.anyio

BUSY = Failure(type="temporary", reason="busy", retryable=True, provider_code="7", label="occupe")


async def told_of(world: World) -> list[dict[str, Any]]:
    """Return the whole feed as a client is told it."""
    await publish.publish(world.gateway)
    async with world.gateway.database.reading() as connection:
        page = await feed.page(
            connection, (world.client_id, "live"), after=0, until=1000, limit=1000
        )
    return [told(event, message) for event, message in page]


async def moved(world: World, message_id: UUID, to: Status, **options: Any) -> bool:
    step = Move(
        message_id=message_id, to=to, at=world.clock.now(), source="provider_status", **options
    )
    async with world.gateway.database.transaction() as connection:
        return (await move(connection, world.gateway.ids, [step]))[0]


async def test_an_event_is_told_whole_and_without_anything_personal(world: World) -> None:
    message_id = await world.keep(sms(), reference="CASE-7")
    await world.submit(Channel.SMS, Refused(BUSY))

    found = await told_of(world)

    row = (await world.events(message_id))[2]
    assert found[2] == {
        "type": "message.failed",
        "timestamp": "2026-11-21T10:00:00.000Z",
        "data": {
            "event_id": shown(EVENT, row["id"]),
            "position": 3,
            "sequence": 3,
            "message_id": shown(MESSAGE, message_id),
            "channel": "sms",
            "reference": "CASE-7",
            "batch_id": None,
            "previous_status": "submitting",
            "status": "failed",
            "status_is_final": True,
            "applied": True,
            "reported_status": None,
            "failure": {
                "type": "temporary",
                "reason": "busy",
                "retryable": True,
                "provider_code": "7",
                "label": "occupe",
            },
            "source": "provider_response",
            "provider": {"name": "efidem", "code": "7", "label": "occupe", "time": None},
            "fax": None,
            "detail": None,
        },
    }
    assert [one["type"] for one in found] == [
        "message.queued",
        "message.submitting",
        "message.failed",
    ]
    assert "33639980001" not in json.dumps(found)
    assert "code : 1234" not in json.dumps(found)


async def test_news_that_moved_nothing_is_told_as_what_it_is(world: World) -> None:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS)
    assert await moved(world, message_id, Status.DELIVERED)

    assert not await moved(world, message_id, Status.FAILED, evidence=True, failure=BUSY)

    last = (await told_of(world))[-1]
    assert last["type"] == IGNORED
    data = last["data"]
    assert (data["status"], data["previous_status"]) == ("delivered", "delivered")
    assert (data["applied"], data["reported_status"]) == (False, "failed")
    assert data["failure"]["reason"] == "busy"


async def test_a_failure_stays_with_its_event_when_the_message_is_corrected(world: World) -> None:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS, Refused(BUSY))
    before = (await told_of(world))[-1]

    assert await moved(world, message_id, Status.DELIVERED)

    assert (await world.row(message_id))["failure"] is None
    after = await told_of(world)
    assert after[-2] == before
    assert (after[-1]["type"], after[-1]["data"]["failure"]) == ("message.delivered", None)


async def test_an_older_failure_is_told_from_its_message(world: World) -> None:
    message_id = await world.keep(sms())
    await world.submit(Channel.SMS, Refused(BUSY))
    async with world.gateway.database.transaction() as connection:
        # As a version before this one wrote it.
        await connection.execute(events.update().values(failure=None))

    assert (await told_of(world))[-1]["data"]["failure"]["reason"] == "busy"
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(select(messages.c.id))
        assert found.scalar_one() == message_id


async def test_a_fax_tells_its_pages(world: World) -> None:
    await world.keep(fax())

    (first,) = await told_of(world)

    assert first["data"]["fax"] == {"pages": 3, "pages_sent": None}


def test_what_concerns_no_message_is_told_without_one() -> None:
    event = {
        "id": UUID(int=5),
        "position": 9,
        "sequence": 1,
        "type": "endpoint.failing",
        "at": None,
        "applied": True,
        "source": "worker",
        "detail": {"endpoint_id": "whe_1"},
    }

    assert told(event, None)["data"] == {
        "event_id": shown(EVENT, UUID(int=5)),
        "position": 9,
        "sequence": 1,
        "source": "worker",
        "detail": {"endpoint_id": "whe_1"},
    }


def test_every_status_has_its_type() -> None:
    assert {f"message.{status}" for status in Status} <= set(TYPES)
    assert len(TYPES) == len(set(TYPES))
