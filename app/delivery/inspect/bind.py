"""Bind pictures to a PDF, one a page, each compressed as suits it."""

import io
import zlib
from typing import Final

import pikepdf
from pikepdf import Dictionary, Name, Stream
from PIL import Image, ImageChops

POINTS: Final = 72  # to the inch
A4: Final = (210 / 25.4 * POINTS, 297 / 25.4 * POINTS)  # points

_QUALITY: Final = 90  # of a JPEG: letters and edges stay clean
_FEW: Final = 64  # colours: a drawing and no photograph, which a JPEG would blur
_ROWS_PER_STRIP: Final = 278  # a tag of TIFF
_STRIP: Final = 273  # where a strip begins
_STRIP_SIZE: Final = 279  # bytes


class Binder:
    """A PDF in the making."""

    def __init__(self) -> None:
        self._pdf = pikepdf.new()
        self.size = 0  # bytes of its pictures; the rest is little
        self.pages = 0

    def add(
        self, image: Image.Image, page: tuple[float, float], placed: tuple[float, float]
    ) -> None:
        """Add a page with a picture of mode 1, L or RGB in its middle; sizes in points."""
        (width, height), (across, down) = page, placed
        left, bottom = (width - across) / 2, (height - down) / 2
        picture = self._stream(image)
        self.size += len(picture.read_raw_bytes())
        draw = f"q {across:.3f} 0 0 {down:.3f} {left:.3f} {bottom:.3f} cm /P Do Q"
        self._pdf.add_blank_page(page_size=page)
        added = self._pdf.pages[-1]
        added.MediaBox = [0, 0, round(width, 3), round(height, 3)]
        added.Resources = Dictionary(XObject=Dictionary(P=self._pdf.make_indirect(picture)))
        added.Contents = self._pdf.make_stream(draw.encode())
        self.pages += 1

    def bound(self) -> bytes:
        """Return the PDF: of the same pictures always the same bytes."""
        out = io.BytesIO()
        self._pdf.save(out, deterministic_id=True)
        return out.getvalue()

    def _stream(self, image: Image.Image) -> Stream:
        if image.mode == "1":
            content, extra = _group4(image)
        elif image.getcolors(_FEW) is None:
            content, extra = _jpeg(image)
        else:
            content = zlib.compress(image.tobytes(), 6)
            extra = Dictionary(Filter=Name.FlateDecode, BitsPerComponent=8)
        stream = Stream(self._pdf, content)
        stream.Type, stream.Subtype = Name.XObject, Name.Image
        stream.Width, stream.Height = image.size
        stream.ColorSpace = Name.DeviceRGB if image.mode == "RGB" else Name.DeviceGray
        for name, value in extra.items():
            stream[name] = value
        return stream


def _jpeg(image: Image.Image) -> tuple[bytes, Dictionary]:
    out = io.BytesIO()
    # Its own comment would be copied from the picture that came.
    image.save(out, "JPEG", quality=_QUALITY, subsampling=0, comment=b"")
    return out.getvalue(), Dictionary(Filter=Name.DCTDecode, BitsPerComponent=8)


def _group4(image: Image.Image) -> tuple[bytes, Dictionary]:
    """Return the one strip of a TIFF, which is what a PDF's filter of the same name reads."""
    out = io.BytesIO()
    # The code's white is zero, and Pillow's is one; it would turn each dot by itself, slowly.
    turned = ImageChops.invert(image)
    turned.save(out, "TIFF", compression="group4", tiffinfo={_ROWS_PER_STRIP: image.height})
    with Image.open(out, formats=["TIFF"]) as made:
        (begin,), (size,) = made.tag_v2[_STRIP], made.tag_v2[_STRIP_SIZE]  # type: ignore[attr-defined]
    parameters = Dictionary(K=-1, Columns=image.width, Rows=image.height)
    extra = Dictionary(Filter=Name.CCITTFaxDecode, DecodeParms=parameters, BitsPerComponent=1)
    return out.getvalue()[begin : begin + size], extra
