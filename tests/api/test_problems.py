"""Every fault is one kind of answer, and tells nothing that the caller should not know."""

import asyncio

import pytest
from sqlalchemy import update

from app.api import remembered
from app.api.issue import create_key
from app.domain.identifiers import DOCUMENT, MESSAGE, shown
from app.domain.message import Mode
from app.store.tables import api_keys
from tests.api.client import (
    ATTACHMENT_LIMIT,
    BODIES,
    BODY_LIMIT,
    Api,
    email,
    fax,
    letter,
    problem,
    sms,
    wrong,
)
from tests.api.conftest import Serve

pytestmark = pytest.mark.anyio

GUARDED = [
    ("POST", "/v1/emails"),
    ("POST", "/v1/sms"),
    ("POST", "/v1/letters"),
    ("POST", "/v1/faxes"),
    ("POST", "/v1/documents"),
    ("GET", "/v1/documents/doc_01J9ZK00000000000000000000"),
    ("GET", "/v1/messages"),
    ("GET", "/v1/messages/msg_01J9ZK00000000000000000000"),
    ("GET", "/v1/messages/msg_01J9ZK00000000000000000000/events"),
]


def without_id(found: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in found.items() if name != "request_id"}


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_every_address_refuses_every_wrong_key_alike(
    shared: Api, method: str, path: str
) -> None:
    key = shared.live
    wrong_secret = key[:-1] + ("A" if key[-1] != "A" else "B")
    wrong_id = key.replace(key.split("_")[2], "0" * 10)
    given = [
        "Bearer",
        "Bearer ",
        f"Bearer {key} {key}",
        f"Bearer {wrong_secret}",
        f"Bearer {wrong_id}",
        f"Bearer {key.lower()}",
        f"Bearer {key.replace('gw_live', 'gw_test')}",
        f"Bearer {key}é",
        "Bearer " + "x" * 5000,
    ]
    answers = [
        await shared.call(method, path, key=None, headers={"Authorization": one}) for one in given
    ]

    bodies = [without_id(problem(answer, 401, "api_key_invalid")) for answer in answers]
    assert all(body == bodies[0] for body in bodies)
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (None, "no key"),
        ("", "Bearer"),
        ("Basic {}", "Bearer"),
        ("{}", "Bearer"),
        ("bearer{}", "Bearer"),
    ],
)
async def test_a_request_that_gives_no_key_is_told_so(
    shared: Api, header: str | None, words: str
) -> None:
    given = {} if header is None else {"Authorization": header.format(shared.live)}

    answer = await shared.call("GET", "/v1/messages", key=None, headers=given)

    assert words in problem(answer, 401, "api_key_invalid")["detail"]
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("octets", [b"\xe9\xff\x80", b"gw_live_\xd9\xa0", b"\xc3\xa9" * 50])
async def test_a_key_of_any_octets_is_a_wrong_key(shared: Api, octets: bytes) -> None:
    status, answer = await shared.raw(
        b"GET /v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Authorization: Bearer " + octets + b"\r\n\r\n"
    )

    assert status == 401
    assert b"api_key_invalid" in answer
    assert octets not in answer


async def test_a_client_that_hangs_up_in_its_body_is_no_fault_of_ours(
    shared: Api, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", shared.port)
    writer.write(
        b"POST /v1/sms HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %s\r\nContent-Length: 5000\r\n\r\n{" % shared.live.encode()
    )
    await writer.drain()
    await asyncio.sleep(0.2)
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.2)

    assert (await shared.get("/v1/messages")).status == 200
    assert [one for one in caplog.records if one.levelname == "ERROR"] == []


