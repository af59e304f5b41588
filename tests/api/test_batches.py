"""Batches: all messages are kept, or none; every wrong row is named by its pointer."""

from typing import Any

import pytest
from sqlalchemy import func, select

from app.store.database import Database
from app.store.tables import batches, blobs, messages
from tests.api.asking import asking
from tests.api.client import Api, email, encoded, pdf, problem, sms, wrong

pytestmark = pytest.mark.anyio

EMAILS, TEXTS = "/v1/emails/batch", "/v1/sms/batch"


def texts(count: int = 3) -> list[dict[str, Any]]:
    return [sms(to=f"+3363998{place:04}", reference=f"r{place}") for place in range(count)]


async def kept(api: Api, batch_id: str) -> list[Any]:
    page = (await api.get(f"/v1/messages?batch_id={batch_id}&limit=200")).json()
    return list(reversed(page["data"]))


async def test_a_batch_is_kept_with_a_child_for_each_recipient(api: Api) -> None:
    answer = await api.post(TEXTS, {"messages": texts()})

    assert answer.status == 202, answer
    batch = answer.json()
    assert answer.headers["Location"] == f"/v1/batches/{batch['id']}" == batch["links"]["self"]
    assert (batch["object"], batch["channel"], batch["mode"], batch["size"]) == (
        "batch", "sms", "individual", 3,
    )  # fmt: skip
    assert batch["counts"] == {"queued": 3}
    assert [one["reference"] for one in batch["messages"]] == ["r0", "r1", "r2"]
    children = await kept(api, batch["id"])
    assert [one["id"] for one in children] == [one["id"] for one in batch["messages"]]
    assert {one["batch_id"] for one in children} == {batch["id"]}
    assert await api.count(messages) == 3
    again = (await api.get(answer.headers["Location"])).json()
    assert again == batch | {"messages": None}


async def test_defaults_fill_what_messages_lack(api: Api) -> None:
    given = {
        "defaults": email(tags=["all"], reference="shared"),
        "messages": [{}, {"subject": "Autre", "reference": "own"}],
    }

    batch = (await api.post(EMAILS, given)).json()

    first, second = await kept(api, batch["id"])
    assert (first["reference"], second["reference"]) == ("shared", "own")
    assert first["tags"] == second["tags"] == ["all"]


async def test_one_wrong_row_keeps_none_and_every_wrong_field_is_named(api: Api) -> None:
    rows = texts(4)
    rows[1]["to"] = "12"
    rows[3] |= {"txet": "Bonjour", "sender": "MUCHTOOLONGASENDER"}

    answer = await api.post(TEXTS, {"messages": rows})

    assert wrong(answer) == [
        ("/messages/1/to", "number_too_short"),
        ("/messages/3/sender", "sender_too_long"),
        ("/messages/3/txet", "unknown_field"),
    ]
    assert await api.count(messages) == 0


async def test_what_is_wrong_in_the_defaults_is_named_there_and_once(api: Api) -> None:
    given = {"defaults": {"sender": "É"}, "messages": texts(50)}

    assert wrong(await api.post(TEXTS, given)) == [("/defaults/sender", "sender_invalid")]


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"messages": []}, "/messages", "too_short"),
        ({"messages": [{}] * 10_001}, "/messages", "too_long"),
        ({"messages": [1]}, "/messages/0", "wrong_type"),
        ({}, "/messages", "missing"),
        ({"messages": texts(1), "mode": "multi"}, "/mode", "not_allowed"),
        ({"messages": texts(1), "recipients": []}, "/recipients", "unknown_field"),
    ],
)
async def test_a_wrong_batch_is_refused(api: Api, given: Any, pointer: str, code: str) -> None:
    assert (pointer, code) in wrong(await api.post(TEXTS, given))


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"text": "Autre"}, "/messages/1/text"),
        ({"sender": "AUTRE"}, "/messages/1/sender"),
        ({"billing_code": "B"}, "/messages/1/billing_code"),
        ({"expires_at": "2090-01-01T00:00:00Z"}, "/messages/1/expires_at"),
    ],
)
async def test_messages_of_one_call_differ_in_nothing_but_their_recipient(
    api: Api, change: dict[str, Any], pointer: str
) -> None:
    rows = texts(2)
    rows[1] |= change

    answer = await api.post(TEXTS, {"mode": "provider_multi", "messages": rows})

    assert wrong(answer) == [(pointer, "not_in_provider_multi")]


async def test_what_the_first_of_one_call_has_alone_is_named_there(api: Api) -> None:
    defaults = {"text": "Bonjour", "sender": "NOUS"}
    rows = [{"to": f"+3363998000{place}"} for place in range(1, 5)]
    rows[0]["text"] = "Autre"

    answer = await api.post(
        TEXTS, {"mode": "provider_multi", "defaults": defaults, "messages": rows}
    )

    assert wrong(answer) == [("/messages/0/text", "not_in_provider_multi")]


async def test_a_field_whose_name_holds_a_slash_is_named_where_it_stands(api: Api) -> None:
    given = {"defaults": {"text": "x", "a/b~": 1}, "messages": [{"to": "+33639980001", "c/d": 2}]}

    assert wrong(await api.post(TEXTS, given)) == [
        ("/defaults/a~1b~0", "unknown_field"),
        ("/messages/0/c~1d", "unknown_field"),
    ]


