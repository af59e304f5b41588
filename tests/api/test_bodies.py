"""Bodies that mean two things, or that nothing behind us can carry, are refused and kept by nobody."""

import asyncio
import gzip
import json
import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.store.tables import messages
from tests.api.client import (
    BODIES,
    BODY_LIMIT,
    Answer,
    Api,
    changed,
    email,
    encoded,
    fax,
    letter,
    pdf,
    problem,
    sms,
    wrong,
)

pytestmark = pytest.mark.anyio

JSON = {"Content-Type": "application/json"}


async def send(api: Api, body: bytes, path: str = "/v1/sms", **headers: str) -> Answer:
    return await api.call("POST", path, data=body, headers={**JSON, **headers})


WHOLE = json.dumps(sms()).encode()
MALFORMED = {
    "NaN": b'{"to": NaN}',
    "Infinity": b'{"to": Infinity}',
    "-Infinity": b'{"to": [-Infinity]}',
    "1e999": b'{"to": 1e999}',
    "-1e999": b'{"a": {"b": -1e999}}',
    "twice": b'{"to": "+33639980001", "to": "+33639980002", "text": "x"}',
    "twice, deep": b'{"metadata": {"a": "1", "a": "2"}}',
    "twice, escaped": b'{"to": "+33639980001", "\\u0074o": "+33639980002", "text": "x"}',
    "arrays, deep": b"[" * 200_000 + b"]" * 200_000,
    "arrays, deep and open": b"[" * 200_000,
    "objects, deep": b'{"":' * 200_000 + b"1" + b"}" * 200_000,
    "a hundred arrays": b'{"to": ' + b"[" * 100 + b"]" * 100 + b"}",
    "5,000 digits": b'{"to": ' + b"9" * 5_000 + b"}",
    "-5,000 digits": b'{"to": -' + b"9" * 5_000 + b"}",
    "not UTF-8": b'{"to": "\xff\xfe"}',
    "overlong UTF-8": b'{"to": "\xc0\x80"}',
    "a surrogate in UTF-8": b'{"to": "\xed\xa0\x80"}',
    "cut UTF-8": b'{"to": "\xe2\x82',
    "UTF-16": WHOLE.decode().encode("utf-16"),
    "UTF-16LE": WHOLE.decode().encode("utf-16-le"),
    "UTF-32": WHOLE.decode().encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf" + WHOLE,
    "nothing": b"",
    "blanks": b" \n\t ",
    "two values": WHOLE + WHOLE,
    "a comment": b"// x\n" + WHOLE,
    "a trailing comma": b'{"to": "x",}',
    "a control character": b'{"to": "a\x00b"}',
    "a line break": b'{"to": "a\nb"}',
    "a NUL after it": WHOLE + b"\0",
    "hexadecimal": b'{"to": 0x10}',
    "a leading zero": b'{"to": 010}',
    "single quotes": b"{'to': 'x'}",
    "a name with NUL": b'{"a\\u0000b": 1}',
    "a name with half a pair": b'{"\\ud800": 1}',
    "many values": b"[" + b"[]," * 100_000 + b"[]]",
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
async def test_what_is_not_one_json_document_is_refused(shared: Api, body: bytes) -> None:
    before = await shared.count(messages)

    problem(await send(shared, body), 400, "malformed_json")

    assert await shared.count(messages) == before


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "x", "gzip, identity"])
async def test_a_compressed_body_is_refused_unread(shared: Api, encoding: str) -> None:
    answer = await send(shared, gzip.compress(WHOLE), **{"Content-Encoding": encoding})

    problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("body", [[], [{}], "x", 1, 1.5, True, None, [sms()]])
async def test_what_is_no_object_is_no_message(shared: Api, body: object) -> None:
    for path in BODIES:
        assert wrong(await shared.post(path, body)) == [("", "wrong_type")]


