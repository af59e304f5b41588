"""What 123-fax takes as a document: one PDF of at most 1 Mo."""

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from app.delivery.inspect import Inspector, NotInspected, Overlarge
from app.domain.errors import FieldError
from app.domain.message import File

# "Le poids de votre fichier ne doit pas dépasser 1Mo": decimal, the stricter reading.
LARGEST: Final = 1_000_000  # bytes
POINTER: Final = "/document"
RECOMPRESSED: Final = f"recompressed:{POINTER}"  # a warning: drawn anew in black and white


@dataclass(frozen=True, slots=True)
class Fitted:
    """A document that 123-fax takes."""

    file: File
    content: bytes
    warnings: tuple[str, ...] = ()


async def fitted(inspector: Inspector, file: File, content: bytes) -> Fitted | FieldError:
    """Return a document that fits, or what is wrong.

    What is too large is rewritten without loss; where that does not help, it is drawn in black
    and white at the resolution of a fax, which is all that arrives of it in any case.
    """
    if file.media_type != "application/pdf":
        return FieldError(POINTER, "document_invalid", "A fax is sent from one PDF document.")
    if file.pages is not None and len(content) <= LARGEST:
        # It was looked at when it came in.
        return Fitted(file, content)
    inspected = await inspector.inspect(content, rewrite=len(content) > LARGEST)
    if isinstance(inspected, NotInspected):
        return FieldError(POINTER, inspected.code, inspected.detail)
    smallest = inspected.rewritten or content
    if len(smallest) <= LARGEST:
        return _with(file, smallest, inspected.pages)
    drawn = await inspector.to_bilevel(smallest, LARGEST)
    if isinstance(drawn, NotInspected):
        return FieldError(POINTER, drawn.code, drawn.detail)
    if isinstance(drawn, Overlarge):
        return _too_large(len(smallest), drawn)
    assert drawn.rewritten is not None
    return _with(file, drawn.rewritten, drawn.pages, RECOMPRESSED)


def _with(file: File, content: bytes, pages: int, *warnings: str) -> Fitted:
    digest = hashlib.sha256(content).hexdigest()
    return Fitted(replace(file, sha256=digest, size=len(content), pages=pages), content, warnings)


def _too_large(size: int, drawn: Overlarge) -> FieldError:
    part = "its" if drawn.drawn == drawn.pages else f"the first {drawn.drawn} of its"
    detail = (
        f"The document has {size:,} bytes after a rewrite without loss, and {part} {drawn.pages}"
        f" pages have {drawn.size:,} bytes in black and white at fax resolution; 123-fax takes at"
        f" most {LARGEST:,}. Send fewer pages, or pages with less on them."
    )
    return FieldError(POINTER, "document_too_large", detail)
