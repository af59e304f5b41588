"""The usual way with files: base 64 in JSON, bytes by the ORM."""

import uuid
from typing import Annotated

from fastapi import APIRouter
from pydantic import Base64Bytes, BaseModel, Field

from bench.usual import MessageOut
from bench.usual_batch import EmailIn
from bench.usual_edge import ClientDep, KeyHeader, SessionDep, first_of, remembered
from bench.usual_store import File, FileOfMessage, Message

router = APIRouter()


class FileIn(BaseModel):
    """A file."""

    filename: Annotated[str, Field(max_length=255)]
    content_base64: Base64Bytes


class EmailWithFilesIn(EmailIn):
    """An e-mail with files."""

    attachments: Annotated[list[FileIn], Field(max_length=20)]


@router.post("/v1/emails", status_code=202, response_model=MessageOut)
async def send(
    body: EmailWithFilesIn, session: SessionDep, client_id: ClientDep, key: KeyHeader
) -> Message:
    """Keep an e-mail."""
    first = await first_of(session, client_id, key)
    if first is not None:
        return first
    message = body.queued(client_id)
    files = [
        File(id=uuid.uuid4(), name=one.filename, content=one.content_base64)
        for one in body.attachments
    ]
    session.add_all([message, *files])
    await session.flush()
    session.add_all(FileOfMessage(message_id=message.id, file_id=one.id) for one in files)
    session.add(remembered(client_id, key, message))
    await session.commit()
    return message