FORBIDDEN = ["\0", "\x01", "\x08", "\x0b", "\x0c", "\x1b", "\x1f", "\ufffe", "\uffff"]
HALVES = ["\ud800", "\udc00", "\udfff\ud800", "x\udbffx"]
TEXTS = [
    ("/v1/sms", "/text"),
    ("/v1/sms", "/sender"),
    ("/v1/sms", "/reference"),
    ("/v1/sms", "/billing_code"),
    ("/v1/sms", "/tags/0"),
    ("/v1/sms", "/metadata/case"),
    ("/v1/emails", "/subject"),
    ("/v1/emails", "/text"),
    ("/v1/emails", "/html"),
    ("/v1/emails", "/to/0/name"),
    ("/v1/emails", "/from/name"),
    ("/v1/emails", "/from/address"),
    ("/v1/emails", "/reply_to"),
    ("/v1/emails", "/attachments/0/filename"),
    ("/v1/letters", "/to/last_name"),
    ("/v1/letters", "/to/title"),
    ("/v1/letters", "/to/company"),
    ("/v1/letters", "/to/address/line1"),
    ("/v1/letters", "/to/address/city"),
    ("/v1/letters", "/subject"),
    ("/v1/faxes", "/to"),
    ("/v1/faxes", "/to_name"),
    ("/v1/faxes", "/document/filename"),
]


def whole(path: str) -> dict[str, Any]:
    body = BODIES[path](tags=["a"], metadata={"case": "42"})
    if path == "/v1/emails":
        body["attachments"] = [{"filename": "a.txt", "content_base64": encoded(b"x")}]
    return body


@pytest.mark.parametrize("character", [*FORBIDDEN, *HALVES], ids=ascii)
async def test_a_character_that_nothing_can_carry_is_refused_everywhere(
    shared: Api, character: str
) -> None:
    for path, pointer in TEXTS:
        body = changed(whole(path), pointer, f"abc{character}")
        assert wrong(await shared.post(path, body)) == [(pointer, "forbidden_characters")]


SINGLE_LINES = [one for one in TEXTS if one[1] not in {"/text", "/html", "/metadata/case", "/to"}]


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n", "\t", "\x85", "\u2028", "\u2029"], ids=ascii)
async def test_no_single_line_takes_a_line_break(shared: Api, end: str) -> None:
    for path, pointer in SINGLE_LINES:
        for text in (f"abc{end}Bcc: x", f"{end}abc", f"abc{end}"):
            found = wrong(await shared.post(path, changed(whole(path), pointer, text)))
            assert [one for one, _ in found] == [pointer]


async def test_a_name_in_metadata_is_a_single_line(shared: Api) -> None:
    found = wrong(await shared.post("/v1/sms", sms(metadata={"a\nb": "1"})))

    assert [code for _, code in found] == ["line_break"]
    assert found[0][0].startswith("/metadata")
    assert "[key]" not in found[0][0]


ALL = ("/v1/emails", "/v1/sms", "/v1/letters", "/v1/faxes")
UNKNOWN = [
    *((path, "/unknown") for path in ALL),
    *((path, "/client_id") for path in ALL),
    *((path, "/status") for path in ALL),
    *((path, "/cost") for path in ALL),
    ("/v1/emails", "/from/unknown"),
    ("/v1/emails", "/to/0/unknown"),
    ("/v1/emails", "/track/unknown"),
    ("/v1/emails", "/attachments/0/unknown"),
    ("/v1/letters", "/to/unknown"),
    ("/v1/letters", "/to/address/unknown"),
    ("/v1/letters", "/documents/0/unknown"),
    ("/v1/faxes", "/document/unknown"),
]


@pytest.mark.parametrize(("path", "pointer"), UNKNOWN)
async def test_an_unknown_field_is_refused_at_every_level(
    shared: Api, path: str, pointer: str
) -> None:
    answer = await shared.post(path, changed(whole(path), pointer, "x"))

    assert wrong(answer) == [(pointer, "unknown_field")]


