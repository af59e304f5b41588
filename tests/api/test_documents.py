"""Documents: uploaded as a body or a form, looked at before they are kept, shown to their owner."""

import hashlib
import io
import os
import re
from typing import Any

import pytest
from PIL import Image

from app.store.tables import blobs, documents
from tests.api.client import ATTACHMENT_LIMIT, Answer, Api, pdf, problem, wrong

pytestmark = pytest.mark.anyio

BOUNDARY = "=x'y?z="


def part(
    content: bytes, *, name: str = "file", filename: bytes | None = b"note.pdf", more: bytes = b""
) -> bytes:
    disposition = b'Content-Disposition: form-data; name="%s"' % name.encode()
    if filename is not None:
        disposition += b'; filename="%s"' % filename
    return (
        b"--"
        + BOUNDARY.encode()
        + b"\r\n"
        + disposition
        + b"\r\n"
        + more
        + b"\r\n"
        + content
        + b"\r\n"
    )


END = b"--" + BOUNDARY.encode() + b"--\r\n"


async def form(api: Api, body: bytes, kind: str | None = None, **options: Any) -> Answer:
    usual = f'multipart/form-data; boundary="{BOUNDARY}"'
    headers = {"Content-Type": usual if kind is None else kind}
    return await api.call("POST", "/v1/documents", data=body, headers=headers, **options)


async def plain(api: Api, body: bytes, kind: str = "application/pdf", **options: Any) -> Answer:
    return await api.call(
        "POST", "/v1/documents", data=body, headers={"Content-Type": kind}, **options
    )


async def test_a_pdf_is_kept_and_described(shared: Api) -> None:
    content = pdf(3)

    answer = await plain(shared, content)

    assert answer.status == 201
    found = answer.json()
    assert answer.headers["Location"] == f"/v1/documents/{found['id']}"
    assert re.fullmatch(r"doc_[0-9A-HJKMNP-TV-Z]{26}", found.pop("id"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", found.pop("created_at"))
    assert found == {
        "object": "document",
        "filename": "document.pdf",
        "media_type": "application/pdf",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "pages": 3,
        "checks": ["opens", "not_encrypted", "pages_counted"],
    }
    again = await shared.get(answer.headers["Location"])
    assert (again.status, again.json()) == (200, answer.json())


@pytest.mark.parametrize(
    ("filename", "content", "media_type", "pages"),
    [
        (b"note.pdf", pdf(2), "application/pdf", 2),
        (b"NOTE.PDF", pdf(2), "application/pdf", 2),
        (b"note.txt", pdf(2), "application/pdf", 2),
        (b"note.txt", b"x", "text/plain", None),
        (b"note", b"x", "application/octet-stream", None),
        (b"\xc3\xa9t\xc3\xa9.png", b"x", "image/png", None),
        (b"a b;c=d.csv", b"x", "text/csv", None),
        (b"a'; DROP TABLE documents; --", b"x", "application/octet-stream", None),
    ],
)
async def test_a_file_of_a_form_is_kept_with_its_name(
    shared: Api, filename: bytes, content: bytes, media_type: str, pages: int | None
) -> None:
    answer = await form(shared, part(content, filename=filename) + END)

    assert answer.status == 201, answer
    found = answer.json()
    assert found["filename"] == filename.decode()
    assert (found["media_type"], found["pages"], found["size"]) == (media_type, pages, len(content))


async def test_only_its_owner_sees_a_document(shared: Api) -> None:
    answer = await plain(shared, pdf(6))
    path = answer.headers["Location"]

    assert (await shared.get(path)).status == 200
    problem(await shared.get(path, key=shared.other), 404, "not_found")
    problem(await shared.get(path, key=None), 401, "api_key_invalid")
    # The same bytes are another document to another client.
    other = await plain(shared, pdf(6), key=shared.other)
    assert other.json()["id"] != answer.json()["id"]
    problem(await shared.get(other.headers["Location"]), 404, "not_found")


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "text/html",
        "image/gif",
        "application/json",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "multipart/mixed; boundary=x",
        "application/pdfx",
        "é",
    ],
)
async def test_another_type_of_body_is_refused(shared: Api, kind: str) -> None:
    problem(await plain(shared, pdf(), kind), 415, "unsupported_media_type")


