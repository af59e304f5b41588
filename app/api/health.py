"""Alive, and ready: a sick provider shows as degraded and never makes us unready."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from app.api.edge import EdgeDep
from app.delivery.gateway import Gateway
from app.domain.moments import moment
from app.domain.standing import State
from app.store import channels, incarnation
from app.store.database import UNAVAILABLE
from app.store.revision import NEWEST, revision
from app.store.unusable import NO_ANSWER, why

router = APIRouter(tags=["health"])

PATIENCE: Final = 2.0  # seconds for the store to answer


class AliveOut(BaseModel):
    """A process that answers."""

    status: Literal["alive"]


class ReadyOut(BaseModel):
    """How the store, the providers and the channels are."""

    status: Literal["ready", "degraded", "unready", "stopping"] = Field(
        description="degraded: it works, but not everything does"
    )
    store: dict[str, Any]
    providers: dict[str, dict[str, Any]]
    channels: list[dict[str, Any]] = Field(description="Those that nothing leaves on")


@router.get("/healthz", response_model=AliveOut)
async def get_liveness() -> dict[str, str]:
    """Say that this process answers."""
    return {"status": "alive"}


_UNREADY: Final[dict[int | str, dict[str, Any]]] = {
    503: {"model": ReadyOut, "description": "The store cannot be used, or this process ends"}
}


@router.get("/readyz", response_model=ReadyOut, responses=_UNREADY)
async def get_readiness(edge: EdgeDep) -> JSONResponse:
    """Say whether the store can be used, and how the providers are."""
    gateway = edge.gateway
    # Not `wait_for`: it waits until the driver has given up too, and that is when a store hangs.
    looking = asyncio.create_task(_look(gateway))
    await asyncio.wait({looking}, timeout=PATIENCE)
    store = _store(looking)
    providers = {name: dict(one.health()) for name, one in gateway.providers.items()}
    usable = store["state"] == "ready" and not edge.stopping.is_set()
    shut = store.pop("channels", [])
    well = "restore" not in store and all(one["state"] == "ready" for one in providers.values())
    well = well and not shut
    state = ("ready" if well else "degraded") if usable else "unready"
    if edge.stopping.is_set():
        state = "stopping"
    content = {"status": state, "store": store, "providers": providers, "channels": shut}
    return JSONResponse(content, status_code=200 if usable else 503)


async def _look(
    gateway: Gateway,
) -> tuple[str | None, RowMapping | None, Sequence[RowMapping]]:
    """Return the store's revision, which life of the store this is, and how channels stand."""
    found = await revision(gateway.database)
    if found != NEWEST:
        return found, None, ()
    async with gateway.database.reading() as connection:
        life = await incarnation.standing(connection)
        return found, life, await channels.every(connection)


def _store(looking: "asyncio.Task[Any]") -> dict[str, Any]:
    """Return what was found out about the store, as far as it was."""
    if not looking.done():
        looking.add_done_callback(_forget)
        looking.cancel()
        return {"state": "unreachable", "why": NO_ANSWER}
    try:
        found, life, standings = looking.result()
    except UNAVAILABLE as fault:
        return {"state": "unreachable", "why": why(fault)}
    state = "ready" if found == NEWEST else "wrong_revision"
    restored = {}
    if life is not None and life["restore_since"] is not None:
        # Nothing is sent before a person says how: `multicanal restore status`.
        since = life["restore_since"].isoformat()
        restored = {"restore": {"since": since, "why": life["restore_why"]}}
    shut = [_shut(row) for row in standings if row["state"] != State.CLOSED]
    return {"state": state, "revision": found, "wanted": NEWEST, "channels": shut, **restored}


def _shut(row: RowMapping) -> dict[str, Any]:
    """Return what anybody may know of a channel that nothing leaves on."""
    same = ("provider", "channel", "state", "reason")
    return {**{name: row[name] for name in same}, "since": moment(row["changed_at"])}


def _forget(looking: "asyncio.Task[Any]") -> None:
    """Take note of a fault that nobody waits for any more."""
    if not looking.cancelled():
        looking.exception()
