"""Webhook endpoints: made, changed, rotated, listed; who sees what; which addresses are refused."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select

from app.api.access import USUAL_SCOPES
from app.api.issue import create_key
from app.api.webhooks import MOST
from app.delivery import publish
from app.delivery.notify import Notifying
from app.delivery.tell import TYPES
from app.delivery.webhook_settings import WebhookSettings
from app.delivery.webhooks import build
from app.domain.message import Mode
from app.store import feed
from app.store.tables import webhook_deliveries, webhook_endpoints
from tests.api.client import Answer, Api, problem, sms, wrong
from tests.plans import recording
from tests.receiver import Receiver, Says, receiving

pytestmark = pytest.mark.anyio

PATH = "/v1/webhook-endpoints"
URL = "https://8.8.8.8/hooks/multicanal?token=canary"


@pytest.fixture
async def hooks(api: Api) -> Api:
    """The API with keys that may manage webhooks; no endpoint is left of another test."""
    async with api.gateway.database.transaction() as connection:
        await connection.execute(delete(webhook_deliveries))
        await connection.execute(delete(webhook_endpoints))

    async def key(client: str, mode: Mode) -> str:
        digest = api.edge.access.digest
        scopes = (*USUAL_SCOPES, "webhooks:manage")
        name = f"{client} {id(api)}"
        return await create_key(api.gateway, digest, name=name, mode=mode, scopes=scopes)

    return replace(
        api,
        live=await key("hooked", Mode.LIVE),
        test=await key("hooked", Mode.TEST),
        other=await key("stranger", Mode.LIVE),
    )


async def made(api: Api, **body: Any) -> dict[str, Any]:
    answer = await api.post(PATH, {"url": URL, **body})
    assert answer.status == 201, answer.content
    found: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == found["links"]["self"] == f"{PATH}/{found['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    return found


# --- endpoints ---


async def test_an_endpoint_is_made_with_a_secret_that_is_shown_once(hooks: Api) -> None:
    found = await made(hooks, description="CRM", events=["message.delivered"], channels=["sms"])

    secret = found.pop("secret")
    assert secret.startswith("whsec_")
    assert len(secret) == 6 + 44
    assert found["id"].startswith("whe_")
    assert (found["mode"], found["enabled"], found["disabled_reason"]) == ("live", True, None)
    assert (found["url"], found["events"], found["channels"]) == (
        URL,
        ["message.delivered"],
        ["sms"],
    )
    again = await hooks.get(found["links"]["self"])
    assert again.json() == found
    assert (await hooks.get(PATH)).json() == {"data": [found]}
    assert b"whsec_" not in again.content
    async with hooks.gateway.database.reading() as connection:
        rows = (await connection.execute(select(webhook_endpoints))).mappings().all()
    assert secret.removeprefix("whsec_") not in str([dict(row) for row in rows])


async def test_an_endpoint_is_changed_in_what_is_given_alone(hooks: Api) -> None:
    found = await made(hooks, description="CRM", events=["message.failed"])

    def change(body: object) -> Any:
        return hooks.call("PATCH", found["links"]["self"], body=body)

    changed = (await change({"events": None, "channels": ["fax", "letter"]})).json()
    assert (changed["events"], changed["channels"]) == (None, ["fax", "letter"])
    assert (changed["description"], changed["url"]) == ("CRM", URL)
    async with hooks.gateway.database.transaction() as connection:
        await connection.execute(webhook_endpoints.update().values(failing_since=datetime.now(UTC)))
    assert (await change({"description": "CRM"})).json()["failing_since"] is not None
    moved = (await change({"url": "https://1.1.1.1/x", "description": None})).json()
    assert moved["failing_since"] is None  # that was where it is no more
    assert (moved["url"], moved["description"]) == ("https://1.1.1.1/x", None)
    assert (await change({})).json()["url"] == "https://1.1.1.1/x"
    assert wrong(await change({"url": "https://10.0.0.1/"})) == [("/url", "address_not_allowed")]
    assert wrong(await change({"secret": "whsec_x"})) == [("/secret", "unknown_field")]


async def test_a_deleted_endpoint_is_gone_with_its_address(hooks: Api) -> None:
    found = await made(hooks)

    assert (await hooks.call("DELETE", found["links"]["self"])).status == 204

    problem(await hooks.get(found["links"]["self"]), 404, "not_found")
    problem(await hooks.call("DELETE", found["links"]["self"]), 404, "not_found")
    assert (await hooks.get(PATH)).json() == {"data": []}
    async with hooks.gateway.database.reading() as connection:
        rows = (await connection.execute(select(webhook_endpoints.c.url))).scalars().all()
    assert URL not in rows


async def test_an_endpoint_is_switched_off_and_on(hooks: Api) -> None:
    found = await made(hooks)

    off = (await hooks.post(f"{found['links']['self']}/disable")).json()
    on = (await hooks.post(f"{found['links']['self']}/enable")).json()

    assert (off["enabled"], off["disabled_reason"]) == (False, "client")
    assert (on["enabled"], on["disabled_reason"]) == (True, None)


async def test_a_client_has_so_many_endpoints_and_no_more(hooks: Api) -> None:
    answers = await asyncio.gather(*(hooks.post(PATH, {"url": URL}) for _ in range(MOST + 5)))

    assert sorted(one.status for one in answers) == [201] * MOST + [409] * 5
    problem(await hooks.post(PATH, {"url": URL}), 409, "webhook_endpoints_exhausted")
    assert (await hooks.post(PATH, {"url": URL}, key=hooks.test)).status == 201


async def test_a_secret_is_rotated_with_an_overlap(hooks: Api) -> None:
    found = await made(hooks)
    path = f"{found['links']['self']}/rotate-secret"

    rotated = (await hooks.post(path, {})).json()
    until = datetime.fromisoformat(rotated["previous_secret_until"])
    assert rotated["secret"] not in {found["secret"], None}
    assert abs(until - datetime.now(UTC) - timedelta(hours=24)) < timedelta(minutes=1)
    at_once = (await hooks.post(path, {"overlap_hours": 0})).json()
    assert at_once["previous_secret_until"] is None
    assert wrong(await hooks.post(path, {"overlap_hours": 169})) == [("/overlap_hours", "invalid")]
    assert wrong(await hooks.post(path, {"overlap_hours": -1})) == [("/overlap_hours", "invalid")]


async def test_a_secret_that_cannot_be_opened_any_more_is_rotated_away(hooks: Api) -> None:
    found = await made(hooks)
    async with hooks.gateway.database.transaction() as connection:
        await connection.execute(webhook_endpoints.update().values(secret="of another pepper"))

    rotated = (await hooks.post(f"{found['links']['self']}/rotate-secret", {})).json()

    assert rotated["previous_secret_until"] is None
    assert rotated["secret"] != found["secret"]


# --- who ---


async def test_nobody_else_sees_an_endpoint_nor_the_other_mode(hooks: Api) -> None:
    found = await made(hooks)
    itself = found["links"]["self"]
    ping = (await hooks.post(f"{itself}/test")).json()
    paths = [
        ("GET", itself), ("PATCH", itself), ("DELETE", itself),
        ("POST", f"{itself}/rotate-secret"), ("POST", f"{itself}/enable"),
        ("POST", f"{itself}/disable"), ("POST", f"{itself}/test"), ("POST", f"{itself}/recover"),
        ("GET", f"{itself}/deliveries"), ("GET", ping["links"]["self"]),
        ("POST", f"{ping['links']['self']}/resend"),
    ]  # fmt: skip
    since = {"since": datetime.now(UTC).isoformat()}

    for key in (hooks.other, hooks.test):
        assert (await hooks.get(PATH, key=key)).json() == {"data": []}
        for method, path in paths:
            body = since if path.endswith("recover") else {}
            answer = await hooks.call(method, path, key=key, body=body)
            assert (
                problem(answer, 404, "not_found")["detail"]
                == (problem(await hooks.get(f"{PATH}/whe_0", key=key), 404, "not_found")["detail"])
            )
    for method, path in [("GET", PATH), ("POST", PATH), *paths]:
        answer = await hooks.call(method, path, key=hooks.reader, body={})
        problem(answer, 403, "scope_missing")


async def test_a_delivery_is_found_under_its_own_endpoint_alone(hooks: Api) -> None:
    first, second = await made(hooks), await made(hooks)
    ping = (await hooks.post(f"{first['links']['self']}/test")).json()

    problem(await hooks.get(f"{second['links']['self']}/deliveries/{ping['id']}"), 404, "not_found")
    assert (await hooks.get(ping["links"]["self"])).status == 200
    twice = await hooks.get(f"{first['links']['deliveries']}?state=failed&state=pending")
    assert wrong(twice) == [("/state", "repeated")]


# --- what is refused ---


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://10.0.0.1/", "address_not_allowed"),
        ("https://127.0.0.1/", "address_not_allowed"),
        ("https://localhost/", "address_not_allowed"),
        ("https://[::1]/", "address_not_allowed"),
        ("https://[::ffff:127.0.0.1]/", "address_not_allowed"),
        ("https://169.254.169.254/latest/meta-data", "address_forbidden"),
        ("https://[fd00:ec2::254]/", "address_forbidden"),
        ("https://[64:ff9b::a9fe:a9fe]/", "address_forbidden"),
        ("https://[2002:7f00:1::]/", "address_forbidden"),
        ("http://127.0.0.1:9/hooks", "address_refused"),  # our public address in these tests
        ("http://127.0.0.2:9/hooks", "own_address"),
        ("http://127.0.0.1:8000/", "own_address"),
        ("https://0x7f000001/", "host_invalid"),
        ("https://017700000001/", "host_invalid"),
        ("https://user:word@8.8.8.8/", "url_invalid"),
        ("https://8.8.8.8/#a", "url_invalid"),
        ("javascript:alert(1)", "url_invalid"),
        ("ftp://8.8.8.8/", "scheme_not_allowed"),
        ("https://no-such-host.invalid/", "host_unknown"),
        ("https://8.8.8.8/" + "a" * 2000, "too_long"),
        ("", "too_short"),
        (7, "wrong_type"),
    ],
)
async def test_a_url_that_nothing_would_be_sent_to_is_refused(
    hooks: Api, url: object, code: str
) -> None:
    assert wrong(await hooks.post(PATH, {"url": url})) == [("/url", code)]


async def test_plain_http_is_refused_where_the_settings_say_so(hooks: Api) -> None:
    strict = WebhookSettings(_env_file=None, webhook_http="refused")
    usual = WebhookSettings(_env_file=None)
    common = {"port": 1, "public_url": "https://x.example.com", "random_bytes": bytes, "lease": 9.0}

    for one, production, code in (
        (strict, False, "scheme_not_allowed"),
        (usual, True, "scheme_not_allowed"),
        (usual, False, None),
    ):
        built = build(one, b"pepper", production=production, **common)  # type: ignore[arg-type]
        found = built.guard.wrong_url("http://8.8.8.8/")
        assert (found and found[0]) == code


async def test_an_unknown_filter_is_refused_with_the_list(hooks: Api) -> None:
    answer = await hooks.post(PATH, {"url": URL, "events": ["message.sent", "message.lost"]})

    (error,) = problem(answer, 422, "validation_failed")["errors"]
    assert (error["pointer"], error["code"]) == ("/events/1", "not_allowed")
    assert all(one in error["detail"] for one in TYPES)
    assert wrong(await hooks.post(PATH, {"url": URL, "events": []})) == [("/events", "too_short")]
    assert wrong(await hooks.post(PATH, {"url": URL, "channels": ["pigeon"]})) == [
        ("/channels/0", "not_allowed")
    ]
    assert wrong(await hooks.post(PATH, {})) == [("/url", "missing")]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/since", "missing"),
        ({"since": "2020-01-01T00:00:00Z"}, "/since", "too_early"),
        ({"since": "yesterday"}, "/since", "invalid"),
        ({"since": "now", "until": "before"}, "/until", "too_early"),
    ],
)
async def test_recover_takes_a_time_of_the_last_thirty_days(
    hooks: Api, body: dict[str, str], pointer: str, code: str
) -> None:
    found = await made(hooks)
    times = {
        "now": datetime.now(UTC).isoformat(),
        "before": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
    }

    answer = await hooks.post(
        f"{found['links']['self']}/recover",
        {name: times.get(value, value) for name, value in body.items()},
    )

    assert [one[0] for one in wrong(answer)] == [pointer]
    assert code in {wrong(answer)[0][1], "invalid"}


async def test_who_is_told_costs_nothing_where_a_message_is_handed_in(hooks: Api) -> None:
    for _ in range(3):
        await made(hooks)
    async with recording(hooks.gateway.database) as sent:
        await hooks.gateway.database.close()  # its connections are made anew, and listened to
        sent.listening = True
        answer = await hooks.post("/v1/sms", sms(), headers={"Idempotency-Key": f"{id(sent)}"})
        sent.listening = False

    assert answer.status == 202
    assert any("INSERT INTO events" in one for one in sent.statements)
    assert not [one for one in sent.statements if "webhook" in one]
    await publish.publish(hooks.gateway)
    for endpoint in (await hooks.get(PATH)).json()["data"]:
        found = (await hooks.get(endpoint["links"]["deliveries"])).json()["data"]
        assert [one["type"] for one in found] == ["message.queued"]


# --- deliveries ---


@pytest.fixture
async def told(hooks: Api) -> AsyncIterator[tuple[Api, Notifying, Receiver]]:
    """The API, what a worker would have, and a receiver; loopback is allowed."""
    common = {"port": 1, "public_url": "http://127.0.0.1:1", "production": False, "lease": 9.0}
    built = build(
        WebhookSettings(_env_file=None, webhook_networks="127.0.0.0/8"),
        hooks.edge.secret,
        random_bytes=bytes,
        **common,  # type: ignore[arg-type]
    )
    gateway = replace(hooks.gateway, webhooks=built)
    with receiving() as receiver:
        yield hooks, Notifying(gateway, lambda _: None, asyncio.sleep), receiver
    await built.close()


async def post(notifying: Notifying) -> None:
    while held := await notifying.claim():
        await asyncio.gather(*(notifying.deliver(one) for one in held))


async def at(api: Api, receiver: Receiver, found: dict[str, Any]) -> dict[str, Any]:
    """Have an endpoint lead to the receiver, which the API of these tests would not allow."""
    async with api.gateway.database.transaction() as connection:
        await connection.execute(
            webhook_endpoints.update()
            .where(webhook_endpoints.c.url == URL)
            .values(url=receiver.url())
        )
    return found


async def test_a_ping_is_sent_as_every_event_is(
    told: tuple[Api, Notifying, Receiver],
) -> None:
    hooks, notifying, receiver = told
    found = await at(hooks, receiver, await made(hooks))

    answer = await hooks.post(f"{found['links']['self']}/test")
    ping = answer.json()
    await post(notifying)

    assert (answer.status, ping["state"], ping["type"]) == (202, "pending", "webhook.test")
    assert answer.headers["Location"] == ping["links"]["self"]
    (got,) = receiver.got
    content = got.verified(found["secret"])
    assert (content["type"], got.id) == ("webhook.test", ping["webhook_id"])
    after = (await hooks.get(ping["links"]["self"])).json()
    assert (after["state"], after["attempts"], after["next_try_at"]) == ("delivered", 1, None)
    assert [(one["code"], one["why"]) for one in after["tries"]] == [(204, None)]


async def test_deliveries_are_listed_with_what_came_of_them_and_one_is_sent_again(
    told: tuple[Api, Notifying, Receiver],
) -> None:
    hooks, notifying, receiver = told
    receiver.says = [Says(500, body=b"try later")]
    found = await at(hooks, receiver, await made(hooks))
    path = f"{found['links']['self']}/deliveries"
    for _ in range(3):
        key = {"Idempotency-Key": f"{found['id']}-{_}"}
        assert (await hooks.post("/v1/sms", sms(), headers=key)).status == 202
    await publish.publish(hooks.gateway)
    await post(notifying)

    everything = (await hooks.get(path)).json()
    failed = (await hooks.get(f"{path}?state=pending")).json()
    first = (await hooks.get(f"{path}?limit=2")).json()
    second = (await hooks.get(f"{path}?limit=2&cursor={first['next_cursor']}")).json()

    assert len(everything["data"]) == 3
    assert (first["has_more"], second["has_more"]) == (True, False)
    assert first["data"] + second["data"] == everything["data"]
    (pending,) = failed["data"]
    assert (pending["last_try"]["code"], pending["last_try"]["why"]) == (500, "refused")
    assert pending["next_try_at"] is not None
    detail = (await hooks.get(pending["links"]["self"])).json()
    assert (detail["response"], len(detail["tries"])) == ("try later", 1)
    assert detail["message_id"].startswith("msg_")
    assert wrong(await hooks.get(f"{path}?state=lost")) == [("/state", "not_allowed")]
    problem(await hooks.get(f"{path}?cursor=made-up"), 400, "cursor_invalid")

    done = next(one for one in everything["data"] if one["state"] == "delivered")
    for one in (pending, done):
        again = await hooks.post(f"{one['links']['self']}/resend")
        assert (again.status, again.json()["state"]) == (202, "pending")
        assert again.json()["webhook_id"] == one["webhook_id"]
    await post(notifying)

    assert {one["state"] for one in (await hooks.get(path)).json()["data"]} == {"delivered"}
    assert receiver.ids().count(done["webhook_id"]) == 2


async def test_nothing_is_sent_to_a_disabled_endpoint_and_recover_brings_what_it_missed(
    told: tuple[Api, Notifying, Receiver],
) -> None:
    hooks, notifying, receiver = told
    since = {"since": datetime.now(UTC).isoformat()}  # others sent a moment ago
    found = await at(hooks, receiver, await made(hooks, channels=["sms"]))
    itself = found["links"]["self"]
    ping = (await hooks.post(f"{itself}/test")).json()
    await hooks.post(f"{itself}/disable")
    assert (await hooks.post("/v1/sms", sms(), headers={"Idempotency-Key": found["id"]})).status
    await publish.publish(hooks.gateway)
    await post(notifying)
    answers: list[Answer] = [
        await hooks.post(f"{itself}/test"),
        await hooks.post(f"{itself}/recover", since),
        await hooks.post(f"{ping['links']['self']}/resend"),
    ]
    for answer in answers:
        problem(answer, 409, "webhook_endpoint_disabled")
    assert receiver.got == []

    await hooks.post(f"{itself}/enable")
    recovered = await hooks.post(f"{itself}/recover", since)
    await post(notifying)

    assert recovered.status == 202
    assert recovered.json() == {
        "examined": 1,
        "created": 1,
        "resumed": 0,
        "complete": True,
        "next_after_position": None,
    }
    # The ping that waited goes on by itself.
    assert sorted(one.json["type"] for one in receiver.got) == ["message.queued", "webhook.test"]


# With SQLite there is one writer at a time, whoever it is.
@pytest.mark.parametrize("served", ["postgresql"], indirect=True)
async def test_a_flood_of_recovers_takes_the_store_from_nobody(hooks: Api) -> None:
    found = await made(hooks)
    since = {"since": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
    async with hooks.gateway.database.transaction() as connection:
        # As whoever publishes holds it: who recovers waits for it, with a connection of its own.
        row = (await connection.execute(select(webhook_endpoints))).mappings().first()
        assert row is not None
        await feed.passed(connection, (row["client_id"], row["mode"]))
        flood = [
            asyncio.create_task(hooks.post(f"{found['links']['self']}/recover", since))
            for _ in range(20)
        ]
        await asyncio.sleep(0.5)
        beside = await hooks.post("/v1/sms", sms())

    assert beside.status == 202
    assert {one.status for one in await asyncio.gather(*flood)} == {202}


async def test_neither_a_log_nor_a_metric_holds_a_url(
    told: tuple[Api, Notifying, Receiver], capsys: pytest.CaptureFixture[str]
) -> None:
    hooks, notifying, receiver = told
    found = await at(hooks, receiver, await made(hooks))
    await hooks.post(f"{found['links']['self']}/test")
    await post(notifying)
    metrics = (await hooks.get("/metrics", key=None)).content.decode()

    printed = capsys.readouterr()
    assert found["id"] in printed.out + printed.err
    whose = (await hooks.get("/v1/me")).json()["client"]["id"]
    assert whose in printed.out + printed.err  # an operator knows whom to call
    assert 'multicanal_webhook_tries_total{outcome="taken"}' in metrics
    assert "multicanal_webhooks_pending 0.0" in metrics
    for text in (printed.out, printed.err, metrics):
        assert "canary" not in text
        assert f":{receiver.port}" not in text
        assert found["secret"] not in text