async def test_a_revoked_key_is_a_wrong_key(
    shared: Api, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(shared.gateway.database) as api:
        key = await create_key(api.gateway, api.edge.access.digest, name="gone", mode=Mode.LIVE)
        assert (await api.get("/v1/messages", key=key)).status == 200
        async with api.gateway.database.transaction() as connection:
            await connection.execute(
                update(api_keys)
                .where(api_keys.c.id == key.split("_")[2])
                .values(revoked_at=api.gateway.now())
            )

        assert remembered.REMEMBERED < 5
        monkeypatch.setattr(remembered, "REMEMBERED", 0.0)
        answer = await api.get("/v1/messages", key=key)

    missing = problem(await shared.get("/v1/messages", key="gw_live_x"), 401, "api_key_invalid")
    assert without_id(problem(answer, 401, "api_key_invalid")) == without_id(missing)


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
async def test_the_scheme_is_read_in_any_case(shared: Api, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {shared.live}"}

    assert (await shared.get("/v1/messages", key=None, headers=headers)).status == 200


@pytest.mark.parametrize("path", ["/v1/emails", "/v1/letters", "/v1/faxes"])
async def test_a_key_without_the_channels_scope_may_not_send(shared: Api, path: str) -> None:
    problem(await shared.post(path, BODIES[path](), key=shared.sender), 403, "scope_missing")
    problem(await shared.post(path, BODIES[path](), key=shared.reader), 403, "scope_missing")


async def test_a_key_that_may_only_send_may_not_read(shared: Api) -> None:
    sent = await shared.post("/v1/sms", sms(), key=shared.sender)
    assert sent.status == 202

    for path in ("/v1/messages", sent.headers["Location"], sent.headers["Location"] + "/events"):
        problem(await shared.get(path, key=shared.sender), 403, "scope_missing")


async def test_a_team_key_sends_to_nobody_outside_its_clients_list(shared: Api) -> None:
    key = await create_key(
        shared.gateway, shared.edge.access.digest, name="accounts", mode=Mode.TEAM
    )

    problem(await shared.post("/v1/sms", sms(), key=key), 403, "recipient_not_in_team_list")


@pytest.mark.parametrize("path", BODIES)
async def test_a_test_key_never_reaches_a_provider(shared: Api, serve: Serve, path: str) -> None:
    database, elsewhere = shared.gateway.database, "https://provider.example"
    async with serve(database, providers=elsewhere) as api:
        refused = await api.post(path, BODIES[path](), key=shared.test)
    async with serve(database, environment="production") as api:
        refused_too = await api.post(path, BODIES[path](), key=shared.test)

    problem(refused, 403, "channel_not_allowed")
    problem(refused_too, 403, "channel_not_allowed")
    assert (await shared.post(path, BODIES[path](), key=shared.test)).status == 202


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v2/sms",
        "/v1/fax",
        "/v1/sms/",
        "/v1/messages/",
        "/v1/messages/x/y/z",
        "/redoc",
        "/d/x",
        "/d/.pdf",
        "/hooks/123fax",
        "/v1//sms",
        "/v1/%73ms/../sms/x",
        "/%00",
        "/%ff",
        "/v1/sms%2f",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_address_is_not_found(shared: Api, method: str, path: str) -> None:
    problem(await shared.call(method, path), 404, "not_found")


async def test_what_is_foreign_and_what_is_nothing_cannot_be_told_apart(shared: Api) -> None:
    foreign = (await shared.post("/v1/sms", sms(), key=shared.other)).json()["id"]
    other_mode = (await shared.post("/v1/sms", sms(), key=shared.test)).json()["id"]
    names = [
        shown(MESSAGE, shared.gateway.ids.new()),
        foreign,
        other_mode,
        foreign.lower(),
        foreign.replace("msg_", "doc_"),
        foreign[:-1],
        foreign + "0",
        "msg_" + "Z" * 26,
        "msg_" + "%D9%A0" * 26,
        "msg_%00",
        "msg_'%20OR%201=1--",
        "%ED%A0%80",
        "0",
    ]
    for suffix in ("", "/events"):
        answers = [await shared.get(f"/v1/messages/{name}{suffix}") for name in names]
        bodies = [without_id(problem(answer, 404, "not_found")) for answer in answers]
        assert all(body == bodies[0] for body in bodies)

    documents = [await shared.get(f"/v1/documents/{name}") for name in names]
    documents.append(await shared.get(f"/v1/documents/{shown(DOCUMENT, shared.gateway.ids.new())}"))
    bodies = [without_id(problem(answer, 404, "not_found")) for answer in documents]
    assert all(body == bodies[0] for body in bodies)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/sms", "POST"),
        ("PUT", "/v1/emails", "POST"),
        ("DELETE", "/v1/messages/msg_1", "GET"),
        ("POST", "/v1/messages", "GET"),
        ("PUT", "/v1/messages/search", "POST"),
        ("PUT", "/v1/webhook-endpoints", "GET, POST"),
        ("PATCH", "/v1/documents/doc_1", "GET"),
        ("POST", "/healthz", "GET"),
        ("POST", "/hooks/123fax/x", "GET"),
        ("HEAD", "/hooks/123fax/x", "GET"),
        ("TRACE", "/v1/sms", "POST"),
        ("OPTIONS", "/v1/sms", "POST"),
        ("BREW", "/v1/sms", "POST"),
    ],
)
async def test_another_method_is_refused_with_those_that_are_allowed(
    shared: Api, method: str, path: str, allowed: str
) -> None:
    if method == "BREW":
        status, answer = await shared.raw(
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        )
        assert status in {400, 405}
        assert b"500" not in answer.split(b"\r\n")[0]
        return
    answer = await shared.call(method, path)

    assert answer.status == 405
    assert answer.headers["Allow"] == allowed
    if method != "HEAD":
        problem(answer, 405, "method_not_allowed")


