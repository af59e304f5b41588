"""Make a PDF of a picture: A4, a page for each of a TIFF's pictures, never larger than it is."""

import io
import struct
import zlib
from typing import Final

from PIL import Image, ImageOps

from app.delivery.inspect.bind import A4, POINTS, Binder
from app.delivery.inspect.look import Found
from app.delivery.inspect.refuse import MODE, NO_PICTURE, TOO_LARGE, Refused

MOST_PIXELS: Final = 50_000_000  # of one page: A4 at 600 dpi has 35 million
_DENSEST: Final = 300  # dots per inch that are kept: more than any printer of letters shows
_USUAL: Final = (96.0, 96.0)  # dots per inch of a picture that does not say, as on a screen
_LIKELY: Final = (50, 2400)  # dots per inch
_ORIENTATION: Final = 274  # a tag of EXIF
_TURNED: Final = 5  # and above: width and height change places

_FORMATS: Final = {"image/png": "PNG", "image/jpeg": "JPEG", "image/tiff": "TIFF"}
_SIXTEEN_BITS: Final = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
_UNREADABLE: Final = frozenset({"I", "F"})  # 32 bits: nothing says which of them is white
_KEPT: Final = frozenset({"1", "L", "RGB"})
_BLACK_AND_WHITE: Final = ({0, 255}, {(0, 0, 0), (255, 255, 255)})

# What Pillow raises for bytes that are not what they should be.
_DAMAGE: Final = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, OverflowError,
    struct.error, zlib.error,
)  # fmt: skip


def draw(content: bytes, media_type: str) -> Found:
    """Return the PDF of a PNG, a JPEG or a TIFF, and its pages."""
    Image.MAX_IMAGE_PIXELS = None  # ours is below, and says what to do
    binder = Binder()
    try:
        with Image.open(io.BytesIO(content), formats=[_FORMATS[media_type]]) as image:
            pages = getattr(image, "n_frames", 1) if media_type == "image/tiff" else 1
            for number in range(pages):
                image.seek(number)
                _add(binder, image)
    except _DAMAGE:
        raise Refused(NO_PICTURE) from None
    return {"pages": binder.pages}, binder.bound()


def _add(binder: Binder, image: Image.Image) -> None:
    width, height = image.size
    if width * height > MOST_PIXELS:
        detail = (
            f"The picture has {width:,} x {height:,} pixels; {MOST_PIXELS:,} are taken."
            " Send it with a lower resolution."
        )
        raise Refused(detail, TOO_LARGE)
    # A TIFF is turned when it is loaded, and then no longer says that it was.
    turned = image.getexif().get(_ORIENTATION, 1) >= _TURNED
    across, down = _density(image)
    flat = _flattened(ImageOps.exif_transpose(image))
    if turned:
        across, down = down, across
    inches = flat.width / across, flat.height / down
    page = A4 if inches[0] <= inches[1] else A4[::-1]
    shrunk = min(1.0, *(room / POINTS / inch for room, inch in zip(page, inches, strict=True)))
    placed = inches[0] * shrunk, inches[1] * shrunk
    binder.add(_thinned(flat, placed), page, (placed[0] * POINTS, placed[1] * POINTS))


def _density(image: Image.Image) -> tuple[float, float]:
    """Return dots per inch, across and down: of a fax they differ."""
    across, down = (float(value) for value in image.info.get("dpi", _USUAL))
    least, most = _LIKELY
    return (across, down) if least <= across <= most and least <= down <= most else _USUAL


def _flattened(image: Image.Image) -> Image.Image:
    """Return a picture of mode 1, L or RGB, on white where one sees through it."""
    if image.mode in _UNREADABLE:
        raise Refused(MODE)
    if image.mode in _SIXTEEN_BITS:
        # A mere conversion would make everything above 255 white.
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGB", image.size, "white")
        paper.paste(image, mask=image.getchannel("A"))
        image = paper
    elif image.mode not in _KEPT:
        image = image.convert("RGB")
    colours = image.getcolors(2) if image.mode != "1" else None
    if colours is not None and any({one for _, one in colours} <= two for two in _BLACK_AND_WHITE):
        return image.convert("1", dither=Image.Dither.NONE)
    return image


def _thinned(image: Image.Image, inches: tuple[float, float]) -> Image.Image:
    """Return a picture without the pixels that no page of paper would show."""
    most = tuple(max(1, round(inch * _DENSEST)) for inch in inches)
    if image.mode == "1" or (image.width <= most[0] and image.height <= most[1]):
        return image
    size = min(image.width, most[0]), min(image.height, most[1])
    return image.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
