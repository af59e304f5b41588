"""Faxes of pictures, of plain text and of large scans: what is downloaded is a PDF that fits."""

import io
from hashlib import sha256
from typing import Any

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageDraw

from tests.journeys import samples
from tests.journeys.loopback import call
from tests.journeys.system import System

LARGEST = 1_000_000  # bytes


def scanned(pages: int, text: str) -> bytes:
    """Return a PDF as a scanner makes it: a coloured photograph of each page."""
    size = (2480, 3508)
    with pikepdf.new() as document:
        for number in range(pages):
            grain = Image.merge("RGB", [Image.effect_noise(size, 30) for _ in range(3)])
            page = Image.blend(Image.new("RGB", size, (245, 240, 230)), grain, 0.15)
            draw = ImageDraw.Draw(page)
            for line in range(40):
                words = f"{text} {number} ligne {line}"
                draw.text((200, 200 + line * 75), words, (20, 20, 30), font_size=48)
            packed = io.BytesIO()
            page.save(packed, "JPEG", quality=92)
            picture = pikepdf.Stream(document, packed.getvalue())
            picture.Type, picture.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
            picture.Width, picture.Height = size
            picture.ColorSpace, picture.BitsPerComponent = pikepdf.Name.DeviceRGB, 8
            picture.Filter = pikepdf.Name.DCTDecode
            document.add_blank_page(page_size=(595, 842))
            document.pages[-1].Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=picture))
            document.pages[-1].Contents = document.make_stream(b"q 595 0 0 842 0 0 cm /I Do Q")
        content = io.BytesIO()
        document.save(content)
    return content.getvalue()


def picture() -> bytes:
    content = io.BytesIO()
    image = Image.new("RGBA", (800, 600), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((100, 100, 700, 500), fill=(180, 0, 0, 255))
    image.save(content, "PNG")
    return content.getvalue()


DOCUMENTS: dict[str, tuple[bytes, dict[str, str], list[str], int]] = {
    "a picture": (picture(), {"filename": "plan.png"}, ["converted:/document"], 1),
    "a text": (
        "Reçu le 3 : 12,50 €\fDeuxième page — œuvre".encode(),
        {"filename": "recu.txt"},
        ["converted:/document"],
        2,
    ),
    "a large scan": (scanned(2, "Contrat"), {}, ["recompressed:/document"], 2),
}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_fax_of_another_document_is_delivered(system: System, kind: str) -> None:
    content, more, warnings, pages = DOCUMENTS[kind]
    body = samples.fax(document=samples.inline(content, **more))
    fetched: list[Any] = []
    system.relay.look = lambda url: fetched.append(call("GET", url))
    try:
        message_id = system.send("faxes", body)
        message = system.until(message_id, "delivered")
    finally:
        system.relay.look = None

    assert message["warnings"] == warnings
    assert message["fax"]["pages"] == message["fax"]["pages_sent"] == pages
    (line,) = system.ledger("fax123", fax=samples.dialled(body))
    assert line["pages"] == pages
    # Other tests' faxes may be on their way still.
    (document, *_) = [one for one in fetched if sha256(one.content).hexdigest() == line["sha256"]]
    assert document.headers["content-type"] == "application/pdf"
    assert len(document.content) <= LARGEST
    shown = [
        page.render(scale=1).to_pil().convert("L")
        for page in pypdfium2.PdfDocument(document.content)
    ]
    assert len(shown) == pages
    for page in shown:
        dark = sum(page.histogram()[:128])
        assert 20 < dark < page.width * page.height / 2


def test_a_scan_that_was_uploaded_is_kept_as_it_came(system: System) -> None:
    content = picture()
    headers = {"Content-Type": "image/png", "Authorization": f"Bearer {system.key}"}
    uploaded = call("POST", f"{system.url('api')}/v1/documents", content, headers).json
    assert (uploaded["media_type"], uploaded["size"]) == ("image/png", len(content))

    message_id = system.send("faxes", samples.fax(document={"document_id": uploaded["id"]}))

    message = system.until(message_id, "delivered")
    assert message["warnings"] == ["converted:/document"]
    assert system.get(f"/v1/documents/{uploaded['id']}").json == uploaded
