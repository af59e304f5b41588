"""Files that are taken out of a body: whatever it is like, the rest cannot tell the difference."""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.api import bodies, fingerprints, lifted
from app.api.base64s import decoded
from app.domain.errors import Fault

FILE = base64.b64encode(os.urandom(lifted.SHORT)).decode()
OTHER = base64.b64encode(os.urandom(lifted.SHORT + 1)).decode()
LONG = base64.b64encode(os.urandom(500_000)).decode()


def with_files(body: lifted.Body) -> Any:
    """Return the value with the files back in it."""
    value = json.loads(json.dumps(body.value))
    for pointer, file in body.files.items():
        at: Any = value
        for name in pointer.split("/")[1:]:
            at = at[int(name) if isinstance(at, list) else name]
        assert at["content_base64"] == lifted.STAND_IN
        at["content_base64"] = base64.b64encode(file.content).decode()
    return value


def come_to(read: Callable[[bytes], Any], content: bytes) -> tuple[Any, Any]:
    """Return what a body is read as, or the fault."""
    try:
        return read(content), None
    except Fault as fault:
        return None, (type(fault), fault.detail, fault.errors)


def fingerprint(body: lifted.Body) -> str:
    return fingerprints.of(b"secret", "POST /", body.signed)


def is_same(content: bytes) -> bool:
    """Assert that both ways come to the same; return whether files were taken out."""
    usual, fault = come_to(bodies.parse, content)
    body, ours = come_to(lifted.body_of, content)
    assert ours == fault
    if body is None:
        return False
    assert with_files(body) == usual
    assert fingerprint(body) == fingerprint(lifted.usual(content))
    return bool(body.files)


def test_files_are_taken_out_where_they_belong() -> None:
    one, two = {"content_base64": FILE, "filename": "a"}, {"filename": "é", "content_base64": LONG}

    for value in (
        {"attachments": [one]},
        {"subject": "x", "attachments": [one, {"document_id": "d"}, two], "text": "y" * 100_000},
        {"documents": [two, one, one]},
        {"document": one, "to": "+33199000001"},
        {"document": two, "attachments": [one], "documents": [one]},
    ):
        assert is_same(json.dumps(value).encode())
        assert is_same(json.dumps(value, indent=3, ensure_ascii=False).encode())


@pytest.mark.parametrize(
    "body",
    [
        f'{{"attachments": [{{"content_base64": "{FILE[:-1]}"}}]}}',
        f'{{"attachments": [{{"content_base64": "{FILE[:-4]}AA=="}}]}}',
        f'{{"attachments": [{{"content_base64": "{FILE[:-4]}A==="}}]}}',
        f'{{"attachments": [{{"content_base64": "{FILE} "}}]}}',
        f'{{"attachments": [{{"content_base64": "é{FILE}"}}]}}',
        f'{{"attachments": [{{"content_base64": "-_{FILE}"}}]}}',
        f'{{"attachments": [{{"content_base64": "{FILE}\\n"}}]}}',
        f'{{"attachments": [{{"content_base64": "{FILE}\n"}}]}}',
        f'{{"attachments": [{{"content_base64": "{FILE}"}}], "text": "\\u0000"}}',
        f'{{"attachments": [{{"content_base64": "{FILE}"}}], "text": "\\u00000"}}',
        f'{{"attachments": [{{"content_base64": "{FILE}"}}], "text": "\\\\u00000"}}',
        f'{{"attachments": [{{"content_base64": "{FILE}"}}, {{"content_base64": "\\u00000"}}]}}',
        f'{{"attachments": [{{"content_base64": "{FILE}"}}], "text": "\\u0007"}}',
        f'{{"attachments": [{{"content_base64": "{FILE}", "content_base64": "{FILE}"}}]}}',
        f'{{"attachments": [{{"content_base64": "{FILE}"}}], "attachments": []}}',
        f'{{"attachments": {{"content_base64": "{FILE}"}}}}',
        f'{{"metadata": {{"content_base64": "{FILE}"}}}}',
        f'{{"metadata": {{"x\\"content_base64": "{FILE}"}}}}',
        f'{{"text": "\\"content_base64\\": \\"{FILE}\\""}}',
        f'{{"text": "content_base64", "content_base64" : "{FILE}"}}',
        f'{{"text": "content_base64": "{FILE}"}}',
        f'["content_base64", "{FILE}"]',
        f'{{"attachments": [{{"content_base64": "{FILE}"}}], }}',
        f'{{"attachments": [{{"content_base64": "{FILE}"',
        f'{{"attachments": [{{"content_base64": "{FILE}',
        f'{{"attachments": [{{"content_base64": "{FILE}"}}]}} {{}}',
        f'{{"attachments": [{{"content_base64": "{FILE}"}}], "to": NaN}}',
        f'{{"attachments": [{{"content_base64": "{FILE}"}}], "to": 1e999}}',
        f'\ufeff{{"attachments": [{{"content_base64": "{FILE}"}}]}}',
        f'{"[" * 40}{{"content_base64": "{FILE}"}}{"]" * 40}',
        f'"{FILE}"',
    ],
)  # fmt: skip
def test_what_is_not_as_usual_gets_the_answer_that_it_always_got(body: str) -> None:
    is_same(body.encode())


