"""Draw a PDF's pages as a fax machine will: black and white, 204 by 196 dots to the inch."""

from typing import Final

import pypdfium2
from PIL import Image, ImageChops, ImageFilter

from app.delivery.inspect.bind import A4, POINTS, Binder
from app.delivery.inspect.look import Found
from app.delivery.inspect.refuse import BROKEN, Refused

ACROSS: Final = 204  # dots per inch: ITU-T T.4, "fine"
DOWN: Final = 196

# A dot is black where it is dark, or darker than what lies around it: text stays on a grey or
# coloured ground, and a light one stays readable on white.
_DARK: Final = 96  # of 255
_DARKER: Final = 24  # than the mean around it
_AROUND: Final = 20  # dots: 2.5 mm


def rasterise(content: bytes, largest: int) -> Found:
    """Return the PDF of the drawn pages, or how far `largest` bytes went."""
    binder = Binder()
    try:
        document = pypdfium2.PdfDocument(content)
        document.init_forms()  # or what is filled in would not be drawn
        pages = len(document)
        for number in range(pages):
            _add(binder, document[number])
            if binder.size > largest:
                return {"size": binder.size, "drawn": number + 1, "pages": pages}, b""
    except pypdfium2.PdfiumError:
        raise Refused(BROKEN) from None
    bound = binder.bound()
    if len(bound) > largest:
        return {"size": len(bound), "drawn": pages, "pages": pages}, b""
    return {"pages": pages}, bound


def _add(binder: Binder, page: pypdfium2.PdfPage) -> None:
    width, height = page.get_size()
    # A machine shrinks what is larger than its paper.
    shrunk = min(1.0, A4[0] / min(width, height), A4[1] / max(width, height))
    bitmap = page.render(
        scale=ACROSS / POINTS * shrunk, grayscale=True, optimize_mode="print", may_draw_forms=True
    )
    grey = bitmap.to_pil()
    lines = max(1, round(grey.height * DOWN / ACROSS))
    bilevel = _bilevel(grey.resize((grey.width, lines), Image.Resampling.BICUBIC))
    size = width * shrunk, height * shrunk
    binder.add(bilevel, size, size)
    page.close()


def _bilevel(grey: Image.Image) -> Image.Image:
    around = grey.filter(ImageFilter.BoxBlur(_AROUND))
    darker = ImageChops.subtract(around, grey).point([0] * (_DARKER + 1) + [255] * (255 - _DARKER))
    dark = grey.point([255] * _DARK + [0] * (256 - _DARK))
    black = ImageChops.lighter(dark, darker)
    return ImageChops.invert(black).convert("1", dither=Image.Dither.NONE)
