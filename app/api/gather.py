"""Gather the files of a request: those that it holds, and those that were uploaded before."""

import asyncio
import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any
from uuid import UUID

from app.api.base64s import Decoded, decoded
from app.api.bodies import LONG
from app.api.convert import as_pdf
from app.api.schemas import FileIn
from app.delivery.gateway import Gateway
from app.delivery.inspect import PDF, Inspector, NotInspected
from app.domain.errors import FieldError
from app.domain.identifiers import DOCUMENT, read
from app.domain.message import File
from app.store import documents


@dataclass(slots=True)
class Gathered:
    """What is found out about a request: files, errors and warnings."""

    files: dict[str, bytes] = field(default_factory=dict)  # by SHA-256
    errors: list[FieldError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _derived: dict[str, str] = field(default_factory=dict)  # of one request: a batch repeats them

    def copied(self) -> "Gathered":
        """Return what was found out so far, to go on with for one message of several."""
        return Gathered(dict(self.files), list(self.errors), list(self.warnings), self._derived)

    def derived(self, derive: Callable[[str], str], source: str) -> str:
        """Return what is derived from a body, once however many messages share it."""
        if source not in self._derived:
            self._derived[source] = derive(source)
        return self._derived[source]

    def refuse(self, pointer: str, code: str, detail: str) -> None:
        """Note what is wrong with a field."""
        self.errors.append(FieldError(pointer, code, detail))


async def gather_files(
    gateway: Gateway,
    client_id: UUID,
    given: Mapping[str, FileIn],
    *,
    limit: int,
    pdf_only: bool,
    brought: Mapping[str, Decoded] = MappingProxyType({}),
) -> tuple[list[File], Gathered]:
    """Return the files that a request names or holds, by their pointers, and their bytes.

    `brought` are those that were decoded already.
    """
    gathered = Gathered()
    uploaded = await _uploaded(gateway, client_id, given, gathered)
    files = []
    for pointer, one in given.items():
        if one.document_id is not None:
            row = uploaded.get(pointer)
            file = row and File(
                sha256=row["sha256"],
                name=one.filename or row["filename"],
                media_type=row["media_type"],
                size=row["size"],
                pages=row["pages"],
            )
        else:
            usual = "document.pdf" if pdf_only else None
            found = brought.get(pointer) or await _decoded(one.content_base64 or "")
            file = await _inline(gateway.inspector, one, pointer, gathered, found, usual)
        if file is not None and pdf_only:
            file = await _as_pdf(gateway.inspector, file, pointer, gathered)
        if file is not None:
            files.append(file)
    size = sum(file.size for file in files)
    if size > limit:
        detail = f"The files have {size:,} bytes together; {limit:,} are taken."
        gathered.refuse(next(iter(given)), "files_too_large", detail)
    # What a PDF was made of is not part of the message.
    gathered.files = {file.sha256: gathered.files[file.sha256] for file in files}
    return files, gathered


async def _as_pdf(
    inspector: Inspector, file: File, pointer: str, gathered: Gathered
) -> File | None:
    made = await as_pdf(inspector, file, gathered.files[file.sha256], pointer)
    if isinstance(made, FieldError):
        gathered.errors.append(made)
        return None
    document, content = made
    if document.sha256 != file.sha256:
        gathered.warnings.append(f"converted:{pointer}")
    gathered.files[document.sha256] = content
    return document


async def _uploaded(
    gateway: Gateway, client_id: UUID, given: Mapping[str, FileIn], gathered: Gathered
) -> dict[str, Any]:
    wanted = {
        pointer: read(DOCUMENT, one.document_id)
        for pointer, one in given.items()
        if one.document_id is not None
    }
    if not wanted:
        return {}
    async with gateway.database.reading() as connection:
        identifiers = {one for one in wanted.values() if one is not None}
        rows = await documents.find(connection, client_id, identifiers)
        known = {row["id"]: row for row in rows}
        contents = await documents.load(connection, {row["sha256"] for row in rows})
    for pointer, identifier in wanted.items():
        if identifier not in known:
            detail = "You have no such document; upload it with POST /v1/documents."
            gathered.refuse(f"{pointer}/document_id", "document_unknown", detail)
    gathered.files |= contents
    return {pointer: known[one] for pointer, one in wanted.items() if one in known}


async def _decoded(text: str) -> Decoded | None:
    if not text.isascii():
        return None
    if len(text) < LONG:
        return decoded(text.encode())
    return await asyncio.to_thread(decoded, text.encode())


async def _inline(
    inspector: Inspector,
    one: FileIn,
    pointer: str,
    gathered: Gathered,
    found: Decoded | None,
    usual_name: str | None,
) -> File | None:
    if found is None:
        detail = "This is not base 64 of RFC 4648, section 4; send no line breaks in it."
        gathered.refuse(f"{pointer}/content_base64", "base64_invalid", detail)
        return None
    content = found.content
    if not content:
        gathered.refuse(f"{pointer}/content_base64", "too_short", "The file is empty.")
        return None
    name = one.filename or usual_name
    if name is None:
        gathered.refuse(f"{pointer}/filename", "missing", "Give the name the recipient sees.")
        return None
    pages, media_type = None, mimetypes.guess_type(name)[0] or "application/octet-stream"
    if usual_name is None and media_type == PDF:
        inspected = await inspector.inspect(content)
        if isinstance(inspected, NotInspected):
            gathered.refuse(pointer, inspected.code, inspected.detail)
            return None
        pages, media_type = inspected.pages, PDF
    gathered.files[found.sha256] = content
    return File(
        sha256=found.sha256, name=name, media_type=media_type, size=len(content), pages=pages
    )
