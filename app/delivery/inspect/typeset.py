"""Make a PDF of a plain text: A4, 60 lines of 80 characters to the page."""

import io
import textwrap
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from app.delivery.inspect.bind import A4
from app.delivery.inspect.look import Found
from app.delivery.inspect.refuse import BLANK, NO_TEXT, Refused

# Every character is as wide as another, so that columns made of blanks stay columns.
_FONT: Final = TTFont("text", str(Path(__file__).parent / "fonts" / "DejaVuSansMono.ttf"))
_SIZE: Final = 10  # points
_LEADING: Final = 12  # points from line to line
_MARGIN: Final = 20 / 25.4 * 72  # points
COLUMNS: Final = 80
LINES: Final = 60
_TAB: Final = 8  # columns

_LAYOUT: Final = frozenset("\t\n\f")
# They are not seen, and the font would leave a gap for them.
_UNSEEN: Final = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_LEFTWARDS: Final = frozenset({"R", "AL", "AN"})  # written from right to left
_MARKS: Final = frozenset({"Mn", "Me", "Mc"})  # that no letter took up
_SHOWN: Final = 5  # characters that a refusal names


def typeset(content: bytes) -> Found:
    """Return the PDF of a text, and its pages."""
    text = _decoded(content)
    _check(text)
    out = io.BytesIO()
    pdfmetrics.registerFont(_FONT)
    # Of the same text always the same bytes.
    canvas = Canvas(out, pagesize=A4, invariant=1, pageCompression=1)
    pages = 0
    for lines in _pages(text):
        written = canvas.beginText(_MARGIN, A4[1] - _MARGIN - _SIZE)
        written.setFont(_FONT.fontName, _SIZE, _LEADING)
        for line in lines:
            written.textLine(line)
        canvas.drawText(written)
        canvas.showPage()
        pages += 1
    canvas.save()
    return {"pages": pages}, out.getvalue()


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_UNSEEN)
        return unicodedata.normalize("NFC", text)
    raise Refused(NO_TEXT)


def _check(text: str) -> None:
    """Refuse what would not be printed as it is written."""
    used = set(text) - _LAYOUT
    if any(unicodedata.category(one) == "Cc" for one in used):
        raise Refused(NO_TEXT)
    if not text.strip():
        raise Refused(BLANK)
    strange = {one for one in used if not _is_printed(one)}
    if not strange:
        return
    first = sorted(strange, key=text.index)
    line = text.count("\n", 0, text.index(first[0])) + 1
    named = ", ".join(f"U+{ord(one):04X}" for one in first[:_SHOWN])
    more = f" and {len(first) - _SHOWN} more" if len(first) > _SHOWN else ""
    detail = (
        f"The text has characters that are not printed here: {named}{more}, first in line {line}."
        " Replace them, or send a PDF."
    )
    raise Refused(detail)


def _is_printed(character: str) -> bool:
    return (
        ord(character) in _FONT.face.charToGlyph
        and unicodedata.bidirectional(character) not in _LEFTWARDS
        and unicodedata.category(character) not in _MARKS
    )


def _pages(text: str) -> Iterator[list[str]]:
    """Return the lines of each page; a form feed begins a new one."""
    for part in text.removesuffix("\f").split("\f"):
        lines = [row for line in part.removesuffix("\n").split("\n") for row in _rows(line)]
        for first in range(0, len(lines), LINES):
            yield lines[first : first + LINES]


def _rows(line: str) -> list[str]:
    """Return a line in pieces that fit, broken at blanks where there are any."""
    line = line.expandtabs(_TAB).rstrip(" ")
    if len(line) <= COLUMNS:
        return [line]
    return textwrap.wrap(
        line, COLUMNS, expand_tabs=False, replace_whitespace=False, break_on_hyphens=False
    )
