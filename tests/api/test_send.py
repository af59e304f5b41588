"""What is accepted: 202 when it is kept, and everything that a worker could not mend later."""

import asyncio
import hashlib
import io
import os
import re
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pikepdf
import pytest
from PIL import Image
from sqlalchemy import select, text, update

from app.domain import identifiers
from app.domain.message import Channel
from app.store.contents import read
from app.store.tables import blobs, messages
from tests.api.client import (
    ATTACHMENT_LIMIT,
    BODIES,
    Answer,
    Api,
    address,
    changed,
    email,
    encoded,
    fax,
    letter,
    pdf,
    sms,
    wrong,
)

pytestmark = pytest.mark.anyio

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
CHANNELS = {
    "/v1/emails": ("email", "efidem", "m***@exemple.fr"),
    "/v1/sms": ("sms", "efidem", "+336****0001"),
    "/v1/letters": ("letter", "efidem", "D***, 75011 FR"),
    "/v1/faxes": ("fax", "fax123", "+331****0001"),
}


async def content_of(api: Api, answer: Answer) -> Any:
    """Return what is kept to be sent."""
    assert answer.status == 202, answer
    row = await row_of(api, answer)
    return read(Channel(row["channel"]), row["content"])


async def row_of(api: Api, answer: Answer) -> Any:
    reference = answer.json()["reference"]
    async with api.gateway.database.reading() as connection:
        found = await connection.execute(select(messages).where(messages.c.reference == reference))
        return found.mappings().one()


def named(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "reference": os.urandom(8).hex()}


@pytest.mark.parametrize("path", CHANNELS)
async def test_the_least_that_a_message_needs_is_accepted(shared: Api, path: str) -> None:
    before = shared.gateway.now()

    answer = await shared.post(path, BODIES[path]())

    assert answer.status == 202
    assert answer.headers["Content-Type"] == "application/json"
    found = answer.json()
    assert answer.headers["Location"] == f"/v1/messages/{found['id']}" == found["links"]["self"]
    assert re.fullmatch(r"msg_[0-9A-HJKMNP-TV-Z]{26}", found["id"])
    times = {name: found.pop(name) for name in ("created_at", "status_at")}
    assert times["created_at"] == times["status_at"]
    assert TIME.fullmatch(times["created_at"])
    assert abs(before.timestamp() - shared.gateway.now().timestamp()) < 5
    channel, provider, masked = CHANNELS[path]
    units = None if channel == "email" else 1
    assert found == {
        "id": found["id"],
        "object": "message",
        "channel": channel,
        "mode": "live",
        "status": "queued",
        "status_is_final": False,
        "status_source": "client",
        "status_checked_at": None,
        "next_check_at": None,
        "blocked_reason": None,
        "failure": None,
        "reference": None,
        "billing_code": None,
        "batch_id": None,
        "status_granularity": "message",
        "tags": [],
        "purpose": "transactional",
        "metadata": {},
        "recipient": {"masked": masked},
        "warnings": [],
        "provider": {
            "name": provider,
            "operation": None,
            "message_id": None,
            "attempt_ref": None,
            "code": None,
            "label": None,
        },
        "attempts": 0,
        "fax": {"pages": 1, "pages_sent": None, "document_fetched_at": None, "ack_overdue": False}
        if channel == "fax"
        else None,
        "sms": {"encoding": "gsm7", "segments": 1} if channel == "sms" else None,
        "cost": {"estimated": None, "segments_or_pages": units, "final": False},
        "submitted_at": None,
        "send_at": None,
        "expires_at": None,
        "links": {
            "self": f"/v1/messages/{found['id']}",
            "events": f"/v1/messages/{found['id']}/events",
            "recipients": f"/v1/messages/{found['id']}/recipients",
        },
    }
    again = await shared.get(answer.headers["Location"])
    assert (again.status, again.json()) == (200, answer.json())


