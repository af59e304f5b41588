"""A key stands for one message: whoever repeats it gets the first answer, and nothing is sent."""

import asyncio
import json
from typing import Any

import pytest

from app.store.tables import documents, events, idempotency_keys, messages
from tests.api.client import BODIES, Api, encoded, letter, pdf, problem, sms, wrong

pytestmark = pytest.mark.anyio


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


@pytest.mark.parametrize("path", BODIES)
async def test_a_repeat_gets_the_first_answer(api: Api, path: str) -> None:
    body = BODIES[path]()
    first = await api.post(path, body, headers=keyed("k"))
    assert first.status == 202
    assert "Idempotency-Replayed" not in first.headers

    for _ in range(3):
        again = await api.post(path, body, headers=keyed("k"))
        assert (again.status, again.content) == (202, first.content)
        assert again.headers["Location"] == first.headers["Location"]
        assert again.headers["Idempotency-Replayed"] == "true"

    assert await api.count(messages) == await api.count(events) == 1


async def test_a_key_that_came_with_another_request_is_refused(api: Api) -> None:
    assert (await api.post("/v1/sms", sms(), headers=keyed("k"))).status == 202

    others: list[tuple[str, Any]] = [
        ("/v1/sms", sms(text="x")),
        ("/v1/sms", sms(reference="x")),
        ("/v1/sms", {}),
        ("/v1/sms", []),
        ("/v1/emails", sms()),
        ("/v1/faxes", sms()),
    ]
    for path, body in others:
        answer = await api.post(path, body, headers=keyed("k"))
        problem(answer, 422, "idempotency_key_reused")
        assert "Location" not in answer.headers
    data = {"data": pdf(), "headers": keyed("k") | {"Content-Type": "application/pdf"}}
    problem(await api.call("POST", "/v1/documents", **data), 422, "idempotency_key_reused")
    assert await api.count(messages) == 1


async def test_clients_and_modes_have_their_own_keys(api: Api) -> None:
    answers = [
        await api.post("/v1/sms", sms(text=str(number)), key=key, headers=keyed("k"))
        for number, key in enumerate((api.live, api.test, api.other))
    ]

    assert [answer.status for answer in answers] == [202, 202, 202]
    assert len({answer.headers["Location"] for answer in answers}) == 3
    # Another key of the same client and mode is the same client.
    again = await api.post("/v1/sms", sms(text="0"), key=api.sender, headers=keyed("k"))
    assert again.content == answers[0].content


@pytest.mark.parametrize("served", ["sqlite"], indirect=True)
async def test_how_json_is_written_does_not_matter(api: Api) -> None:
    body = sms(metadata={"a": "é", "b": "2"}, tags=["x", "y"])
    written = [
        json.dumps(body),
        json.dumps(body, indent=4, ensure_ascii=False),
        json.dumps(dict(reversed(body.items())), separators=(",", ":")),
        json.dumps({**body, "metadata": {"b": "2", "a": "é"}}),
    ]
    answers = [
        await api.call(
            "POST",
            "/v1/sms",
            data=text.encode(),
            headers=keyed("k") | {"Content-Type": "application/json; charset=utf-8"},
        )
        for text in written
    ]

    assert {answer.content for answer in answers} == {answers[0].content}
    # The order of a list does matter.
    other = await api.post("/v1/sms", {**body, "tags": ["y", "x"]}, headers=keyed("k"))
    problem(other, 422, "idempotency_key_reused")


async def test_fifty_repeats_at_once_are_one_message(api: Api) -> None:
    answers = await asyncio.gather(
        *(api.post("/v1/sms", sms(), headers=keyed("k")) for _ in range(50))
    )

    assert {answer.status for answer in answers} == {202}
    assert {answer.content for answer in answers} == {answers[0].content}
    assert {answer.headers["Location"] for answer in answers} == {answers[0].headers["Location"]}
    replayed = [answer for answer in answers if "Idempotency-Replayed" in answer.headers]
    assert len(replayed) == 49
    assert await api.count(messages) == await api.count(idempotency_keys) == 1
    assert await api.count(events) == 1


async def test_a_hundred_requests_with_ten_keys_are_ten_messages(api: Api, serve: Any) -> None:
    # Two processes before one store, as far as one process can be two.
    async with serve(api.gateway.database) as second:
        answers = await asyncio.gather(
            *(
                (api, second)[number % 2].post(
                    "/v1/sms",
                    sms(text=f"text {number % 10}"),
                    key=api.live,
                    headers=keyed(f"key-{number % 10}"),
                )
                for number in range(100)
            )
        )

    assert {answer.status for answer in answers} == {202}
    for number in range(10):
        assert len({answer.content for answer in answers[number::10]}) == 1
    assert await api.count(messages) == await api.count(idempotency_keys) == 10


