"""What 123-fax takes as a document: one PDF of at most 1 Mo."""

import hashlib
from dataclasses import replace
from typing import Final

from app.delivery.inspect import Inspector, NotInspected
from app.domain.errors import FieldError
from app.domain.message import File

# "Le poids de votre fichier ne doit pas dépasser 1Mo": decimal, the stricter reading.
LARGEST: Final = 1_000_000  # bytes
POINTER: Final = "/document"


async def fitted(
    inspector: Inspector, file: File, content: bytes
) -> tuple[File, bytes] | FieldError:
    """Return a document that fits, rewritten without loss if it must be, or what is wrong."""
    if file.media_type != "application/pdf":
        return FieldError(POINTER, "document_invalid", "A fax is sent from one PDF document.")
    if file.pages is not None and len(content) <= LARGEST:
        # It was looked at when it came in.
        return file, content
    inspected = await inspector.inspect(content, rewrite=len(content) > LARGEST)
    if isinstance(inspected, NotInspected):
        return FieldError(POINTER, inspected.code, inspected.detail)
    smallest = inspected.rewritten or content
    if len(smallest) > LARGEST:
        detail = (
            f"The document has {len(smallest):,} bytes after a rewrite without loss;"
            f" 123-fax takes at most {LARGEST:,}. Send fewer pages or a lower resolution."
        )
        return FieldError(POINTER, "document_too_large", detail)
    digest = hashlib.sha256(smallest).hexdigest()
    return replace(file, sha256=digest, size=len(smallest), pages=inspected.pages), smallest
