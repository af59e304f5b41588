"""From what a client sent to what is kept: the domain's contents, their files, and warnings."""

import base64
import binascii
import hashlib
import html
import mimetypes
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from inscriptis import get_text
from inscriptis.model.config import ParserConfig

from app.api.schemas import EmailIn, FaxIn, FileIn, LetterIn, SmsIn
from app.delivery.gateway import Gateway
from app.delivery.inspect import Inspector, NotInspected
from app.domain.errors import FieldError
from app.domain.identifiers import DOCUMENT, read
from app.domain.message import Content, Email, Fax, File, Letter, Sms
from app.domain.segments import segments
from app.store import documents

PDF: Final = "application/pdf"
_FILLER: Final = "."  # for names that the provider demands even of a company
_BLANKS: Final = re.compile(r"\s+")


@dataclass(slots=True)
class Gathered:
    """What is found out about a request: files, errors and warnings."""

    files: dict[str, bytes] = field(default_factory=dict)  # by SHA-256
    errors: list[FieldError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def refuse(self, pointer: str, code: str, detail: str) -> None:
        """Note what is wrong with a field."""
        self.errors.append(FieldError(pointer, code, detail))


def email(body: EmailIn, files: Sequence[File], gathered: Gathered) -> Content:
    """Return an e-mail; the missing one of its two bodies is derived from the other."""
    to = body.to[0]
    if body.from_.name is not None:
        # Efidem's EMETTEUR is "Adresse email d'émission".
        gathered.warnings.append("not_carried:/from/name")
    return Email(
        to_address=to.address,
        to_name=to.name,
        from_address=body.from_.address,
        reply_to=body.reply_to,
        subject=body.subject,
        text=body.text or _as_text(body.html or ""),
        html=body.html or _as_html(body.text or ""),
        files=tuple(files),
    )


def sms(body: SmsIn, _files: Sequence[File], gathered: Gathered) -> Content:
    """Return a text message."""
    parts = segments(body.text)
    if body.max_segments is not None and parts > body.max_segments:
        detail = f"The text takes {parts} parts and max_segments is {body.max_segments}."
        gathered.refuse("/text", "too_many_segments", detail)
    return Sms(to=body.to, text=body.text, sender=body.sender)


def letter(body: LetterIn, files: Sequence[File], gathered: Gathered) -> Content:
    """Return a letter; the provider demands names even of a company."""
    to = body.to
    for name, value in (("last_name", to.last_name), ("first_name", to.first_name)):
        if value is None:
            gathered.warnings.append(f"filled:/to/{name}")
    return Letter(
        title=to.title,
        last_name=to.last_name or to.company or _FILLER,
        first_name=to.first_name or _FILLER,
        company=to.company,
        line1=to.address.line1,
        line2=to.address.line2,
        postal_code=to.address.postal_code,
        city=to.address.city,
        country=to.address.country,
        files=tuple(files),
        color=body.color,
        envelope=body.envelope,
        subject=body.subject,
    )


def fax(body: FaxIn, files: Sequence[File], _gathered: Gathered) -> Content:
    """Return a fax."""
    return Fax(to=body.to, to_name=body.to_name, file=files[0])


async def gather_files(
    gateway: Gateway,
    client_id: UUID,
    given: Mapping[str, FileIn],
    *,
    limit: int,
    pdf_only: bool,
) -> tuple[list[File], Gathered]:
    """Return the files that a request names or holds, by their pointers, and their bytes."""
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
            file = await _inline(gateway.inspector, one, pointer, gathered, usual)
        if file is not None:
            files.append(file)
            if pdf_only and file.media_type != PDF:
                gathered.refuse(pointer, "document_invalid", "Send a PDF document.")
    size = sum(file.size for file in files)
    if size > limit:
        detail = f"The files have {size:,} bytes together; {limit:,} are taken."
        gathered.refuse(next(iter(given)), "files_too_large", detail)
    return files, gathered


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


async def _inline(
    inspector: Inspector, one: FileIn, pointer: str, gathered: Gathered, usual_name: str | None
) -> File | None:
    try:
        content = base64.b64decode(one.content_base64 or "", validate=True)
    except (binascii.Error, ValueError):
        detail = "This is not base 64 of RFC 4648, section 4; send no line breaks in it."
        gathered.refuse(f"{pointer}/content_base64", "base64_invalid", detail)
        return None
    if not content:
        gathered.refuse(f"{pointer}/content_base64", "too_short", "The file is empty.")
        return None
    name = one.filename or usual_name
    if name is None:
        gathered.refuse(f"{pointer}/filename", "missing", "Give the name the recipient sees.")
        return None
    pages, media_type = None, mimetypes.guess_type(name)[0] or "application/octet-stream"
    if usual_name is not None or media_type == PDF:
        inspected = await inspector.inspect(content)
        if isinstance(inspected, NotInspected):
            gathered.refuse(pointer, inspected.code, inspected.detail)
            return None
        pages, media_type = inspected.pages, PDF
    digest = hashlib.sha256(content).hexdigest()
    gathered.files[digest] = content
    return File(sha256=digest, name=name, media_type=media_type, size=len(content), pages=pages)


def _as_html(text: str) -> str:
    lines = html.escape(text).replace("\r\n", "\n").replace("\n", "<br>\n")
    return f"<html><body><p>{lines}</p></body></html>"


def _as_text(markup: str) -> str:
    text = get_text(markup, ParserConfig(display_links=True)).strip()
    # A mail of pictures alone has no text; the provider demands one.
    return text or _BLANKS.sub(" ", markup)[:200]