async def test_of_two_bodies_with_one_key_only_one_is_kept(api: Api) -> None:
    answers = await asyncio.gather(
        *(
            api.post("/v1/sms", sms(text=f"text {number % 2}"), headers=keyed("k"))
            for number in range(40)
        )
    )

    accepted = [answer for answer in answers if answer.status == 202]
    assert len(accepted) == 20
    assert len({answer.content for answer in accepted}) == 1
    for answer in answers:
        if answer.status != 202:
            problem(answer, 422, "idempotency_key_reused")
    assert await api.count(messages) == 1


async def test_messages_without_keys_are_all_different(api: Api) -> None:
    answers = await asyncio.gather(*(api.post("/v1/sms", sms()) for _ in range(50)))

    assert {answer.status for answer in answers} == {202}
    assert len({answer.headers["Location"] for answer in answers}) == 50
    assert await api.count(messages) == await api.count(events) == 50


@pytest.mark.parametrize(
    ("status", "body"),
    [(422, sms(to="x")), (422, sms(text="")), (400, b"{"), (403, None)],
    ids=["number", "text", "json", "scope"],
)
async def test_a_request_that_failed_leaves_its_key_free(
    api: Api, status: int, body: object
) -> None:
    headers = keyed("k") | {"Content-Type": "application/json"}
    if isinstance(body, bytes):
        failed = await api.call("POST", "/v1/sms", data=body, headers=headers)
    else:
        key = api.reader if body is None else api.live
        failed = await api.post("/v1/sms", body or sms(), key=key, headers=keyed("k"))
    assert failed.status == status

    fine = await api.post("/v1/sms", sms(), headers=keyed("k"))

    assert fine.status == 202
    assert "Idempotency-Replayed" not in fine.headers
    assert await api.count(idempotency_keys) == 1


@pytest.mark.parametrize(
    "key", ["", " ", "a b", "x" * 256, "é", "a\tb", "\u00a0", '"a b"', "x" * 5000], ids=ascii
)
async def test_a_key_has_1_to_255_visible_characters(shared: Api, key: str) -> None:
    for path in BODIES:
        answer = await shared.post(path, BODIES[path](), headers=keyed(key))
        problem(answer, 400, "idempotency_key_invalid")
    headers = keyed(key) | {"Content-Type": "application/pdf"}
    answer = await shared.call("POST", "/v1/documents", data=pdf(), headers=headers)
    problem(answer, 400, "idempotency_key_invalid")


@pytest.mark.parametrize("key", ["x", "x" * 255, "'; DROP TABLE messages; --".replace(" ", "")])
async def test_every_other_key_is_taken(api: Api, key: str) -> None:
    first = await api.post("/v1/sms", sms(), headers=keyed(key))
    second = await api.post("/v1/sms", sms(), headers=keyed(key))

    assert (first.status, second.content) == (202, first.content)


async def test_keys_differ_by_case(api: Api) -> None:
    first = await api.post("/v1/sms", sms(), headers=keyed("Key"))
    second = await api.post("/v1/sms", sms(), headers=keyed("key"))

    assert first.headers["Location"] != second.headers["Location"]


@pytest.mark.parametrize("served", ["sqlite"], indirect=True)
async def test_live_keys_must_send_one_where_that_is_configured(api: Api, serve: Any) -> None:
    async with serve(api.gateway.database, idempotency="required") as strict:
        for path in BODIES:
            refused = await strict.post(path, BODIES[path](), key=api.live)
            problem(refused, 400, "idempotency_key_required")
        kept = await strict.post("/v1/sms", sms(), key=api.live, headers=keyed("k"))
        tried = await strict.post("/v1/sms", sms(), key=api.test)

    assert (kept.status, tried.status) == (202, 202)
    assert await api.count(messages) == 2


async def test_a_document_is_kept_once_for_its_key(api: Api) -> None:
    async def upload(content: bytes) -> Any:
        headers = keyed("k") | {"Content-Type": "application/pdf"}
        return await api.call("POST", "/v1/documents", data=content, headers=headers)

    answers = await asyncio.gather(*(upload(pdf(2)) for _ in range(6)))
    again = await upload(pdf(2))

    assert {answer.status for answer in answers} == {201}
    assert {answer.content for answer in (*answers, again)} == {again.content}
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await api.count(documents) == 1
    problem(await upload(pdf(3)), 422, "idempotency_key_reused")


@pytest.mark.parametrize("served", ["sqlite"], indirect=True)
async def test_two_messages_may_hold_the_same_file(api: Api) -> None:
    file = {"content_base64": encoded(pdf())}

    answers = await asyncio.gather(
        *(api.post("/v1/letters", letter(documents=[file, file])) for _ in range(4))
    )

    assert {answer.status for answer in answers} == {202}
    assert {answer.json()["cost"]["segments_or_pages"] for answer in answers} == {2}


async def test_the_answer_of_a_refused_body_is_not_kept(api: Api) -> None:
    assert wrong(await api.post("/v1/sms", sms(to="x"), headers=keyed("k")))

    assert await api.count(idempotency_keys) == 0