WRONG_TYPES: list[tuple[str, str, list[object]]] = [
    ("/v1/sms", "/to", [True, 33639980001, None, ["+33639980001"], {}]),
    ("/v1/sms", "/text", [True, 1, None, ["x"], {"x": 1}]),
    ("/v1/sms", "/sender", [1, False, []]),
    ("/v1/sms", "/max_segments", ["1", 1.0, True, [], 1.5]),
    ("/v1/sms", "/tags", ["x", {"a": "b"}, None, 1]),
    ("/v1/sms", "/tags/0", [1, None, True, []]),
    ("/v1/sms", "/metadata", [[], "x", None, 1]),
    ("/v1/sms", "/metadata/case", [1, None, True, {}]),
    ("/v1/sms", "/reference", [1, True, []]),
    ("/v1/sms", "/send_at", [1_800_000_000, 1.8e9, True, []]),
    ("/v1/sms", "/expires_at", [1_900_000_000, True]),
    ("/v1/emails", "/to", ["a@b.fr", {"address": "a@b.fr"}, None]),
    ("/v1/emails", "/to/0", ["a@b.fr", None, 1]),
    ("/v1/emails", "/track/opens", ["", None]),
    ("/v1/emails", "/cc", ["", 0, None]),
    ("/v1/emails", "/template", [False, 0, ""]),
    ("/v1/faxes", "/retry", [False, 0, [], "busy"]),
    ("/v1/faxes", "/retry/on", ["busy", None, {}, 1]),
    ("/v1/faxes", "/retry/max_attempts", ["3", 3.0, True, []]),
    ("/v1/faxes", "/retry/delays_seconds", [300, "300", {}, True]),
    ("/v1/emails", "/from", ["a@b.fr", None, []]),
    ("/v1/emails", "/subject", [1, None, True]),
    ("/v1/emails", "/attachments", [{}, "x", None]),
    ("/v1/letters", "/color", ["true", 1, 0, None]),
    ("/v1/letters", "/cancel_window_seconds", ["1", 1.0, True, None]),
    ("/v1/letters", "/to", ["Marie", None, []]),
    ("/v1/letters", "/to/address", ["PARIS", None]),
    ("/v1/letters", "/to/address/postal_code", [75011, None]),
    ("/v1/letters", "/documents", [{}, None, "x"]),
    ("/v1/faxes", "/document", ["doc_x", [], None]),
    ("/v1/faxes", "/document/content_base64", [1, True, []]),
]


@pytest.mark.parametrize(("path", "pointer", "values"), WRONG_TYPES)
async def test_another_type_is_refused_and_never_turned_into_the_right_one(
    shared: Api, path: str, pointer: str, values: list[object]
) -> None:
    for value in values:
        answer = await shared.post(path, changed(whole(path), pointer, value))
        assert [one for one, _ in wrong(answer)] == [pointer], value


ADDRESSES = [
    "a@b.fr,c@d.fr",
    "a@b.fr;c@d.fr",
    "a@b.fr c@d.fr",
    "a@b.fr\nBcc: c@d.fr",
    "Marie <a@b.fr>",
    "<a@b.fr>",
    '"Marie" a@b.fr',
    '"a@b.fr" <c@d.fr>',
    '"quoted"@b.fr',
    '"a b"@c.fr',
    "a@b@c.fr",
    "@b.fr:a@c.fr",
    "a@b.fr%0aBcc:c@d.fr",
    "a@[127.0.0.1]",
    "a@[IPv6:::1]",
    "a@localhost",
    "a",
    "@",
    "@b.fr",
    "a@",
    "a@b",
    ".a@b.fr",
    "a.@b.fr",
    "a..b@c.fr",
    "a@-b.fr",
    "a@b..fr",
    "a@b.fr.",
    " a@b.fr",
    "a@b.fr ",
    "a b@c.fr",
    "a(comment)@b.fr",
    "a@b.fr(comment)",
    "a\u202e@b.fr",
    "a\u200b@b.fr",
    "a@b\u200b.fr",
    "a@b.fr\0",
    "mailto:a@b.fr",
    "a" * 65 + "@b.fr",
    "a@" + "b" * 64 + ".fr",
    "a@" + "b." * 200 + "fr",
    "a" * 320 + "@b.fr",
    "x" * 500_000,
    "a@" * 100_000,
    "",
]


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda text: ascii(text)[:40])
async def test_an_address_is_exactly_one_address(shared: Api, address: str) -> None:
    for pointer in ("/to/0/address", "/from/address", "/reply_to"):
        found = wrong(await shared.post("/v1/emails", changed(email(), pointer, address)))
        assert [one for one, _ in found] == [pointer]