COMMON = {
    "reference": "DOSSIER-2026-0042",
    "billing_code": "RH",
    "tags": ["dossier", "été"],
    "purpose": "legal",
    "metadata": {"case": "42"},
    "on_uncertain": "hold",
}
FULL: dict[str, dict[str, Any]] = {
    "/v1/emails": {
        "from": {"address": "service@exemple.fr", "name": "Service client"},
        "to": [{"address": "marie.durand@exemple.fr", "name": "Marie Durand"}],
        "cc": [],
        "reply_to": "contact@exemple.fr",
        "subject": "Votre dossier",
        "text": "Bonjour ...",
        "html": "<p>Bonjour ...</p>",
        "template": None,
        "attachments": [{"filename": "note.pdf", "content_base64": encoded(pdf())}],
        "route": "auto",
        "track": {"opens": False, "clicks": False},
        "errors_to": None,
    },
    "/v1/sms": {
        "to": "+33601020304",
        "text": "Votre code : 1234",
        "sender": "MASOCIETE",
        "encoding": "auto",
        "max_segments": 3,
    },
    "/v1/letters": {
        "to": {
            "title": "Mme",
            "last_name": "Durand",
            "first_name": "Marie",
            "company": None,
            "address": address(line2="BAT B", country="FR"),
        },
        "documents": [{"content_base64": encoded(pdf(2)), "filename": "lettre.pdf"}],
        "color": False,
        "envelope": "C5",
        "subject": "Relance",
        "cancel_window_seconds": 300,
    },
    "/v1/faxes": {
        "to": "+33145678901",
        "to_name": "Mairie",
        "document": {"content_base64": encoded(pdf(3)), "filename": "acte.pdf"},
        "provider": "auto",
        "cover": None,
        "retry": None,
    },
}


@pytest.mark.parametrize("path", FULL)
async def test_a_client_may_ask_for_a_message_that_was_not_sent_to_be_sent_again_but_no_letter(
    shared: Api, path: str
) -> None:
    answer = await shared.post(path, {**FULL[path], "on_uncertain": "retry"})

    if path == "/v1/letters":
        assert wrong(answer) == [("/on_uncertain", "not_supported")]
        return
    async with shared.gateway.database.reading() as connection:
        found = await connection.execute(
            select(messages.c.on_uncertain).where(
                messages.c.id == identifiers.read(identifiers.MESSAGE, answer.json()["id"])
            )
        )
    assert found.scalar_one() == "retry"


@pytest.mark.parametrize("path", FULL)
async def test_every_field_of_the_reference_is_accepted(shared: Api, path: str) -> None:
    now = shared.gateway.now()
    times = {
        "send_at": (now + timedelta(hours=1)).isoformat(),
        "expires_at": (now + timedelta(hours=9)).isoformat(),
    }

    answer = await shared.post(path, {**FULL[path], **COMMON, **times})

    assert answer.status == 202, answer
    found = answer.json()
    kept = {name: found[name] for name in COMMON if name != "on_uncertain"}
    assert kept == {name: value for name, value in COMMON.items() if name != "on_uncertain"}
    assert found["status"] == "scheduled"
    window = 300 if path == "/v1/letters" else 0
    begins = (now + timedelta(hours=1, seconds=window)).isoformat(timespec="milliseconds")
    assert found["send_at"] == begins.replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("given", "text_kept", "html_kept"),
    [
        ({"text": "a < b\nc"}, "a < b\nc", "a &lt; b<br>\nc"),
        ({"text": "<script>x</script>"}, "<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
        ({"html": "<p>Bonjour <b>Marie</b></p><p>Fin</p>"}, "Bonjour Marie\n\nFin", "<p>Bonjour"),
        ({"html": "<a href='https://x.fr/a'>ici</a>"}, "[ici](https://x.fr/a)", "<a href"),
        ({"html": "<style>p{}</style><p>x</p>"}, "x", "<style>"),
        ({"text": "T", "html": "<p>H</p>"}, "T", "<p>H</p>"),
    ],
)
async def test_the_body_that_is_missing_is_derived_from_the_other(
    shared: Api, given: dict[str, str], text_kept: str, html_kept: str
) -> None:
    body = named(email())
    del body["text"]

    content = await content_of(shared, await shared.post("/v1/emails", {**body, **given}))

    assert content.text == text_kept
    assert html_kept in content.html


