"""A plain message is taken in as every other is, and whatever is not plain goes the general way."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import inf
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from app import main
from app.api.direct import Direct
from app.api.edge import Edge
from app.api.issue import create_key
from app.api.plain import Plain
from app.api.requests import RequestLog
from app.api.routes import HOT, at_once
from app.domain.identifiers import MESSAGE, read
from app.domain.message import Mode
from app.store.tables import api_keys, clients, events, idempotency_keys, messages
from tests.api.client import Api, email, sms
from tests.api.test_direct import Answer, asked

pytestmark = pytest.mark.anyio
SLOWLY = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ADDRESSES = {"/v1/sms": sms, "/v1/emails": email}
# In what two messages differ that say the same.
OWN = {"id", "message_id", "object_id", "key", "created_at", "status_at", "due_at", "at"}


class Counted:
    """Tells how many requests a way answered."""

    def __init__(self, plain: Plain) -> None:
        self._plain = plain
        self.answers = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> Receive | None:
        again = await self._plain(scope, receive, send)
        self.answers += again is None
        return again


@contextmanager
def known_room(edge: Edge) -> Iterator[None]:
    """Let what was read of the queue and the disk hold, which otherwise holds for a second."""
    limiter = edge.limiter
    clock, limiter._clock = limiter._clock, lambda: 0.0
    limiter._read_at = limiter._looked_at = 0.0
    try:
        yield
    finally:
        limiter._clock, limiter._read_at, limiter._looked_at = clock, -inf, -inf


async def both(
    api: Api, path: str, body: bytes, headers: Mapping[str, str], key: str = ""
) -> tuple[Answer, int]:
    """Ask each way; see that all is alike; return the answer, and whether the plain way gave it."""
    edge = api.edge
    ways = {at: Counted(one) for at, one in at_once(edge).items() if isinstance(one, Plain)}
    general = main.create_app(edge)
    usual = {
        "authorization": f"Bearer {key or api.live}",
        "content-type": "application/json",
        "content-length": str(len(body)),
        **headers,
    }
    answers, lines, rows = [], [], []
    for at_once_too in ({}, ways):
        app = Direct(general, edge, HOT, at_once_too)
        # Makes known who asks; for three seconds.
        edge.access._keys._known.clear()
        await asked(app, "POST", path, {**usual, "content-type": "text/plain"}, [b""])
        fresh = uuid4().hex
        own = {name: value.replace("<own>", fresh) for name, value in usual.items()}
        logged = RequestLog(app, edge.gateway.ids, edge.measures, edge.held)
        began = edge.gateway.ids.new()
        with capture_logs() as told, known_room(edge):
            answers.append(await asked(logged, "POST", path, own, [body]))
        said = [one for one in told if one["event"] == "answered"]
        lines.append([{**one, "ms": 0, "request_id": ""} for one in said])
        rows.append(await kept_since(api, began))
    assert answers[0] == answers[1]
    assert lines[0] == lines[1]
    assert rows[0] == rows[1]
    return answers[1], sum(one.answers for one in ways.values())


async def kept_since(api: Api, began: UUID) -> list[dict[str, Any]]:
    """Return what was kept since an id was made, without what is its own alone."""
    found: list[dict[str, Any]] = []
    async with api.gateway.database.reading() as connection:
        for column in (messages.c.id, events.c.message_id, idempotency_keys.c.object_id):
            asked_for = select(column.table).where(column > began)
            rows = (await connection.execute(asked_for)).mappings()
            found += [{name: row[name] for name in row if name not in OWN} for row in rows]
    return found


def encoded(body: object) -> bytes:
    return json.dumps(body).encode()


TEXTS = st.text(st.sampled_from('aéêœ€\u2019 \n\t\\"%@\u2028\x7f\x85\x00😀{[,1'), max_size=30)
WRITTEN = st.sampled_from(["a", "%s %b %%", '"@tags@"', "@reference@", "x" * 201, "", " "]) | TEXTS
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [None, 1, 1.5, True, [], {}, ["a"], ["a", "a"], {"a": "b"}, {"a": 1}, "auto", "retry", "hold"]
)
NAMES = (
    "reference", "billing_code", "tags", "purpose", "metadata", "on_uncertain", "text", "sender",
    "to", "encoding", "max_segments", "subject", "html", "from", "route", "reply_to", "variables",
    "unknown", "send_at", "template",
)  # fmt: skip
RIGHT: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "reference": TEXTS,
        "billing_code": st.just("B-1"),
        "tags": st.lists(TEXTS, max_size=3),
        "purpose": st.sampled_from(["transactional", "otp", "marketing", "legal"]),
        "metadata": st.dictionaries(TEXTS, TEXTS, max_size=2),
        "on_uncertain": st.sampled_from(["hold", "retry", None]),
    },
)
OF_SMS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "text": TEXTS,
        "sender": st.sampled_from(["ACME", "0123456789A", None]),
        "encoding": st.sampled_from(["auto", "strict_gsm7", "transliterate"]),
        "max_segments": st.integers(1, 3),
        "to": st.sampled_from(["+33612345678", "06 12 34 56 78", "0612345678", "+41791234567"]),
    },
)
OF_EMAIL: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "text": TEXTS,
        "html": TEXTS,
        "subject": TEXTS,
        "from": st.sampled_from([{"address": "A@EXAMPLE.com"}, {"address": "a@b.fr", "name": "é"}]),
        "to": st.sampled_from(
            [[{"address": "Marie@Example.org", "name": "Mü"}], [{"address": "a@é.fr"}]]
        ),
        "route": st.sampled_from(["auto", "transactional", "relay"]),
        "reply_to": st.sampled_from(["b@example.org", None]),
        "cc": st.sampled_from([[], [{"address": "c@example.org"}]]),
    },
)


@given(RIGHT, OF_SMS)
@example({"tags": ["%b", '"@id@"', "@units@"], "metadata": {"@id@": "%"}, "reference": "%%"}, {})
@SLOWLY
async def test_every_right_text_message_is_taken_in_alike(
    shared: Api, common: dict[str, Any], own: dict[str, Any]
) -> None:
    answer, plain = await both(shared, "/v1/sms", encoded(sms(**common, **own)), {})

    assert plain == (answer[0] == 202)


@given(RIGHT, OF_EMAIL)
@SLOWLY
async def test_every_right_email_is_taken_in_alike(
    shared: Api, common: dict[str, Any], own: dict[str, Any]
) -> None:
    answer, plain = await both(shared, "/v1/emails", encoded(email(**common, **own)), {})

    assert plain <= (answer[0] == 202)


@given(
    st.sampled_from(list(ADDRESSES)),
    st.dictionaries(st.sampled_from(NAMES), VALUES | WRITTEN, max_size=3),
)
@SLOWLY
async def test_whatever_stands_in_a_body_is_answered_alike(
    shared: Api, path: str, given_fields: dict[str, Any]
) -> None:
    answer, plain = await both(shared, path, encoded({**ADDRESSES[path](), **given_fields}), {})

    assert plain <= (answer[0] == 202)


RAW = [
    b'{"to": "+33601020304", "text": "a", "text": "a"}',
    b'{"to": "+33601020304", "text": "\\u00e9 \\ud83d\\ude00"}',
    b'{"to": "+33601020304", "text": "\\ud800"}',
    b'{"to": "+33601020304", "text": "\\u0000"}',
    b'{"to": "+33601020304", "text": "\xc3\xa9"}',
    b'{"to": "+33601020304", "text": "\xe9"}',
    b'\xef\xbb\xbf{"to": "+33601020304", "text": "a"}',
    b' {"to": "+33601020304", "text": "a"}\n',
    b'{"to": "+33601020304", "text": "a"} x',
    b'{"to": "+33601020304", "text": "a", "max_segments": 1.0}',
    b'{"to": "+33601020304", "text": "a", "max_segments": 1e999}',
    b'{"to": "+33601020304", "text": "a", "max_segments": NaN}',
    b'{"to": "+33601020304", "text": "' + b"a" * 70_000 + b'"}',
    b'{"to": "+33601020304", "text": ' + b"[" * 50 + b"]" * 50 + b"}",
    b"",
    b"null",
    b"[]",
]


@pytest.mark.parametrize("body", RAW)
async def test_however_a_body_is_written_it_is_read_alike(shared: Api, body: bytes) -> None:
    await both(shared, "/v1/sms", body, {})
    await both(shared, "/v1/sms", body, {"idempotency-key": "<own>"})


HEADERS: list[tuple[dict[str, str], int]] = [
    ({}, 1),
    ({"idempotency-key": "<own>"}, 1),
    ({"idempotency-key": "<own>" + "~" * 223}, 1),
    ({"idempotency-key": "~" * 256}, 0),
    ({"idempotency-key": "a b"}, 0),
    ({"idempotency-key": ""}, 0),
    ({"idempotency-key": "a\nb"}, 0),
    ({"user-agent": "a", "accept": "*/*", "x-request-id": "abc"}, 1),
    ({"x-request-id": "a b"}, 1),
    ({"accept": "a\nb"}, 0),
    ({"prefer": "wait=0"}, 0),
    ({"content-encoding": "identity"}, 0),
    ({"content-encoding": "gzip"}, 0),
    ({"content-type": "application/json; charset=utf-8"}, 0),
    ({"content-type": "text/plain"}, 0),
    ({"content-length": "999999"}, 0),
    ({"content-length": "10"}, 0),
    ({"content-length": "+1"}, 0),
    ({"authorization": "Basic a"}, 0),
    ({"authorization": "Bearer gw_live_0000000000_" + "0" * 52}, 0),
]


@pytest.mark.parametrize("path", ADDRESSES)
@pytest.mark.parametrize(("headers", "plain"), HEADERS)
async def test_whatever_comes_with_a_message_is_answered_alike(
    shared: Api, path: str, headers: dict[str, str], plain: int
) -> None:
    assert (await both(shared, path, encoded(ADDRESSES[path]()), headers))[1] == plain


async def options(api: Api, key: str, **changed: Any) -> None:
    """Change what a new client may do, before anybody asks who has its key."""
    if not changed:
        return
    async with api.gateway.database.transaction() as connection:
        of = (
            select(api_keys.c.client_id).where(api_keys.c.id == key.split("_")[2]).scalar_subquery()
        )
        await connection.execute(update(clients).where(clients.c.id == of).values(**changed))


@pytest.mark.parametrize(
    ("mode", "changed", "plain"),
    [
        (Mode.LIVE, {}, 1),
        (Mode.TEST, {}, 1),
        (Mode.TEAM, {}, 0),
        (Mode.LIVE, {"unique_references": True}, 0),
        (Mode.LIVE, {"daily_quotas": {"sms": 5}}, 0),
        (Mode.LIVE, {"daily_quotas": {"email": 5}}, 1),
        (Mode.LIVE, {"idempotency": "required"}, 0),
        (Mode.LIVE, {"idempotency": "optional"}, 1),
        (Mode.LIVE, {"rate": 0}, 1),
        (Mode.LIVE, {"rate": 1000}, 1),
        (Mode.LIVE, {"rate": 1}, 0),
    ],
)
async def test_whoever_sends_is_answered_alike(
    shared: Api, mode: Mode, changed: dict[str, Any], plain: int
) -> None:
    key = await create_key(
        shared.gateway, shared.edge.access.digest, name=f"{mode}-{changed}", mode=mode
    )
    await options(shared, key, **changed)

    assert (await both(shared, "/v1/sms", encoded(sms()), {}, key))[1] == plain


async def test_a_repeat_gets_the_first_answer_whichever_way_either_took(shared: Api) -> None:
    body = encoded(sms(reference="order-1"))
    headers = {"authorization": f"Bearer {shared.live}", "content-length": str(len(body))}
    headers |= {"content-type": "application/json", "idempotency-key": shared.live[-20:]}
    app = main.application(shared.edge)

    answers = [
        await asked(app, "POST", "/v1/sms", {**headers, **other}, [body])
        for other in ({}, {}, {"prefer": "x"}, {})
    ]

    assert [one[0] for one in answers] == [202] * 4
    assert all(one[2] == answers[0][2] for one in answers)
    assert [("idempotency-replayed", "true") in one[1] for one in answers] == [False] + [True] * 3


async def test_what_is_said_of_a_plain_message_is_read_of_it_afterwards(shared: Api) -> None:
    await shared.post("/v1/sms", sms())

    sent = (await shared.post("/v1/sms", sms(tags=["é", "%b"], metadata={"@": '"'}))).json()

    assert (await shared.get(f"/v1/messages/{sent['id']}")).json() == sent
    assert read(MESSAGE, sent["id"])
