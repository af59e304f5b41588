"""Keep acknowledgements on this host's disk while the store is away, and hand them on afterwards.

A provider acknowledges once, and may not do it again for a 503. So what arrives meanwhile is written
to a file of its own, synced, and only then answered; the process that wrote it, or the next one on
this host, replays it when the store is back. Replaying twice does no harm.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import structlog

from app.delivery import acknowledge
from app.delivery.acknowledge import Received
from app.delivery.gateway import Gateway
from app.delivery.hear import Hearing
from app.delivery.outside import sync_folder
from app.domain.acknowledgement import Acknowledgement, UnreadableAcknowledgement
from app.store.database import UNAVAILABLE

log = structlog.get_logger()

EVERY: Final = 1.0  # seconds between looks
MOST: Final = 10_000  # files: whoever knows the secret could send any number
_KEPT: Final = "*.json"


class SpoolFull(OSError):
    """So many acknowledgements wait that no other is kept."""


async def receive(
    gateway: Gateway,
    provider: str,
    brought: Acknowledgement | UnreadableAcknowledgement,
    together: Hearing | None = None,
) -> None:
    """Keep an acknowledgement in the store, or on disk while the store is away.

    `together` keeps it with others that come at the same time. Raises the store's fault where there
    is no folder to keep it in, or it takes no more.
    """
    try:
        if together is not None and isinstance(brought, Acknowledgement):
            await together.do(Received(provider, brought))
        else:
            await _hand_on(gateway, provider, brought)
    except UNAVAILABLE as fault:
        if gateway.spool is None:
            raise
        try:
            await asyncio.to_thread(_keep, gateway.spool, str(gateway.ids.new()), provider, brought)
        except OSError as refused:
            log.warning("acknowledgement_not_spooled", fault=type(refused).__name__)
            raise fault from None
        log.warning("acknowledgement_spooled", provider=provider, fault=type(fault).__name__)


async def replay(gateway: Gateway) -> None:
    """Hand on what waits, again and again; while the store is away, it stays."""
    while True:
        try:
            await hand_on_waiting(gateway)
        except UNAVAILABLE as fault:
            log.warning("spool_waits", fault=type(fault).__name__)
        await asyncio.sleep(EVERY)


async def hand_on_waiting(gateway: Gateway) -> int:
    """Hand on what waits, oldest first; return how many there were."""
    if gateway.spool is None:
        return 0
    waiting = await asyncio.to_thread(_waiting, gateway.spool)
    for file in waiting:
        try:
            provider, brought = await asyncio.to_thread(_read, file)
        except FileNotFoundError:
            continue  # another process was faster
        except (ValueError, KeyError, TypeError) as fault:
            log.warning("spool_unreadable", file=file.name, fault=type(fault).__name__)
            await asyncio.to_thread(file.rename, file.with_suffix(".unreadable"))
            continue
        await _hand_on(gateway, provider, brought)
        await asyncio.to_thread(file.unlink, missing_ok=True)
    if waiting:
        log.info("spool_replayed", number=len(waiting))
    return len(waiting)


async def _hand_on(
    gateway: Gateway, provider: str, brought: Acknowledgement | UnreadableAcknowledgement
) -> None:
    if isinstance(brought, UnreadableAcknowledgement):
        await acknowledge.keep_unreadable(gateway, provider, brought)
    else:
        await acknowledge.receive(gateway, provider, brought)


def _keep(
    folder: Path,
    name: str,
    provider: str,
    brought: Acknowledgement | UnreadableAcknowledgement,
) -> None:
    # It names who got a fax: nobody else on this host may read it.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if len(_waiting(folder)) >= MOST:
        raise SpoolFull
    unreadable = isinstance(brought, UnreadableAcknowledgement)
    readable = brought.readable if isinstance(brought, UnreadableAcknowledgement) else brought
    why = str(brought) if unreadable else None
    content = {"provider": provider, "unreadable": why, "brought": asdict(readable)}
    new = folder / f"{name}.new"
    opened = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(opened, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    new.rename(folder / f"{name}.json")
    sync_folder(folder)


def _waiting(folder: Path) -> Sequence[Path]:
    # Their names are ids that sort by time.
    return sorted(folder.glob(_KEPT))


def _read(file: Path) -> tuple[str, Acknowledgement | UnreadableAcknowledgement]:
    kept: dict[str, Any] = json.loads(file.read_bytes())
    brought = Acknowledgement(**kept["brought"])
    why = kept["unreadable"]
    return kept["provider"], brought if why is None else UnreadableAcknowledgement(why, brought)