async def test_an_email_has_a_body(shared: Api) -> None:
    body = email()
    del body["text"]

    assert wrong(await shared.post("/v1/emails", body)) == [("", "content_missing")]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("0601020304", "+33601020304"),
        ("06 01 02 03 04", "+33601020304"),
        ("06.01.02.03.04", "+33601020304"),
        ("06-01-02-03-04", "+33601020304"),
        ("+33 6 01 02 03 04", "+33601020304"),
        ("+33(0)6.01.02.03.04", "+33601020304"),
        ("0033601020304", "+33601020304"),
        ("06\u00a001\u202f02\u00a003\u00a004", "+33601020304"),
        ("+3227732000", "+3227732000"),
        ("0692123456", "+262692123456"),
        ("01 99 00 00 01", "+33199000001"),
    ],
)
async def test_a_number_is_kept_in_one_form(shared: Api, written: str, kept: str) -> None:
    content = await content_of(shared, await shared.post("/v1/sms", named(sms(to=written))))

    assert content.to == kept


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Marie.Durand@EXEMPLE.FR", "Marie.Durand@exemple.fr"),
        ("a+b%c@exemple.fr", "a+b%c@exemple.fr"),
        ("a@exämple.fr", "a@xn--exmple-cua.fr"),
        ("o'neil@exemple.fr", "o'neil@exemple.fr"),
        ("delivered@sim.test", "delivered@sim.test"),
    ],
)
async def test_an_address_is_kept_in_one_form(shared: Api, written: str, kept: str) -> None:
    body = named(email(to=[{"address": written}]))

    assert (await content_of(shared, await shared.post("/v1/emails", body))).to_address == kept


@pytest.mark.parametrize(
    ("to", "warnings", "names"),
    [
        ({"company": "ACME"}, ["filled:/to/last_name", "filled:/to/first_name"], ("ACME", ".")),
        ({"company": "ACME", "last_name": "Durand"}, ["filled:/to/first_name"], ("Durand", ".")),
        ({"last_name": "Durand", "first_name": "Marie"}, [], ("Durand", "Marie")),
    ],
)
async def test_a_company_gets_the_names_that_the_provider_demands(
    shared: Api, to: dict[str, str], warnings: list[str], names: tuple[str, str]
) -> None:
    body = named(letter(to={**to, "address": address()}))

    answer = await shared.post("/v1/letters", body)
    content = await content_of(shared, answer)

    assert answer.json()["warnings"] == warnings
    assert (content.last_name, content.first_name) == names


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ({}, ("/to", "last_name_missing")),
        ({"first_name": "Marie"}, ("/to", "last_name_missing")),
        ({"last_name": "Durand"}, ("/to", "first_name_missing")),
    ],
)
async def test_a_letter_goes_to_somebody(
    shared: Api, to: dict[str, str], expected: tuple[str, str]
) -> None:
    answer = await shared.post("/v1/letters", letter(to={**to, "address": address()}))

    assert wrong(answer) == [expected]


@pytest.mark.parametrize(
    "code", ["7501", "750111", "7501A", "7 501", "\u0667\u0665\u0660\u0661\u0661", "00000"]
)
async def test_a_french_postal_code_has_five_digits(shared: Api, code: str) -> None:
    body = changed(letter(), "/to/address/postal_code", code)

    answer = await shared.post("/v1/letters", body)

    assert (answer.status, code == "00000") in {(202, True), (422, False)}
    if answer.status == 422:
        assert wrong(answer) == [("/to/address/postal_code", "postal_code_length")]


async def test_a_foreign_letter_has_its_own_postal_code(shared: Api) -> None:
    to = address(country="GB", postal_code="SW1A 1AA", city="LONDON")

    assert (await shared.post("/v1/letters", changed(letter(), "/to/address", to))).status == 202