NUMBERS = [
    "",
    "0",
    "+",
    "0601",
    "+336010203040506",
    "+33601020304,+33605060708",
    "+33601020304;+33605060708",
    "+33601020304,,0605060708",
    "0601020304;ext=55",
    "0601020304 ext 12",
    "0601020304 x5",
    "0601020304/x1",
    "0601020304#123",
    "tel:+33601020304",
    "Marie 0601020304",
    "0601020304 Marie",
    "0800FLOWERS",
    "\u0660\u0666\u0660\u0661\u0660\u0662\u0660\u0663\u0660\u0664",
    "+33601020304\n",
    "+33601020304\r\n+33605060708",
    "3615",
    "112",
    "118218",
    "0000000000",
    "1e9",
    "0x21",
    "+" * 40,
    "9" * 100_000,
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda text: ascii(text)[:40])
async def test_a_number_is_exactly_one_number(shared: Api, number: str) -> None:
    for path in ("/v1/sms", "/v1/faxes"):
        found = wrong(await shared.post(path, changed(BODIES[path](), "/to", number)))
        assert [one for one, _ in found] == ["/to"]


FILE_NAMES = [
    "../../etc/passwd",
    "..\\x",
    "C:\\x.pdf",
    "/etc/passwd",
    "a/b.pdf",
    "a\\b.pdf",
    "..",
    ".",
    "",
    "a\u202efdp.exe",
    "a:b.pdf",
    "a*.pdf",
    "a?.pdf",
    'a".pdf',
    "a<b>.pdf",
    "a|b.pdf",
    "x" * 300,
    "a\0.pdf",
    "a\r\nContent-Type: x",
]


@pytest.mark.parametrize("name", FILE_NAMES, ids=lambda text: ascii(text)[:40])
async def test_a_file_name_is_no_path_and_no_trick(shared: Api, name: str) -> None:
    for path, pointer in (
        ("/v1/emails", "/attachments/0/filename"),
        ("/v1/letters", "/documents/0/filename"),
        ("/v1/faxes", "/document/filename"),
    ):
        found = wrong(await shared.post(path, changed(whole(path), pointer, name)))
        assert [one for one, _ in found] == [pointer]


TIMES = {
    "2026-12-01T10:00:00": "time_without_zone",
    "2026-12-01": "time_without_zone",
    "2026-12-01 10:00:00": "time_without_zone",
    "9999-12-31T23:59:59Z": "time_out_of_range",
    "9999-12-31T23:59:59-12:00": "time_out_of_range",
    "1970-01-01T00:00:00Z": "time_out_of_range",
    "0001-01-01T00:00:00+14:00": "time_out_of_range",
    "2028-01-01T00:00:00Z": "too_late",
    "9998-12-31T23:59:59Z": "too_late",
    "10000-01-01T00:00:00Z": "invalid",
    "2026-13-01T00:00:00Z": "invalid",
    "2026-02-30T00:00:00Z": "invalid",
    "2026-12-01T25:00:00Z": "invalid",
    "2026-12-01T10:00:00+99:00": "invalid",
    "tomorrow": "invalid",
    "": "invalid",
    "1800000000": "invalid",
    "-1": "invalid",
    "1e10": "invalid",
    "2026-12-01T10:00:00Z; DROP TABLE": "invalid",
    "\u0662\u0660\u0662\u0666-12-01T10:00:00Z": "invalid",
}