def test_a_fingerprint_tells_files_apart_and_not_how_they_are_written() -> None:
    def made(body: str) -> str:
        return fingerprint(lifted.body_of(body.encode()))

    body = json.dumps({"attachments": [{"content_base64": FILE}, {"content_base64": OTHER}]})
    escaped = body.replace("A", "\\u0041").replace("/", "\\/")

    assert made(body) == made(escaped) == made(body.replace(" ", "\n"))
    for file in (FILE, OTHER):
        assert made(body) == made(body.replace(file, f"\\u{ord(file[0]):04x}{file[1:]}"))
    assert made(body) == made(body.replace("_base64", "\\u005fbase64", 1))
    assert made(body) != made(body.replace(FILE, LONG))
    assert made(body) != made(body.replace(FILE, "?").replace(OTHER, FILE).replace("?", OTHER))
    assert made(body) != made(body.replace(FILE, lifted.STAND_IN))
    assert made(body) != made(body.replace(FILE, f"{FILE[:-4]}===="))
    digest = hashlib.sha256(base64.b64decode(FILE)).hexdigest()
    assert made(body) != made(body.replace(FILE, digest))


def test_bytes_that_are_no_text_get_the_same_answer() -> None:
    whole = f'{{"attachments": [{{"content_base64": "{FILE}"}}], "text": "x"}}'

    for wrong in (b"\xff", b"\xed\xa0\x80", b"\x00"):
        is_same(whole.encode().replace(b"x", wrong))
        is_same(whole.encode().replace(FILE[:3].encode(), wrong))


PARTS = st.sampled_from(
    [
        '{"attachments": [', '{"documents": [', '{"document": ', "{", "}", "]", ",", ":", '"', "\\",
        f'{{"content_base64": "{FILE}"}}', f'{{"content_base64":\n"{OTHER}", "filename": "a"}}',
        '"content_base64"', f'"{FILE}"', '"text": "a\\"b"', "\\u0000", '"0"', "]}", "1", "null",
    ]
)  # fmt: skip


@given(st.lists(PARTS, min_size=1, max_size=8))
@example(['{"attachments": [', f'{{"content_base64": "{FILE}"}}', "]}"])
def test_any_body_gets_the_answer_that_it_always_got(parts: list[str]) -> None:
    is_same("".join(parts).encode())


@given(st.binary(max_size=40), st.integers(0, 60), st.sampled_from(list(b"A-_=\\/+ \n\x00\xff9")))
def test_base_64_is_read_as_strictly_as_ever(content: bytes, place: int, other: int) -> None:
    text = bytearray(base64.b64encode(content))
    if place < len(text):
        text[place] = other
    try:
        usual = binascii.a2b_base64(bytes(text), strict_mode=True)
    except binascii.Error:
        usual = None

    found = decoded(bytes(text))

    assert (found.content if found else None) == usual


@given(st.text("AQ+/=-_ \n", max_size=12))
@example("AAAA=")
@example("AB==")
def test_padding_is_read_as_strictly_as_ever(text: str) -> None:
    try:
        usual = binascii.a2b_base64(text.encode(), strict_mode=True)
    except binascii.Error:
        usual = None

    found = decoded(text.encode())

    assert (found.content if found else None) == usual


def test_a_long_file_is_read_whole() -> None:
    content = os.urandom(3_000_001)

    found = decoded(memoryview(base64.b64encode(content)))

    assert found is not None
    assert found.content == content
    assert found.sha256 == hashlib.sha256(content).hexdigest()
