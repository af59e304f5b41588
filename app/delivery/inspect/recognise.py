"""Recognise what a file is, by its first bytes; a plain text has none, and needs its name."""

import mimetypes
from typing import Final

PDF: Final = "application/pdf"
PNG: Final = "image/png"
JPEG: Final = "image/jpeg"
TIFF: Final = "image/tiff"
TEXT: Final = "text/plain"

_SIGNATURES: Final = {
    b"%PDF-": PDF,
    b"\x89PNG\r\n\x1a\n": PNG,
    b"\xff\xd8\xff": JPEG,
    b"II*\0": TIFF,
    b"MM\0*": TIFF,
    b"II+\0": TIFF,  # of more than 4 GB, and now and then of less
    b"MM\0+": TIFF,
}


def signature_of(content: bytes) -> str | None:
    """Return the type of a PDF, PNG, JPEG or TIFF, which its first bytes tell, or None."""
    return next((kind for begin, kind in _SIGNATURES.items() if content.startswith(begin)), None)


def media_type_of(content: bytes, name: str) -> str:
    """Return the type that a file's first bytes tell, else the one that its name tells."""
    return signature_of(content) or mimetypes.guess_type(name)[0] or "application/octet-stream"
