"""Make a PDF of a document that came as a picture or a text."""

import hashlib
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from app.delivery.inspect import (
    INVALID,
    JPEG,
    PDF,
    PNG,
    TEXT,
    TIFF,
    Inspector,
    NotInspected,
    signature_of,
)
from app.domain.errors import FieldError
from app.domain.message import File

CONVERTIBLE: Final = frozenset({PNG, JPEG, TIFF, TEXT})
_WANTED: Final = (
    "This is no PDF, PNG, JPEG or TIFF, and its name is not that of a plain text;"
    " send one of them, or a text whose filename ends in .txt."
)
_LONGEST_NAME: Final = 150  # characters, as of every file


async def as_pdf(
    inspector: Inspector, file: File, content: bytes, pointer: str
) -> tuple[File, bytes] | FieldError:
    """Return a document as a PDF with its pages counted, or what is wrong with it.

    What the bytes are decides; for a plain text, what its sender calls them.
    """
    if file.pages is not None:
        # It is a PDF, and was looked at when it came in.
        return file, content
    media_type = signature_of(content) or file.media_type
    if media_type in CONVERTIBLE:
        made = await inspector.convert(content, media_type)
    elif b"%PDF-" in content[:1024]:
        made = await inspector.inspect(content)
    else:
        made = NotInspected(INVALID, _WANTED)
    if isinstance(made, NotInspected):
        return FieldError(pointer, made.code, made.detail)
    document = made.rewritten or content
    name = file.name
    if made.rewritten is not None:
        stem = str(PurePosixPath(name).with_suffix(""))[: _LONGEST_NAME - len(".pdf")]
        name = f"{stem}.pdf"
    digest = hashlib.sha256(document).hexdigest()
    found = replace(
        file, sha256=digest, name=name, media_type=PDF, size=len(document), pages=made.pages
    )
    return found, document