@pytest.mark.parametrize("path", [*BODIES, "/v1/documents"])
async def test_a_body_is_refused_by_its_announced_length_before_it_is_sent(
    shared: Api, path: str
) -> None:
    kind = "application/pdf" if path.endswith("documents") else "application/json"
    status, answer = await shared.raw(
        f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {kind}\r\n"
        f"Authorization: Bearer {shared.live}\r\n"
        f"Content-Length: {BODY_LIMIT + 1}\r\n\r\n".encode()
    )

    assert status == 413
    assert b'"payload_too_large"' in answer
    assert b"application/problem+json" in answer


@pytest.mark.parametrize(
    ("path", "kind", "limit"),
    [
        ("/v1/sms", "application/json", BODY_LIMIT),
        ("/v1/documents", "application/pdf", ATTACHMENT_LIMIT),
        ("/v1/documents", "multipart/form-data; boundary=b", ATTACHMENT_LIMIT + 65_536),
    ],
)
async def test_an_endless_body_is_refused_at_the_limit(
    shared: Api, path: str, kind: str, limit: int
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", shared.port)
    writer.write(
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
        f"Authorization: Bearer {shared.live}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    sent = 0

    async def send() -> None:
        nonlocal sent
        while True:
            writer.write(b"10000\r\n" + b" " * 65_536 + b"\r\n")
            await writer.drain()
            sent += 65_536

    sending = asyncio.create_task(send())
    try:
        async with asyncio.timeout(10):
            head = await reader.readuntil(b"\r\n\r\n")
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.close()

    assert head.startswith(b"HTTP/1.1 413 ")
    assert sent < limit + 16 * 1_048_576  # what sockets hold; not for ever


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ],
)
async def test_a_send_takes_json_only(shared: Api, kind: str) -> None:
    headers = {"Content-Type": kind} if kind else {}

    answer = await shared.call("POST", "/v1/sms", data=b'{"to": "x"}', headers=headers)

    problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b'{"to": }', "line 1, column 8"),
        (b'{\n  "to": "x",\n}', "line 3, column 1"),
        (b'{"to": "x"', "line 1, column 11"),
        (b'{"to": "x"} {}', "line 1, column 13"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"to=secretvalue", "line 1, column 1"),
        (b"{'to': 'secretvalue'}", "line 1, column 2"),
    ],
)
async def test_broken_json_is_answered_with_its_place(shared: Api, body: bytes, where: str) -> None:
    answer = await shared.call(
        "POST", "/v1/sms", data=body, headers={"Content-Type": "application/json"}
    )

    assert where in problem(answer, 400, "malformed_json")["detail"]
    assert b"secretvalue" not in answer.content


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/v1/sms", {}, [("/to", "missing"), ("/text", "missing")]),
        ("/v1/sms", sms(to="0601", sender="x" * 12), [
            ("/to", "number_too_short"), ("/sender", "sender_too_long"),
        ]),
        ("/v1/sms", sms(recipent="x"), [("/recipent", "unknown_field")]),
        ("/v1/sms", {**sms(), "a/b~c": 1}, [("/a~1b~0c", "unknown_field")]),
        ("/v1/emails", email(to=[]), [("/to", "too_short")]),
        ("/v1/emails", email(to=[{"address": "x"}]), [("/to/0/address", "address_invalid")]),
        ("/v1/emails", {"to": []}, [
            ("/from", "missing"), ("/to", "too_short"), ("/subject", "missing"),
        ]),
        ("/v1/letters", letter(documents=[{}]), [("/documents/0", "file_ambiguous")]),
        ("/v1/letters", letter(envelope="C4"), [("/envelope", "not_allowed")]),
        ("/v1/faxes", fax(document={"document_id": "doc_x"}), [
            ("/document/document_id", "document_unknown"),
        ]),
    ],
)  # fmt: skip
async def test_every_wrong_field_is_named_by_its_pointer(
    shared: Api, path: str, body: object, expected: list[tuple[str, str]]
) -> None:
    assert wrong(await shared.post(path, body)) == expected