@pytest.mark.parametrize(("time", "code"), TIMES.items(), ids=ascii)
async def test_a_time_has_its_zone_and_can_be_kept(shared: Api, time: str, code: str) -> None:
    assert wrong(await shared.post("/v1/sms", sms(send_at=time))) == [("/send_at", code)]


@pytest.mark.parametrize(
    ("send_at", "expires_at"),
    [
        (None, "2020-01-01T00:00:00Z"),
        (None, "1999-12-31T23:59:59+14:00"),
        ("+1", "+1"),
        ("+2", "+1"),
    ],
)
async def test_a_message_must_not_expire_before_it_is_sent(
    shared: Api, send_at: str | None, expires_at: str
) -> None:
    day = shared.gateway.now().replace(hour=10)
    times = {
        name: day.replace(year=day.year).isoformat()
        if value is None
        else (value if "T" in value else _later(day, int(value)))
        for name, value in (("send_at", send_at), ("expires_at", expires_at))
    }
    if send_at is None:
        times.pop("send_at")

    assert wrong(await shared.post("/v1/sms", sms(**times))) == [("/expires_at", "too_early")]


def _later(day: Any, days: int) -> str:
    return str((day + timedelta(days=days)).isoformat())


LONG = "x" * 600_000


@pytest.mark.parametrize(
    ("path", "pointer"),
    [one for one in TEXTS if one[1] not in {"/text", "/html"}] + [("/v1/sms", "/text")],
)
async def test_a_text_has_an_end(shared: Api, path: str, pointer: str) -> None:
    found = wrong(await shared.post(path, changed(whole(path), pointer, LONG)))

    assert [one for one, _ in found] == [pointer]


@pytest.mark.parametrize(
    ("path", "pointer", "value"),
    [
        ("/v1/emails", "/to", [{"address": "a@b.fr"}] * 101),
        ("/v1/emails", "/to", [{"address": "a@b.fr"}] * 5_000),
        ("/v1/emails", "/cc", [{"address": "a@b.fr"}] * 101),
        ("/v1/emails", "/variables", ["x"] * 100),
        ("/v1/sms", "/tags", ["x"] * 21),
        ("/v1/sms", "/metadata", {str(one): "x" for one in range(21)}),
        ("/v1/emails", "/attachments", [{"filename": "a", "content_base64": "eA=="}] * 21),
        ("/v1/letters", "/documents", [{"document_id": "doc_x"}] * 21),
    ],
)
async def test_a_list_has_an_end(shared: Api, path: str, pointer: str, value: object) -> None:
    assert wrong(await shared.post(path, changed(whole(path), pointer, value))) == [
        (pointer, "too_long")
    ]


NOT_OFFERED: list[tuple[str, str, object]] = [
    ("/v1/emails", "/template", {"id": "tpl_1"}),
    ("/v1/faxes", "/cover", {"text": "x"}),
]


@pytest.mark.parametrize(("path", "pointer", "value"), NOT_OFFERED)
async def test_what_cannot_be_had_is_refused_and_not_left_out(
    shared: Api, path: str, pointer: str, value: object
) -> None:
    assert wrong(await shared.post(path, changed(whole(path), pointer, value))) == [
        (pointer, "not_supported")
    ]


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u3000\u2003"], ids=ascii)
async def test_what_must_be_said_may_not_be_blank(shared: Api, blank: str) -> None:
    for path, pointer in (
        ("/v1/sms", "/text"),
        ("/v1/emails", "/subject"),
        ("/v1/emails", "/html"),
        ("/v1/letters", "/to/last_name"),
        ("/v1/letters", "/to/address/city"),
    ):
        answer = await shared.post(path, changed(whole(path), pointer, blank))
        assert wrong(answer) == [(pointer, "too_short")]


HTML = [
    "<!-- x -->",
    "<?xml version='1.0'?>",
    "<![CDATA[x]]>",
    "<",
    "&",
    "&#0;&#xD800;&#x110000;&nbsp;",
    "<div>" * 20_000 + "x",
    "<table><tr><td>" * 500,
    "<ul><li>" * 2_000,
    "<p>x</p>" * 5_000,
    "<ol start='99999999999999999999'><li>a",
    "x<p style='margin-top: 99999999em; padding-left: 99999999em'>y</p>",
    "<td rowspan='999999999' colspan='999999999'>x",
    "<img src=x>",
    "<script>x</script>",
    "<!DOCTYPE x [<!ENTITY a 'b'>]><p>&a;</p>",
]


