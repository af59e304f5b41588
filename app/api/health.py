"""Alive, and ready: a sick provider shows as degraded and never makes us unready."""

import asyncio
from typing import Any, Final

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from app.api.edge import EdgeDep
from app.store import migrate
from app.store.database import UNAVAILABLE

router = APIRouter(tags=["health"])

PATIENCE: Final = 2.0  # seconds for the store to answer


@router.get("/healthz")
async def alive() -> dict[str, str]:
    """Say that this process answers."""
    return {"status": "alive"}


@router.get("/readyz", responses={503: {"description": "The store cannot be used"}})
async def ready(edge: EdgeDep) -> JSONResponse:
    """Say whether the store can be used, and how the providers are."""
    gateway = edge.gateway
    wanted = migrate.newest()
    try:
        found = await asyncio.wait_for(migrate.revision(gateway.database), PATIENCE)
        store: dict[str, Any] = {"state": "ready" if found == wanted else "wrong_revision"}
        store |= {"revision": found, "wanted": wanted}
    except (*UNAVAILABLE, TimeoutError) as fault:
        store = {"state": "unreachable", "why": type(fault).__name__}
    providers = {name: dict(one.health()) for name, one in gateway.providers.items()}
    usable = store["state"] == "ready"
    well = all(one["state"] == "ready" for one in providers.values())
    state = ("ready" if well else "degraded") if usable else "unready"
    content = {"status": state, "store": store, "providers": providers}
    return JSONResponse(content, status_code=200 if usable else 503)