@pytest.mark.parametrize(
    "text",
    [
        "<&]]>",
        "\u202e\u05d0\u0628",
        "\U0001f600 \U00020000",
        "é e\u0301 ß œ",
        "' OR 1=1 --",
        "%s %(x)s",
    ],
    ids=ascii,
)
async def test_a_text_is_kept_as_it_came(shared: Api, text: str) -> None:
    to = {"last_name": text, "first_name": text, "title": text[:20], "address": address(line1=text)}

    content = await content_of(
        shared, await shared.post("/v1/letters", named(letter(to=to, subject=text)))
    )

    assert (content.last_name, content.line1, content.subject) == (text, text, text)


async def test_a_sender_is_checked(shared: Api) -> None:
    for sender, code in (
        ("BANQUE 1", "sender_invalid"),
        ("SOCIÉTÉ", "sender_invalid"),
        ("x" * 12, "sender_too_long"),
        ("", "too_short"),
    ):
        assert wrong(await shared.post("/v1/sms", sms(sender=sender))) == [("/sender", code)]


@pytest.mark.parametrize(
    ("text", "most", "fits"),
    [
        ("x" * 160, 1, True),
        ("x" * 161, 1, False),
        ("x" * 306, 2, True),
        ("x" * 307, 2, False),
        ("\u20ac" * 80, 1, True),
        ("\u20ac" * 81, 1, False),
        ("\U0001f600" * 35, 1, True),
        ("\U0001f600" * 36, 1, False),
        ("ê" * 70, 1, True),
        ("ê" * 71, 1, False),
    ],
)
async def test_a_text_takes_no_more_parts_than_its_client_pays_for(
    shared: Api, text: str, most: int, fits: bool
) -> None:
    answer = await shared.post("/v1/sms", sms(text=text, max_segments=most))

    if fits:
        assert answer.status == 202
    else:
        assert wrong(answer) == [("/text", "too_many_segments")]


async def upload(api: Api, content: bytes, **options: Any) -> str:
    answer = await api.call(
        "POST",
        "/v1/documents",
        data=content,
        headers={"Content-Type": "application/pdf"},
        **options,
    )
    assert answer.status == 201, answer
    return str(answer.json()["id"])


async def test_a_document_is_sent_by_its_id(shared: Api) -> None:
    document = await upload(shared, pdf(4))

    fax_content = await content_of(
        shared, await shared.post("/v1/faxes", named(fax(document={"document_id": document})))
    )
    letter_content = await content_of(
        shared,
        await shared.post("/v1/letters", named(letter(documents=[{"document_id": document}] * 2))),
    )
    email_content = await content_of(
        shared,
        await shared.post(
            "/v1/emails",
            named(email(attachments=[{"document_id": document, "filename": "b.pdf"}])),
        ),
    )

    digest = hashlib.sha256(pdf(4)).hexdigest()
    assert (fax_content.file.sha256, fax_content.file.pages) == (digest, 4)
    assert [file.pages for file in letter_content.files] == [4, 4]
    assert [(file.sha256, file.name) for file in email_content.files] == [(digest, "b.pdf")]


@pytest.mark.parametrize("name", ["doc_x", "", "doc_" + "0" * 26, "msg_01J9ZK00000000000000000000"])
async def test_a_document_that_nobody_uploaded_is_refused(shared: Api, name: str) -> None:
    answer = await shared.post("/v1/faxes", fax(document={"document_id": name}))

    assert wrong(answer) == [("/document/document_id", "document_unknown")]


async def test_a_foreign_document_is_as_good_as_none(shared: Api) -> None:
    foreign = await upload(shared, pdf(5), key=shared.other)

    for path, body, pointer in (
        ("/v1/faxes", fax(document={"document_id": foreign}), "/document"),
        ("/v1/letters", letter(documents=[{"document_id": foreign}]), "/documents/0"),
        ("/v1/emails", email(attachments=[{"document_id": foreign}]), "/attachments/0"),
    ):
        found = wrong(await shared.post(path, body))
        assert found == [(f"{pointer}/document_id", "document_unknown")]


