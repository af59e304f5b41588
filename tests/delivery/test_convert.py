"""Pictures and texts made PDFs, and PDFs drawn as a fax machine will, in processes of their own."""

import io
import random
import re
import struct
import unicodedata
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageDraw

from app.delivery.inspect import (
    BROKEN,
    HOSTILE,
    INVALID,
    JPEG,
    PNG,
    TEXT,
    TIFF,
    Inspected,
    Inspector,
    NotInspected,
    Overlarge,
    media_type_of,
    signature_of,
)
from app.delivery.inspect.refuse import BLANK, MODE, NO_PICTURE, NO_TEXT, TOO_LARGE
from app.delivery.inspect.tasks import ALLOWED, Task

pytestmark = pytest.mark.anyio

A4 = (595.3, 841.9)  # points
RED, WHITE, BLACK = (255, 0, 0), (255, 255, 255), (0, 0, 0)


@pytest.fixture
async def inspector() -> AsyncIterator[Inspector]:
    made = Inspector()
    yield made
    await made.close()


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def drawn(size: tuple[int, int] = (400, 600), mode: str = "RGB") -> Image.Image:
    """A white picture whose upper left quarter is red."""
    image = Image.new("RGB", size, "white")
    image.paste(RED, (0, 0, size[0] // 2, size[1] // 2))
    return image.convert(mode)


def rendered(content: bytes, page: int = 0, scale: float = 1) -> Image.Image:
    document = pypdfium2.PdfDocument(content)
    return document[page].render(scale=scale).to_pil().convert("RGB")


def sizes(content: bytes) -> list[tuple[float, float]]:
    with pikepdf.open(io.BytesIO(content)) as document:
        return [tuple(round(float(one), 1) for one in page.mediabox[2:]) for page in document.pages]  # type: ignore[misc]


def near(found: Any, wanted: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 24 for one, other in zip(found, wanted, strict=True))


async def converted(inspector: Inspector, content: bytes, kind: str, pages: int = 1) -> bytes:
    """Return the PDF, after a look that it opens as any other does."""
    made = await inspector.convert(content, kind)
    assert isinstance(made, Inspected), made
    assert made.pages == pages
    assert made.rewritten is not None
    assert await inspector.inspect(made.rewritten) == Inspected(pages)
    return made.rewritten


# What a file is.


@pytest.mark.parametrize(
    ("content", "name", "signature", "media_type"),
    [
        (saved(drawn(), "PNG"), "a.txt", PNG, PNG),
        (saved(drawn(), "JPEG"), "a", JPEG, JPEG),
        (saved(drawn(), "TIFF"), "a.png", TIFF, TIFF),
        (saved(drawn(), "TIFF", big_tiff=True), "a.tif", TIFF, TIFF),
        (b"MM\0*rest", "a", TIFF, TIFF),
        (b"%PDF-1.7", "a.txt", "application/pdf", "application/pdf"),
        (b"Bonjour", "a.TXT", None, TEXT),
        (b"Bonjour", "a", None, "application/octet-stream"),
        (b"x", "a.png", None, PNG),
        (b"", "", None, "application/octet-stream"),
    ],
)
def test_its_bytes_say_what_a_file_is_and_else_its_name(
    content: bytes, name: str, signature: str | None, media_type: str
) -> None:
    assert (signature_of(content), media_type_of(content, name)) == (signature, media_type)


# Pictures.

PICTURES: dict[str, Callable[[], tuple[bytes, str]]] = {
    "PNG": lambda: (saved(drawn(), "PNG"), PNG),
    "palette PNG": lambda: (saved(drawn().quantize(8), "PNG"), PNG),
    "JPEG": lambda: (saved(drawn(), "JPEG"), JPEG),
    "progressive JPEG": lambda: (saved(drawn(), "JPEG", progressive=True), JPEG),
    "CMYK JPEG": lambda: (saved(drawn(mode="CMYK"), "JPEG"), JPEG),
    "TIFF": lambda: (saved(drawn(), "TIFF"), TIFF),
    "CMYK TIFF": lambda: (saved(drawn(mode="CMYK"), "TIFF", compression="tiff_lzw"), TIFF),
    "YCbCr TIFF": lambda: (saved(drawn(mode="YCbCr"), "TIFF", compression="jpeg"), TIFF),
}


@pytest.mark.parametrize("kind", PICTURES)
async def test_a_picture_keeps_its_colours(inspector: Inspector, kind: str) -> None:
    content, media_type = PICTURES[kind]()

    page = rendered(await converted(inspector, content, media_type))

    # 400 x 600 dots at 96 to the inch are 300 x 450 points, in the middle of the page.
    assert near(page.getpixel((200, 250)), RED), page.getpixel((200, 250))
    assert near(page.getpixel((400, 600)), WHITE)
    assert near(page.getpixel((100, 100)), WHITE)


def seen_through(mode: str) -> bytes:
    """A picture whose lower half is black, and not seen."""
    if mode == "P":
        image = Image.new("P", (400, 600), 1)
        image.putpalette([*RED, *BLACK])
        image.paste(0, (0, 0, 400, 300))
        return saved(image, "PNG", transparency=1)
    clear = Image.new("RGBA", (400, 600), (0, 0, 0, 0))
    clear.paste((*RED, 255), (0, 0, 400, 300))
    return saved(clear, "PNG")


@pytest.mark.parametrize("mode", ["RGBA", "P"])
async def test_what_one_sees_through_becomes_white(inspector: Inspector, mode: str) -> None:
    page = rendered(await converted(inspector, seen_through(mode), PNG))

    assert near(page.getpixel((200, 250)), RED)
    assert near(page.getpixel((297, 600)), WHITE)


async def test_half_of_black_on_white_is_grey(inspector: Inspector) -> None:
    image = Image.new("LA", (400, 600), (0, 128))

    page = rendered(await converted(inspector, saved(image, "PNG"), PNG))

    assert near(page.getpixel((297, 420)), (127, 127, 127))


async def test_sixteen_bits_of_grey_are_not_bleached(inspector: Inspector) -> None:
    image = Image.new("I;16", (400, 600), 0x4000)

    for kind, media_type in (("PNG", PNG), ("TIFF", TIFF)):
        page = rendered(await converted(inspector, saved(image, kind), media_type))
        assert near(page.getpixel((297, 420)), (64, 64, 64))


async def test_black_and_white_stays_so_and_small(inspector: Inspector) -> None:
    for mode in ("1", "L", "RGB"):
        image = Image.new(mode, (2480, 3508), "white")
        image.paste(0 if mode != "RGB" else BLACK, (0, 0, 1240, 1754))

        content = await converted(inspector, saved(image, "PNG", dpi=(300, 300)), PNG)

        assert len(content) < 3000
        page = rendered(content)
        assert page.getpixel((100, 100)) == BLACK
        assert page.getpixel((500, 700)) == WHITE


async def test_pages_of_a_tiff_are_pages(inspector: Inspector) -> None:
    first, second, third = drawn(), drawn((600, 400)), drawn(mode="L")
    content = saved(first, "TIFF", save_all=True, append_images=[second, third])

    made = await converted(inspector, content, TIFF, pages=3)

    assert sizes(made) == [A4, A4[::-1], A4]
    assert near(rendered(made, 1).getpixel((300, 250)), RED)


async def test_a_fax_of_oblong_dots_keeps_its_shape(inspector: Inspector) -> None:
    # "Standard" resolution: half as many lines as dots in a line.
    image = Image.new("1", (1728, 1143), 0)

    content = await converted(inspector, saved(image, "TIFF", dpi=(204, 98)), TIFF)

    page = rendered(content)
    assert sizes(content) == [A4]
    assert [page.getpixel(at) for at in ((5, 420), (590, 420), (297, 20), (297, 820))] == [
        BLACK
    ] * 4


@pytest.mark.parametrize(
    ("orientation", "size", "at"),
    [
        (1, A4, (200, 250)),
        (3, A4, (400, 600)),
        (6, A4[::-1], (600, 200)),
        (8, A4[::-1], (250, 400)),
    ],
)
@pytest.mark.parametrize(("kind", "media_type"), [("JPEG", JPEG), ("PNG", PNG), ("TIFF", TIFF)])
async def test_a_picture_is_turned_as_its_camera_was(
    inspector: Inspector, kind: str, media_type: str, orientation: int, size: Any, at: Any
) -> None:
    exif = Image.Exif()
    exif[274] = orientation

    content = await converted(inspector, saved(drawn(), kind, exif=exif), media_type)

    assert sizes(content) == [size]
    page = rendered(content)
    assert near(page.getpixel(at), RED)
    assert sum(near(colour, RED) for colour in map(page.getpixel, CORNERS[size])) == 1


CORNERS = {
    A4: [(200, 250), (400, 250), (200, 600), (400, 600)],
    A4[::-1]: [(250, 200), (600, 200), (250, 400), (600, 400)],
}


async def test_a_picture_keeps_its_size_unless_the_page_is_smaller(inspector: Inspector) -> None:
    small = saved(Image.new("L", (300, 300), 0), "PNG", dpi=(300, 300))
    large = saved(Image.new("L", (4000, 100), 0), "PNG", dpi=(72, 72))

    inch = rendered(await converted(inspector, small, PNG))
    shrunk = rendered(await converted(inspector, large, PNG))

    assert inch.convert("L").point(lambda value: 255 - value).getbbox() is not None
    left, top, right, bottom = inch.convert("L").point(lambda value: 255 - value).getbbox()  # type: ignore[misc]
    assert 70 <= right - left <= 74
    assert 70 <= bottom - top <= 74
    assert shrunk.size[0] > shrunk.size[1]
    assert shrunk.getpixel((3, shrunk.height // 2)) == BLACK
    assert shrunk.getpixel((shrunk.width - 3, shrunk.height // 2)) == BLACK


async def test_nothing_that_a_camera_noted_goes_along(inspector: Inspector) -> None:
    exif = Image.Exif()
    exif[270] = "taken at home"

    made = await converted(inspector, saved(drawn(), "JPEG", exif=exif, comment=b"secret"), JPEG)

    assert b"home" not in made
    assert b"secret" not in made


async def test_the_same_picture_makes_the_same_bytes(inspector: Inspector) -> None:
    content = saved(drawn(), "PNG")

    first = await converted(inspector, content, PNG)

    assert await converted(inspector, content, PNG) == first
    assert await converted(inspector, b"Bonjour", TEXT) == await converted(
        inspector, b"Bonjour", TEXT
    )


def chunk(name: bytes, content: bytes) -> bytes:
    check = zlib.crc32(name + content)
    return struct.pack("!I", len(content)) + name + content + struct.pack("!I", check)


def bomb(side: int) -> bytes:
    """A black PNG of side x side dots in almost no bytes."""
    head = struct.pack("!IIBBBBB", side, side, 8, 0, 0, 0, 0)
    packer, row = zlib.compressobj(9), bytes(side + 1)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
    )


async def test_a_bomb_is_refused_with_its_size(inspector: Inspector) -> None:
    content = bomb(30_000)
    assert len(content) < 1_000_000

    found = await inspector.convert(content, PNG)

    assert isinstance(found, NotInspected)
    assert found.code == TOO_LARGE
    assert "30,000 x 30,000" in found.detail
    assert "50,000,000" in found.detail
    # The process lived on.
    assert len(inspector._idle) == 1


async def test_a_bomb_behind_the_first_page_is_refused(inspector: Inspector) -> None:
    huge = Image.new("1", (30_000, 30_000), 1)
    first = drawn(mode="1")
    content = saved(first, "TIFF", save_all=True, append_images=[huge], compression="group4")

    found = await inspector.convert(content, TIFF)

    assert isinstance(found, NotInspected)
    assert found.code == TOO_LARGE


async def test_the_largest_picture_that_is_taken_fits_in_the_allowance(
    inspector: Inspector,
) -> None:
    content = saved(Image.new("RGBA", (7071, 7071), (255, 0, 0, 128)), "PNG", compress_level=1)

    page = rendered(await converted(inspector, content, PNG))

    assert near(page.getpixel((297, 420)), (255, 127, 127))


NOISE = Image.effect_noise((300, 300), 80)
DAMAGED: dict[str, tuple[bytes, str]] = {
    "half a JPEG": (saved(NOISE, "JPEG")[:4000], JPEG),
    "half a PNG": (saved(NOISE, "PNG")[:4000], PNG),
    "half a TIFF": (saved(NOISE, "TIFF")[:4000], TIFF),
    "half a packed TIFF": (saved(NOISE, "TIFF", compression="tiff_lzw")[:4000], TIFF),
    "a JPEG's head": (b"\xff\xd8\xff\xe0", JPEG),
    "a PNG's head": (b"\x89PNG\r\n\x1a\n", PNG),
    "a PNG with junk": (b"\x89PNG\r\n\x1a\n" + random.Random(3).randbytes(5000), PNG),
    "a TIFF with junk": (b"II*\0" + random.Random(4).randbytes(5000), TIFF),
    "a picture of another kind": (saved(NOISE, "GIF"), PNG),
    "nothing": (b"", PNG),
}


@pytest.mark.parametrize("kind", DAMAGED)
async def test_a_damaged_picture_is_refused(inspector: Inspector, kind: str) -> None:
    assert await inspector.convert(*DAMAGED[kind]) == NotInspected(INVALID, NO_PICTURE)


async def test_dots_of_an_unknown_kind_are_refused(inspector: Inspector) -> None:
    for mode in ("I", "F"):
        content = saved(Image.new(mode, (10, 10), 1), "TIFF")
        assert await inspector.convert(content, TIFF) == NotInspected(INVALID, MODE)


async def test_pages_without_end_are_refused(inspector: Inspector) -> None:
    """A TIFF whose one page is followed by itself."""
    entries = [(256, 4, 9000), (257, 4, 5000), (258, 3, 1), (259, 3, 4), (262, 3, 0), (273, 4, 8)]
    entries += [(278, 4, 5000), (279, 4, 4)]
    table = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    content = b"II*\0" + struct.pack("<I", 16) + bytes(8)
    content += struct.pack("<H", len(entries)) + table + struct.pack("<I", 16)

    found = await inspector.convert(content, TIFF)

    assert found in (NotInspected(INVALID, NO_PICTURE), NotInspected(INVALID, HOSTILE))


# Texts.


def text_of(content: bytes, page: int | None = None) -> str:
    document = pypdfium2.PdfDocument(content)
    wanted = range(len(document)) if page is None else [page]
    return "\n".join(document[one].get_textpage().get_text_bounded() for one in wanted).replace(
        "\r", ""
    )


CP1252 = "".join(
    bytes([code]).decode("cp1252", errors="replace") for code in range(0x20, 0x100) if code != 0x7F
).replace("\ufffd", "")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
async def test_every_character_of_windows_1252_is_printed(
    inspector: Inspector, encoding: str
) -> None:
    lines = [" ".join(CP1252[first : first + 16]) for first in range(0, len(CP1252), 16)]

    made = await converted(inspector, "\n".join(lines).encode(encoding), TEXT)

    assert len(CP1252) == 218
    read = text_of(made)
    # What reads the PDF takes a soft hyphen and a fixed blank for a hyphen and a blank.
    assert [one for one in CP1252 if one not in read and one not in "\xad\xa0"] == []
    # And each leaves ink: a font that lacks one draws the same box for all of them.
    for character in "œŒ€éà«»ÿŸŽ":
        assert ink(await converted(inspector, character.encode("utf-8"), TEXT)) > 5


def ink(content: bytes) -> int:
    return sum(rendered(content, scale=2).convert("L").histogram()[:128])


async def test_a_text_of_two_hundred_pages_is_set_line_by_line(inspector: Inspector) -> None:
    lines = [f"ligne {number} : 12,50 €" for number in range(200 * 60)]

    made = await converted(inspector, "\r\n".join(lines).encode(), TEXT, pages=200)

    assert text_of(made, 0).split("\n") == lines[:60]
    assert text_of(made, 199).split("\n") == lines[-60:]


async def test_long_lines_are_wrapped_and_lose_nothing(inspector: Inspector) -> None:
    words = " ".join(f"mot{number}" for number in range(60))
    unbroken = "x" * 200

    made = await converted(inspector, f"{words}\n{unbroken}".encode(), TEXT)

    lines = text_of(made).split("\n")
    assert max(map(len, lines)) <= 80
    assert " ".join(lines).split() == [*words.split(), "x" * 80, "x" * 80, "x" * 40]


async def test_tabs_and_blanks_keep_columns(inspector: Inspector) -> None:
    made = await converted(inspector, b"a\tb\n12345678\tb\n        b\n", TEXT)

    textpage = pypdfium2.PdfDocument(made)[0].get_textpage()
    read = textpage.get_text_range()
    left = [round(textpage.get_charbox(at)[0]) for at, one in enumerate(read) if one == "b"]
    assert left[0] == left[2] != left[1]


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("a", 1),
        ("a\f", 1),
        ("a\fb", 2),
        ("a\n\f\nb\f", 2),
        ("a\f\fb", 3),
        ("a\n" * 60, 1),
        ("a\n" * 61, 2),
        ("a\r" * 61, 2),
    ],
)
async def test_a_form_feed_or_a_full_page_begins_another(
    inspector: Inspector, text: str, pages: int
) -> None:
    await converted(inspector, text.encode(), TEXT, pages=pages)


async def test_letters_with_a_separate_accent_are_joined(inspector: Inspector) -> None:
    made = await converted(inspector, unicodedata.normalize("NFD", "été à Noël").encode(), TEXT)

    assert text_of(made) == "été à Noël"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a\nprix 中文", "U+4E2D, U+6587, first in line 2"),
        ("\U0001f600", "U+1F600, first in line 1"),
        ("שלום", "U+05E9"),
        ("سلام", "U+0633"),
        ("x\u0338", "U+0338"),
        ("一二三四五六七", "and 2 more"),
    ],
)
async def test_a_character_that_cannot_be_printed_is_named(
    inspector: Inspector, text: str, named: str
) -> None:
    found = await inspector.convert(text.encode(), TEXT)

    assert isinstance(found, NotInspected)
    assert found.code == INVALID
    assert named in found.detail


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (b"", BLANK),
        (b" \n\t\f", BLANK),
        (b"\xef\xbb\xbf", BLANK),
        (b"a\0b", NO_TEXT),
        (b"a\x1bb", NO_TEXT),
        (b"\x81\x8d", NO_TEXT),
        ("Bonjour".encode("utf-16"), NO_TEXT),
        ("\x85".encode(), NO_TEXT),
    ],
)
async def test_what_is_no_text_is_refused(
    inspector: Inspector, content: bytes, detail: str
) -> None:
    assert await inspector.convert(content, TEXT) == NotInspected(INVALID, detail)


