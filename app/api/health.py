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
    # Not `wait_for`: it waits until the driver has given up too, and that is when a store hangs.
    looking = asyncio.create_task(migrate.revision(gateway.database))
    await asyncio.wait({looking}, timeout=PATIENCE)
    store = _store(looking, wanted)
    providers = {name: dict(one.health()) for name, one in gateway.providers.items()}
    usable = store["state"] == "ready"
    well = all(one["state"] == "ready" for one in providers.values())
    state = ("ready" if well else "degraded") if usable else "unready"
    content = {"status": state, "store": store, "providers": providers}
    return JSONResponse(content, status_code=200 if usable else 503)


def _store(looking: "asyncio.Task[str | None]", wanted: str) -> dict[str, Any]:
    """Return what was found out about the store, as far as it was."""
    if not looking.done():
        looking.add_done_callback(_forget)
        looking.cancel()
        return {"state": "unreachable", "why": "TimeoutError"}
    try:
        found = looking.result()
    except UNAVAILABLE as fault:
        return {"state": "unreachable", "why": type(fault).__name__}
    state = "ready" if found == wanted else "wrong_revision"
    return {"state": state, "revision": found, "wanted": wanted}


def _forget(looking: "asyncio.Task[str | None]") -> None:
    """Take note of a fault that nobody waits for any more."""
    if not looking.cancelled():
        looking.exception()