def png() -> bytes:
    out = io.BytesIO()
    Image.new("L", (5, 5)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "content", "filename", "media_type"),
    [
        ("image/png", png(), "document.png", "image/png"),
        ("image/jpeg", png(), "document.png", "image/png"),
        ("application/pdf", png(), "document.png", "image/png"),
        ("image/tiff", pdf(), "document.pdf", "application/pdf"),
        ("text/plain; charset=utf-8", b"x", "document.txt", "text/plain"),
        ("text/plain", png(), "document.png", "image/png"),
    ],
)
async def test_a_picture_or_a_text_is_kept_as_it_came(
    shared: Api, kind: str, content: bytes, filename: str, media_type: str
) -> None:
    found = (await plain(shared, content, kind)).json()

    assert (found["filename"], found["media_type"]) == (filename, media_type)
    assert found["sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/tiff"])
@pytest.mark.parametrize("content", [b"", b"x", b"GIF89a" + bytes(50)])
async def test_a_body_that_is_no_picture_is_refused(shared: Api, kind: str, content: bytes) -> None:
    problem(await plain(shared, content, kind), 422, "document_invalid")


HEAD = b"%PDF-1.7\n"
JUNK = {
    "nothing": b"",
    "a program": b"MZ\x90\x00" + bytes(200),
    "a head alone": HEAD,
    "a head and junk": HEAD + bytes(range(256)) * 20,
    "encrypted": pdf(1, "secret"),
    "no page": pdf(0),
    "a page tree in a circle": (
        HEAD + b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Count 1000000000/Kids[2 0 R]>>endobj\n"
        b"trailer<</Root 1 0 R/Size 3>>\nstartxref\n0\n%%EOF"
    ),
    "a table in a circle": (
        HEAD + b"xref\n0 1\n0000000000 65535 f \ntrailer<</Size 1/Prev 9>>\nstartxref\n9\n%%EOF"
    ),
    "deep arrays": HEAD + b"1 0 obj" + b"[" * 100_000 + b"endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
}


@pytest.mark.parametrize("name", JUNK)
async def test_a_pdf_that_cannot_be_sent_is_refused(shared: Api, name: str) -> None:
    before = await shared.count(documents), await shared.count(blobs)

    raw = await plain(shared, JUNK[name])
    in_form = await form(shared, part(JUNK[name]) + END)

    problem(raw, 422, "document_invalid")
    problem(in_form, 422, "document_invalid")
    assert (await shared.count(documents), await shared.count(blobs)) == before


PDF = pdf()
FORMS: dict[str, bytes] = {
    "no part": END,
    "another field": part(PDF, name="document") + END,
    "no file name": part(PDF, filename=None) + END,
    "two fields": part(PDF) + part(b"x", name="a", filename=None) + END,
    "two fields, large": part(bytes(200_000)) + part(b"x", name="a", filename=None) + END,
    "the field before it": part(b"x", name="a", filename=None) + part(PDF) + END,
    "the same field twice": part(b"x", filename=None) + part(PDF) + END,
}


@pytest.mark.parametrize("name", FORMS)
async def test_a_form_has_one_file_and_nothing_else(shared: Api, name: str) -> None:
    assert wrong(await form(shared, FORMS[name])) == [("/file", "missing")]


MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "no boundary": b"x" * 1000,
    "two files": part(PDF) + part(PDF) + END,
    "eleven fields": part(b"x", name="a", filename=None) * 11 + END,
    "a huge field": part(b"x" * 70_000, name="a", filename=None) + END,
    "no headers": b"--" + BOUNDARY.encode() + b"\r\n\r\nx\r\n" + END,
    "no disposition": b"--" + BOUNDARY.encode() + b"\r\nX: y\r\n\r\nx\r\n" + END,
    "no field name": b"--" + BOUNDARY.encode() + b"\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END,
    "a broken header": b"--" + BOUNDARY.encode() + b"\r\nContent Disposition\r\n\r\nx\r\n" + END,
    "a huge header": part(b"x", more=b"X: " + b"y" * 30_000 + b"\r\n") + END,
    "many headers": part(b"x", more=b"X: y\r\n" * 3_000) + END,
    "another boundary": part(PDF).replace(b"--=x", b"--=y") + END.replace(b"--=x", b"--=y"),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_form_is_refused(shared: Api, name: str) -> None:
    answer = await form(shared, MALFORMED[name])

    assert answer.status in {400, 422}, answer
    problem(answer, answer.status, answer.json()["code"])