# Faxes.


def scan(seed: int = 1, size: tuple[int, int] = (2480, 3508)) -> Image.Image:
    """A page as a scanner gives it: greyish paper with noise, black words, a coloured box."""
    grain = [Image.effect_noise(size, 20) for _ in range(3)]
    page = Image.blend(Image.new("RGB", size, (240, 236, 225)), Image.merge("RGB", grain), 0.15)
    draw = ImageDraw.Draw(page)
    for line in range(40):
        draw.text(
            (200, 200 + line * 75), f"Contrat {seed} ligne {line}", (25, 25, 35), font_size=48
        )
    draw.rectangle((1500, 3200, 2200, 3350), fill=(120, 160, 220))
    draw.text((1520, 3220), "ACCORD", (0, 0, 0), font_size=90)
    return page


def pictured(*pictures: bytes, size: tuple[int, int] = (595, 842)) -> bytes:
    """A PDF with a JPEG on each page."""
    document = pikepdf.new()
    for picture in pictures:
        with Image.open(io.BytesIO(picture)) as image:
            width, height = image.size
            space = pikepdf.Name.DeviceGray if image.mode == "L" else pikepdf.Name.DeviceRGB
        stream = pikepdf.Stream(document, picture)
        stream.Type, stream.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
        stream.Width, stream.Height, stream.ColorSpace = width, height, space
        stream.BitsPerComponent, stream.Filter = 8, pikepdf.Name.DCTDecode
        document.add_blank_page(page_size=size)
        page = document.pages[-1]
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(I=stream))
        page.Contents = document.make_stream(b"q %d 0 0 %d 0 0 cm /I Do Q" % size)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


