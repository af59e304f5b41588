"""What several tests of the API do with messages: keep them, have them end somehow, look at them."""

import asyncio
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update

from app.api.issue import create_key
from app.delivery import submit
from app.delivery.conclude import Ended
from app.domain.identifiers import MESSAGE, read
from app.domain.message import Channel, Mode
from app.domain.outcome import Outcome
from app.store.tables import channels, messages
from tests.api.client import BODIES, Api, sms


async def nothing_uncertain(api: Api) -> None:
    """Settle what earlier tests left uncertain: it would stop the channels."""
    async with api.gateway.database.transaction() as connection:
        await connection.execute(
            update(messages).where(messages.c.status == "uncertain").values(status="failed")
        )
        await connection.execute(delete(channels))


async def kept(api: Api, body: Any = None, path: str = "/v1/sms", **options: Any) -> str:
    answer = await api.post(path, sms() if body is None else body, **options)
    assert answer.status == 202, answer
    found: str = answer.json()["id"]
    return found


async def sent(api: Api, outcome: Outcome, path: str = "/v1/sms") -> str:
    """Keep a message, and write down what a call for it came to."""
    message_id = await kept(api, BODIES[path](), path)
    channel = {"/v1/sms": Channel.SMS, "/v1/letters": Channel.LETTER, "/v1/faxes": Channel.FAX}
    async with asyncio.timeout(10):
        calls = await submit.claim(api.gateway, channel[path], 100)
    ended = [
        Ended(held=one, outcome=outcome, function="ENVOYER_SMS") for call in calls for one in call
    ]
    await submit.record(api.gateway, ended)
    return message_id


def raw_id(message_id: str) -> UUID:
    found = read(MESSAGE, message_id)
    assert found is not None
    return found


async def key(api: Api, *scopes: str) -> str:
    digest = api.edge.access.digest
    return await create_key(
        api.gateway, digest, name="operators", mode=Mode.LIVE, scopes=list(scopes)
    )


async def events(api: Api, message_id: str) -> list[Any]:
    found: list[Any] = (await api.get(f"/v1/messages/{message_id}/events")).json()["data"]
    return found
