"""Ten thousand recipients in one request: all or none, while everybody else is served."""

import asyncio
import json
import time
from itertools import chain
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app.api import slices as slicing
from app.api.batch_schemas import MOST_MESSAGES
from app.delivery import cancel, submit
from app.delivery.acting import Actor
from app.domain.identifiers import BATCH, read
from app.domain.message import Channel
from app.store.database import Database
from app.store.tables import events, idempotency_keys, messages
from tests.api.asking import Asking, asking
from tests.api.client import Answer, Api, email, problem, sms, wrong

pytestmark = pytest.mark.anyio

EMAILS, TEXTS = "/v1/emails/batch", "/v1/sms/batch"
LARGE = {"body_limit": 16 * 1_048_576}
KEY = {"Idempotency-Key": "the-ten-thousand"}


def numbers(count: int = MOST_MESSAGES) -> list[dict[str, Any]]:
    return [
        {
            "to": f"+336120{place:05}",
            "reference": f"r{place}",
            "metadata": {"case": str(place), "town": "Orléans"},
            "tags": ["all", f"t{place % 7}"],
        }
        for place in range(count)
    ]


def addresses(count: int = MOST_MESSAGES) -> list[dict[str, Any]]:
    return [
        {
            "to": [{"address": f"client{place}@exemple{place % 50}.fr", "name": "Marie Durand"}],
            "reference": f"r{place}",
            "variables": ["Marie", str(place), "Durand"],
            "metadata": {"case": str(place)},
        }
        for place in range(count)
    ]


async def rows_of(api: Api, batch_id: str) -> int:
    identifier = read(BATCH, batch_id)
    async with api.gateway.database.reading() as connection:
        found = await connection.execute(
            select(func.count()).where(messages.c.batch_id == identifier)
        )
        return int(found.scalar_one())


@pytest.fixture
async def asked(database: Database) -> Any:
    """An API over a provider whose WSDL is known: every message is checked against it."""
    async with asking(database, **LARGE) as found:
        await found.api.gateway.providers["efidem"].start()
        await found.api.begin_counting()
        yield found


@pytest.mark.parametrize(
    ("path", "defaults", "rows"),
    [
        (TEXTS, {"text": "Fermé lundi"}, numbers()),
        (EMAILS, email(attachments=[], html="<p>Bonjour</p>" * 20), addresses()),
    ],
    ids=["sms", "email"],
)
async def test_ten_thousand_messages_are_one_request_and_a_repeat_the_same_answer(
    asked: Asking, path: str, defaults: dict[str, Any], rows: list[dict[str, Any]]
) -> None:
    defaults.pop("to", None)
    given = {"defaults": defaults, "messages": rows}

    first = await asked.post(path, given, headers=KEY)
    again = await asked.post(path, given, headers=KEY)

    assert first.status == 202, first.content[:500]
    batch = first.json()
    assert (batch["size"], batch["counts"], batch["is_final"]) == (
        MOST_MESSAGES, {"queued": MOST_MESSAGES}, False,
    )  # fmt: skip
    assert [one["index"] for one in batch["messages"]] == list(range(MOST_MESSAGES))
    assert [one["reference"] for one in batch["messages"]] == [one["reference"] for one in rows]
    assert len({one["id"] for one in batch["messages"]}) == MOST_MESSAGES
    assert (again.status, again.headers["Idempotency-Replayed"]) == (202, "true")
    assert again.content == first.content
    assert await asked.api.count(messages) == await asked.api.count(events) == MOST_MESSAGES
    assert await asked.api.count(idempotency_keys) == 1


async def test_single_messages_are_taken_while_a_batch_is(asked: Asking) -> None:
    """No other request waits for the batch as a whole, and the loop never stands for long."""
    stalls: list[float] = []
    ended = asyncio.Event()

    async def watch() -> None:
        # Of the loop's own processor time: this machine may have others to serve as well.
        last = time.thread_time()
        while not ended.is_set():
            await asyncio.sleep(0.0005)
            now = time.thread_time()
            stalls.append(now - last)
            last = now

    async def single() -> Answer:
        await asyncio.sleep(0.05)
        return await asked.post("/v1/sms", sms(), headers={"Idempotency-Key": "single"})

    async def batch() -> tuple[Answer, float]:
        given = {"defaults": {"text": "Fermé lundi"}, "messages": numbers(10_000)}
        answer = await asked.post(TEXTS, given, headers=KEY)
        return answer, time.perf_counter()

    watching = asyncio.create_task(watch())
    (whole, whole_at), (one, one_at) = await asyncio.gather(batch(), timed(single()))
    ended.set()
    await watching

    assert (whole.status, one.status) == (202, 202)
    assert one_at < whole_at
    # The test's own client builds and reads megabytes on the same loop; what is left is short.
    assert sorted(stalls)[-6] < 0.05, sorted(stalls)[-10:]


async def timed(work: Any) -> tuple[Any, float]:
    return await work, time.perf_counter()


