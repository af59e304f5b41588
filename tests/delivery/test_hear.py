"""Plain acknowledgements take a short way: what is written and said is what the general way does."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Table, select
from structlog.testing import capture_logs

from app.delivery import acknowledge, submit
from app.delivery.acknowledge import Received
from app.delivery.conclude import Ended
from app.delivery.hear import Hearing, hear
from app.domain.acknowledgement import Acknowledgement
from app.domain.message import Channel
from app.domain.outcome import Accepted, Report, Unclear
from app.domain.status import Status
from app.providers.fax123.acknowledgement import CODES, learn
from app.store import hearing
from app.store.acknowledgements import fingerprint_of
from app.store.hearing import Heard
from app.store.tables import acknowledgements, attempts, events, messages
from tests.gateways import World, fax

pytestmark = pytest.mark.anyio
# A file has one writer: there is no short way.
postgresql_only = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

NUMBER = "0199000001"
TAKEN = Accepted(None, "113", "transmis")
# What faxes came to, and for what they are sent again. An outage would keep the next ones back.
STATES = (
    (TAKEN, ()),
    (TAKEN, ("busy",)),
    (TAKEN, ("busy",)),
    (Accepted("theirs", "113", "transmis"), ()),
    (Unclear("the connection broke"), ("busy",)),
)
EVERY_CODE = [*(one.code for one in CODES), "30128", "39999", "77777"]


def brought(reference: str, code: str = "0", **changes: Any) -> Acknowledgement:
    said = {"number": NUMBER, "pages": 3, "provider_time": "10:12"} | changes
    return Acknowledgement(reference=reference, code=code, **said)


async def sent(world: World, count: int, outcome: Any = TAKEN, **changes: Any) -> list[str]:
    """Return our references of faxes that were called once."""
    for _ in range(count):
        await world.keep(replace(fax(), **changes))
    ended = await world.submit(Channel.FAX, *[outcome] * count)
    return [one.held.claim.reference for one in ended]


async def called(world: World) -> str:
    """Return our reference of a fax whose call is open."""
    await world.keep(fax())
    ((held,),) = await submit.claim(world.gateway, Channel.FAX, 1)
    return held.claim.reference


async def written(world: World, references: list[str]) -> list[Any]:
    """Return what stands in the store of some faxes, without what no two of them share."""
    by_id = {one["id"]: one for one in await rows(world, messages)}
    of = {one["reference"]: one["message_id"] for one in await rows(world, attempts)}
    found = []
    for reference in references:
        message = by_id[of[reference]]
        told = [one for one in await rows(world, events) if one["message_id"] == message["id"]]
        kept = [one for one in await rows(world, acknowledgements) if one["reference"] == reference]
        told.sort(key=lambda one: one["sequence"])
        kept.sort(key=lambda one: (one["received_at"], one["id"]))
        found.append([alike(message), list(map(alike, told)), list(map(alike, kept))])
    return found


async def rows(world: World, table: Table) -> list[Mapping[str, Any]]:
    async with world.gateway.database.reading() as connection:
        return list((await connection.execute(select(table))).mappings())


def alike(row: Mapping[str, Any]) -> dict[str, Any]:
    own = {"id", "message_id", "reference", "attempt_reference", "fingerprint", "position"}
    told = {name: row[name] for name in row if name not in own}
    # Which attempt it belongs to differs, and that it belongs to one does not.
    told["attempt_id"] = "attempt_id" in row and row["attempt_id"] is not None
    if told.get("detail"):
        told["detail"] = {**told["detail"], "attempt_reference": None}
    return told


async def both(world: World, said: list[tuple[Acknowledgement, str]]) -> None:
    """Bring acknowledgements one after the other to a fax, and to its like the general way.

    Each is paired with the other fax's reference. Answers and log lines are the same.
    """
    short = Hearing(world.gateway)
    for one, other in said:
        with capture_logs() as by_short:
            note = await short.do(Received("fax123", one))
        with capture_logs() as by_general:
            (same,) = await acknowledge.receive_many(
                world.gateway, [Received("fax123", replace(one, reference=other))]
            )
        assert note == same, one
        assert learnt(by_short) == learnt(by_general), one


def learnt(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [alike(one) for one in lines if one["event"] == "status_learnt"]


@pytest.mark.parametrize("pages", [0, 1, 3, 7, None])
@pytest.mark.parametrize("retry_on", [(), ("busy", "no_answer", "transmission_error")])
async def test_every_code_leaves_what_the_general_way_leaves(
    world: World, pages: int | None, retry_on: tuple[str, ...]
) -> None:
    count = len(EVERY_CODE)
    references = await sent(world, 2 * count, retry_on=retry_on)
    some, others = references[:count], references[count:]

    pairs = zip(some, others, EVERY_CODE, strict=True)
    await both(world, [(brought(one, code, pages=pages), two) for one, two, code in pairs])

    assert await written(world, some) == await written(world, others)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_is_brought_in_whatever_order_leaves_the_same(
    world: World, seed: int
) -> None:
    draw = random.Random(seed)
    some, others = [await called(world)], [await called(world)]
    for outcome, retry_on in STATES:
        pair = await sent(world, 2, outcome, retry_on=retry_on)
        some.append(pair[0])
        others.append(pair[1])
    said = []
    for _ in range(60):
        place = draw.randrange(len(some))
        one = brought(
            some[place],
            draw.choice(["0", "31064", "31064", "31083", "33126", "39999"]),
            number=draw.choice([NUMBER, NUMBER, "+33199000001", "0199000002"]),
            pages=draw.choice([3, 3, 2, 0, None]),
            provider_time=draw.choice(["10:12", None]),
        )
        said.append((one, others[place]))
    said += draw.sample(said, 20)

    await both(world, said[:40])
    # What was queued again has another attempt by now.
    world.clock.turn(hours=1)
    await world.submit(Channel.FAX)
    await both(world, said[40:])

    assert await written(world, some) == await written(world, others)


async def test_what_an_operator_said_of_a_code_leaves_the_same(world: World) -> None:
    meanings = {
        "77777": Report(code="77777", status=Status.DELIVERED, label="fait"),
        "39999": Report(code="39999", status=None, label="en cours"),
        "31068": Report(code="31068", status=Status.SENT, label=""),
        "31079": Report(code="31079", status=Status.FAILED, label="é" * 600),
    }
    world.gateway = replace(world.gateway, learn={"fax123": partial(learn, said=meanings)})
    some, others = await sent(world, 4), await sent(world, 4)
    said = [
        (brought(one, code, pages=pages), two)
        for one, two, code in zip(some, others, meanings, strict=True)
        for pages in (3, 1, 3)
    ]

    await both(world, said)

    assert await written(world, some) == await written(world, others)


@postgresql_only
async def test_first_acknowledgements_of_faxes_that_were_taken_are_plain(world: World) -> None:
    references = await sent(world, 5)
    codes = ["0", "31068", "31083", "33126", "70003"]
    some = [brought(one, code) for one, code in zip(references, codes, strict=True)]

    assert await hear(world.gateway, "fax123", some) == [True] * 5

    found = await rows(world, messages)
    assert sorted(one["status"] for one in found) == [
        *("delivered", "failed", "failed", "failed", "partially_delivered")
    ]
    assert await hear(world.gateway, "fax123", some) == [False] * 5


@postgresql_only
async def test_what_is_not_plain_is_left_whole_to_the_general_way(world: World) -> None:
    gateway = world.gateway
    (busy,) = await sent(world, 1, retry_on=("busy",))
    (unclear,) = await sent(world, 1, Unclear("the connection broke"))
    (twice, once) = await sent(world, 2)
    open_ = await called(world)
    some = [
        brought("NOBODY"),
        brought(busy, "31064", pages=0),
        brought(unclear),
        brought(open_),
        brought(twice),
        brought(twice, "31068"),
        brought(once, number="0199000002"),
        brought(once, "39999"),
    ]

    assert await hear(gateway, "fax123", some) == [False] * len(some)
    assert await hear(gateway, "fax123", [some[1], brought(once), some[0]]) == [False, True, False]

    assert [one["reference"] for one in await rows(world, acknowledgements)] == [once]


@postgresql_only
async def test_a_name_that_two_attempts_have_is_not_plain(world: World) -> None:
    (first,) = await sent(world, 1)
    (second,) = await sent(world, 1, Accepted(first, "113", "transmis"))

    assert await hear(world.gateway, "fax123", [brought(first), brought(second)]) == [
        *(False, True)
    ]


@postgresql_only
async def test_a_message_that_moved_since_it_was_read_is_not_taken(world: World) -> None:
    gateway = world.gateway
    moved, stands = await sent(world, 2)
    found = await hearing.standing(gateway.database, "fax123", [moved, stands])
    await acknowledge.receive(gateway, "fax123", brought(moved, "31083"))
    some = [heard(world, one, found) for one in (moved, stands)]

    taken = await hearing.apply(gateway.database, "fax123", some, gateway.now())

    assert taken == {found[stands].message["id"]}
    message_id = found[moved].message["id"]
    assert (await world.row(message_id))["status"] == "failed"
    assert len(await world.events(message_id)) == 4
    kept = await rows(world, acknowledgements)
    assert sorted((one["reference"] == moved, one["code"]) for one in kept) == [
        *((False, "0"), (True, "31083"))
    ]


@postgresql_only
async def test_a_message_that_was_sent_again_since_it_was_read_is_not_taken(world: World) -> None:
    gateway = world.gateway
    (first,) = await sent(world, 1, retry_on=("busy",))
    found = await hearing.standing(gateway.database, "fax123", [first])
    await acknowledge.receive(gateway, "fax123", brought(first, "31064", pages=0))
    world.clock.turn(hours=1)
    await world.submit(Channel.FAX, TAKEN)
    stands = await world.row(found[first].message["id"])
    assert (stands["status"], stands["attempts"]) == ("submitted", 2)

    some = [heard(world, first, found)]
    assert await hearing.apply(gateway.database, "fax123", some, gateway.now()) == set()

    assert await world.row(stands["id"]) == stands


@postgresql_only
async def test_one_that_is_known_already_leaves_nothing_written(world: World) -> None:
    gateway = world.gateway
    known, new = await sent(world, 2)
    found = await hearing.standing(gateway.database, "fax123", [known, new])
    row = acknowledge._row(gateway, "fax123", brought(known))
    async with gateway.database.transaction() as connection:
        await connection.execute(acknowledgements.insert().values(**row))
    some = [heard(world, one, found) for one in (known, new)]

    assert await hearing.apply(gateway.database, "fax123", some, gateway.now()) == set()

    assert {one["status"] for one in await rows(world, messages)} == {"submitted"}
    assert await hear(gateway, "fax123", [brought(known), brought(new)]) == [False, False]
    # Alone, each goes its way.
    short = Hearing(gateway)
    for one in (known, new):
        assert await short.do(Received("fax123", brought(one))) is None
    assert {one["status"] for one in await rows(world, messages)} == {"delivered"}


def heard(world: World, reference: str, found: Mapping[str, Any]) -> Heard:
    """Return what is written of the acknowledgement that `brought` makes."""
    said, named = brought(reference), found[reference]
    ids: list[UUID] = world.gateway.ids.many(2)
    return Heard(
        message_id=named.message["id"],
        fence=named.message["fence"],
        sequence=named.message["sequence"],
        attempt_id=named.attempt["id"],
        event_id=ids[0],
        kept_id=ids[1],
        fingerprint=fingerprint_of(acknowledge.fields_of("fax123", said)),
        reference=reference,
        code=said.code,
        number=said.number,
        pages=said.pages,
        provider_time=said.provider_time,
        status="delivered",
        label="OK reçu",
        failure=None,
    )


async def test_faxes_that_are_acknowledged_while_their_calls_end_are_each_moved_once(
    world: World,
) -> None:
    for _ in range(20):
        await world.keep(fax())
    held = [one for call in await submit.claim(world.gateway, Channel.FAX, 20) for one in call]
    short = Hearing(world.gateway)

    async def end(one: Any) -> None:
        ended = Ended(held=one, outcome=TAKEN, function="http.php")
        await submit.record(world.gateway, [ended])

    await asyncio.gather(
        *(
            work
            for one in held
            for work in (
                short.do(Received("fax123", brought(one.claim.reference))),
                end(one),
                short.do(Received("fax123", brought(one.claim.reference, "31083"))),
            )
        )
    )

    found = await rows(world, messages)
    assert {one["status"] for one in found} == {"delivered"}
    for one in found:
        told = await world.events(one["id"])
        assert [event["sequence"] for event in told] == list(range(1, len(told) + 1))
        assert [event["status"] for event in told].count("delivered") == 1