async def test_files_are_limited_together(shared: Api) -> None:
    half = encoded(b"x" * (ATTACHMENT_LIMIT // 2 + 1))
    one, two = ({"filename": f"{name}.bin", "content_base64": half} for name in "ab")

    assert (await shared.post("/v1/emails", email(attachments=[one]))).status == 202
    assert wrong(await shared.post("/v1/emails", email(attachments=[one, two]))) == [
        ("/attachments/0", "files_too_large")
    ]


@pytest.mark.parametrize(
    "content", ["eA", "eA=", "e A==", "eA==\n", "-_-_", "é", "eA==eA==", "=eA=", "%PDF"]
)
async def test_base64_has_one_form(shared: Api, content: str) -> None:
    body = email(attachments=[{"filename": "a.txt", "content_base64": content}])

    assert wrong(await shared.post("/v1/emails", body)) == [
        ("/attachments/0/content_base64", "base64_invalid")
    ]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ({"content_base64": ""}, ("/attachments/0/content_base64", "too_short")),
        ({"content_base64": "eA=="}, ("/attachments/0/filename", "missing")),
        # What is called a PDF is one.
        (
            {"filename": "a.pdf", "content_base64": "eA=="},
            ("/attachments/0", "document_invalid"),
        ),
        ({"filename": "a"}, ("/attachments/0", "file_ambiguous")),
        ({"document_id": "doc_x", "content_base64": "eA=="}, ("/attachments/0", "file_ambiguous")),
    ],
)
async def test_an_attachment_is_whole(
    shared: Api, file: dict[str, str], expected: tuple[str, str]
) -> None:
    assert wrong(await shared.post("/v1/emails", email(attachments=[file]))) == [expected]


def junk() -> dict[str, bytes]:
    return {
        "no PDF": b"MZ\x90\x00" + b"x" * 100,
        "a head alone": b"%PDF-1.7\n",
        "a head and junk": b"%PDF-1.7\n" + os.urandom(2000),
        "half of one": pdf()[: len(pdf()) // 2],
        "behind too much": b"x" * 2000 + pdf(),
        "encrypted": pdf(1, "secret"),
        "without a page": pdf(0),
    }


@pytest.mark.parametrize("name", junk())
async def test_what_is_no_pdf_is_refused_before_it_is_accepted(shared: Api, name: str) -> None:
    file = {"content_base64": encoded(junk()[name])}

    if name == "half of one":
        # A reader may mend it: then it has its pages, or it is refused.
        assert (await shared.post("/v1/faxes", fax(document=file))).status in {202, 422}
        return
    for path, body, pointer in (
        ("/v1/faxes", fax(document=file), "/document"),
        ("/v1/letters", letter(documents=[file]), "/documents/0"),
    ):
        assert wrong(await shared.post(path, body)) == [(pointer, "document_invalid")]


def heavy(size: int, *, shrinks: bool) -> bytes:
    """Return a PDF with one stream that does, or does not, become smaller when it is rewritten."""
    content = b"% " * (size // 2) if shrinks else b"% " + os.urandom(size).hex().encode()
    with pikepdf.new() as made:
        made.add_blank_page()
        page = made.pages[0]
        stream = made.make_stream(os.urandom(size) if not shrinks else content)
        page.obj.Contents = made.make_stream(b"q Q")
        page.obj.PieceInfo = made.make_indirect(stream)
        out = io.BytesIO()
        made.save(out, compress_streams=False)
    return out.getvalue()


def dotted(pages: int) -> bytes:
    """Return a PDF of photographs of nothing but dots, which no fax makes smaller."""
    packed = io.BytesIO()
    Image.effect_noise((1240, 1754), 200).save(packed, "JPEG", quality=80)
    with pikepdf.new() as made:
        stream = pikepdf.Stream(made, packed.getvalue())
        stream.Type, stream.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
        stream.Width, stream.Height, stream.BitsPerComponent = 1240, 1754, 8
        stream.ColorSpace, stream.Filter = pikepdf.Name.DeviceGray, pikepdf.Name.DCTDecode
        picture = made.make_indirect(stream)
        for _ in range(pages):
            made.add_blank_page(page_size=(595, 842))
            page = made.pages[-1]
            page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=picture))
            page.Contents = made.make_stream(b"q 595 0 0 842 0 0 cm /I Do Q")
        out = io.BytesIO()
        made.save(out)
    return out.getvalue()


