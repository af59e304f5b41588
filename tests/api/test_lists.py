"""Lists: every filter, every page, and nobody else's messages."""

import asyncio
import base64
import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import insert, update

from app.domain.identifiers import MESSAGE, read
from app.store.tables import attempts, messages
from tests.api.client import Answer, Api, email, fax, letter, problem, sms, wrong

pytestmark = pytest.mark.anyio

sqlite_only = pytest.mark.parametrize("served", ["sqlite"], indirect=True)


def ids(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [one["id"] for one in answer.json()["data"]]


async def sent(api: Api, number: int, **options: Any) -> list[str]:
    answers = await asyncio.gather(
        *(api.post("/v1/sms", sms(text=str(one)), **options) for one in range(number))
    )
    return [answer.json()["id"] for answer in answers]


async def test_a_list_holds_the_same_objects_as_the_messages(api: Api) -> None:
    made = [
        (await api.post(path, body)).json()
        for path, body in (
            ("/v1/emails", email(reference="a")),
            ("/v1/sms", sms(tags=["x"])),
            ("/v1/letters", letter()),
            ("/v1/faxes", fax()),
        )
    ]

    answer = await api.get("/v1/messages")

    assert answer.json() == {"data": made[::-1], "has_more": False, "next_cursor": None}
    assert "Link" not in answer.headers
    for one in made:
        assert (await api.get(one["links"]["self"])).json() == one


async def test_an_empty_list_is_a_list(api: Api) -> None:
    answer = await api.get("/v1/messages?limit=1")

    assert answer.json() == {"data": [], "has_more": False, "next_cursor": None}


async def test_each_filter_narrows_and_together_they_narrow_more(api: Api) -> None:
    one = (await api.post("/v1/sms", sms(reference="r1", billing_code="b1"))).json()
    two = (await api.post("/v1/sms", sms(reference="r1", billing_code="b2"))).json()
    three = (await api.post("/v1/emails", email(reference="r2", billing_code="b1"))).json()
    four = (
        await api.post("/v1/sms", sms(reference="été & 'x' %", send_at="2099-01-01T00:00:00Z"))
    ).json()
    assert four["code"] == "validation_failed"
    later = (api.gateway.now() + timedelta(days=1)).isoformat()
    four = (await api.post("/v1/sms", sms(reference="été & 'x' %", send_at=later))).json()
    async with api.gateway.database.transaction() as connection:
        await connection.execute(
            update(messages)
            .where(messages.c.id == read(MESSAGE, two["id"]))
            .values(status="submitted", provider_message_id="GUID-1")
        )
        # As a provider's answer is written down: on the attempt, and on its message.
        await connection.execute(
            insert(attempts).values(
                id=api.gateway.ids.new(),
                message_id=read(MESSAGE, two["id"]),
                number=1,
                reference=api.gateway.ids.reference(),
                provider="efidem",
                fence=1,
                started_at=api.gateway.now(),
                provider_message_id="GUID-1",
            )
        )
    names = {one["id"]: 1, two["id"]: 2, three["id"]: 3, four["id"]: 4}
    zone = quote("+00:00")

    expected = {
        "": [4, 3, 2, 1],
        "channel=sms": [4, 2, 1],
        "channel=email": [3],
        "channel=fax": [],
        "status=queued": [3, 1],
        "status=scheduled": [4],
        "status=submitted": [2],
        "reference=r1": [2, 1],
        "reference=R1": [],
        "reference=r": [],
        "reference=" + quote("été & 'x' %"): [4],
        "reference=" + quote("' OR 1=1 --"): [],
        "reference=%25": [],
        "billing_code=b1": [3, 1],
        "provider_message_id=GUID-1": [2],
        "reference=r1&billing_code=b1": [1],
        "reference=r1&status=submitted&channel=sms": [2],
        "reference=r1&channel=email": [],
        f"created_after={two['created_at']}": [4, 3, 2],
        f"created_before={three['created_at']}": [2, 1],
        f"created_after={two['created_at']}&created_before={three['created_at']}": [2],
        f"created_after={two['created_at'].replace('Z', zone)}": [4, 3, 2],
        "created_after=2971-01-01T00:00:00Z": [],
        "created_before=1971-01-01T00:00:00Z": [],
        "limit=200&channel=sms": [4, 2, 1],
    }
    found = {
        query: [names[one] for one in ids(await api.get(f"/v1/messages?{query}"))]
        for query in expected
    }
    assert found == expected


async def test_pages_follow_without_gap_or_repeat_while_new_messages_arrive(api: Api) -> None:
    before = [one for _ in range(5) for one in await sent(api, 50)]
    pages: list[list[str]] = []
    path, cursor = "/v1/messages?limit=17", None

    while True:
        answer = await api.get(path if cursor is None else f"{path}&cursor={cursor}")
        pages.append(ids(answer))
        assert answer.json()["has_more"] is (answer.json()["next_cursor"] is not None)
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            break
        assert len(pages[-1]) == 17
        await sent(api, 2)

    listed = [one for page in pages for one in page]
    assert len(listed) == len(set(listed)) == 250
    assert set(listed) == set(before)
    assert listed == sorted(listed, reverse=True)


async def test_the_link_leads_to_the_next_page_with_the_same_filters(api: Api) -> None:
    for _ in range(3):
        await api.post("/v1/sms", sms(reference="a b&c=é"))
    await sent(api, 3)

    path: str | None = f"/v1/messages?limit=2&reference={quote('a b&c=é')}&channel=sms"
    listed: list[str] = []
    while path is not None:
        answer = await api.get(path)
        listed += ids(answer)
        link = answer.headers.get("Link")
        assert (link is not None) is answer.json()["has_more"]
        found = re.fullmatch(r'<(/v1/messages\?[!-~]+)>; rel="next"', link or "")
        path = found[1] if found else None

    assert len(listed) == len(set(listed)) == 3


@pytest.mark.parametrize("exact", [1, 2, 4])
@sqlite_only
async def test_a_full_last_page_says_that_it_is_the_last(api: Api, exact: int) -> None:
    await sent(api, 4)

    listed, cursor = 0, ""
    for _ in range(4 // exact):
        answer = await api.get(f"/v1/messages?limit={exact}{cursor}")
        listed += len(ids(answer))
        cursor = f"&cursor={answer.json()['next_cursor']}"

    assert (listed, answer.json()["has_more"], "Link" in answer.headers) == (4, False, False)


async def test_nobody_sees_the_messages_of_another_client_or_mode(api: Api) -> None:
    mine, tried, foreign = [await sent(api, 3, key=key) for key in (api.live, api.test, api.other)]
    cursor = (await api.get("/v1/messages?limit=1", key=api.other)).json()["next_cursor"]

    for key, expected in ((api.live, mine), (api.test, tried), (api.other, foreign)):
        assert set(ids(await api.get("/v1/messages", key=key))) == set(expected)
        for one in {*mine, *tried, *foreign}:
            status = (await api.get(f"/v1/messages/{one}", key=key)).status
            assert status == (200 if one in expected else 404)
    # Another client's cursor names a place in time, and shows nothing of that client.
    assert set(ids(await api.get(f"/v1/messages?cursor={cursor}"))) <= set(mine)
    assert set(ids(await api.get("/v1/messages", key=api.reader))) == set(mine)


@sqlite_only
async def test_a_cursor_is_taken_only_as_it_was_given(api: Api) -> None:
    await sent(api, 3)
    cursor = (await api.get("/v1/messages?limit=1")).json()["next_cursor"]
    assert (await api.get(f"/v1/messages?cursor={cursor}")).status == 200
    octets = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    swapped = bytes([octets[0] ^ 1]) + octets[1:]
    other_case = cursor.swapcase()

    forged = [
        "",
        "x",
        cursor[:-1],
        cursor[1:],
        cursor + "A",
        cursor + "=",
        cursor + "%0A",
        "%20" + cursor,
        other_case,
        base64.urlsafe_b64encode(swapped).decode().rstrip("="),
        base64.urlsafe_b64encode(octets[:16]).decode().rstrip("="),
        base64.urlsafe_b64encode(b"\0" * 24).decode(),
        base64.urlsafe_b64encode(octets + octets).decode(),
        "%F0%9F%98%80",
        "%00",
        "'%20OR%201=1--",
        "....",
        "0",
    ]
    for one in forged:
        problem(await api.get(f"/v1/messages?cursor={one}"), 400, "cursor_invalid")
    assert wrong(await api.get("/v1/messages?cursor=" + "x" * 101)) == [("/cursor", "too_long")]


QUERIES: dict[str, str] = {
    "limit=0": "/limit",
    "limit=201": "/limit",
    "limit=-1": "/limit",
    "limit=abc": "/limit",
    "limit=": "/limit",
    "limit=1000000000": "/limit",
    "limit=" + "9" * 5000: "/limit",
    "limit=1e2": "/limit",
    "limit=1.5": "/limit",
    "limit=%D9%A1": "/limit",
    "channel=SMS": "/channel",
    "channel=": "/channel",
    "channel=x": "/channel",
    "status=x": "/status",
    "status=queued%00": "/status",
    "reference=%00": "/reference",
    "reference=" + "x" * 201: "/reference",
    "billing_code=a%00b": "/billing_code",
    "billing_code=" + "x" * 101: "/billing_code",
    "provider_message_id=" + "x" * 101: "/provider_message_id",
    "created_after=2026-01-01T00:00:00": "/created_after",
    "created_after=2026-01-01": "/created_after",
    "created_after=2026-01-01T00:00:00+01:00": "/created_after",
    "created_after=x": "/created_after",
    "created_after=1700000000": "/created_after",
    "created_after=9999-12-31T23:59:59Z": "/created_after",
    "created_before=0001-01-01T00:00:00Z": "/created_before",
    "created_before=": "/created_before",
    "unknown=1": "/unknown",
    "Limit=1": "/Limit",
    "offset=1": "/offset",
    "recipient=%2B33601020304": "/recipient",
    "client_id=x": "/client_id",
    "limit=1&limit=2": "/limit",
    "channel=sms&channel=sms": "/channel",
    "cursor=x&cursor=y": "/cursor",
    "limit%5B%5D=1": "/limit[]",
    "%FF=1": "/\ufffd",
}


@pytest.mark.parametrize(("query", "pointer"), QUERIES.items(), ids=lambda text: text[:50])
async def test_a_query_that_is_not_understood_is_refused(
    shared: Api, query: str, pointer: str
) -> None:
    assert [one for one, _ in wrong(await shared.get(f"/v1/messages?{query}"))] == [pointer]


async def test_the_events_of_a_message_are_told_first_to_last(api: Api) -> None:
    made = (await api.post("/v1/sms", sms())).json()

    answer = await api.get(made["links"]["events"])

    (event,) = answer.json()["data"]
    assert re.fullmatch(r"evt_[0-9A-Z]{26}", event.pop("id"))
    assert event == {
        "type": "message.queued",
        "timestamp": made["created_at"],
        "sequence": 1,
        "message_id": made["id"],
        "channel": "sms",
        "previous_status": None,
        "status": "queued",
        "status_is_final": False,
        "source": "client",
        "applied": True,
        "provider": {"name": "efidem", "code": None, "label": None, "time": None},
        "detail": None,
    }
