"""A client's references, where each of its messages must have another: the first has it for good."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, update

from app.store.tables import api_keys, batches, client_references, clients, messages
from tests.api.client import BODIES, Api, email, problem, sms

pytestmark = pytest.mark.anyio

TEXTS = "/v1/sms/batch"


async def set_options(api: Api, key: str, **options: Any) -> None:
    """Set a client's options, before it first calls: they are remembered for a few seconds."""
    async with api.gateway.database.transaction() as connection:
        client_id = await connection.scalar(
            select(api_keys.c.client_id).where(api_keys.c.id == key.split("_")[2])
        )
        await connection.execute(update(clients).where(clients.c.id == client_id).values(**options))


@pytest.fixture
async def unique(api: Api) -> Api:
    """An API whose usual client has unique references."""
    await set_options(api, api.live, unique_references=True)
    return api


def row(number: int, **changes: Any) -> dict[str, Any]:
    return sms(**{"to": f"+3363998{number:04}", "reference": f"r{number}", **changes})


@pytest.mark.parametrize("path", BODIES)
async def test_a_second_message_with_a_reference_names_the_first(unique: Api, path: str) -> None:
    first = await unique.post(path, BODIES[path](reference="FACT-1"))
    second = await unique.post(path, BODIES[path](reference="FACT-1"))
    other = await unique.post(path, BODIES[path](reference="FACT-2"))
    without = [await unique.post(path, BODIES[path]()) for _ in range(2)]

    found = problem(second, 409, "duplicate_reference")
    assert found["message_id"] == first.json()["id"]
    assert [(one["pointer"], one["code"]) for one in found["errors"]] == [
        ("/reference", "duplicate_reference")
    ]
    assert first.json()["id"] in found["errors"][0]["detail"]
    assert {first.status, other.status, *(one.status for one in without)} == {202}
    assert await unique.count(messages) == 4


async def test_a_reference_is_that_of_one_client_and_mode(unique: Api) -> None:
    await set_options(unique, unique.other, unique_references=True)
    answers = [
        await unique.post("/v1/sms", sms(reference="r"), key=key)
        for key in (unique.live, unique.test, unique.other)
    ]

    assert [one.status for one in answers] == [202, 202, 202]


async def test_a_repeat_with_its_key_is_the_first_answer_and_no_duplicate(unique: Api) -> None:
    headers = {"Idempotency-Key": "k"}
    first = await unique.post("/v1/sms", sms(reference="r"), headers=headers)
    again = await unique.post("/v1/sms", sms(reference="r"), headers=headers)
    other = await unique.post("/v1/sms", sms(reference="r"), headers={"Idempotency-Key": "k2"})

    assert (again.status, again.content) == (202, first.content)
    problem(other, 409, "duplicate_reference")


async def test_a_refused_message_leaves_its_key_free(unique: Api) -> None:
    headers = {"Idempotency-Key": "k"}
    await unique.post("/v1/sms", sms(reference="r"))
    refused = await unique.post("/v1/sms", sms(reference="r"), headers=headers)
    mended = await unique.post("/v1/sms", sms(reference="r2"), headers=headers)

    problem(refused, 409, "duplicate_reference")
    assert mended.status == 202


async def test_references_from_before_the_option_count(api: Api) -> None:
    first = await api.post("/v1/sms", sms(reference="old"), key=api.sender)
    await api.post("/v1/sms", sms(reference="old"), key=api.sender)
    await set_options(api, api.live, unique_references=True)  # of the same client

    single = await api.post("/v1/sms", sms(reference="old"))
    batch = await api.post(TEXTS, {"messages": [row(1), row(2, reference="old")]})

    assert problem(single, 409, "duplicate_reference")["message_id"] == first.json()["id"]
    assert problem(batch, 409, "duplicate_reference")["message_id"] == first.json()["id"]


async def test_a_cancelled_message_keeps_its_reference(unique: Api) -> None:
    first = (await unique.post("/v1/sms", sms(reference="r"))).json()
    await unique.post(f"/v1/messages/{first['id']}/cancel")

    second = await unique.post("/v1/sms", sms(reference="r"))

    assert problem(second, 409, "duplicate_reference")["message_id"] == first["id"]


