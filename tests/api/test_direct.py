"""What is answered without the framework's machinery is answered as with it, whatever is asked."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Scope
from structlog.testing import capture_logs

from app import main
from app.api.requests import RequestLog
from app.api.routes import HOT
from tests.api.client import Api, email, fax, letter, sms

pytestmark = pytest.mark.anyio

PATHS = {"/v1/sms": sms, "/v1/emails": email, "/v1/letters": letter, "/v1/faxes": fax}
JSON = {"content-type": "application/json"}
Answer = tuple[int, list[tuple[str, str]], Any]
# What no two answers have alike: ids, moments, and what is left of a rate.
_OWN = re.compile(r"(msg|req|doc)_[0-9A-Z]{26}|\d{4}-\d\d-\d\dT[0-9:.]+Z|r=\d+;t=\d+")


async def asked(
    app: ASGIApp, method: str, path: str, headers: Mapping[str, str], parts: list[bytes]
) -> Answer:
    """Ask an application as a server does; return its answer, without what is its own."""
    sent = [(name.encode(), value.encode()) for name, value in headers.items() if "\n" not in value]
    for name, value in headers.items():
        if "\n" in value:  # a header that is given twice
            sent += [(name.encode(), one.encode()) for one in value.split("\n")]
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 5),
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": sent,
    }
    waiting = [*parts]
    answered: list[Message] = []

    async def receive() -> Message:
        if not waiting:
            return {"type": "http.disconnect"}
        part = waiting.pop(0)
        return {"type": "http.request", "body": part, "more_body": bool(waiting)}

    async def send(message: Message) -> None:
        answered.append(message)

    await app(scope, receive, send)
    said = sorted((name.decode(), value.decode()) for name, value in answered[0]["headers"])
    told = b"".join(one.get("body", b"") for one in answered[1:]).decode()
    plain = [(name, _OWN.sub("-", value)) for name, value in said if name != "content-length"]
    return answered[0]["status"], plain, json.loads(_OWN.sub("-", told) or "null")


async def both(
    api: Api,
    path: str,
    headers: Mapping[str, str | None],
    body: object,
    *,
    method: str = "POST",
) -> tuple[list[Answer], list[Mapping[str, Any]]]:
    """Ask each way; return the answers, and what each wrote into the log."""
    data = body if isinstance(body, list) else [body]
    parts = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in data]
    edge = api.edge
    general = RequestLog(main.create_app(edge), edge.gateway.ids, edge.measures, edge.held)
    usual = {"authorization": f"Bearer {api.live}", **JSON, **headers}
    kept = {name: value for name, value in usual.items() if value is not None}
    answers, lines = [], []
    for app, mark in ((main.application(edge), "a"), (general, "b")):
        # Each way has keys of its own: the second would be answered as a repeat of the first. The
        # mark has signs that no random key of the gateway has.
        own = {name: value.replace("<own>", f"key-{mark}") for name, value in kept.items()}
        with capture_logs() as told:
            answers += [await asked(app, method, path, own, parts) for _ in range(2)]
        lines += [{**one, "ms": 0} for one in told if one["event"] == "answered"]
    return answers, lines


def check(answers: list[Answer], lines: list[Mapping[str, Any]]) -> Answer:
    first, again, general, general_again = answers
    assert first == general
    assert again == general_again
    told = [{name: one[name] for name in one if name != "request_id"} for one in lines]
    half = len(told) // 2
    assert told[:half] == told[half:]
    return first


@pytest.mark.parametrize("path", PATHS)
async def test_a_message_is_taken_in_alike(api: Api, path: str) -> None:
    body = PATHS[path](reference="order-1", tags=["a"], metadata={"b": "c"})

    status, headers, answer = check(*await both(api, path, {"idempotency-key": "<own>"}, body))

    assert status == 202
    assert answer["reference"] == "order-1"
    assert dict(headers)["location"] == "/v1/messages/-"
    assert check(*await both(api, path, {}, body))[0] == 202


@pytest.mark.parametrize("path", PATHS)
async def test_a_repeat_is_answered_alike(api: Api, path: str) -> None:
    answers, _ = await both(api, path, {"idempotency-key": "<own>"}, PATHS[path]())

    _, again, _, general_again = answers
    assert again == general_again
    assert ("idempotency-replayed", "true") in again[1]
    assert again[2] == answers[0][2]


WRONG: list[tuple[str, dict[str, str | None], object]] = [
    ("no key", {"authorization": None}, {}),
    ("no bearer", {"authorization": "Basic abc"}, {}),
    ("a wrong key", {"authorization": "Bearer gw_live_0000000000_" + "0" * 52}, {}),
    ("two keys", {"authorization": "Bearer a\nBearer b"}, {}),
    ("no type", {"content-type": None}, {}),
    ("another type", {"content-type": "text/plain"}, {}),
    ("a type with parameters", {"content-type": "Application/JSON; charset=utf-8"}, {}),
    ("compressed", {"content-encoding": "gzip"}, {}),
    ("nothing", {}, b""),
    ("no JSON", {}, b'{"to": '),
    ("a byte order mark", {}, b"\xef\xbb\xbf{}"),
    ("not UTF-8", {}, b'{"to": "\xff"}'),
    ("a list", {}, []),
    ("nothing in it", {}, {}),
    ("an unknown field", {}, {"unknown": 1}),
    ("wrong types", {}, {"to": 1, "text": None, "tags": "a", "metadata": []}),
    ("a name twice", {}, b'{"to": "a", "to": "b"}'),
    ("NaN", {}, b'{"to": NaN}'),
    ("infinity", {}, b'{"to": 1e999}'),
    ("a long number", {}, b'{"to": ' + b"1" * 5000 + b"}"),
    ("a float", {}, {"max_segments": 1.5}),
    ("forbidden characters", {}, {"text": "a\u0000b", "to": "\ud800"}),
    ("a forbidden name", {}, {"te\u0001xt": "a"}),
    ("too deep", {}, b"[" * 40 + b"]" * 40),
    ("in parts", {}, [b'{"to": "+33601', b'020304", "text": "a"}']),
    ("broken off", {}, [b'{"to":', b""]),
    ("too long", {"content-length": "999999999999"}, {}),
    ("a length that is none", {"content-length": "+1"}, {}),
    ("more than is taken", {}, b'{"text": "' + b"a" * 1_100_000 + b'"}'),
    ("an empty key", {"idempotency-key": ""}, {}),
    ("a key with a blank", {"idempotency-key": "a b"}, {}),
    ("two idempotency keys", {"idempotency-key": "a\nb"}, {}),
    ("a wait that is none", {"prefer": "wait=x"}, {}),
    ("late", {}, {"expires_at": "2020-01-01T00:00:00Z", "send_at": "2999-01-01T00:00:00Z"}),
    ("variables", {}, {"variables": ["a"]}),
    ("retry", {}, {"on_uncertain": "retry"}),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("headers", "body"), [one[1:] for one in WRONG], ids=[o[0] for o in WRONG])
async def test_whatever_is_wrong_is_answered_alike(
    api: Api, path: str, headers: dict[str, str | None], body: object
) -> None:
    given = {**PATHS[path](), **body} if isinstance(body, dict) and body else body

    check(*await both(api, path, headers, given))
    check(*await both(api, path, {"idempotency-key": "<own>", **headers}, given))


@pytest.mark.parametrize("path", PATHS)
async def test_a_key_that_may_not_send_is_refused_alike(api: Api, path: str) -> None:
    reader = {"authorization": f"Bearer {api.reader}"}

    assert check(*await both(api, path, reader, PATHS[path]()))[0] == 403
    test = {"authorization": f"Bearer {api.test}"}
    check(*await both(api, path, test, PATHS[path]()))


@pytest.mark.parametrize("path", PATHS)
async def test_a_key_with_another_body_is_refused_alike(api: Api, path: str) -> None:
    key = {"idempotency-key": "<own>"}
    await both(api, path, key, PATHS[path](reference="one"))

    status, _, answer = check(*await both(api, path, key, PATHS[path](reference="two")))
    assert (status, answer["code"]) == (422, "idempotency_key_reused")
    # And where the other body is none that could be kept.
    status, _, answer = check(*await both(api, path, key, {"wrong": 1}))
    assert (status, answer["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "post"])
@pytest.mark.parametrize("path", [*PATHS, "/v1/sms/", "/v1/SMS", "//v1/sms", "/v1/messages/"])
async def test_what_is_not_hot_is_left_to_the_framework(api: Api, method: str, path: str) -> None:
    check(*await both(api, path, {}, {}, method=method))


async def test_messages_are_read_alike(api: Api) -> None:
    sent = (await api.post("/v1/sms", sms())).json()

    for path in (f"/v1/messages/{sent['id']}", "/v1/messages/msg_0", "/v1/messages/uncertain"):
        check(*await both(api, path, {}, b"", method="GET"))


def test_every_hot_address_is_one_that_the_document_describes() -> None:
    paths = main.create_app().openapi()["paths"]
    # The callback's address is described by its provider's document.
    described = {(method.upper(), path) for path, one in paths.items() for method in one}
    assert {one for one in HOT if not one[1].startswith("/hooks/")} <= described
