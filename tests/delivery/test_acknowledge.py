"""123-fax's acknowledgements: early, late, twice, of the wrong number, of nobody's reference."""

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import RowMapping, select

from app.delivery import acknowledge, settle, submit
from app.delivery.conclude import Ended
from app.domain.acknowledgement import Acknowledgement
from app.domain.message import Channel
from app.domain.outcome import Accepted, Unclear
from app.store.tables import acknowledgements
from tests.gateways import World, fax

pytestmark = pytest.mark.anyio


async def bring(
    world: World, reference: str, code: str = "0", number: str = "0199000001", pages: int = 3
) -> None:
    await acknowledge.receive(
        world.gateway,
        "fax123",
        Acknowledgement(
            reference=reference, code=code, number=number, pages=pages, provider_time="10:12"
        ),
    )


async def kept(world: World) -> list[RowMapping]:
    async with world.gateway.database.reading() as connection:
        found = await connection.execute(select(acknowledgements))
        return list(found.mappings())


async def sent(world: World) -> tuple[UUID, str]:
    message_id = await world.keep(fax())
    (ended,) = await world.submit(Channel.FAX, Accepted(None, "113", "transmis"))
    return message_id, ended.held.claim.reference


@pytest.mark.parametrize(
    ("code", "pages", "status", "reason"),
    [
        ("0", 3, "delivered", None),
        ("0", 2, "partially_delivered", None),
        ("31068", 0, "failed", "no_answer"),
        ("31083", 0, "failed", "invalid_recipient"),
        ("33126", 0, "failed", "transmission_error"),
        ("33126", 1, "partially_delivered", None),
        ("39999", 0, "failed", "unmapped"),
    ],
)
async def test_a_code_moves_the_fax_and_is_kept_raw(
    world: World, code: str, pages: int, status: str, reason: str | None
) -> None:
    message_id, reference = await sent(world)

    await bring(world, reference, code, pages=pages)

    row = await world.row(message_id)
    assert (row["status"], row["provider_code"], row["pages_sent"]) == (status, code, pages)
    assert (row["failure"] or {}).get("reason") == reason
    assert (row["due_at"], row["status_source"]) == (None, "acknowledgement")


async def test_an_acknowledgement_before_the_answer_waits_and_is_then_applied(
    world: World,
) -> None:
    message_id = await world.keep(fax())
    ((held,),) = await submit.claim(world.gateway, Channel.FAX, 1)
    await bring(world, held.claim.reference)
    assert (await world.row(message_id))["status"] == "submitting"

    await submit.record(
        world.gateway,
        [Ended(held=held, outcome=Accepted(None, "113", "transmis"), function="http.php")],
    )

    assert await world.statuses(message_id) == ["queued", "submitting", "submitted", "delivered"]


async def test_a_repeated_acknowledgement_is_one_event(world: World) -> None:
    message_id, reference = await sent(world)

    for _ in range(5):
        await bring(world, reference)

    (one,) = await kept(world)
    assert one["times"] == 5
    assert (await world.statuses(message_id)).count("delivered") == 1
    assert len(await world.events(message_id)) == 4


async def test_a_later_failure_never_overwrites_delivered_and_is_kept(world: World) -> None:
    message_id, reference = await sent(world)
    await bring(world, reference)

    await bring(world, reference, "31064", pages=0)

    last = (await world.events(message_id))[-1]
    assert (await world.row(message_id))["status"] == "delivered"
    assert (last["applied"], last["provider_code"]) == (False, "31064")


async def test_a_later_success_corrects_a_failure(world: World) -> None:
    message_id, reference = await sent(world)
    await bring(world, reference, "31068", pages=0)

    await bring(world, reference)

    row = await world.row(message_id)
    assert (row["status"], row["failure"]) == ("delivered", None)


async def test_an_acknowledgement_of_another_number_is_kept_and_moves_nothing(
    world: World,
) -> None:
    message_id, reference = await sent(world)

    await bring(world, reference, number="0199000002")

    (one,) = await kept(world)
    assert (await world.row(message_id))["status"] == "submitted"
    assert one["note"] == "other_number"


@pytest.mark.parametrize("number", ["0199000001", "+33199000001", "0033 1 99 00 00 01"])
async def test_a_number_may_be_written_in_any_way(world: World, number: str) -> None:
    message_id, reference = await sent(world)

    await bring(world, reference, number=number)

    assert (await world.row(message_id))["status"] == "delivered"


@pytest.mark.parametrize(("to", "number"), [("+50021000", "0050021000"), ("+50021000", "50021000")])
async def test_a_short_foreign_number_is_known_again(world: World, to: str, number: str) -> None:
    message_id = await world.keep(fax(to))
    (ended,) = await world.submit(Channel.FAX, Accepted(None, "113", "transmis"))

    await bring(world, ended.held.claim.reference, number=number)

    assert (await world.row(message_id))["status"] == "delivered"


async def test_an_unknown_reference_is_kept_and_matched_when_its_message_appears(
    world: World,
) -> None:
    await bring(world, "X7")
    message_id = await world.keep(fax())
    ((held,),) = await submit.claim(world.gateway, Channel.FAX, 1)

    # The provider names the fax by a reference of its own, which nobody knew before its answer.
    await submit.record(
        world.gateway,
        [Ended(held=held, outcome=Accepted("X7", "113", "transmis"), function="http.php")],
    )

    assert (await world.row(message_id))["status"] == "delivered"


async def test_what_nobody_here_can_read_any_more_is_kept_and_moves_nothing(world: World) -> None:
    """As a simulator's acknowledgement that was spooled, where there are no simulators by now."""
    message_id, reference = await sent(world)
    world.gateway = replace(world.gateway, learn={})

    await bring(world, reference)

    assert [row["note"] for row in await kept(world)] == ["unknown_reference"]
    assert (await world.row(message_id))["status"] == "submitted"


async def test_an_unclear_call_is_settled_by_its_acknowledgement(world: World) -> None:
    message_id = await world.keep(fax())
    (ended,) = await world.submit(Channel.FAX, Unclear("the connection broke"))
    assert (await world.row(message_id))["status"] == "uncertain"

    await bring(world, ended.held.claim.reference)

    assert (await world.statuses(message_id))[-3:] == ["uncertain", "submitted", "delivered"]


async def test_a_lost_lease_is_settled_by_what_was_acknowledged_meanwhile(world: World) -> None:
    message_id = await world.keep(fax())
    ((held,),) = await submit.claim(world.gateway, Channel.FAX, 1)
    await bring(world, held.claim.reference)

    world.clock.turn(seconds=200)
    await settle.lose_leases(world.gateway)

    assert (await world.statuses(message_id))[-3:] == ["uncertain", "submitted", "delivered"]
