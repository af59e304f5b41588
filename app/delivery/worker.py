"""The worker: it only calls the steps, each in a lane of its own, until it is told to stop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, Final

import structlog

from app.delivery import (
    admit,
    count,
    limit,
    reconcile,
    report,
    settle,
    track,
)
from app.delivery.carry import has_twins
from app.delivery.dispatch import GATHERS, Dispatching
from app.delivery.gateway import Gateway
from app.delivery.gather import Gathering
from app.delivery.insist import Insisting
from app.delivery.notify import Notifying
from app.delivery.publish import Publishing
from app.delivery.reconcile import Taken
from app.delivery.replay import EVERY, Replaying
from app.delivery.retain import Retaining
from app.delivery.seek import Seeking
from app.delivery.track import Asked
from app.domain.message import Channel
from app.store import looks
from app.store.database import UNAVAILABLE, is_unavailable

log = structlog.get_logger()

ASKED: Final = 16  # for a status, at once
REPORTS: Final = 2  # at once: each is held whole
AFTER_A_FAULT: Final = 1.0  # seconds
RECOUNTS_EVERY: Final = 3600.0  # seconds, and when it starts


class Worker:
    """One lane per channel submits, one asks for statuses, one for reports, one keeps time."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._stopping = asyncio.Event()
        self._calls: dict[str, set[asyncio.Task[None]]] = {}
        self._replaying = Replaying(gateway)
        self._retaining = Retaining(gateway, self._rest)
        self._publishing = Publishing(gateway, self._rest)
        writing = self._calls.setdefault("record", set())
        self._insisting = Insisting(gateway, partial(self._begin, writing))
        self._dispatching: list[Dispatching] = []
        self._seeking = Seeking(gateway, self._rest)
        self._learn: Gathering[Asked, None] = Gathering(
            lambda asked: track.record(gateway, asked), is_unavailable
        )

    def stop(self) -> None:
        """Claim nothing more; `run` returns when the calls in flight are written down."""
        self._stopping.set()
        self._seeking.end()
        for one in self._dispatching:
            one.end()
        for channel in Channel:
            self._gateway.wake.call(channel)

    async def run(self) -> None:
        """Work until `stop`."""
        log.info("worker_started", channels=sorted(map(str, self._gateway.routes)))
        lanes = self._providers_lanes(twins=False)
        if has_twins(self._gateway):
            # Apart: a simulator that is slow or away holds nothing up that is live.
            lanes += self._providers_lanes(twins=True)
        steps: dict[str, Callable[[], Awaitable[None]]] = {
            "seek": self._seeking.step,
            "report": self._report,
            **({"count": self._count} if any(self._gateway.slots.values()) else {}),
            "publish": self._publishing.step,
            "replay": self._replay,
            "keep_time": self._keep_time,
            "recount": self._recount,
            "retain": self._retaining.step,
        }
        lanes += [self._lane(name, step) for name, step in steps.items()]
        lanes += self._webhook_lanes()
        await asyncio.gather(*lanes)
        await self._drain()
        log.info("worker_stopped")

    def _providers_lanes(self, *, twins: bool) -> list[Coroutine[Any, Any, None]]:
        """Return the lanes that call providers for messages, or their simulated twins."""
        mark = "_test" if twins else ""
        steps: dict[str, Callable[[], Awaitable[None]]] = {
            **{f"submit_{one}{mark}": self._submitting(one, twins=twins) for one in Channel},
            f"track{mark}": lambda: self._track(twins=twins),
            f"reconcile{mark}": lambda: self._reconcile(twins=twins),
            f"probe{mark}": lambda: self._probe(twins=twins),
        }
        return [self._lane(name, step) for name, step in steps.items()]

    async def _lane(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping.is_set():
            try:
                await step()
            except UNAVAILABLE as fault:
                # The store is away: the lane rests, and goes on when it is back.
                log.warning("store_unavailable", lane=name, fault=type(fault).__name__)
                await self._rest(AFTER_A_FAULT)
            except Exception:
                # The only place that catches a fault of ours: whatever it was, the lane goes on,
                # and what it had claimed becomes `uncertain` when the lease is over.
                log.exception("worker_fault", lane=name)
                await self._rest(AFTER_A_FAULT)

    def _submitting(self, channel: Channel, *, twins: bool) -> Callable[[], Awaitable[None]]:
        calls = self._calls.setdefault(f"submit_{channel}_{twins}", set())
        begin = partial(self._begin, calls)
        one = Dispatching(self._gateway, channel, self._insisting, begin, twins=twins)
        self._dispatching.append(one)
        return lambda: one.step(self._seeking.patience)

    async def _track(self, *, twins: bool) -> None:
        gateway = self._gateway
        calls = self._calls.setdefault(f"track_{twins}", set())
        free = await self._free(calls)
        if self._stopping.is_set():  # while it waited
            return
        rows = await track.claim(gateway, free, twins=twins)
        for row in rows:
            self._begin(calls, self._track_one(row))
        if not rows:
            await self._seeking.wait(looks.TRACK, twins=twins)

    async def _free(self, calls: set[asyncio.Task[None]]) -> int:
        """Return how many more may be asked about: one at least, after a moment for half of all.

        A claim costs as much for one as for many.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + GATHERS
        while len(calls) > ASKED // 2:
            patience = ends - loop.time() if len(calls) < ASKED else None
            if patience is not None and patience <= 0:
                break
            await asyncio.wait(calls, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        return ASKED - len(calls)

    async def _track_one(self, row: Any) -> None:  # noqa: ANN401 -- a row of the store
        await self._learn.do(await track.ask(self._gateway, row))

    async def _report(self) -> None:
        calls = self._calls.setdefault("report", set())
        free = REPORTS - len(calls)
        rows = await report.claim(self._gateway, free) if free > 0 else []
        for row in rows:
            self._begin(calls, self._report_one(row))
        if not rows:
            await self._seeking.wait(looks.REPORT)

    async def _report_one(self, row: Any) -> None:  # noqa: ANN401 -- a row of the store
        await report.record(self._gateway, await report.make(self._gateway, row))

    async def _reconcile(self, *, twins: bool) -> None:
        gateway = self._gateway
        calls = self._calls.setdefault(f"reconcile_{twins}", set())
        taken = await reconcile.claim(gateway, twins=twins) if not calls else None
        if taken is not None and taken.rows:
            self._begin(calls, self._reconcile_all(taken))
        await self._seeking.wait(looks.RECONCILE, twins=twins)

    async def _reconcile_all(self, taken: Taken) -> None:
        try:
            await reconcile.settle(self._gateway, taken)
        except UNAVAILABLE as fault:
            # Whatever was not written down is looked at again when this worker's lease is over.
            log.warning("store_unavailable", lane="reconcile", fault=type(fault).__name__)

    async def _count(self) -> None:
        gateway = self._gateway
        if await count.prepare(gateway):
            await self._rest(gateway.timing.idle * (0.5 + gateway.random()))
        else:
            await self._rest(count.AFTER_A_FAULT * gateway.timing.pace)

    def _webhook_lanes(self) -> list[Coroutine[Any, Any, None]]:
        if self._gateway.webhooks is None:
            return []
        calls = self._calls.setdefault("notify", set())
        notifying = Notifying(self._gateway, lambda one: self._begin(calls, one), self._rest)
        steps = {"notify": notifying.step, "forget": notifying.forget}
        return [self._lane(name, step) for name, step in steps.items()]

    async def _replay(self) -> None:
        if not await self._replaying.step():
            await self._rest(EVERY * self._gateway.timing.pace)

    async def _probe(self, *, twins: bool) -> None:
        await admit.probe_due(self._gateway, twins=twins)
        await self._seeking.wait(looks.PROBE, twins=twins)

    async def _keep_time(self) -> None:
        await settle.lose_leases(self._gateway)
        await settle.expire(self._gateway)
        await self._rest(1.0)

    async def _recount(self) -> None:
        await limit.recount(self._gateway.database)
        await self._rest(RECOUNTS_EVERY)

    def _begin(self, calls: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        calls.add(task)
        task.add_done_callback(partial(_over, calls))

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _drain(self) -> None:
        """Let calls in flight end, for a while; what does not end becomes `uncertain` later."""
        loop = asyncio.get_running_loop()
        ends = loop.time() + self._gateway.timing.drain
        while running := [task for calls in self._calls.values() for task in calls]:
            log.info("worker_draining", calls=len(running))
            _, unfinished = await asyncio.wait(running, timeout=max(0, ends - loop.time()))
            if unfinished:
                for one in self._dispatching:
                    one.give_up()
                for task in unfinished:
                    task.cancel()
                await asyncio.gather(*unfinished, return_exceptions=True)


def _over(calls: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
    """Forget a task that has ended, and tell its fault."""
    calls.discard(task)
    fault = None if task.cancelled() else task.exception()
    if isinstance(fault, UNAVAILABLE):
        log.warning("store_unavailable", lane="call", fault=type(fault).__name__)
    elif fault is not None:
        log.error("worker_fault", lane="call", exc_info=fault)