async def test_a_colour_scan_is_drawn_in_black_and_white_and_stays_readable(
    inspector: Inspector,
) -> None:
    content = pictured(*(saved(scan(seed), "JPEG", quality=93) for seed in (1, 2)))
    assert len(content) > 3_000_000

    made = await inspector.to_bilevel(content, 1_000_000)

    assert isinstance(made, Inspected)
    assert made.rewritten is not None
    assert made.pages == 2
    assert len(made.rewritten) < 200_000
    with pikepdf.open(io.BytesIO(made.rewritten)) as document:
        picture = document.pages[0].Resources.XObject.P
        assert (int(picture.Width), int(picture.Height)) == (1686, 2292)
        assert (picture.Filter, picture.BitsPerComponent) == ("/CCITTFaxDecode", 1)
    before = rendered(content, scale=2).convert("L").point(lambda value: 255 * (value > 100))
    after = rendered(made.rewritten, scale=2).convert("L").point(lambda value: 255 * (value > 100))
    words = (90, 90, 600, 1550)
    dark = [one.crop(words).histogram()[0] for one in (before, after)]
    assert dark[0] > 5000
    assert 0.7 < dark[1] / dark[0] < 1.6
    # Words on a coloured ground stay, and the ground is not black.
    box = after.crop((735, 1545, 1050, 1600)).histogram()
    assert 0.03 < box[0] / (box[0] + box[255]) < 0.5
    # The paper is white.
    assert after.crop((1000, 100, 1180, 1400)).histogram()[0] == 0


