"""Messages that leave in one call: claimed, sent, retried and followed together."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from app.delivery import admit, settle, submit, track
from app.delivery.accept import accept
from app.domain.message import Channel, Content, Email, Sms
from app.domain.outcome import Accepted, Blocked, Deferred, Failure, Refused, Report, Unclear
from app.domain.status import Status
from tests.gateways import World

pytestmark = pytest.mark.anyio


def email(place: int) -> Email:
    return Email(
        to_address=f"reader{place}@example.com",
        from_address="service@example.com",
        subject="Bonjour",
        text="Bonjour",
        html="<p>Bonjour</p>",
    )


def text(place: int) -> Sms:
    return Sms(to=f"+3363998{place:04}", text="Bonjour")


async def campaign(world: World, contents: Sequence[Content]) -> list[UUID]:
    """Keep messages that leave together, as the API does."""
    batch_id = world.gateway.ids.new()
    first, *others = [
        world.arrival(content, batch_id=batch_id, campaign_id=batch_id) for content in contents
    ]
    for one in others:
        one.messages[0]["due_at"] = None  # type: ignore[index]
    await accept(world.gateway, [first, *others])
    return [one.object_id for one in (first, *others)]


async def standing(world: World, ids: Sequence[UUID]) -> list[str]:
    return [(await world.row(one))["status"] for one in ids]


async def test_a_campaign_is_one_call_with_a_reference_for_each_recipient(world: World) -> None:
    ids = await campaign(world, [email(place) for place in range(5)])
    alone = await world.keep(email(9))

    await world.submit(Channel.EMAIL, Accepted("c" * 32), Accepted("a" * 32))

    (sent,) = world.provider.campaigns
    assert [one.message_id for one in sent.members] == ids
    assert len({one.reference for one in sent.members}) == 5
    assert [one.message_id for one in world.provider.submissions] == [alone]
    rows = [await world.row(one) for one in ids]
    assert {row["provider_message_id"] for row in rows} == {"c" * 32}
    assert {row["provider_function"] for row in rows} == {"MULTI_SEND_email"}
    assert [row["attempt_reference"] for row in rows] == [one.reference for one in sent.members]
    assert await standing(world, ids) == ["submitted"] * 5


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Unclear("the connection broke"), "uncertain"),
        (
            Refused(Failure(type="permanent", reason="forbidden_characters", retryable=False)),
            "failed",
        ),
        (Deferred("no connection"), "queued"),
        (Blocked("provider_credentials", "-6"), "queued"),
    ],
)
async def test_the_outcome_of_the_call_is_that_of_every_message(
    world: World, outcome: Unclear, status: str
) -> None:
    ids = await campaign(world, [text(place) for place in range(4)])

    await world.submit(Channel.SMS, outcome)

    assert await standing(world, ids) == [status] * 4


@pytest.mark.parametrize("outcome", [Deferred("no connection"), Blocked("provider_credit", "-")])
async def test_what_was_not_sent_leaves_together_again(world: World, outcome: Deferred) -> None:
    ids = await campaign(world, [text(place) for place in range(4)])
    await world.submit(Channel.SMS, outcome)
    due = [(await world.row(one))["due_at"] for one in ids]
    assert [one is not None for one in due] == [True, False, False, False]

    world.clock.turn(hours=1)
    await admit.probe_due(world.gateway)
    await world.submit(Channel.SMS)

    assert [len(one.members) for one in world.provider.campaigns] == [4, 4]
    assert await standing(world, ids) == ["submitted"] * 4


async def test_two_workers_never_split_a_campaign(world: World) -> None:
    await campaign(world, [text(place) for place in range(30)])

    first = await submit.claim(world.gateway, Channel.SMS, 1)
    second = await submit.claim(world.gateway, Channel.SMS, 100)

    assert [len(call) for call in first] == [30]
    assert second == []


async def test_a_lease_that_ran_out_makes_every_message_uncertain(world: World) -> None:
    ids = await campaign(world, [text(place) for place in range(3)])
    await submit.claim(world.gateway, Channel.SMS, 1)

    world.clock.turn(minutes=10)
    await settle.lose_leases(world.gateway)

    assert await standing(world, ids) == ["uncertain"] * 3
    assert world.provider.campaigns == []


async def test_one_status_for_all_is_asked_once_and_holds_for_all(world: World) -> None:
    ids = await campaign(world, [text(place) for place in range(4)])
    await world.submit(Channel.SMS, Accepted("c" * 32))
    world.clock.turn(minutes=1)

    rows = await track.claim(world.gateway, 100)
    assert [row["id"] for row in rows] == [ids[0]]
    world.provider.findings.append(Report(code="2", status=Status.DELIVERED, label="Reçu"))
    await track.record(world.gateway, [await track.ask(world.gateway, rows[0])])

    assert await standing(world, ids) == ["delivered"] * 4
    assert {(await world.row(one))["provider_code"] for one in ids} == {"2"}
    assert {(await world.row(one))["due_at"] for one in ids} == {None}


async def test_no_final_status_in_time_expires_all(world: World) -> None:
    ids = await campaign(world, [text(place) for place in range(3)])
    await world.submit(Channel.SMS, Accepted("c" * 32))
    world.clock.time += timedelta(days=4)

    (row,) = await track.claim(world.gateway, 100)
    await track.record(world.gateway, [await track.ask(world.gateway, row)])

    assert await standing(world, ids) == ["expired"] * 3


async def test_each_status_is_asked_where_the_provider_tells_each(world: World) -> None:
    ids = await campaign(world, [email(place) for place in range(3)])
    await world.submit(Channel.EMAIL, Accepted("c" * 32))
    world.clock.turn(minutes=1)

    rows = await track.claim(world.gateway, 100)

    assert sorted(row["id"] for row in rows) == sorted(ids)
