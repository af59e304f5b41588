"""Plain acknowledgements take a short way: what is written and said is what the general way does."""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Table, select, text
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
from app.store import messages as store
from app.store.messages import Move
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
async def test_a_message_that_moves_while_it_is_waited_for_is_not_taken(world: World) -> None:
    gateway = world.gateway
    moved, stands = await sent(world, 2)
    of = {one["reference"]: one["message_id"] for one in await rows(world, attempts)}
    async with gateway.database.transaction() as connection:
        step = Move(message_id=of[moved], to=Status.FAILED, at=gateway.now(), source="operator")
        await store.move(connection, gateway.ids, [step])
        hearing = asyncio.create_task(hear(gateway, "fax123", [brought(moved), brought(stands)]))
        await until_somebody_waits(world)

    assert await hearing == [False, True]

    assert (await world.row(of[moved]))["status"] == "failed"
    assert len(await world.events(of[moved])) == 4
    assert [one["reference"] for one in await rows(world, acknowledgements)] == [stands]


async def until_somebody_waits(world: World) -> None:
    """Return when a statement waits for another transaction's lock."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(5):
        while True:
            async with world.gateway.database.reading() as connection:
                if (await connection.execute(text(waits))).scalar_one():
                    return
            await asyncio.sleep(0.01)


@postgresql_only
async def test_what_is_said_of_an_attempt_that_another_followed_is_not_plain(world: World) -> None:
    gateway = world.gateway
    (first,) = await sent(world, 1, retry_on=("busy",))
    await acknowledge.receive(gateway, "fax123", brought(first, "31064", pages=0))
    world.clock.turn(hours=1)
    await world.submit(Channel.FAX, TAKEN)
    (stands,) = await rows(world, messages)
    assert (stands["status"], stands["attempts"]) == ("submitted", 2)

    assert await hear(gateway, "fax123", [brought(first)]) == [False]

    assert await world.row(stands["id"]) == stands


@postgresql_only
@pytest.mark.parametrize(
    "number",
    [
        "0199000001",
        "+33 1 99 00 00 01",
        "0033199000001",
        "199000001",
        "33199000001",
        "9900000199000001",
    ],
)
async def test_a_number_that_ends_as_ours_does_is_plain(world: World, number: str) -> None:
    (one,) = await sent(world, 1)

    assert await hear(world.gateway, "fax123", [brought(one, number=number)]) == [True]


@postgresql_only
@pytest.mark.parametrize("number", ["99000001", "1", "000", "()", "0199000002", "+331990000010"])
async def test_another_number_is_not_plain(world: World, number: str) -> None:
    (one,) = await sent(world, 1)

    assert await hear(world.gateway, "fax123", [brought(one, number=number)]) == [False]


@postgresql_only
async def test_one_that_is_known_already_leaves_nothing_written(world: World) -> None:
    gateway = world.gateway
    known, new = await sent(world, 2)
    row = acknowledge._row(gateway, "fax123", brought(known))
    async with gateway.database.transaction() as connection:
        await connection.execute(acknowledgements.insert().values(**row))

    assert await hear(gateway, "fax123", [brought(known), brought(new)]) == [False, False]

    assert {one["status"] for one in await rows(world, messages)} == {"submitted"}
    # Alone, each goes its way.
    short = Hearing(gateway)
    for one in (known, new):
        assert await short.do(Received("fax123", brought(one))) is None
    assert {one["status"] for one in await rows(world, messages)} == {"delivered"}


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
