"""The worker: it only calls the steps, each in a lane of its own, until it is told to stop."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final

import structlog

from app.delivery import retry, settle, submit, track
from app.delivery.conclude import Ended, Held
from app.delivery.gateway import Gateway
from app.delivery.gather import Gathering
from app.delivery.track import Asked
from app.domain.message import Channel
from app.domain.outcome import Blocked, Deferred
from app.store.database import UNAVAILABLE, is_unavailable

log = structlog.get_logger()

CONCURRENCY: Final = 16  # calls at once, where the settings name no number
AFTER_A_FAULT: Final = 1.0  # seconds


class Worker:
    """One lane per channel submits, one asks for statuses, one keeps time."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._stopping = asyncio.Event()
        self._calls: dict[str, set[asyncio.Task[None]]] = {}
        self._blocked: set[Channel] = set()
        self._record: Gathering[Ended, bool] = Gathering(
            lambda ended: submit.record(gateway, ended), is_unavailable
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
        lanes.append(self._lane("keep_time", self._keep_time))
        await asyncio.gather(*lanes)
        await self._drain()
        log.info("worker_stopped")

    async def _lane(self, name: str, step: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping.is_set():
            try:
                await step()
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
            if channel in self._blocked and not calls:
                await self._rest(retry.BLOCKED_PAUSE.total_seconds() * gateway.timing.pace)
            # A channel that was blocked is tried with one message, not with a crowd.
            free = (1 if channel in self._blocked else most) - len(calls)
            held = await submit.claim(gateway, channel, free) if free > 0 else []
            for one in held:
                self._begin(calls, self._submit_one(one))
            if free <= 0:
                await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
            elif not held:
                await gateway.wake.wait(channel, gateway.timing.idle * (0.5 + gateway.random()))

        return step

    async def _submit_one(self, held: Held) -> None:
        ended = await submit.call(self._gateway, held)
        await self._write_down(ended)
        if isinstance(ended.outcome, Blocked):
            self._blocked.add(held.channel)
            log.warning(
                "channel_blocked",
                channel=held.channel,
                reason=ended.outcome.reason,
                why=ended.outcome.why,
            )
        elif not isinstance(ended.outcome, Deferred):
            self._blocked.discard(held.channel)

    async def _write_down(self, ended: Ended) -> None:
        """Write an outcome down, again and again while the store is away and the lease lasts."""
        gives_up = ended.held.at + self._gateway.timing.lease
        while True:
            try:
                await self._record.do(ended)
            except UNAVAILABLE:
                if self._gateway.now() >= gives_up:
                    raise
                await asyncio.sleep(AFTER_A_FAULT)
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

    async def _keep_time(self) -> None:
        await settle.lose_leases(self._gateway)
        await settle.expire(self._gateway)
        await self._rest(1.0)

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
    if fault is not None:
        log.error("worker_fault", lane="call", exc_info=fault)
