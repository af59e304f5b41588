"""A document made to fit 123-fax's 1 Mo: as it is, without loss, or as the fax will show it."""

import hashlib
import io
import random
from collections.abc import AsyncIterator

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageDraw

from app.delivery.inspect import Inspector
from app.domain.errors import FieldError
from app.domain.message import File
from app.providers.fax123.documents import LARGEST, RECOMPRESSED, Fitted, fitted

pytestmark = pytest.mark.anyio


@pytest.fixture
async def inspector() -> AsyncIterator[Inspector]:
    made = Inspector()
    yield made
    await made.close()


def saved(document: pikepdf.Pdf, **options: object) -> bytes:
    out = io.BytesIO()
    document.save(out, **{"compress_streams": False, **options})  # type: ignore[arg-type]
    return out.getvalue()


def pdf(pages: int, filling: bytes = b"", **options: object) -> bytes:
    """Return a PDF of so many pages; the first draws what `filling` holds, uncompressed."""
    document = pikepdf.new()
    for _ in range(pages):
        document.add_blank_page()
    if filling:
        document.pages[0].Contents = document.make_stream(filling)
    return saved(document, **options)


def noise(size: int) -> bytes:
    # A comment of a content stream: it draws nothing, and no compression makes it shorter.
    return b"%" + random.Random(1).randbytes(size).replace(b"\n", b"x").replace(b"\r", b"x")


def photographed(*pictures: Image.Image) -> bytes:
    """A PDF with a picture on each page, as a scanner makes it."""
    document = pikepdf.new()
    for picture in pictures:
        packed = io.BytesIO()
        picture.save(packed, "JPEG", quality=92)
        stream = pikepdf.Stream(document, packed.getvalue())
        stream.Type, stream.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
        stream.Width, stream.Height = picture.size
        stream.ColorSpace, stream.BitsPerComponent = pikepdf.Name.DeviceRGB, 8
        stream.Filter = pikepdf.Name.DCTDecode
        document.add_blank_page(page_size=(595, 842))
        document.pages[-1].Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=stream))
        document.pages[-1].Contents = document.make_stream(b"q 595 0 0 842 0 0 cm /I Do Q")
    return saved(document)


def grain(strength: int, size: tuple[int, int]) -> Image.Image:
    return Image.merge("RGB", [Image.effect_noise(size, strength) for _ in range(3)])


def scan(number: int) -> Image.Image:
    size = (2480, 3508)
    page = Image.blend(Image.new("RGB", size, (245, 240, 230)), grain(30, size), 0.15)
    draw = ImageDraw.Draw(page)
    for line in range(40):
        draw.text((200, 200 + line * 75), f"Page {number} ligne {line}", (20, 20, 30), font_size=48)
    return page


def file(content: bytes, media_type: str = "application/pdf", pages: int | None = None) -> File:
    digest = hashlib.sha256(content).hexdigest()
    return File(sha256=digest, name="a.pdf", media_type=media_type, size=len(content), pages=pages)


async def test_a_document_that_fits_goes_as_it_is(inspector: Inspector) -> None:
    content = pdf(2, noise(LARGEST - len(pdf(2)) - 2000))
    assert len(content) <= LARGEST

    found = await fitted(inspector, file(content), content)

    assert found == Fitted(file(content, pages=2), content)
    assert await fitted(inspector, file(content, pages=2), content) == found


async def test_a_large_document_is_rewritten_without_loss(inspector: Inspector) -> None:
    drawing = b"0 0 1 rg 10 10 100 100 re f\n" * 60_000
    content = pdf(3, drawing)
    assert len(content) > LARGEST

    found = await fitted(inspector, file(content), content)

    assert isinstance(found, Fitted)
    assert found.warnings == ()
    assert found.file == file(found.content, pages=3)
    assert len(found.content) <= LARGEST
    with pikepdf.open(io.BytesIO(found.content)) as opened:
        assert len(opened.pages) == 3
        assert opened.pages[0].Contents.read_bytes() == drawing


async def test_a_large_colour_scan_is_sent_as_the_fax_will_show_it(inspector: Inspector) -> None:
    content = photographed(scan(1), scan(2))
    assert len(content) > 3 * LARGEST

    found = await fitted(inspector, file(content, pages=2), content)

    assert isinstance(found, Fitted)
    assert found.warnings == (RECOMPRESSED,) == ("recompressed:/document",)
    assert found.file == file(found.content, pages=2)
    assert len(found.content) < LARGEST
    document = pypdfium2.PdfDocument(found.content)
    words = document[1].render(scale=2).to_pil().convert("L").crop((90, 90, 400, 1500))
    assert 3000 < sum(words.histogram()[:64]) < words.width * words.height / 4


async def test_a_document_that_stays_too_large_is_refused_with_both_sizes(
    inspector: Inspector,
) -> None:
    content = photographed(*[grain(200, (1240, 1754))] * 5)
    assert len(content) > LARGEST

    found = await fitted(inspector, file(content), content)

    assert isinstance(found, FieldError)
    assert (found.pointer, found.code) == ("/document", "document_too_large")
    lossless = len((await inspector.inspect(content, rewrite=True)).rewritten)  # type: ignore[union-attr, arg-type]
    assert f"{lossless:,} bytes after a rewrite without loss" in found.detail
    assert "of its 5 pages have 1," in found.detail
    assert "at most 1,000,000" in found.detail


@pytest.mark.parametrize("size", [LARGEST, LARGEST + 1])
async def test_the_limit_is_a_million_bytes_and_not_one_more(
    inspector: Inspector, size: int
) -> None:
    short = pdf(1, noise(LARGEST - 5000))
    content = short + b"\n" * (size - len(short))
    assert len(content) == size

    found = await fitted(inspector, file(content), content)

    assert isinstance(found, Fitted)
    assert (found.content == content) is (size == LARGEST)
    assert len(found.content) <= LARGEST
    assert found.warnings == ()


@pytest.mark.parametrize("media_type", ["image/tiff", "text/plain", "application/PDF", ""])
async def test_a_fax_is_a_pdf(inspector: Inspector, media_type: str) -> None:
    content = pdf(1)

    found = await fitted(inspector, file(content, media_type), content)

    assert isinstance(found, FieldError)
    assert (found.pointer, found.code) == ("/document", "document_invalid")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        pdf(1, encryption=pikepdf.Encryption(user="user", owner="owner")),
        pdf(0),
    ],
    ids=["nothing", "junk", "encrypted", "no page"],
)
async def test_a_document_that_does_not_open_is_refused_at_its_field(
    inspector: Inspector, content: bytes
) -> None:
    found = await fitted(inspector, file(content), content)

    assert isinstance(found, FieldError)
    assert (found.pointer, found.code) == ("/document", "document_invalid")