async def test_a_fax_is_made_to_fit_or_refused(shared: Api, serve: Any) -> None:
    limits = {"attachment_limit": 4_000_000, "body_limit": 8_000_000}
    async with serve(shared.gateway.database, **limits) as unknown:
        api = replace(unknown, live=shared.live)
        large = {"document": {"content_base64": encoded(heavy(1_500_000, shrinks=True))}}
        larger = {"document": {"content_base64": encoded(heavy(1_500_000, shrinks=False))}}
        too_large = {"document": {"content_base64": encoded(dotted(6))}}

        for body, warnings in ((large, []), (larger, ["recompressed:/document"])):
            answer = await api.post("/v1/faxes", named(fax(**body)))
            assert answer.json()["warnings"] == warnings
            content = await content_of(api, answer)
            assert content.file.size < 1_000_000
            async with api.gateway.database.reading() as connection:
                kept = await connection.execute(
                    select(blobs.c.content).where(blobs.c.sha256 == content.file.sha256)
                )
                assert len(kept.scalar_one()) == content.file.size
        refused = await api.post("/v1/faxes", fax(**too_large))
        assert wrong(refused) == [("/document", "document_too_large")]
        # Another provider has no such limit.
        documents = [too_large["document"]]
        assert (await api.post("/v1/letters", letter(documents=documents))).status == 202


def picture(kind: str, pages: int = 1) -> bytes:
    out = io.BytesIO()
    image = Image.new("RGB", (60, 40), (200, 0, 0))
    more = {"save_all": True, "append_images": [image] * (pages - 1)} if pages > 1 else {}
    image.save(out, kind, **more)
    return out.getvalue()


TAKEN = {
    "a PNG": ("scan.png", picture("PNG"), "image/png", 1),
    "a JPEG under another name": ("scan.pdf", picture("JPEG"), "image/jpeg", 1),
    "a TIFF of three pages": ("scan.tif", picture("TIFF", 3), "image/tiff", 3),
    "a text": ("scan.txt", "Reçu 12 €\fsuite".encode("cp1252"), "text/plain", 2),
}


@pytest.mark.parametrize("kind", TAKEN)
async def test_a_picture_or_text_becomes_a_pdf(shared: Api, kind: str) -> None:
    filename, given, media_type, pages = TAKEN[kind]
    inline = {"content_base64": encoded(given), "filename": filename}
    raw = await shared.call(
        "POST", "/v1/documents", data=given, headers={"Content-Type": media_type}
    )
    assert raw.status == 201, raw
    uploaded = raw.json()
    assert (uploaded["media_type"], uploaded["pages"]) == (media_type, None)
    assert uploaded["sha256"] == hashlib.sha256(given).hexdigest()
    assert (await shared.get(raw.headers["Location"])).json() == uploaded

    first = await shared.post("/v1/faxes", named(fax(document=inline)))
    second = await shared.post(
        "/v1/faxes", named(fax(document={"document_id": uploaded["id"], "filename": filename}))
    )
    third = await shared.post("/v1/letters", named(letter(documents=[SMALL, inline])))

    assert [answer.json()["warnings"] for answer in (first, second)] == [
        ["converted:/document"]
    ] * 2
    assert "converted:/documents/1" in third.json()["warnings"]
    assert "converted:/documents/0" not in third.json()["warnings"]
    assert first.json()["fax"]["pages"] == pages
    made = [(await content_of(shared, answer)).file for answer in (first, second)]
    assert made[0] == made[1] == (await content_of(shared, third)).files[1]
    assert (made[0].name, made[0].media_type, made[0].pages) == (
        "scan.pdf",
        "application/pdf",
        pages,
    )
    async with shared.gateway.database.reading() as connection:
        kept = (
            await connection.execute(
                select(blobs.c.content).where(blobs.c.sha256 == made[0].sha256)
            )
        ).scalar_one()
    with pikepdf.open(io.BytesIO(kept)) as document:
        assert len(document.pages) == pages


