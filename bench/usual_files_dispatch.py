"""The usual dispatcher of e-mails with files: zeep's asynchronous client and its httpx transport.

`python -m bench.usual_files_dispatch DATABASE-URL PROVIDER-PORT IN-FLIGHT`.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from bench.usual_store import (
    ACCOUNT,
    EMPTY,
    WSDL,
    File,
    FileOfMessage,
    driven,
    next_message,
)

# httpx is no dependency of the gateway, nor of its tests: it stands where clients are made.
BESIDE: Final = Path(sys.prefix) / "contract" / "lib"
FROM: Final = "service@example.com"


async def dispatch(url: str, port: int, in_flight: int) -> None:
    """Dispatch until the end."""
    # Once httpx can be found: zeep looks for it when it is imported.
    from zeep import AsyncClient  # noqa: PLC0415
    from zeep.transports import AsyncTransport  # noqa: PLC0415

    engine = create_async_engine(driven(url), pool_size=in_flight)
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    client = AsyncClient(WSDL, transport=AsyncTransport())
    # Not `create_service`: what that returns cannot be awaited.
    service = client.service
    service._binding_options["address"] = f"http://127.0.0.1:{port}/soap"  # noqa: SLF001
    await asyncio.gather(*(_work(sessions, service) for _ in range(in_flight)))


async def _work(sessions: async_sessionmaker[AsyncSession], service: Any) -> None:
    while True:
        async with sessions() as session:
            message = await session.scalar(next_message())
            if message is None:
                await asyncio.sleep(EMPTY)
                continue
            message.status = "submitting"
            await session.commit()
            files = await session.scalars(
                select(File)
                .join(FileOfMessage, FileOfMessage.file_id == File.id)
                .where(FileOfMessage.message_id == message.id)
            )
            subject, _, text = message.content.partition("\n")
            listed = [{"NOM": one.name, "CONTENU": one.content} for one in files]
            message.provider_id = await service.ENVOYER_EMAIL(
                DESTINATION=message.recipient,
                SUJET=subject,
                TEXTE=text,
                HTML="",
                EMETTEUR=FROM,
                REFCLIENT=str(message.id),
                LISTE_FICHIERS={"LISTE_FICHIER": listed},
                **ACCOUNT,
            )
            message.status = "submitted"
            await session.commit()


if __name__ == "__main__":
    sys.path += map(str, BESIDE.glob("*/site-packages"))
    asyncio.run(dispatch(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