CANARY = "Zq7canary"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/sms", sms(to=CANARY)),
        ("/v1/sms", sms(to=[CANARY])),
        ("/v1/sms", sms(text={"x": CANARY})),
        ("/v1/sms", sms(text=CANARY + "\0")),
        ("/v1/sms", sms(sender=CANARY + "éééééééé")),
        ("/v1/sms", sms(purpose=CANARY)),
        ("/v1/sms", sms(send_at=CANARY)),
        ("/v1/sms", sms(tags=CANARY)),
        ("/v1/sms", sms(unknown=CANARY)),
        ("/v1/sms", sms(metadata={"x": {"y": CANARY}})),
        ("/v1/emails", email(to=[{"address": f"{CANARY}@se\u2ffbcret.fr"}])),
        ("/v1/emails", email(to=[{"address": f"a@{CANARY}\u2ffb.fr"}])),
        ("/v1/emails", email(to=[{"address": f"a@xn--{CANARY}.fr"}])),
        ("/v1/emails", email(to=[{"address": f"{CANARY} <a@b.fr>"}])),
        ("/v1/emails", email(to=[{"address": f"a@{CANARY}"}])),
        ("/v1/emails", email(subject=f"{CANARY}\n")),
        ("/v1/emails", email(attachments=[{"filename": f"/{CANARY}", "content_base64": "eA=="}])),
        ("/v1/emails", email(attachments=[{"filename": "x", "content_base64": CANARY}])),
        ("/v1/letters", letter(documents=[{"content_base64": CANARY}])),
        ("/v1/letters", letter(envelope=CANARY)),
        ("/v1/faxes", fax(document={"document_id": CANARY})),
    ],
)
async def test_no_answer_repeats_a_value_that_is_wrong(
    shared: Api, path: str, body: object
) -> None:
    answer = await shared.post(path, body)

    wrong(answer)
    assert CANARY.lower() not in answer.content.decode().lower()


@pytest.mark.parametrize("query", ["channel", "status", "limit", "created_after", "cursor", "x"])
async def test_no_answer_repeats_a_wrong_query(shared: Api, query: str) -> None:
    answer = await shared.get(f"/v1/messages?{query}={CANARY}")

    assert answer.status in {400, 422}
    assert CANARY not in answer.content.decode()


async def test_a_hundred_thousand_faults_make_a_short_answer(shared: Api) -> None:
    forbidden = await shared.post("/v1/sms", sms(tags=["\0"] * 9_000))
    unknown = await shared.post("/v1/sms", {str(number): 0 for number in range(9_000)})
    long_name = await shared.post("/v1/sms", {"x" * 500_000: 0})

    for answer in (forbidden, unknown, long_name):
        assert len(wrong(answer)) <= 100
        assert len(answer.content) < 50_000


@pytest.mark.parametrize("given", ["a", "req-1.2_3", "x" * 64])
async def test_a_request_id_that_is_given_is_kept(shared: Api, given: str) -> None:
    fine = await shared.get("/healthz", headers={"X-Request-Id": given})
    fault = await shared.get("/nothing", headers={"X-Request-Id": given})

    assert fine.headers.getall("X-Request-Id") == [given]
    assert problem(fault, 404, "not_found")["request_id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "é", "a\tb", "<script>", '{"a"}'])
async def test_a_request_id_that_could_do_harm_is_replaced(shared: Api, given: str) -> None:
    answer = await shared.get("/healthz", headers={"X-Request-Id": given})

    assert answer.headers["X-Request-Id"].startswith("req_")
    assert len(answer.headers.getall("X-Request-Id")) == 1


async def test_each_request_has_its_own_id(shared: Api) -> None:
    answers = await asyncio.gather(*(shared.get("/healthz") for _ in range(50)))

    assert len({answer.headers["X-Request-Id"] for answer in answers}) == 50


HOSTS = [b"evil", b"evil/x?", b"[", b"a@b", b"x/../../v1", b"\xe9", b"", b"a#b", b"a:b:c"]


@pytest.fixture
def posted(shared: Api) -> bytes:
    return f"Authorization: Bearer {shared.live}\r\nContent-Type: application/json\r\n".encode()


@pytest.mark.parametrize("host", HOSTS)
async def test_the_host_header_decides_nothing(shared: Api, posted: bytes, host: bytes) -> None:
    head = b"Host: " + host + b"\r\nConnection: close\r\nX-Forwarded-Host: evil\r\n" + posted
    body = b'{"to": "+33639980001", "text": "x"}'

    sent = await shared.raw(
        b"POST /v1/sms HTTP/1.1\r\nIdempotency-Key: host-%d\r\n" % HOSTS.index(host)
        + head
        + b"Content-Length: %d\r\n\r\n" % len(body)
        + body
    )
    listed = await shared.raw(b"GET /v1/messages?limit=1 HTTP/1.1\r\n" + head + b"\r\n")
    slashed = await shared.raw(b"GET /v1/messages/ HTTP/1.1\r\n" + head + b"\r\n")

    assert (sent[0], listed[0], slashed[0]) in {(202, 200, 404), (400, 400, 400)}
    for _, answer in (sent, listed, slashed):
        assert b"evil" not in answer
    if listed[0] == 200:
        assert b"\r\nlink: </v1/messages?" in listed[1].lower()
        assert b"\r\nlocation: /v1/messages/msg_" in sent[1].lower()
