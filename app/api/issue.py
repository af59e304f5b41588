"""Issue API keys: make one, or one like another that then ends."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.access import USUAL_SCOPES
from app.delivery.gateway import Gateway
from app.domain.errors import KeyNotActive
from app.domain.identifiers import Identifiers
from app.domain.message import Mode
from app.store import keys

Digest = Callable[[str], str]
_KEPT: Final = ("client_id", "mode", "scopes", "networks", "label")
_ID_LENGTH: Final = 10
_SECRET_LENGTH: Final = 52


async def create_key(
    gateway: Gateway,
    digest: Digest,
    *,
    name: str,
    mode: Mode,
    scopes: Sequence[str] = USUAL_SCOPES,
    **others: Any,  # noqa: ANN401 -- columns
) -> str:
    """Make a key of a client, which is made where there is none; nobody can read the key again."""
    async with gateway.database.transaction() as connection:
        client_id = await keys.client_named(connection, gateway.ids, name, gateway.now())
        columns = {"client_id": client_id, "mode": mode.value, "scopes": list(scopes), **others}
        _, key = await issue(connection, gateway, digest, columns)
    return key


async def issue(
    connection: AsyncConnection, gateway: Gateway, digest: Digest, columns: Mapping[str, Any]
) -> tuple[Mapping[str, Any], str]:
    """Write a new key; return its row, and the whole key, which nobody can read again."""
    key_id, key = _draw(gateway.ids, columns["mode"])
    row = {
        "expires_at": None,
        **columns,
        "id": key_id,
        "digest": digest(key),
        "created_at": gateway.now(),
        "revoked_at": None,
        "last_used_at": None,
    }
    await keys.add(connection, row)
    return row, key


async def rotate(
    connection: AsyncConnection,
    gateway: Gateway,
    digest: Digest,
    old: RowMapping,
    overlap: timedelta,
) -> tuple[Mapping[str, Any], str]:
    """Write a key like another, which is held and ends after the overlap; raises KeyNotActive.

    One that ends before that does so: a second rotation lengthens nothing.
    """
    now = gateway.now()
    ends = old["expires_at"]
    if old["revoked_at"] is not None or (ends is not None and ends <= now):
        raise KeyNotActive
    ends = now + overlap if ends is None else min(ends, now + overlap)
    await keys.change(connection, old["id"], expires_at=ends)
    return await issue(connection, gateway, digest, {name: old[name] for name in _KEPT})


def _draw(ids: Identifiers, mode: str) -> tuple[str, str]:
    """Return a new key's visible part, and the whole key."""
    drawn = ids.token() + ids.token()
    key_id, secret = drawn[:_ID_LENGTH], drawn[_ID_LENGTH : _ID_LENGTH + _SECRET_LENGTH]
    return key_id, f"gw_{mode}_{key_id}_{secret}"