SMALL = {"filename": "a.pdf", "content_base64": encoded(pdf())}


async def test_an_attachment_is_not_converted(shared: Api) -> None:
    attachments = [
        {"filename": name, "content_base64": encoded(content)}
        for name, content, _, _ in TAKEN.values()
        if name != "scan.pdf"
    ]

    answer = await shared.post("/v1/emails", named(email(attachments=attachments)))

    content = await content_of(shared, answer)
    assert [file.name for file in content.files] == [one["filename"] for one in attachments]
    assert [file.media_type for file in content.files] == ["image/png", "image/tiff", "text/plain"]
    assert not [one for one in answer.json()["warnings"] if one.startswith("converted")]


NOT_TAKEN = {
    "half a picture": ("a.png", picture("PNG")[:60], "document_invalid", "damaged"),
    "a text with Chinese": ("a.txt", "中".encode(), "document_invalid", "U+4E2D"),
    "bytes named a text": ("a.txt", b"a\0b", "document_invalid", "UTF-8"),
    "an office document": ("a.docx", b"PK\x03\x04" + bytes(50), "document_invalid", ".txt"),
    "a text without a name": (None, b"Bonjour", "document_invalid", ".txt"),
    "a page of errors": ("a.html", b"<html>404</html>", "document_invalid", ".txt"),
}


@pytest.mark.parametrize("kind", NOT_TAKEN)
async def test_what_becomes_no_pdf_is_refused_and_says_what_to_do(shared: Api, kind: str) -> None:
    filename, given, code, said = NOT_TAKEN[kind]
    file = {"content_base64": encoded(given)} | ({"filename": filename} if filename else {})

    for path, body, pointer in (
        ("/v1/faxes", fax(document=file), "/document"),
        ("/v1/letters", letter(documents=[SMALL, file]), "/documents/1"),
    ):
        answer = await shared.post(path, body)
        assert wrong(answer) == [(pointer, code)]
        assert said in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("prefer", "waits"),
    [
        ("wait=1", True),
        ("wait=1, respond-async", True),
        ("respond-async, wait=1", True),
        ("respond-async;x=1 , WAIT = 1", True),
        ('wait="1"', True),
        ("respond-async", False),
        ("wait=0", False),
        ("wait=-1", False),
        ("wait=abc", False),
        ("wait", False),
        ("wait=1.5", False),
        ("wait=99999999999999999999", False),
        ("wait=\u00b2", False),
        (",,,;;;===", False),
        ("", False),
        ("x" * 5000, False),
    ],
)
async def test_a_client_may_wait_for_the_provider(shared: Api, prefer: str, waits: bool) -> None:
    began = time.perf_counter()

    answer = await shared.post("/v1/sms", sms(), headers={"Prefer": prefer})

    took = time.perf_counter() - began
    assert (answer.status, answer.json()["status"]) == (202, "queued")
    assert answer.headers.get("Preference-Applied") == ("wait=1" if waits else None)
    assert 0.7 < took < 15 if waits else took < 15  # 30 is the longest wait


async def test_preferences_may_come_in_two_headers(shared: Api) -> None:
    body = b'{"to": "+33639980001", "text": "x"}'

    status, answer = await shared.raw(
        b"POST /v1/sms HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nPrefer: respond-async\r\nPrefer: wait=1\r\n"
        b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n"
        % (shared.live.encode(), len(body))
        + body
    )

    assert status == 202
    assert b"preference-applied: wait=1" in answer.lower()


