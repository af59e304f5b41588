"""T: what a careful team usually writes. FastAPI, pydantic, an ORM; the key and the repeat looked up.

A send is one transaction: SELECT the key, SELECT the idempotency key, INSERT the message and the
key, COMMIT. It answers 202 when the commit is on disk, and a repeated key with its first message.
"""

import sys
import uuid
from hmac import compare_digest
from typing import Annotated, Any, Final

import phonenumbers
import uvicorn
from fastapi import APIRouter, FastAPI, HTTPException
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import event, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from bench.usual_edge import ClientDep, KeyHeader, SessionDep, first_of, remembered
from bench.usual_store import Message, driven, queued

CALLBACK: Final = "bench-callback-secret-0123456789abcdef"  # what 123-fax's callback has to name
POOL: Final = 20  # connections
PRAGMAS: Final = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000")

router = APIRouter()


def _number(value: str) -> str:
    try:
        number = phonenumbers.parse(value, "FR")
    except phonenumbers.NumberParseException as fault:
        raise ValueError(str(fault)) from None
    if not phonenumbers.is_valid_number(number):
        raise ValueError("not a valid number")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class SmsIn(BaseModel):
    """A text message."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[str, AfterValidator(_number)]
    text: Annotated[str, Field(min_length=1, max_length=1530)]
    reference: Annotated[str, Field(max_length=200)] | None = None


class MessageOut(BaseModel):
    """What is told of a message."""

    id: uuid.UUID
    status: str


@router.post("/v1/sms", status_code=202, response_model=MessageOut)
async def send(body: SmsIn, session: SessionDep, client_id: ClientDep, key: KeyHeader) -> Message:
    """Keep a text message."""
    first = await first_of(session, client_id, key)
    if first is not None:
        return first
    message = queued(client_id, body.to, body.text, body.reference)
    session.add(message)
    await session.flush()
    session.add(remembered(client_id, key, message))
    await session.commit()
    return message


@router.get("/v1/messages/{message_id}", response_model=MessageOut)
async def read(message_id: uuid.UUID, session: SessionDep, client_id: ClientDep) -> Message:
    """Read a message."""
    found = await session.get(Message, message_id)
    if found is None or found.client_id != client_id:
        raise HTTPException(404)
    return found


@router.get("/hooks/123fax/{secret}")
async def acknowledge(
    secret: str, session: SessionDep, ref_accuse: str, etat_e: str, nb_page: int | None = None
) -> str:
    """Take in what became of a fax."""
    if not compare_digest(secret, CALLBACK):
        raise HTTPException(404)
    found = await session.scalar(select(Message).where(Message.provider_id == ref_accuse))
    if found is not None:
        found.status = "delivered" if etat_e == "0" else "failed"
        found.pages = nb_page
        await session.commit()
    return "OK"


def application(url: str) -> FastAPI:
    """Return the service over a database."""
    from bench import usual_batch, usual_files  # noqa: PLC0415 -- both are made of what is here

    engine = create_async_engine(
        driven(url).replace("sqlite:", "sqlite+aiosqlite:"), pool_size=POOL
    )
    if url.startswith("sqlite"):
        event.listen(engine.sync_engine, "connect", _sync_every_commit)
    app = FastAPI()
    app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
    for one in (router, usual_batch.router, usual_files.router):
        app.include_router(one)
    return app


def _sync_every_commit(connection: Any, _: object) -> None:
    for pragma in PRAGMAS:
        connection.cursor().execute(f"PRAGMA {pragma}")


def main() -> None:
    """Serve a database on a port."""
    url, port = sys.argv[1:]
    uvicorn.run(
        application(url), host="127.0.0.1", port=int(port), log_level="error", access_log=False
    )


if __name__ == "__main__":
    main()