@pytest.mark.parametrize("size", [(595, 842), (842, 595), (1684, 2384), (20, 20), (14400, 100)])
async def test_a_page_keeps_its_shape_and_is_a4_at_most(
    inspector: Inspector, size: tuple[int, int]
) -> None:
    content = pictured(saved(Image.new("L", (50, 50), 0), "JPEG"), size=size)

    made = await inspector.to_bilevel(content, 1_000_000)

    assert isinstance(made, Inspected)
    assert made.rewritten is not None
    ((width, height),) = sizes(made.rewritten)
    assert max(width, height) <= 842
    assert min(width, height) <= 595.5
    assert width / height == pytest.approx(size[0] / size[1], rel=0.05)
    page = rendered(made.rewritten)
    assert page.getpixel((page.width // 2, page.height // 2)) == BLACK


def filled() -> bytes:
    """A form whose one field is filled in."""
    document = pikepdf.new()
    document.add_blank_page(page_size=(595, 842))
    look = document.make_stream(b"0 g 0 0 200 100 re f")
    look.Type, look.Subtype, look.BBox = pikepdf.Name.XObject, pikepdf.Name.Form, [0, 0, 200, 100]
    field = document.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Tx, F=4,
            T=pikepdf.String("a"), V=pikepdf.String("b"), Rect=[100, 100, 300, 200],
            AP=pikepdf.Dictionary(N=look),
        )
    )  # fmt: skip
    document.pages[0].Annots = pikepdf.Array([field])
    document.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([field]))
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


