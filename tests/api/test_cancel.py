"""Cancelling, refreshing, and what a key may do to whose messages."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from app.delivery import submit
from app.domain.message import Channel
from app.domain.outcome import Accepted, Unclear
from app.store.tables import messages
from tests.api.acting import events, kept, key, nothing_uncertain, raw_id, sent
from tests.api.client import BODIES, Api, letter, problem, sms

pytestmark = pytest.mark.anyio

KEYLESS = [
    "/v1/messages/{}/cancel",
    "/v1/messages/{}/refresh",
    "/v1/messages/{}/resolve",
]


@pytest.fixture(autouse=True)
async def _quiet(api: Api) -> None:
    await nothing_uncertain(api)


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("delay", [None, 3600])
async def test_what_has_not_left_is_cancelled_and_says_so(
    api: Api, path: str, delay: int | None
) -> None:
    send_at = (api.gateway.now() + timedelta(seconds=delay or 0)).isoformat()
    body = BODIES[path](**({"send_at": send_at} if delay else {}))
    message_id = await kept(api, body, path)

    answer = await api.post(f"/v1/messages/{message_id}/cancel")
    again = await api.post(f"/v1/messages/{message_id}/cancel")

    found = answer.json()
    assert (answer.status, again.status) == (200, 200)
    assert (found["status"], found["status_is_final"]) == ("cancelled", True)
    assert again.json() == found == (await api.get(f"/v1/messages/{message_id}")).json()
    first, last = await events(api, message_id)
    assert first["status"] == ("scheduled" if delay else "queued")
    assert (last["type"], last["source"]) == ("message.cancelled", "client")
    assert last["detail"]["by"]["key"] in api.live
    assert last["detail"]["by"]["client"].startswith("accounts ")


async def test_what_was_submitted_or_may_have_been_is_not_cancelled(api: Api) -> None:
    submitted = await sent(api, Accepted("a" * 32))
    uncertain = await sent(api, Unclear("no answer", "-77"))

    for message_id in (submitted, uncertain):
        found = problem(
            await api.post(f"/v1/messages/{message_id}/cancel"), 409, "already_submitted"
        )
        assert found["retryable"] is False
        assert len(await events(api, message_id)) == 3


async def test_what_is_final_is_not_cancelled(api: Api) -> None:
    message_id = await kept(api)
    async with api.gateway.database.transaction() as connection:
        await connection.execute(
            update(messages).where(messages.c.id == raw_id(message_id)).values(status="delivered")
        )

    problem(await api.post(f"/v1/messages/{message_id}/cancel"), 409, "already_final")


async def test_a_letter_is_cancelled_in_its_window(api: Api) -> None:
    message_id = await kept(api, letter(cancel_window_seconds=600), "/v1/letters")
    assert await submit.claim(api.gateway, Channel.LETTER, 100) == []

    answer = await api.post(f"/v1/messages/{message_id}/cancel")

    assert answer.json()["status"] == "cancelled"


async def test_cancelling_takes_the_scope_of_the_channel(api: Api) -> None:
    message_id = await kept(api)

    problem(
        await api.post(f"/v1/messages/{message_id}/cancel", key=api.reader), 403, "scope_missing"
    )
    faxes = await key(api, "fax:send", "messages:read")
    problem(await api.post(f"/v1/messages/{message_id}/cancel", key=faxes), 404, "not_found")
    assert (await api.get(f"/v1/messages/{message_id}")).json()["status"] == "queued"
    # A key that may only send needs no other scope.
    own = await kept(api, key=api.sender)
    answer = await api.post(f"/v1/messages/{own}/cancel", key=api.sender)
    assert answer.status == 200


@pytest.mark.parametrize("path", KEYLESS)
async def test_what_is_anothers_or_nobodys_is_not_found(api: Api, path: str) -> None:
    message_id = await kept(api)
    body = {"outcome": "abandon", "reason": "none"}
    resolver = await key(api, "messages:resolve", "messages:read", "sms:send")

    for who, which in (
        (resolver, message_id),
        (resolver, "msg_0"),
        (resolver, "bat_" + message_id[4:]),
        (resolver, "%00"),
        (resolver, "x" * 300),
    ):
        problem(await api.post(path.format(which), body, key=who), 404, "not_found")
    problem(await api.post(path.format(message_id), body, key=None), 401, "api_key_invalid")
    if "resolve" not in path:
        problem(await api.post(path.format(message_id), body, key=api.other), 404, "not_found")
        problem(await api.post(path.format(message_id), body, key=api.test), 404, "not_found")
    assert (await api.get(f"/v1/messages/{message_id}")).json()["status"] == "queued"


async def test_whatever_body_comes_with_a_cancel_is_not_read(api: Api) -> None:
    for data in (b"", b"\xff\x00", b"{", b"[" * 1000):
        message_id = await kept(api)
        answer = await api.call("POST", f"/v1/messages/{message_id}/cancel", data=data)
        assert answer.status == 200


async def test_many_cancels_at_once_are_one_event(api: Api) -> None:
    message_id = await kept(api)

    answers = await asyncio.gather(
        *(api.post(f"/v1/messages/{message_id}/cancel") for _ in range(20))
    )

    assert {one.status for one in answers} == {200}
    assert len(await events(api, message_id)) == 2


@pytest.mark.parametrize("mode", ["individual", "provider_multi"])
async def test_a_batch_is_cancelled_as_far_as_it_has_not_left(api: Api, mode: str) -> None:
    rows = [sms(to=f"+3363998{place:04}") for place in range(5)]
    batch = (await api.post("/v1/sms/batch", {"messages": rows, "mode": mode})).json()
    first = batch["messages"][0]["id"]
    assert (await api.post(f"/v1/messages/{first}/cancel")).status == 200

    answer = await api.post(f"/v1/batches/{batch['id']}/cancel")
    again = await api.post(f"/v1/batches/{batch['id']}/cancel")

    assert (answer.status, again.status) == (200, 200)
    assert (answer.json()["cancelled"], again.json()["cancelled"]) == (4, 0)
    assert answer.json()["counts"] == {"cancelled": 5}
    assert answer.json()["is_final"] is True
    assert await submit.claim(api.gateway, Channel.SMS, 100) == []


async def test_a_batch_is_its_clients_alone(api: Api) -> None:
    batch = (await api.post("/v1/sms/batch", {"messages": [sms()]})).json()
    path = f"/v1/batches/{batch['id']}/cancel"

    problem(await api.post(path, key=api.other), 404, "not_found")
    problem(await api.post("/v1/batches/bat_0/cancel"), 404, "not_found")
    problem(await api.post(path, key=api.reader), 403, "scope_missing")
    assert (await api.get(path.removesuffix("/cancel"))).json()["counts"] == {"queued": 1}


async def test_a_message_is_asked_about_at_once_and_not_again_for_ten_seconds(api: Api) -> None:
    message_id = await sent(api, Accepted("a" * 32))
    before = (await api.get(f"/v1/messages/{message_id}")).json()
    async with api.gateway.database.transaction() as connection:
        await connection.execute(
            update(messages)
            .where(messages.c.id == raw_id(message_id))
            .values(due_at=api.gateway.now() + timedelta(hours=5))
        )

    answer = await api.post(f"/v1/messages/{message_id}/refresh", key=api.reader)
    again = await api.post(f"/v1/messages/{message_id}/refresh", key=api.reader)

    assert (answer.status, again.status) == (202, 202)
    assert answer.headers["Retry-After"] == "10"
    assert 1 <= int(again.headers["Retry-After"]) <= 10
    due = datetime.fromisoformat(answer.json()["next_check_at"])
    assert abs(due - api.gateway.now()) < timedelta(seconds=5)
    assert answer.json()["status"] == before["status"] == "submitted"
    kinds = [one["type"] for one in await events(api, message_id)]
    assert kinds.count("message.refresh_requested") == 1


async def test_what_no_provider_can_tell_is_not_asked(api: Api) -> None:
    fax = await sent(api, Accepted("REF"), "/v1/faxes")
    nameless = await sent(api, Accepted(None))
    waiting = await kept(api)
    uncertain = await kept(api)
    cancelled = await kept(api)
    await api.post(f"/v1/messages/{cancelled}/cancel")

    for message_id, code in (
        (fax, "status_query_not_supported"),
        (nameless, "status_query_not_supported"),
        (waiting, "not_submitted"),
        (uncertain, "not_submitted"),
        (cancelled, "already_final"),
    ):
        problem(await api.post(f"/v1/messages/{message_id}/refresh"), 409, code)


async def test_refreshing_takes_the_scope_to_read(api: Api) -> None:
    message_id = await kept(api, key=api.sender)

    problem(
        await api.post(f"/v1/messages/{message_id}/refresh", key=api.sender), 403, "scope_missing"
    )
