"""One message to several recipients: each has a status, and together they make the message's."""

from uuid import UUID

import pytest
from sqlalchemy import RowMapping

from app.delivery import track
from app.delivery.accept import accept
from app.delivery.recipients import overall
from app.domain.message import Channel, Email
from app.domain.outcome import Accepted, ByRecipient, Failure, NoAnswer, NoStatus, Report
from app.domain.status import Status
from app.store import recipients
from tests.gateways import World

pytestmark = pytest.mark.anyio

ANN, BOB, CEC = "ann@example.com", "bob@example.com", "cec@example.com"
GONE = Failure(type="permanent", reason="invalid_recipient", retryable=False, provider_code="41")
SENT = Report(code="20", status=Status.SENT)
ARRIVED = Report(code="30", status=Status.DELIVERED)
FAILED = Report(code="41", status=Status.FAILED, failure=GONE)
RELAYED = Email(
    to_address=ANN,
    also_to=(BOB,),
    cc=(CEC,),
    from_address="service@example.com",
    subject="Bonjour",
    text="Bonjour",
    html="<p>Bonjour</p>",
    relay=True,
)


async def submitted(world: World) -> UUID:
    arrival = world.arrival(RELAYED)
    rows = recipients.rows_of(arrival.messages[0], RELAYED, str.upper)
    object.__setattr__(arrival, "recipients", rows)
    await accept(world.gateway, [arrival])
    await world.submit(Channel.EMAIL, Accepted("a" * 32))
    return arrival.object_id


async def told(world: World, *each: Report | NoStatus | NoAnswer) -> None:
    world.clock.turn(hours=6)
    (row,) = await track.claim(world.gateway, 10)
    world.provider.findings.append(ByRecipient(dict(zip((ANN, BOB, CEC), each, strict=True))))
    await track.record(world.gateway, [await track.ask(world.gateway, row)])


async def of(world: World, message_id: UUID) -> list[RowMapping]:
    async with world.gateway.database.reading() as connection:
        return list(await recipients.of_messages(connection, [message_id]))


async def test_every_recipient_is_asked_for_in_the_order_of_the_request(world: World) -> None:
    message_id = await submitted(world)

    await told(world, ARRIVED, SENT, NoStatus("-99"))

    rows = await of(world, message_id)
    assert [(row["kind"], row["address"]) for row in rows] == [
        ("to", ANN),
        ("to", BOB),
        ("cc", CEC),
    ]
    assert [row["status"] for row in rows] == ["delivered", "sent", "submitted"]
    assert [row["provider_code"] for row in rows] == ["30", "20", None]
    assert (await world.row(message_id))["status"] == "sent"


@pytest.mark.parametrize(
    ("each", "status"),
    [
        ((ARRIVED, ARRIVED, ARRIVED), "delivered"),
        ((ARRIVED, FAILED, ARRIVED), "partially_delivered"),
        ((FAILED, FAILED, FAILED), "failed"),
        ((FAILED, FAILED, SENT), "sent"),
        ((NoStatus("-99"), NoStatus("-99"), NoStatus("-99")), "submitted"),
        ((NoAnswer("no"), NoAnswer("no"), NoAnswer("no")), "submitted"),
        ((Report(code="77", status=None), ARRIVED, ARRIVED), "sent"),
    ],
)
async def test_the_message_stands_where_its_recipients_put_it(
    world: World, each: tuple[Report, Report, Report], status: str
) -> None:
    message_id = await submitted(world)

    await told(world, *each)

    row = await world.row(message_id)
    assert row["status"] == status
    assert (row["failure"] or {}).get("reason") == (
        "invalid_recipient" if status == "failed" else None
    )


async def test_news_come_one_after_the_other_and_a_failure_never_hides_an_arrival(
    world: World,
) -> None:
    message_id = await submitted(world)

    await told(world, SENT, SENT, NoAnswer("away"))
    await told(world, ARRIVED, FAILED, SENT)
    await told(world, FAILED, FAILED, ARRIVED)

    rows = await of(world, message_id)
    assert [row["status"] for row in rows] == ["delivered", "failed", "delivered"]
    assert await world.statuses(message_id) == [
        "queued", "submitting", "submitted", "sent", "partially_delivered",
    ]  # fmt: skip
    assert (await world.row(message_id))["due_at"] is None


def test_an_open_recipient_keeps_the_message_open() -> None:
    def row(status: str) -> dict[str, object]:
        return {"status": status, "provider_code": "1", "failure": None}

    assert overall([row("delivered"), row("submitted")]).status is Status.SENT
    assert overall([row("submitted"), row("submitted")]).status is Status.SUBMITTED