async def test_what_is_filled_in_is_drawn(inspector: Inspector) -> None:
    made = await inspector.to_bilevel(filled(), 1_000_000)

    assert isinstance(made, Inspected)
    assert made.rewritten is not None
    assert rendered(made.rewritten).getpixel((200, 842 - 150)) == BLACK


async def test_what_stays_too_large_says_how_far_it_came(inspector: Inspector) -> None:
    dots = saved(Image.effect_noise((800, 1100), 200), "JPEG", quality=80)
    content = pictured(*[dots] * 9)

    found = await inspector.to_bilevel(content, 500_000)

    assert isinstance(found, Overlarge)
    assert found.size > 500_000
    assert 1 <= found.drawn < found.pages == 9


async def test_junk_is_not_drawn(inspector: Inspector) -> None:
    assert await inspector.to_bilevel(b"%PDF-1.7\njunk", 1000) == NotInspected(INVALID, BROKEN)


async def test_large_pictures_do_not_stay_in_memory(inspector: Inspector) -> None:
    large = saved(Image.new("RGBA", (6000, 6000), (0, 0, 0, 128)), "PNG", compress_level=1)

    for _ in range(3):
        await converted(inspector, large, PNG)
    made = await converted(inspector, b"Bonjour", TEXT)

    (process,) = inspector._idle
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    (resident,) = re.findall(r"VmRSS:\s+(\d+) kB", status)
    assert int(resident) < 100_000
    assert await inspector.inspect(made, rewrite=True) != NotInspected(INVALID, HOSTILE)


def test_only_drawing_may_take_more_than_looking() -> None:
    looking = ALLOWED[Task.LOOK]
    for task, allowed in ALLOWED.items():
        assert allowed.draws is (task not in {Task.LOOK, Task.REWRITE})
        assert allowed.memory >= looking.memory
        # Time that is used must not outlast the patience, or who computes is killed unasked.
        assert allowed.seconds * 2 <= allowed.patience