async def test_a_wait_ends_when_the_provider_has_accepted(shared: Api) -> None:
    body = named(sms())
    waiting = asyncio.create_task(
        shared.post("/v1/sms", body, headers={"Prefer": "wait=20", "Idempotency-Key": "waited"})
    )
    for _ in range(200):
        await asyncio.sleep(0.01)
        async with shared.gateway.database.transaction() as connection:
            done = await connection.execute(
                update(messages)
                .where(messages.c.reference == body["reference"])
                .values(status="submitted")
            )
        if done.rowcount:
            break
    async with asyncio.timeout(3):
        answer = await waiting

    assert (answer.status, answer.json()["status"]) == (201, "submitted")
    again = await shared.post("/v1/sms", body, headers={"Idempotency-Key": "waited"})
    assert (again.status, again.content) == (201, answer.content)
    assert again.headers["Location"] == answer.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true"


async def test_what_is_kept_is_accepted_even_if_the_store_goes_away_during_the_wait(
    shared: Api,
) -> None:
    body = named(sms())
    waiting = asyncio.create_task(shared.post("/v1/sms", body, headers={"Prefer": "wait=2"}))
    async with shared.gateway.database.reading() as connection:
        query = select(messages.c.id).where(messages.c.reference == body["reference"])
        while (await connection.execute(query)).first() is None:
            await asyncio.sleep(0.01)
    async with shared.gateway.database.transaction() as connection:
        await connection.execute(text("ALTER TABLE messages RENAME TO away"))
    try:
        answer = await waiting
    finally:
        async with shared.gateway.database.transaction() as connection:
            await connection.execute(text("ALTER TABLE away RENAME TO messages"))

    # A client that was told to send again would send twice.
    assert (answer.status, answer.json()["status"]) == (202, "queued")
    assert (await shared.get(answer.headers["Location"])).status == 200


async def test_a_letter_waits_for_its_cancel_window(shared: Api) -> None:
    answer = await shared.post("/v1/letters", letter(cancel_window_seconds=300))

    assert answer.status == 202
    assert answer.json()["status"] == "scheduled"
    assert answer.json()["send_at"] > answer.json()["created_at"]


async def test_a_time_that_is_over_means_now(shared: Api) -> None:
    answer = await shared.post("/v1/sms", sms(send_at="2020-01-01T00:00:00+01:00"))

    assert (answer.status, answer.json()["status"]) == (202, "queued")


LONG_DOMAIN = ".".join(["b" * 60] * 4)[:236] + ".fr"


@pytest.mark.parametrize("served", ["postgresql"], indirect=True)
async def test_the_longest_values_fit_into_the_store(api: Api) -> None:
    full: dict[str, Any] = {
        "reference": "é" * 200,
        "billing_code": "é" * 100,
        "tags": ["é" * 100] * 20,
        "metadata": {f"{number:02}" + "é" * 98: "é" * 500 for number in range(20)},
    }
    person = {"title": "é" * 20, "last_name": "é" * 100, "first_name": "é" * 100}
    place = address(line1="é" * 100, line2="é" * 100, city="é" * 100)
    place |= {"country": "GB", "postal_code": "é" * 10}
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("/v1/sms", sms(text="é" * 1530, sender="x" * 11)),
        (
            "/v1/emails",
            email(
                to=[{"address": f"a@{LONG_DOMAIN}", "name": "é" * 100}],
                reply_to="a" * 64 + "@exemple.fr",
                subject="é" * 250,
                attachments=[{"filename": "é" * 150, "content_base64": "eA=="}],
            ),
        ),
        ("/v1/letters", letter(to={**person, "company": "é" * 100, "address": place})),
        ("/v1/faxes", fax(to_name="é" * 100)),
    ]
    for path, body in bodies:
        answer = await api.post(path, {**body, **full})
        assert answer.status == 202, answer
        read_again = await api.get(answer.headers["Location"])
        assert read_again.json() == answer.json()
