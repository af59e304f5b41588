"""Open a PDF, count its pages, and write it anew without loss."""

import io

import pikepdf

from app.delivery.inspect.refuse import BROKEN, EMPTY, ENCRYPTED, Refused

Found = tuple[dict[str, object], bytes]


def look(content: bytes) -> Found:
    """Return how many pages a PDF has."""
    return _opened(content, rewrite=False)


def rewrite(content: bytes) -> Found:
    """Return how many pages a PDF has, and the same pages in fewer bytes."""
    return _opened(content, rewrite=True)


def _opened(content: bytes, *, rewrite: bool) -> Found:
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            if pdf.is_encrypted:
                raise Refused(ENCRYPTED)
            pages = len(pdf.pages)
            if pages == 0:
                raise Refused(EMPTY)
            return {"pages": pages}, _rewritten(pdf) if rewrite else b""
    except pikepdf.PasswordError:
        raise Refused(ENCRYPTED) from None
    except (pikepdf.PdfError, ValueError):
        raise Refused(BROKEN) from None


def _rewritten(pdf: pikepdf.Pdf) -> bytes:
    pdf.remove_unreferenced_resources()
    out = io.BytesIO()
    pdf.save(
        out,
        compress_streams=True,
        recompress_flate=True,
        object_stream_mode=pikepdf.ObjectStreamMode.generate,
    )
    return out.getvalue()
