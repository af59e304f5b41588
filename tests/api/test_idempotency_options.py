"""Who must send an Idempotency-Key, what makes two requests the same, and who waits for whom."""

import asyncio
import json
import time
from typing import Any

import pytest
from sqlalchemy import insert, select

from app.api import fingerprints
from app.api.prefer import LONGEST_WAIT, wait_of
from app.api.slices import Slices
from app.store import idempotency
from app.store.tables import api_keys, idempotency_keys, messages
from tests.api.client import BODIES, Api, encoded, letter, pdf, problem, sms
from tests.api.test_references import set_options

pytestmark = pytest.mark.anyio

TEXTS = "/v1/sms/batch"


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


@pytest.mark.parametrize("served", ["sqlite"], indirect=True)
async def test_a_clients_option_stands_above_the_deployments(api: Api, serve: Any) -> None:
    await set_options(api, api.live, idempotency="required")
    await set_options(api, api.other, idempotency="optional")
    async with serve(api.gateway.database, idempotency="required") as strict:
        free = await strict.post("/v1/sms", sms(), key=api.other)
    strictly = await api.post("/v1/sms", sms())
    batch = await api.post(TEXTS, {"messages": [sms()]})
    tried = await api.post("/v1/sms", sms(), key=api.test)
    with_key = await api.post("/v1/sms", sms(), headers=keyed("k"))

    problem(strictly, 400, "idempotency_key_required")
    problem(batch, 400, "idempotency_key_required")
    assert (free.status, tried.status, with_key.status) == (202, 202, 202)


@pytest.mark.parametrize("served", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", [*BODIES, TEXTS])
@pytest.mark.parametrize("second", ["a", "b"])
async def test_two_keys_in_one_request_are_refused(api: Api, path: str, second: str) -> None:
    body = json.dumps({"messages": [sms()]} if path == TEXTS else BODIES[path]()).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.live}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Idempotency-Key: a\r\nidempotency-key: {second}\r\nConnection: close\r\n\r\n"
    )

    status, answer = await api.raw(head.encode() + body)

    assert (status, b'"idempotency_key_invalid"' in answer) == (400, True)
    assert b"came more than once; send it once" in answer
    assert await api.count(messages) == 0


@pytest.mark.parametrize("served", ["sqlite"], indirect=True)
async def test_other_bytes_of_a_file_are_another_request(api: Api) -> None:
    def body(pages: int) -> dict[str, Any]:
        return letter(documents=[{"content_base64": encoded(pdf(pages))}])

    first = await api.post("/v1/letters", body(1), headers=keyed("k"))
    same = await api.post("/v1/letters", body(1), headers=keyed("k"))
    other = await api.post("/v1/letters", body(2), headers=keyed("k"))

    assert same.content == first.content
    problem(other, 422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": 1, "b": [1, 2]}, {"b": [1.0, 2], "a": 1.0}, True),
        ({"a": 100}, {"a": 1e2}, True),
        ({"a": -0.0}, {"a": 0}, True),
        ({"a": 0.5}, {"a": 0.25}, False),
        ({"a": 1}, {"a": True}, False),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": None}, {}, False),
        ({"a": "é"}, {"a": "\u00e9"}, True),
        ({"a": "é"}, {"a": "e\u0301"}, False),
        ({"messages": [{"x": 1.0}, {}]}, {"messages": [{"x": 1}, {}]}, True),
        ({"messages": [{}, {"x": 1}]}, {"messages": [{"x": 1}, {}]}, False),
        ({"messages": [[], {}]}, {"messages": [{}, []]}, False),
        ({"a": [], "b": 1}, {"a": {}, "b": 1}, False),
        ({"a": ["b"]}, {"a": "b"}, False),
        ([], {}, False),
    ],
)
async def test_what_is_the_same_request(one: Any, other: Any, *, same: bool) -> None:
    made = [fingerprints.of(b"secret", "POST /v1/sms", value) for value in (one, other)]
    long = await fingerprints.of_many(b"secret", "POST /v1/sms", one, Slices())

    assert (made[0] == made[1]) is same
    assert long == made[0]
    assert fingerprints.of(b"secret", "POST /v1/emails", one) != made[0]
    assert fingerprints.of(b"other", "POST /v1/sms", one) != made[0]


@pytest.mark.parametrize("served", ["postgresql"], indirect=True)
async def test_a_repeat_waits_for_the_first_and_is_told_to_come_again_where_that_takes_long(
    api: Api,
) -> None:
    """A process that hangs holds its key; who repeats it hears so, and nobody else waits."""
    database = api.gateway.database
    async with database.reading() as connection:
        client_id = await connection.scalar(
            select(api_keys.c.client_id).where(api_keys.c.id == api.live.split("_")[2])
        )
    row: dict[str, Any] = {
        "client_id": client_id,
        "mode": "live",
        "key": "k",
        "fingerprint": "a" * 64,
        "object_id": api.gateway.ids.new(),
        "status": 202,
        "location": "/",
        "body": "{}",
        "created_at": api.gateway.now(),
    }
    async with database.transaction() as connection:
        await connection.execute(insert(idempotency_keys).values(row))
        answers = await asyncio.gather(
            *(api.post("/v1/sms", sms(), headers=keyed(key)) for key in ("k", "other"))
        )
        await idempotency.free(connection, row["object_id"], row["client_id"], "k")
    again = await api.post("/v1/sms", sms(), headers=keyed("k"))

    assert problem(answers[0], 409, "idempotency_in_progress")["retryable"] is True
    assert answers[0].headers["Retry-After"] == "1"
    assert (answers[1].status, again.status) == (202, 202)
    assert "Idempotency-Replayed" not in again.headers


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (None, 0),
        (["wait=5"], 5),
        (["WAIT = 5"], 5),
        (['wait="5"'], 5),
        (["wait=100000000000000000000"], 0),
        (["wait=999999"], LONGEST_WAIT),
        (["respond-async, wait=5"], 5),
        (["respond-async; a=b; c, wait=5; d"], 5),
        ([",, wait=5"], 5),
        # Of two, the first counts, whatever it says (RFC 7240, 2).
        (["wait=5, wait=9"], 5),
        (["wait=5", "wait=9"], 5),
        (["wait=soon, wait=9"], 0),
        (["wait, wait=9"], 0),
        (["wait=1.5"], 0),
        (["wait=-1"], 0),
        # What stands in a text is no preference.
        (['other="a, wait=9"'], 0),
        (['other; p="a, wait=9", wait=5'], 5),
        (['other="a, wait=9'], 0),
        (["waiting=9"], 0),
    ],
)
def test_how_long_a_client_wants_to_wait(given: list[str] | None, seconds: int) -> None:
    assert wait_of(given) == seconds


@pytest.mark.parametrize(
    "given",
    ["a;" + " " * 30_000 + '"', "a;" + '"b"' * 10_000 + '"', "a" + " ;" * 15_000 + '"'],
)
def test_a_preference_as_long_as_a_head_may_be_is_read_at_once(given: str) -> None:
    began = time.process_time()

    assert wait_of([given]) == 0

    assert time.process_time() - began < 1


@pytest.mark.parametrize("served", ["sqlite"], indirect=True)
async def test_a_preference_that_is_ignored_is_not_said_to_be_applied(api: Api) -> None:
    answer = await api.post("/v1/sms", sms(), headers={"Prefer": "wait=soon, wait=9"})

    assert answer.status == 202
    assert "Preference-Applied" not in answer.headers
