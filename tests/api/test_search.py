"""Messages are found by their recipient, whom neither the store's index nor an address tells."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select, text

from app.domain.identifiers import MESSAGE, read
from app.store import lists
from app.store.lists import Filter
from app.store.tables import messages, recipients
from tests.api.client import Answer, Api, address, email, fax, letter, problem, sms, wrong

pytestmark = pytest.mark.anyio

PATH = "/v1/messages/search"


async def sent(api: Api, path: str, body: dict[str, Any], **options: Any) -> str:
    answer = await api.post(path, body, **options)
    assert answer.status == 202, answer
    return str(answer.json()["id"])


def ids(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [one["id"] for one in answer.json()["data"]]


async def test_a_number_is_found_however_it_is_written(api: Api) -> None:
    one = await sent(api, "/v1/sms", sms(to="+33639980021"))
    await sent(api, "/v1/sms", sms(to="+33639980022"))
    other = await sent(api, "/v1/sms", sms(to="06 39 98 00 21"))

    for written in (
        *("+33639980021", "06.39.98.00.21", "0033 6 39 98 00 21", "+33 (0)6-39-98-00-21"),
        *(
            "(06) 39/98/00/21",
            "06\u00a039\u00a098\u00a000\u00a021",
            "06 39\u202f98\u202f00\u202f21 ",
        ),
    ):
        assert ids(await api.post(PATH, {"recipient": written})) == [other, one]


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("Marie.Durand@Exemple.fr", ["marie.durand@EXEMPLE.fr", "MARIE.DURAND@exemple.FR"]),
        ("marie@forêt.fr", ["Marie@FORÊT.fr", "marie@xn--fort-ipa.fr", "marie@fore\u0302t.fr"]),
        ("zoé@exemple.fr", ["ZOÉ@exemple.fr", "zoe\u0301@exemple.fr"]),
        ("one@sim.test", ["One@SIM.TEST"]),
    ],
)
async def test_an_address_is_found_however_it_is_written(
    api: Api, address: str, written: list[str]
) -> None:
    one = await sent(api, "/v1/emails", email(to=[{"address": address}]))
    await sent(api, "/v1/emails", email(to=[{"address": f"x{address}"}]))

    for spelling in (address, *written):
        assert ids(await api.post(PATH, {"recipient": spelling})) == [one]


async def test_every_message_of_a_batch_is_found(api: Api) -> None:
    batch = {"messages": [sms(to="0639980051"), sms(to="0639980052"), sms(to="06 39 98 00 51")]}
    made = (await api.post("/v1/sms/batch", batch)).json()["messages"]

    found = ids(await api.post(PATH, {"recipient": "+33639980051"}))

    assert found == [made[2]["id"], made[0]["id"]]


async def test_every_recipient_of_a_relayed_e_mail_is_found(api: Api) -> None:
    body = email(
        to=[{"address": "a@exemple.fr"}, {"address": "b@exemple.fr"}],
        cc=[{"address": "C@exemple.fr"}],
    )
    one = await sent(api, "/v1/emails", body)
    alone = await sent(api, "/v1/emails", email(to=[{"address": "c@exemple.fr"}]))

    assert ids(await api.post(PATH, {"recipient": "a@exemple.fr"})) == [one]
    assert ids(await api.post(PATH, {"recipient": "b@exemple.fr"})) == [one]
    assert ids(await api.post(PATH, {"recipient": "c@exemple.fr"})) == [alone, one]


async def test_a_letter_is_found_by_name_and_postal_code(api: Api) -> None:
    to = {"last_name": "Lefèvre-Dupont", "first_name": "Zoé", "address": address()}
    one = await sent(api, "/v1/letters", letter(to=to))
    company = {"company": "Électro S.A.", "address": address(postal_code="69001", city="LYON")}
    other = await sent(api, "/v1/letters", letter(to=company))

    async def found(last_name: str, postal_code: str) -> list[str]:
        sought = {"last_name": last_name, "postal_code": postal_code}
        return ids(await api.post(PATH, {"addressee": sought}))

    assert await found("LEFEVRE DUPONT", "75 011") == [one]
    assert await found("Lefèvre-Dupont", "75012") == []
    assert await found("Electro SA", "69001") == [other]


async def test_the_filters_of_the_list_narrow_a_search(api: Api) -> None:
    number = "+33199000031"
    text_ = await sent(api, "/v1/sms", sms(to="+33639980031", reference="r1"))
    faxed = await sent(api, "/v1/faxes", fax(to=number, reference="r1"))
    again = await sent(api, "/v1/faxes", fax(to=number, billing_code="B"))

    async def found(**narrowed: Any) -> list[str]:
        return ids(await api.post(PATH, {"recipient": number, **narrowed}))

    assert await found() == [again, faxed]
    assert await found(reference="r1") == [faxed]
    assert await found(billing_code="B", channel="fax") == [again]
    assert await found(channel="sms") == []
    assert await found(status="delivered") == []
    assert text_ not in await found()


async def test_pages_follow_one_another(api: Api) -> None:
    to = [{"address": "pages@exemple.fr"}]
    made = [await sent(api, "/v1/emails", email(to=to)) for _ in range(3)]
    made += [
        await sent(api, "/v1/emails", email(to=[{"address": "x@exemple.fr"}], cc=to))
        for _ in range(2)
    ]

    listed: list[str] = []
    body: dict[str, Any] = {"recipient": "pages@exemple.fr", "limit": 2}
    while True:
        page = (await api.post(PATH, body)).json()
        listed += [one["id"] for one in page["data"]]
        if not page["has_more"]:
            break
        body["cursor"] = page["next_cursor"]

    assert listed == made[::-1]
    problem(await api.post(PATH, {**body, "cursor": "made-up"}), 400, "cursor_invalid")


async def test_nobody_finds_anothers_messages(api: Api) -> None:
    body = email(to=[{"address": "a@exemple.fr"}], cc=[{"address": "shared@exemple.fr"}])
    await sent(api, "/v1/emails", body, key=api.other)
    await sent(api, "/v1/sms", sms(to="+33639980041"), key=api.other)

    for recipient in ("a@exemple.fr", "shared@exemple.fr", "+33639980041"):
        assert ids(await api.post(PATH, {"recipient": recipient})) == []
        assert ids(await api.post(PATH, {"recipient": recipient}, key=api.test)) == []
        assert len(ids(await api.post(PATH, {"recipient": recipient}, key=api.other))) == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [("", "recipient_ambiguous")]),
        (
            {"recipient": "a@exemple.fr", "addressee": {"last_name": "A", "postal_code": "1"}},
            [("", "recipient_ambiguous")],
        ),
        ({"recipient": "nobody@"}, [("/recipient", "address_invalid")]),
        ({"recipient": "0612"}, [("/recipient", "number_too_short")]),
        ({"recipient": 33612345678}, [("/recipient", "wrong_type")]),
        ({"addressee": {"last_name": "A"}}, [("/addressee/postal_code", "missing")]),
        ({"recipient": "a@exemple.fr", "limit": 201}, [("/limit", "invalid")]),
        ({"recipient": "a@exemple.fr", "limit": "5"}, [("/limit", "wrong_type")]),
        ({"recipient": "a@exemple.fr", "recipent": 1}, [("/recipent", "unknown_field")]),
        ({"recipient": "a@exemple.fr", "batch_id": "bat_1"}, [("/batch_id", "invalid")]),
    ],
)
async def test_a_wrong_search_is_refused_and_not_repeated(
    shared: Api, body: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    answer = await shared.post(PATH, body)

    assert wrong(answer) == expected
    assert b"nobody@" not in answer.content


async def test_a_search_needs_the_scope_to_read(shared: Api) -> None:
    answer = await shared.post(PATH, {"recipient": "a@exemple.fr"}, key=shared.sender)
    problem(answer, 403, "scope_missing")


async def test_the_index_holds_no_recipient(api: Api) -> None:
    one = await sent(api, "/v1/emails", email(to=[{"address": "a@exemple.fr"}], route="relay"))

    async with api.gateway.database.reading() as connection:
        found = await connection.execute(
            select(messages.c.recipient_digest, recipients.c.digest)
            .join(recipients, recipients.c.message_id == messages.c.id)
            .where(messages.c.id == read(MESSAGE, one))
        )
        digests = found.one()
    assert digests[0] == digests[1]
    assert len(digests[0]) == 64
    assert int(digests[0], 16)


async def test_a_search_takes_the_index(api: Api) -> None:
    """Of many messages, those of one recipient are not looked for one by one."""
    database = api.gateway.database
    first = await sent(api, "/v1/sms", sms())
    async with database.transaction() as connection:
        found = await connection.execute(
            select(messages).where(messages.c.id == read(MESSAGE, first))
        )
        like = dict(found.mappings().one())
        like |= {"status": "delivered", "due_at": None}
        rows = [
            like | {"id": api.gateway.ids.new(), "recipient_digest": f"{number % 3000:064x}"}
            for number in range(6000)
        ]
        await connection.execute(insert(messages), rows)
        await connection.execute(text("ANALYZE messages"))
        await connection.execute(text("ANALYZE recipients"))

    query = lists.query(
        like["client_id"], like["mode"], Filter(digest=f"{7:064x}"), limit=51, after=uuid4()
    )
    async with database.reading() as connection:
        written = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        if database.is_sqlite:
            plan = await connection.execute(text(f"EXPLAIN QUERY PLAN {written}"))
            steps = [row.detail for row in plan]
            assert any("ix_messages_recipient" in step for step in steps)
            assert not any(step.startswith("SCAN messages") for step in steps)
            return
        plan = await connection.execute(text(f"EXPLAIN (FORMAT JSON) {written}"))
        nodes = list(nodes_of(plan.scalar_one()[0]["Plan"]))

    assert "ix_messages_recipient" in {node.get("Index Name") for node in nodes}
    read_whole = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"}
    assert "messages" not in read_whole


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes_of(inner)