async def test_of_many_at_once_one_is_kept_and_every_other_names_it(unique: Api) -> None:
    asked = [sms(reference="one", text=str(number)) for number in range(20)]
    others = [sms(reference=f"o{number}") for number in range(20)]

    answers = await asyncio.gather(*(unique.post("/v1/sms", one) for one in [*asked, *others]))

    kept = [one for one in answers[:20] if one.status == 202]
    assert len(kept) == 1
    for one in answers[:20]:
        if one.status != 202:
            named = problem(one, 409, "duplicate_reference")["message_id"]
            assert named == kept[0].json()["id"]
    # Who shared a commit with them is not touched.
    assert {one.status for one in answers[20:]} == {202}
    assert await unique.count(messages) == 21


async def test_two_processes_keep_one_message_of_a_reference(unique: Api, serve: Any) -> None:
    async with serve(unique.gateway.database) as second:
        answers = await asyncio.gather(
            *(
                (unique, second)[number % 2].post(
                    "/v1/sms", sms(reference=f"r{number // 8}", text=str(number)), key=unique.live
                )
                for number in range(40)
            )
        )

    assert sum(one.status == 202 for one in answers) == 5
    assert {one.status for one in answers} == {202, 409}
    assert await unique.count(messages) == 5


async def test_a_batch_names_every_repeated_reference_and_keeps_nothing(unique: Api) -> None:
    first = (await unique.post("/v1/sms", row(1))).json()
    headers = {"Idempotency-Key": "k"}
    rows = [row(0), row(1), row(2), row(3), row(4, reference="r2")]
    before = await unique.count(batches)

    refused = await unique.post(TEXTS, {"messages": rows}, headers=headers)
    mended = [row(0), row(5), row(2), row(3), row(4)]
    accepted = await unique.post(TEXTS, {"messages": mended}, headers=headers)

    found = problem(refused, 409, "duplicate_reference")
    assert found["message_id"] == first["id"]
    wrong = {one["pointer"]: one["detail"] for one in found["errors"]}
    assert set(wrong) == {"/messages/1/reference", "/messages/4/reference"}
    assert first["id"] in wrong["/messages/1/reference"]
    assert "/messages/2" in wrong["/messages/4/reference"]
    assert accepted.status == 202
    assert await unique.count(batches) - before == 1
    assert await unique.count(messages) == 6


async def test_a_reference_in_the_defaults_is_that_of_one_message(unique: Api) -> None:
    given = {"defaults": email(reference="all")}
    one = {"to": [{"address": "un@exemple.fr"}]}
    two = {"to": [{"address": "deux@exemple.fr"}]}

    both = await unique.post("/v1/emails/batch", {**given, "messages": [one, two]})
    alone = await unique.post("/v1/emails/batch", {**given, "messages": [one]})
    again = await unique.post("/v1/emails/batch", {**given, "messages": [two]})

    assert [e["pointer"] for e in problem(both, 409, "duplicate_reference")["errors"]] == [
        "/defaults/reference"
    ]
    assert alone.status == 202
    assert [e["pointer"] for e in problem(again, 409, "duplicate_reference")["errors"]] == [
        "/defaults/reference"
    ]


async def test_of_batches_that_share_references_one_is_kept_whole(unique: Api) -> None:
    batch = {"messages": [row(number) for number in range(120)]}
    shifted = {"messages": [row(number) for number in range(100, 220)]}

    answers = await asyncio.gather(
        *(unique.post(TEXTS, one) for one in [batch, shifted, batch, shifted])
    )

    assert sorted(one.status for one in answers) == [202, 409, 409, 409]
    assert await unique.count(messages) == 120
    for one in answers:
        if one.status == 409:
            assert len(problem(one, 409, "duplicate_reference")["errors"]) in {20, 120}


async def test_clients_without_the_option_repeat_references_and_write_no_rows(api: Api) -> None:
    answers = [await api.post("/v1/sms", sms(reference="r")) for _ in range(3)]

    assert {one.status for one in answers} == {202}
    async with api.gateway.database.reading() as connection:
        ids = select(api_keys.c.client_id).where(api_keys.c.id == api.live.split("_")[2])
        found = await connection.execute(
            select(client_references).where(client_references.c.client_id.in_(ids))
        )
        assert found.all() == []