@pytest.mark.parametrize("cut", [1, 10, 40, 200, -1, -3, -30])
async def test_a_form_that_was_cut_is_never_a_document(shared: Api, cut: int) -> None:
    whole = part(PDF) + END
    before = await shared.count(documents)

    answer = await form(shared, whole[:cut])

    if len(whole[:cut]) < len(whole) - 4:
        assert answer.status in {400, 422}
        assert await shared.count(documents) == before
    else:
        assert answer.status in {201, 400, 422}


@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 2000,
        "multipart/form-data; charset=x; boundary=y",
        'multipart/form-data; boundary="',
        "multipart/form-data; boundary=é",
        "multipart/form-data;;;",
    ],
)
async def test_a_form_without_a_usable_boundary_is_refused(shared: Api, kind: str) -> None:
    answer = await form(shared, part(PDF) + END, kind)

    assert answer.status in {400, 422}, answer
    problem(answer, answer.status, answer.json()["code"])


@pytest.mark.parametrize(
    "filename",
    [
        b"../../etc/passwd",
        b"..",
        b".",
        b"",
        b"/etc/passwd",
        b"a/b.pdf",
        b"a\0b.pdf",
        b"a\x01b.pdf",
        b"a\x1bb.pdf",
        b"a\tb.pdf",
        b"a\x7f\xef\xbf\xbeb.pdf",
        "a\u202efdp.exe".encode(),
        "a\u2028b".encode(),
        b"a:b",
        b"a*b",
        b"a|b",
        b"a<b>",
        b"a?b",
        b"x" * 300,
    ],
    ids=ascii,
)
async def test_a_hostile_file_name_is_refused(shared: Api, filename: bytes) -> None:
    before = await shared.count(documents)

    answer = await form(shared, part(PDF, filename=filename) + END)

    assert answer.status in {400, 422}, answer
    problem(answer, answer.status, answer.json()["code"])
    assert await shared.count(documents) == before


@pytest.mark.parametrize("served", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "extended", [b"UTF-8''a%00b.pdf", b"UTF-8''a%0Ab.pdf", b"UTF-8''%F0%9F%98%80.pdf", b"x''%80"]
)
async def test_an_extended_file_name_is_no_way_around(api: Api, extended: bytes) -> None:
    more = b"--" + BOUNDARY.encode() + b"\r\nContent-Disposition: form-data; name=file; filename*="

    answer = await form(api, more + extended + b"\r\n\r\n" + PDF + b"\r\n" + END)

    assert answer.status in {201, 400, 422}, answer
    if answer.status == 201:
        assert not re.search(r"[\x00-\x1f]", answer.json()["filename"])


async def test_a_document_of_the_limit_is_taken_and_one_octet_more_is_not(shared: Api) -> None:
    fits = os.urandom(ATTACHMENT_LIMIT)

    taken = await form(shared, part(fits, filename=b"a.bin") + END)
    too_large = await form(shared, part(fits + b"x", filename=b"a.bin") + END)
    raw = await plain(shared, HEAD + fits)

    assert taken.status == 201, taken
    problem(too_large, 413, "payload_too_large")
    problem(raw, 413, "payload_too_large")


async def test_a_compressed_document_is_refused(shared: Api) -> None:
    headers = {"Content-Type": "application/pdf", "Content-Encoding": "gzip"}

    answer = await shared.call("POST", "/v1/documents", data=PDF, headers=headers)

    problem(answer, 415, "unsupported_media_type")


async def test_the_same_octets_are_kept_once(shared: Api) -> None:
    content = pdf(7)
    first = await plain(shared, content)
    before = await shared.count(blobs)

    second = await plain(shared, content)

    assert first.json()["id"] != second.json()["id"]
    assert first.json()["sha256"] == second.json()["sha256"]
    assert await shared.count(blobs) == before