@pytest.mark.parametrize("mode", ["individual", "provider_multi"])
async def test_one_variable_more_than_the_wsdl_takes_is_named(
    database: Database, mode: str
) -> None:
    async with asking(database) as asked:
        await asked.api.gateway.providers["efidem"].start()
        rows = [{"to": [{"address": f"{name}@exemple.fr"}]} for name in ("un", "deux")]
        given = {"mode": mode, "defaults": email(), "messages": rows}
        fits = await asked.post(EMAILS, {**given, "messages": [rows[0]]})
        rows[1]["variables"] = ["x"] * 99  # type: ignore[assignment]

        answer = await asked.post(EMAILS, given)

    assert fits.status == 202
    assert wrong(answer) == [("/messages/1/variables", "not_carried")]


async def test_messages_of_one_call_may_differ_in_what_is_their_own(api: Api) -> None:
    rows = [
        one | {"tags": [f"t{place}"], "metadata": {"n": str(place)}, "variables": [str(place)]}
        for place, one in enumerate(texts(3))
    ]

    answer = await api.post(TEXTS, {"mode": "provider_multi", "messages": rows})

    assert answer.status == 202, answer
    assert answer.json()["status_granularity"] == "batch"
    assert {one["status_granularity"] for one in await kept(api, answer.json()["id"])} == {"batch"}


async def test_the_relay_has_no_multi_form(api: Api) -> None:
    given = {
        "mode": "provider_multi",
        "messages": [email(cc=[{"address": "copie@exemple.fr"}])],
    }

    assert wrong(await api.post(EMAILS, given)) == [("/messages/0/route", "not_in_provider_multi")]


@pytest.mark.parametrize(
    "change",
    [
        {"cc": [{"address": "copie@exemple.fr"}]},
        {"to": [{"address": "un@exemple.fr"}, {"address": "deux@exemple.fr"}]},
        {"route": "relay"},
    ],
)
async def test_the_relay_is_refused_in_one_call_where_the_wsdl_is_known(
    database: Database, change: dict[str, Any]
) -> None:
    async with asking(database) as asked:
        await asked.api.gateway.providers["efidem"].start()
        given = {"mode": "provider_multi", "messages": [email(**change)]}

        answer = await asked.post(EMAILS, given)

    assert wrong(answer) == [("/messages/0/route", "not_in_provider_multi")]


async def test_an_attachment_of_all_is_kept_once(api: Api) -> None:
    document = pdf(7)
    attached = [{"filename": "a.pdf", "content_base64": encoded(document)}]
    rows = [{"to": [{"address": f"r{place}@exemple.fr"}]} for place in range(40)]

    answer = await api.post(EMAILS, {"defaults": email(attachments=attached), "messages": rows})

    assert answer.status == 202, answer
    async with api.gateway.database.reading() as connection:
        count = await connection.scalar(
            select(func.count()).select_from(blobs).where(blobs.c.size == len(document))
        )
    assert count == 1


async def test_a_repeated_key_gives_the_same_children(api: Api) -> None:
    headers = {"Idempotency-Key": "batch-of-the-day"}

    first = await api.post(TEXTS, {"messages": texts()}, headers=headers)
    second = await api.post(TEXTS, {"messages": texts()}, headers=headers)
    other = await api.post(TEXTS, {"messages": texts(2)}, headers=headers)

    assert second.json() == first.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert await api.count(messages) == 3
    problem(other, 422, "idempotency_key_reused")


async def test_a_batch_is_its_clients_alone(api: Api) -> None:
    batch = (await api.post(TEXTS, {"messages": texts()})).json()

    problem(await api.get(f"/v1/batches/{batch['id']}", key=api.other), 404, "not_found")
    problem(await api.get("/v1/batches/bat_nothing"), 404, "not_found")
    foreign = (await api.get(f"/v1/messages?batch_id={batch['id']}", key=api.other)).json()
    assert foreign["data"] == []
    problem(await api.post(TEXTS, {"messages": texts()}, key=api.reader), 403, "scope_missing")
    problem(await api.post(EMAILS, {"messages": [email()]}, key=api.sender), 403, "scope_missing")
    assert await api.count(messages) == 3


async def test_a_thousand_messages_are_one_request(api: Api) -> None:
    rows = [sms(to=f"+336120{place:05}", reference=f"r{place}") for place in range(1000)]

    answer = await api.post(TEXTS, {"messages": rows})

    assert answer.status == 202, answer
    assert await api.count(messages) == 1000
    assert len(answer.json()["messages"]) == 1000


async def test_a_list_takes_batches_only(api: Api) -> None:
    assert wrong(await api.get("/v1/messages?batch_id=msg_1")) == [("/batch_id", "invalid")]


async def test_only_the_first_of_a_call_is_due(api: Api) -> None:
    given = {"mode": "provider_multi", "messages": texts(5)}
    before = await api.count(batches)

    batch = (await api.post(TEXTS, given)).json()

    assert await api.count(batches) - before == 1
    ids = [one["id"] for one in await kept(api, batch["id"])]
    async with api.gateway.database.reading() as connection:
        found = await connection.execute(
            select(messages.c.due_at)
            .where(
                messages.c.reference.in_([f"r{n}" for n in range(5)]),
                messages.c.batch_id.is_not(None),
                messages.c.campaign_id == messages.c.batch_id,
            )
            .order_by(messages.c.id.desc())
            .limit(5)
        )
        due = [one is not None for one in found.scalars()]
    assert len(ids) == 5
    assert due == [False, False, False, False, True]
