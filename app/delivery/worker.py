"""The worker: it only calls the steps, each in a lane of its own, until it is told to stop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any, Final

import structlog

from app.delivery import admit, count, limit, reconcile, report, settle, submit, track
from app.delivery.conclude import Ended, Held
from app.delivery.gateway import Gateway
from app.delivery.gather import Gathering
from app.delivery.reconcile import Taken
from app.delivery.replay import EVERY, Replaying
from app.delivery.track import Asked
from app.domain.message import Channel
from app.store.database import UNAVAILABLE, is_unavailable

log = structlog.get_logger()

CONCURRENCY: Final = 16  # calls at once, where the settings name no number
REPORTS: Final = 2  # at once: each is held whole
AFTER_A_FAULT: Final = 1.0  # seconds
RECOUNTS_EVERY: Final = 3600.0  # seconds, and when it starts
RECORDS_FOR: Final = 600.0  # seconds for which an outcome is tried to be written down


class Worker:
    """One lane per channel submits, one asks for statuses, one for reports, one keeps time."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._stopping = asyncio.Event()
        self._calls: dict[str, set[asyncio.Task[None]]] = {}
        self._replaying = Replaying(gateway)
        # What one call concerns is written down in one transaction.
        self._record: Gathering[Sequence[Ended], None] = Gathering(
            lambda calls: submit.record_calls(gateway, calls), is_unavailable
        )
        self._learn: Gathering[Asked, None] = Gathering(
            lambda asked: track.record(gateway, asked), is_unavailable
        )

    def stop(self) -> None:
        """Claim nothing more; `run` returns when the calls in flight are written down."""
        self._stopping.set()
        for channel in Channel:
            self._gateway.wake.call(channel)

    async def run(self) -> None:
        """Work until `stop`."""
        log.info("worker_started", channels=sorted(self._gateway.routes))
        lanes = [self._lane(f"submit_{channel}", self._submitting(channel)) for channel in Channel]
        lanes.append(self._lane("track", self._track))
        lanes.append(self._lane("report", self._report))
        lanes.append(self._lane("reconcile", self._reconcile))
        if any(self._gateway.slots.values()):
            lanes.append(self._lane("count", self._count))
        lanes.append(self._lane("replay", self._replay))
        lanes.append(self._lane("probe", self._probe))
        lanes.append(self._lane("keep_time", self._keep_time))
        lanes.append(self._lane("recount", self._recount))
        await asyncio.gather(*lanes)
        await self._drain()
        log.info("worker_stopped")

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

    def _submitting(self, channel: Channel) -> Callable[[], Awaitable[None]]:
        gateway = self._gateway
        calls = self._calls.setdefault(f"submit_{channel}", set())
        most = gateway.concurrency.get(gateway.routes[channel], CONCURRENCY)

        async def step() -> None:
            free, under_way = most - len(calls), len(calls)
            held = (
                await submit.claim(gateway, channel, free, under_way=under_way) if free > 0 else []
            )
            for one in held:
                self._begin(calls, self._submit_one(one))
            if free <= 0:
                await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            elif not held:
                await gateway.wake.wait(channel, gateway.timing.idle * (0.5 + gateway.random()))

        return step

    async def _submit_one(self, held: Sequence[Held]) -> None:
        ended = await submit.call(self._gateway, held)
        await self._write_down(ended)

    async def _write_down(self, ended: Sequence[Ended]) -> None:
        """Write outcomes down, again and again while the store is away.

        Beyond the lease too: then the fence keeps them from moving anything, and they are evidence.
        """
        loop = asyncio.get_running_loop()
        gives_up = loop.time() + RECORDS_FOR
        while True:
            try:
                await self._record.do(ended)
            except UNAVAILABLE as fault:
                if loop.time() >= gives_up:
                    raise
                log.warning("outcome_waits", calls=len(ended), fault=type(fault).__name__)
                await asyncio.sleep(AFTER_A_FAULT * self._gateway.timing.pace)
                ended = [replace(one, again=True) for one in ended]
            else:
                return

    async def _track(self) -> None:
        gateway = self._gateway
        calls = self._calls.setdefault("track", set())
        free = CONCURRENCY - len(calls)
        rows = await track.claim(gateway, free) if free > 0 else []
        for row in rows:
            self._begin(calls, self._track_one(row))
        if free <= 0:
            await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        elif not rows:
            await self._rest(gateway.timing.idle * (0.5 + gateway.random()))

    async def _track_one(self, row: Any) -> None:  # noqa: ANN401 -- a row of the store
        await self._learn.do(await track.ask(self._gateway, row))

    async def _report(self) -> None:
        calls = self._calls.setdefault("report", set())
        free = REPORTS - len(calls)
        rows = await report.claim(self._gateway, free) if free > 0 else []
        for row in rows:
            self._begin(calls, self._report_one(row))
        if not rows:
            await self._rest(self._gateway.timing.idle * (0.5 + self._gateway.random()))

    async def _report_one(self, row: Any) -> None:  # noqa: ANN401 -- a row of the store
        await report.record(self._gateway, await report.make(self._gateway, row))

    async def _reconcile(self) -> None:
        gateway = self._gateway
        calls = self._calls.setdefault("reconcile", set())
        taken = await reconcile.claim(gateway) if not calls else None
        if taken is not None and taken.rows:
            self._begin(calls, self._reconcile_all(taken))
        await self._rest(gateway.timing.idle * (0.5 + gateway.random()))

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

    async def _replay(self) -> None:
        if not await self._replaying.step():
            await self._rest(EVERY * self._gateway.timing.pace)

    async def _probe(self) -> None:
        await admit.probe_due(self._gateway)
        await self._rest(min(1.0, self._gateway.timing.pace))

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
        task.add_done_callback(calls.discard)
        task.add_done_callback(_tell_fault)

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    async def _drain(self) -> None:
        """Let calls in flight end, for a while; what does not end becomes `uncertain` later."""
        running = [task for calls in self._calls.values() for task in calls]
        if running:
            log.info("worker_draining", calls=len(running))
            _, unfinished = await asyncio.wait(running, timeout=self._gateway.timing.drain)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)


def _tell_fault(task: asyncio.Task[None]) -> None:
    fault = None if task.cancelled() else task.exception()
    if isinstance(fault, UNAVAILABLE):
        log.warning("store_unavailable", lane="call", fault=type(fault).__name__)
    elif fault is not None:
        log.error("worker_fault", lane="call", exc_info=fault)