@pytest.mark.parametrize("html", HTML, ids=lambda text: text[:30])
async def test_any_markup_has_a_text(shared: Api, html: str) -> None:
    body = email(html=html)
    del body["text"]

    assert (await shared.post("/v1/emails", body)).status == 202


@pytest.mark.parametrize(
    "text",
    [
        "<&]]>",
        "\u202eabc",
        "\U0001f600\U0010ffff",
        "e\u0301",
        "\u00ad\ufeff",
        "a\r\nb\tc",
        "\x7f\x9f",
    ],
    ids=ascii,
)
async def test_every_other_character_is_taken(shared: Api, text: str) -> None:
    assert (await shared.post("/v1/sms", sms(text=text))).status == 202
    assert (await shared.post("/v1/emails", email(text=text, html=text))).status == 202


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True)
    | st.text(alphabet=st.characters(exclude_categories=()))
    | st.sampled_from(["+33639980001", "a@b.fr", "2026-12-01T00:00:00Z", "eA==", "doc_x"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = {
    "/v1/emails": ["from", "to", "cc", "reply_to", "subject", "text", "html", "attachments"],
    "/v1/sms": ["to", "text", "sender", "encoding", "max_segments"],
    "/v1/letters": ["to", "documents", "color", "envelope", "subject", "cancel_window_seconds"],
    "/v1/faxes": ["to", "to_name", "document", "provider", "cover", "retry"],
}
COMMON = ["reference", "billing_code", "tags", "purpose", "metadata", "send_at", "expires_at"]


MESSAGES = st.sampled_from(ALL).flatmap(
    lambda path: st.tuples(
        st.just(path),
        st.dictionaries(
            st.sampled_from([*FIELDS[path], *COMMON]), JSON_VALUES, min_size=1, max_size=3
        ),
    )
)


@pytest.mark.parametrize("path", ALL)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=JSON_VALUES)
@example(value={"\ud800": {}})
@example(value={"metadata": {"": ""}})
async def test_no_json_value_is_our_fault(shared: Api, path: str, value: object) -> None:
    answer = await shared.post(path, value)

    assert answer.status in {400, 422}
    problem(answer, answer.status, answer.json()["code"])


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(message=MESSAGES)
async def test_no_field_of_a_message_is_our_fault(
    shared: Api, message: tuple[str, dict[str, Any]]
) -> None:
    path, changes = message

    answer = await shared.post(path, {**BODIES[path](), **changes})

    assert answer.status in {202, 400, 422}
    if answer.status != 202:
        problem(answer, answer.status, answer.json()["code"])


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=st.binary(max_size=64))
async def test_no_octets_are_our_fault(shared: Api, body: bytes) -> None:
    answer = await send(shared, body)

    assert answer.status in {400, 422}


@pytest.mark.parametrize("part", [b"1,", b"[],", b"{},", b'"",', b"1.5,", b'"a" ', b"[", b'"a":{'])
async def test_the_largest_body_that_is_taken_does_not_hold_the_others_up(
    shared: Api, part: bytes
) -> None:
    body = b'{"a": [' + part * ((BODY_LIMIT - 20) // len(part)) + b"1]}"
    big = asyncio.create_task(send(shared, body))
    slowest = 0.0
    while not big.done():
        began = time.process_time()  # of all threads: who computes holds the others up
        assert (await shared.get("/healthz")).status == 200
        slowest = max(slowest, time.process_time() - began)

    problem(await big, 400, "malformed_json")
    assert slowest < 0.25


def test_the_samples_are_what_they_seem() -> None:
    assert pdf().startswith(b"%PDF-")
    assert set(fax()) | set(letter()) == {"to", "document", "documents"}
