"""Operators in tests: keys with any scopes and of any mode, and what the admin API says."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from app.api.issue import create_key
from app.domain.message import Mode
from tests.api.client import Api


async def key_of(api: Api, *scopes: str, mode: Mode = Mode.LIVE, name: str | None = None) -> str:
    digest = api.edge.access.digest
    return await create_key(
        api.gateway, digest, name=name or uuid4().hex, mode=mode, scopes=list(scopes)
    )


async def operator(api: Api, mode: Mode = Mode.LIVE) -> str:
    return await key_of(api, "admin", mode=mode)


async def client(api: Api, admin: str, **options: Any) -> str:
    """Make a client through the API; return its id."""
    answer = await api.post("/v1/admin/clients", {"name": uuid4().hex, **options}, key=admin)
    assert answer.status == 201, answer
    found: str = answer.json()["id"]
    return found


async def made(
    api: Api, admin: str, client_id: str, mode: str = "live", **options: Any
) -> dict[str, Any]:
    """Make a key through the API; return what it said."""
    path = f"/v1/admin/clients/{client_id}/keys"
    answer = await api.post(path, {"mode": mode, **options}, key=admin)
    assert answer.status == 201, answer
    found: dict[str, Any] = answer.json()
    return found


async def listed(api: Api, admin: str, client_id: str) -> Sequence[dict[str, Any]]:
    answer = await api.get(f"/v1/admin/clients/{client_id}/keys", key=admin)
    assert answer.status == 200, answer
    found: list[dict[str, Any]] = answer.json()["data"]
    return found