async def test_one_wrong_row_of_ten_thousand_keeps_none(asked: Asking) -> None:
    rows = numbers()
    rows[9_999]["to"] = "12"
    rows[4_321]["sender"] = "MUCHTOOLONGASENDER"

    given = {"defaults": {"text": "Fermé lundi"}, "messages": rows}
    answer = await asked.post(TEXTS, given, headers=KEY)

    assert wrong(answer) == [
        ("/messages/4321/sender", "sender_too_long"),
        ("/messages/9999/to", "number_too_short"),
    ]
    assert await asked.api.count(messages) == await asked.api.count(idempotency_keys) == 0


async def test_a_thousand_errors_are_listed_and_all_are_counted(api: Api, serve: Any) -> None:
    async with serve(api.gateway.database, **LARGE) as large:
        given = {"defaults": {"text": "x"}, "messages": [{"to": "1"} for _ in range(2_500)]}
        answer = await large.post(TEXTS, given, key=api.live)

    found = problem(answer, 422, "validation_failed")
    assert len(found["errors"]) == 1_000
    assert found["errors"][999]["pointer"] == "/messages/999/to"
    assert found["detail"] == "2,500 fields are wrong; the first 1,000 are listed."


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"messages": [sms(), sms(**{f"f{n}": 1 for n in range(5_000)})]}, "/messages/1"),
        ({"messages": [sms(metadata={"a": [[""] * 5_000]})]}, "/messages/0"),
        ({"messages": [sms()] * 5_000, "defaults": {"tags": ["x"] * 5_000}}, "/defaults"),
        ({"messages": [sms()], **{f"f{n}": 1 for n in range(5_000)}}, ""),
    ],
    ids=["row", "inside", "defaults", "beside"],
)
async def test_a_part_that_holds_more_than_any_message_is_refused_as_a_whole(
    shared: Api, change: dict[str, Any], named: str
) -> None:
    assert wrong(await shared.post(TEXTS, change)) == [(named, "too_large")]


async def test_what_is_wrong_in_the_defaults_is_not_looked_for_in_every_message(
    shared: Api,
) -> None:
    given = {"defaults": {f"f{n}": 1 for n in range(2_000)}, "messages": [sms(), *[{}] * 9_999]}
    began = time.thread_time()
    found = problem(await shared.post(TEXTS, given), 422, "validation_failed")

    assert found["detail"] == (
        "2,000 fields are wrong; the first 1,000 are listed. What follows message 0 was not"
        " looked at."
    )
    assert {one["pointer"].rpartition("/")[0] for one in found["errors"]} == {"/defaults"}
    # For each of the messages, it would take minutes.
    assert time.thread_time() - began < 10


@pytest.mark.parametrize(
    ("row", "code", "detail"),
    [
        (sms(text="a\x00b"), "forbidden_characters", "listed."),
        ({}, "missing", "listed. What follows message 4999 was not looked at."),
    ],
    ids=["NUL", "empty"],
)
async def test_no_more_than_ten_thousand_errors_are_looked_for(
    shared: Api, row: dict[str, Any], code: str, detail: str
) -> None:
    answer = await shared.post(TEXTS, {"messages": [row] * MOST_MESSAGES})

    found = problem(answer, 422, "validation_failed")
    assert {one["code"] for one in found["errors"]} == {code}
    assert found["detail"] == f"At least 10,000 fields are wrong; the first 1,000 are {detail}"
    assert len(answer.content) < 200_000


async def test_more_than_ten_thousand_are_refused(api: Api, serve: Any) -> None:
    async with serve(api.gateway.database, **LARGE) as large:
        answer = await large.post(TEXTS, {"messages": numbers(MOST_MESSAGES + 1)}, key=api.live)

    assert wrong(answer) == [("/messages", "too_long")]


async def test_contents_that_would_take_gigabytes_written_out_are_refused(
    api: Api, serve: Any
) -> None:
    async with serve(api.gateway.database, **LARGE) as large:
        given = {
            "defaults": email(text="é" * 400_000, html="<p>x</p>"),
            "messages": [{"to": [{"address": f"a{place}@exemple.fr"}]} for place in range(1_000)],
        }
        answer = await large.post(EMAILS, given, key=api.live)

    assert wrong(answer) == [("/messages", "too_large")]


async def test_messages_of_one_call_are_a_thousand_at_most(api: Api, serve: Any) -> None:
    async with serve(api.gateway.database, **LARGE) as large:
        rows = [{"to": f"+336120{place:05}"} for place in range(2_500)]
        given = {"mode": "provider_multi", "defaults": {"text": "Bonjour"}, "messages": rows}
        answer = await large.post(TEXTS, given, key=api.live)

    identifier = read(BATCH, answer.json()["id"])
    async with api.gateway.database.reading() as connection:
        found = await connection.execute(
            select(func.count(), func.count(messages.c.due_at))
            .where(messages.c.batch_id == identifier)
            .group_by(messages.c.campaign_id)
        )
        assert sorted(tuple(row) for row in found) == [(500, 1), (1_000, 1), (1_000, 1)]


