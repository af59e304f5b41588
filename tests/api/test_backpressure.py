"""What cannot be sent or kept in time is refused at once, with a time to come again."""

from collections.abc import AsyncIterator

import pytest

from app.delivery import limit
from app.store import migrate
from app.store.database import Database
from app.store.tables import idempotency_keys, messages
from tests.api.client import Answer, Api, email, encoded, problem, sms
from tests.api.conftest import Serve, with_keys

pytestmark = pytest.mark.anyio

QUEUE = {"queue_most": 10, "queue_client": 7, "queue_bytes": 1_048_576}


@pytest.fixture
async def small(serve: Serve, database: Database) -> AsyncIterator[Api]:
    """An API that takes ten messages, seven of one client, and a megabyte."""
    async with serve(database, queue=QUEUE) as unknown:
        api = await with_keys(unknown)
        await api.begin_counting()
        yield api


def later(answer: Answer) -> int:
    seconds = int(answer.headers["Retry-After"])
    assert 4 <= seconds <= 720
    return seconds


async def test_a_client_beyond_its_share_is_told_to_come_again(small: Api) -> None:
    taken = [await small.post("/v1/sms", sms()) for _ in range(7)]
    headers = {"Idempotency-Key": "k"}

    refused = await small.post("/v1/sms", sms(), headers=headers)
    of_another = await small.post("/v1/sms", sms(), key=small.other)

    assert {one.status for one in taken} == {202}
    assert problem(refused, 429, "quota_exceeded")["retryable"] is True
    later(refused)
    assert of_another.status == 202
    assert await small.count(messages) == 8
    assert await small.count(idempotency_keys) == 0


async def test_a_full_queue_takes_no_one_more_but_answers_what_it_took(small: Api) -> None:
    headers = {"Idempotency-Key": "first"}
    first = await small.post("/v1/sms", sms(), headers=headers)
    for place in range(9):
        await small.post("/v1/sms", sms(), key=(small.live, small.other)[place % 2])

    refused = await small.post("/v1/sms", sms(), key=small.other)
    again = await small.post("/v1/sms", sms(), headers=headers)
    read = await small.get(first.headers["Location"])
    wrong = await small.post("/v1/sms", {"to": "+33639980001"}, key=small.other)

    problem(refused, 503, "queue_full")
    later(refused)
    assert (again.status, again.content) == (202, first.content)
    assert (read.status, wrong.status) == (200, 422)
    assert await small.count(messages) == 10


async def test_an_estimate_says_that_there_is_no_room_and_takes_none(small: Api) -> None:
    body = {"channel": "sms", **sms()}
    room = [(await small.post("/v1/estimates", body)).json()["valid"] for _ in range(20)]
    for _ in range(7):
        assert (await small.post("/v1/sms", sms())).status == 202

    found = (await small.post("/v1/estimates", body)).json()
    of_another = (await small.post("/v1/estimates", body, key=small.other)).json()

    assert room == [True] * 20
    assert [(one["pointer"], one["code"]) for one in found["errors"]] == [("", "quota_exceeded")]
    assert (found["valid"], of_another["valid"]) == (False, True)


async def test_what_can_wait_gives_way_to_what_cannot(small: Api) -> None:
    for place in range(8):
        await small.post("/v1/sms", sms(), key=(small.live, small.other)[place % 2])

    problem(await small.post("/v1/sms", sms(purpose="marketing")), 503, "queue_full")
    assert (await small.post("/v1/sms", sms(purpose="otp"))).status == 202


async def test_a_batch_is_taken_whole_or_not_at_all(small: Api) -> None:
    def batch(size: int) -> dict[str, object]:
        return {"messages": [sms() for _ in range(size)]}

    problem(await small.post("/v1/sms/batch", batch(8)), 429, "quota_exceeded")
    assert await small.count(messages) == 0
    assert (await small.post("/v1/sms/batch", batch(7))).status == 202
    problem(await small.post("/v1/sms/batch", batch(1)), 429, "quota_exceeded")


async def test_files_fill_the_queue_by_their_bytes(small: Api) -> None:
    def large(letter: str) -> dict[str, object]:
        file = {"filename": "a.txt", "content_base64": encoded(letter.encode() * 260_000)}
        return email(attachments=[file])

    sizes = [await small.post("/v1/emails", large(letter)) for letter in "abcd"]
    refused = await small.post("/v1/emails", large("e"))

    assert {one.status for one in sizes} == {202}
    problem(refused, 503, "queue_full")
    assert await limit.recount(small.gateway.database) == {}


async def test_a_store_on_a_disk_with_little_room_takes_nothing(
    serve: Serve, tmp_path: object
) -> None:
    database = Database(f"sqlite:///{tmp_path}/store.db")
    await migrate.upgrade(database)
    async with serve(database, queue={"disk_reserve": 1 << 60}) as unknown:
        api = await with_keys(unknown)
        await api.begin_counting()
        sent = await api.post("/v1/sms", sms())
        uploaded = await api.call(
            "POST", "/v1/documents", data=b"a", headers={"Content-Type": "text/plain"}
        )
        listed = await api.get("/v1/messages")

        for one in (sent, uploaded):
            problem(one, 503, "storage_low")
            later(one)
        assert listed.status == 200
        assert await api.count(messages) == 0
    await database.close()


async def test_a_store_elsewhere_knows_its_own_disk(serve: Serve, postgres: object) -> None:
    database = Database(postgres.create("elsewhere"))  # type: ignore[attr-defined]
    await migrate.upgrade(database)
    async with serve(database, queue={"disk_reserve": 1 << 60}) as unknown:
        api = await with_keys(unknown)
        assert (await api.post("/v1/sms", sms())).status == 202
    await database.close()


async def test_a_process_that_stops_says_that_it_is_not_ready(
    serve: Serve, database: Database
) -> None:
    async with serve(database) as api:
        api.edge.stopping.set()
        answer = await api.get("/readyz", key=None)
        alive = await api.get("/healthz", key=None)

    assert (answer.status, answer.json()["status"]) == (503, "stopping")
    assert alive.status == 200
