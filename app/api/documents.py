"""Documents: uploaded once, used by messages, and read back as what is known about them."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.api import answers, bodies
from app.api.edge import (
    CallerDep,
    EdgeDep,
    IdempotencyKeyHeader,
    first_answer,
    key_of,
    take_in,
)
from app.api.schemas import FileIn
from app.api.shapes import DocumentOut
from app.delivery.accept import Answer, Arrival
from app.delivery.inspect import (
    JPEG,
    PDF,
    PNG,
    TEXT,
    TIFF,
    Inspector,
    NotInspected,
    media_type_of,
    signature_of,
)
from app.domain.errors import (
    DocumentInvalid,
    FieldError,
    MalformedRequest,
    NotFound,
    PayloadTooLarge,
    UnsupportedMediaType,
)
from app.domain.identifiers import DOCUMENT, read, shown
from app.domain.message import Channel
from app.store import documents

router = APIRouter(prefix="/v1/documents", tags=["documents"])

_SENDS: Final = tuple(f"{channel}:send" for channel in Channel)
_BINARY: Final = {"type": "string", "format": "binary"}
# What a document is called that came as the body itself.
_NAMES: Final = {
    PDF: "document.pdf",
    PNG: "document.png",
    JPEG: "document.jpg",
    TIFF: "document.tiff",
    TEXT: "document.txt",
}
_KINDS: Final = (
    f"Send the document with its Content-Type ({', '.join(_NAMES)}), or in a multipart form's field"
    " `file`."
)
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            **{media_type: {"schema": _BINARY} for media_type in _NAMES},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": _BINARY},
                }
            },
        },
    }
}


@router.post("", status_code=201, response_model=DocumentOut, openapi_extra=_BODY)
async def upload_document(
    request: Request,
    edge: EdgeDep,
    caller: CallerDep,
    idempotency_key: IdempotencyKeyHeader = None,
) -> Response:
    """Keep a document: the body itself, or one file of a multipart form.

    A PDF, PNG, JPEG, TIFF or plain text can be faxed or printed; it is kept as it came, and made
    a PDF by the message that uses it. It takes a scope to send, on whichever channel.
    """
    caller.may(*_SENDS)
    filename, content = await _read(request, edge.attachment_limit)
    digest = await _digest(content)
    key = key_of(edge, caller, idempotency_key, request, [filename, digest])
    answer = await first_answer(edge, key)
    if answer is None:
        media_type, pages = await _looked_at(edge.gateway.inspector, filename, content)
        row = {
            "id": edge.gateway.ids.new(),
            "client_id": caller.client_id,
            "sha256": digest,
            "filename": filename,
            "media_type": media_type,
            "size": len(content),
            "pages": pages,
            "created_at": edge.gateway.now(),
        }
        answer = Answer(
            status=201,
            location=f"/v1/documents/{shown(DOCUMENT, row['id'])}",  # type: ignore[arg-type]
            body=json.dumps(answers.document(row), ensure_ascii=False),
        )
        arrival = Arrival(
            object_id=row["id"],  # type: ignore[arg-type]
            answer=answer,
            key=key,
            document=row,
            files={digest: content},
        )
        answer = await take_in(edge, arrival)
    headers = {"Location": answer.location}
    if answer.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(answer.body, answer.status, headers, media_type="application/json")


@router.get("/{document_id}", response_model=DocumentOut)
async def get_document(
    document_id: Annotated[str, Path()], edge: EdgeDep, caller: CallerDep
) -> Response:
    """Return what is known about a document of yours."""
    caller.may(*_SENDS, "messages:read")
    identifier = read(DOCUMENT, document_id)
    if identifier is None:
        raise NotFound
    async with edge.gateway.database.reading() as connection:
        rows = await documents.find(connection, caller.client_id, [identifier])
    if not rows:
        raise NotFound
    return JSONResponse(answers.document(rows[0]))


async def _read(request: Request, limit: int) -> tuple[str, bytes]:
    """Return a file's name and bytes."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind in _NAMES:
        content = await bodies.read_bytes(request, limit)
        found = signature_of(content)
        if content and found is None and kind.startswith("image/"):
            raise DocumentInvalid(f"The body is no {kind}; send what Content-Type says.")
        return _NAMES[found or kind], content
    if kind != "multipart/form-data":
        raise UnsupportedMediaType(_KINDS)
    # The form's own lines come on top of the file's bytes.
    body = await bodies.read_bytes(request, limit + 65_536)
    filename, content = await _only_file(request, body)
    if len(content) > limit:
        raise PayloadTooLarge(f"The document may have {limit:,} bytes; send less.")
    # The name takes the same rule as everywhere.
    name = bodies.validated(FileIn, {"filename": filename, "document_id": "-"}).filename
    return name or "document.pdf", content


async def _only_file(request: Request, body: bytes) -> tuple[str | None, bytes]:
    """Return the name and bytes of a form's one file."""

    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    unreadable = MalformedRequest("The multipart form cannot be read.")
    _, options = parse_options_header(request.headers["content-type"])
    end = b"--" + options.get(b"boundary", b"") + b"--"
    if end not in body:  # the reader would take a form that was cut
        raise unreadable
    try:
        form = await MultiPartParser(
            request.headers, whole(), max_files=1, max_fields=10, max_part_size=65_536
        ).parse()
    except (MultiPartException, MultipartParseError, KeyError, UnicodeDecodeError):
        raise unreadable from None
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile) or len(form.multi_items()) != 1:
            error = FieldError("/file", "missing", "Send one file, in the form's field `file`.")
            raise bodies.failed([error])
        return file.filename, await file.read()
    finally:
        await form.close()


async def _digest(content: bytes) -> str:
    """Return the SHA-256 of a file; others are not kept waiting for the milliseconds of a large one."""
    if len(content) <= bodies.AT_ONCE:
        return documents.digest(content)
    return await asyncio.to_thread(documents.digest, content)


async def _looked_at(inspector: Inspector, filename: str, content: bytes) -> tuple[str, int | None]:
    """Return a file's media type, and a PDF's pages; refuse a PDF that does not open."""
    if not content:
        raise DocumentInvalid("The document is empty.")
    media_type = media_type_of(content, filename)
    if media_type != PDF:
        return media_type, None
    inspected = await inspector.inspect(content)
    if isinstance(inspected, NotInspected):
        raise DocumentInvalid(inspected.detail)
    return PDF, inspected.pages