async def test_a_batch_is_read_page_by_page_in_the_order_given(api: Api) -> None:
    rows = [sms(to=f"+336120{place:05}", reference=f"r{place}") for place in range(450)]
    batch = (await api.post(TEXTS, {"messages": rows})).json()
    async with api.gateway.database.transaction() as connection:
        await connection.execute(
            update(messages)
            .where(
                messages.c.batch_id == read(BATCH, batch["id"]),
                messages.c.reference.in_([f"r{place}" for place in range(0, 450, 3)]),
            )
            .values(status="delivered")
        )

    async def pages(query: str) -> list[list[str]]:
        found, path = [], f"/v1/batches/{batch['id']}/messages?{query}"
        while path:
            answer = await api.get(path)
            page = answer.json()
            found.append([one["reference"] for one in page["data"]])
            assert page["has_more"] == (page["next_cursor"] is not None)
            path = answer.headers.get("Link", "")[1:].partition(">")[0]
        return found

    everything = await pages("limit=200")
    delivered = await pages("limit=100&status=delivered")

    assert [len(one) for one in everything] == [200, 200, 50]
    assert [*chain(*everything)] == [f"r{place}" for place in range(450)]
    assert [*chain(*delivered)] == [f"r{place}" for place in range(0, 450, 3)]
    told = (await api.get(f"/v1/batches/{batch['id']}")).json()
    assert told["counts"] == {"queued": 300, "delivered": 150}
    assert told["links"]["messages"] == f"/v1/batches/{batch['id']}/messages"


async def test_a_batchs_pages_are_its_clients_alone(api: Api) -> None:
    batch = (await api.post(TEXTS, {"messages": [sms()]})).json()
    path = f"/v1/batches/{batch['id']}/messages"

    problem(await api.get(path, key=api.other), 404, "not_found")
    problem(await api.get(path, key=api.sender), 403, "scope_missing")
    problem(await api.get("/v1/batches/bat_nothing/messages"), 404, "not_found")
    problem(await api.get(f"{path}?cursor=AAAA"), 400, "cursor_invalid")
    assert wrong(await api.get(f"{path}?status=lost")) == [("/status", "not_allowed")]


async def test_what_a_worker_claims_is_sent_and_all_else_is_cancelled(api: Api) -> None:
    """A worker claims while a batch is cancelled: each message is either's, and none is lost."""
    rows = [sms(to=f"+336120{place:05}", reference=f"r{place}") for place in range(1_000)]
    batch = (await api.post(TEXTS, {"messages": rows})).json()
    claimed: list[Any] = []
    ended = asyncio.Event()

    async def claim() -> None:
        while not ended.is_set():
            for held in await submit.claim(api.gateway, Channel.SMS, 7):
                claimed.extend(one.claim.row["id"] for one in held)
            await asyncio.sleep(0.005)

    claiming = asyncio.create_task(claim())
    answer = await api.post(f"/v1/batches/{batch['id']}/cancel")
    ended.set()
    await claiming

    told = answer.json()
    assert answer.status == 200
    assert claimed
    assert told["cancelled"] + len(claimed) == 1_000
    async with api.gateway.database.reading() as connection:
        found = await connection.execute(
            select(messages.c.id, messages.c.status).where(
                messages.c.batch_id == read(BATCH, batch["id"])
            )
        )
        standing = {row.id: row.status for row in found}
    assert {key for key, status in standing.items() if status == "submitting"} == set(claimed)
    assert sum(status == "cancelled" for status in standing.values()) == told["cancelled"]


async def test_ten_thousand_are_cancelled_in_transactions_of_bounded_size(
    api: Api, serve: Any
) -> None:
    async with serve(api.gateway.database, **LARGE) as large:
        given = {"defaults": {"text": "Fermé lundi"}, "messages": numbers()}
        batch = (await large.post(TEXTS, given, key=api.live)).json()
        caller = Actor(client_id=api.gateway.ids.new(), mode="live", name="x", key_id="x")

        count = await cancel.cancel_batch(large.gateway, caller, read(BATCH, batch["id"]))  # type: ignore[arg-type]

    assert count == MOST_MESSAGES
    told = (await api.get(f"/v1/batches/{batch['id']}")).json()
    assert (told["counts"], told["is_final"]) == ({"cancelled": MOST_MESSAGES}, True)


async def test_long_work_gives_way_and_short_work_does_not() -> None:
    now, turns = 0.0, 0
    work = slicing.Slices(lambda: now)

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    running = asyncio.create_task(other())
    for _ in range(10):
        await work.pause()
    short = turns
    for _ in range(10):
        now += slicing.LONGEST
        await work.pause()
    running.cancel()

    assert (short, turns) == (0, 10 * slicing.ROUNDS)


async def test_many_tokens_are_read_and_too_many_refused(api: Api, serve: Any) -> None:
    async with serve(api.gateway.database, **LARGE) as large:
        body = json.dumps({"messages": [{"tags": ["x"] * 100}] * 10_000}).encode()
        answer = await large.call(
            "POST", TEXTS, key=api.live, data=body, headers={"Content-Type": "application/json"}
        )

    assert problem(answer, 400, "malformed_json")["detail"] == "The body holds too many values."
