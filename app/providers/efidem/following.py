"""Follow the contract: look at the WSDL now and again, and at the store for what was accepted.

What changed in the WSDL is reported; calls go by the accepted contract until an operator accepts
another, in whatever process.
"""

import asyncio
import random
from contextlib import suppress
from typing import Final

import structlog

from app.delivery.keep_contract import ContractStore, Differences, NotKept
from app.providers.efidem.at_hand import UNREADABLE, AtHand
from app.providers.efidem.drift import Severity
from app.providers.efidem.settings import EfidemSettings
from app.providers.efidem.soap import CannotBind, Contract, Soap

log = structlog.get_logger()

NOT_YET: Final = "the WSDL was not read yet"
CHECK: Final = "the WSDL cannot be used: multicanal providers check says why"
BIND_AGAIN: Final = 10.0  # seconds after there was no contract to be had
FOLLOW: Final = 60.0  # seconds at most until an acceptance by another process is noticed
SUSPECT: Final = 60.0  # seconds between looks that a provider's fault asks for
LOOK: Final = 10.0  # seconds that a message whose form was refused waits for such a look at most
_JITTER: Final = 0.2  # of a pause: processes that started together must not look together
_random: Final = random.SystemRandom()


class Following:
    """The contract of one WSDL, for as long as the process runs."""

    def __init__(self, settings: EfidemSettings, soap: Soap, store: ContractStore | None) -> None:
        wsdl = settings.wsdl
        self._at_hand = AtHand(wsdl, settings, soap, store) if wsdl is not None else None
        self._store = store
        self._reload = settings.reload
        self._changing = asyncio.Lock()
        self._wake = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._try_at = self._look_at = self._suspect_at = 0.0
        self._said: str | None = None  # the complaint that was logged last
        self.why = NOT_YET  # there is no contract
        self.shown_why = NOT_YET  # the same, without addresses: anybody may read it

    @property
    def contract(self) -> Contract | None:
        """The contract at hand."""
        return self._at_hand.contract if self._at_hand else None

    @property
    def drift(self) -> Differences:
        """How the WSDL differs from the accepted contract."""
        return self._at_hand.drift if self._at_hand else ()

    @property
    def is_doubtful(self) -> bool:
        """Whether calls by the accepted contract may be refused, or go elsewhere."""
        return any(one["severity"] == Severity.ERROR for one in self.drift)

    def at_hand(self) -> Contract | None:
        """Return the contract at hand, and follow it from now on."""
        self.watch()
        return self.contract

    async def obtained(self) -> Contract | None:
        """Return the contract at hand, got now where there was none."""
        self.watch()
        if self._at_hand is not None and self._at_hand.contract is None:
            async with self._changing:
                await self._obtain(self._at_hand)
        return self.contract

    def watch(self) -> None:
        """Look at WSDL and store from now on, until `close`."""
        if self._at_hand is not None and (self._watching is None or self._watching.done()):
            self._watching = asyncio.create_task(self._watch(self._at_hand))
            self._watching.add_done_callback(_say_why_it_ended)

    async def has_changed(self, function: str) -> bool:
        """Say, when the provider refused a request's form, whether its WSDL has changed there.

        Who asks waits until it was looked at, which happens once in a while: what waited with it
        has its answer then.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK), self._changing:
                now = _now()
                if self._at_hand is not None and now >= self._suspect_at:
                    self._suspect_at, self._look_at = now + SUSPECT, now
                    await self._look_around(self._at_hand)
        return any(
            one["severity"] == Severity.ERROR and one["function"] in {None, function}
            for one in self.drift
        )

    async def close(self) -> None:
        """Look no more."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})

    async def _watch(self, at_hand: AtHand) -> None:
        while True:
            soon = max(self._try_at - _now(), 0.0)
            pause = _pause(min(self._reload, FOLLOW)) if at_hand.contract else soon
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            self._wake.clear()
            async with self._changing:
                if at_hand.contract is None:
                    await self._obtain(at_hand)
                else:
                    await self._look_around(at_hand)

    async def _obtain(self, at_hand: AtHand) -> None:
        if at_hand.contract is not None or _now() < self._try_at:
            return
        try:
            is_new = await at_hand.obtain()
        except CannotBind as fault:
            self._failed(fault.why, fault.why if fault.why == UNREADABLE else CHECK)
        except NotKept as fault:
            # What was accepted is not known: another one must not be taken for it.
            why = f"the contract cannot be read from the store: {fault.why}"
            self._failed(why, why)
        else:
            if is_new:
                self._look_at = _now() + _pause(self._reload)
            else:
                self._look_soon()

    def _failed(self, why: str, shown: str) -> None:
        self.why, self.shown_why = why, shown
        self._try_at = _now() + _pause(BIND_AGAIN)
        log.warning("wsdl_not_bound", why=why)

    async def _look_around(self, at_hand: AtHand) -> None:
        try:
            await self._follow(at_hand)
            if _now() >= self._look_at:
                self._look_at = _now() + _pause(self._reload)
                await at_hand.compare(await at_hand.read())
                self._said = None
        except NotKept as fault:
            self._complain("contract_store_away", fault.why)
        except CannotBind as fault:
            self._complain("contract_not_read", fault.why)

    async def _follow(self, at_hand: AtHand) -> None:
        """Take the accepted contract where another process or an operator changed it."""
        standing = await self._store.standing() if self._store else None
        if self._store is None or standing is None:
            return
        if standing.location != at_hand.location:
            self._complain("contract_of_another_location", standing.location)
            return
        if standing.fingerprint != at_hand.fingerprint:
            kept = await self._store.accepted()
            if kept is None:
                return
            await at_hand.bind(kept, "contract_followed")
        at_hand.drift = standing.pending.differences if standing.pending else ()

    def _complain(self, event: str, why: str) -> None:
        """Log a complaint, but not the same again and again."""
        if self._said != why:
            self._said = why
            log.warning(event, why=why)

    def _look_soon(self) -> None:
        self._look_at = _now()
        self._wake.set()


def _pause(seconds: float) -> float:
    return seconds * _random.uniform(1 - _JITTER, 1)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _say_why_it_ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (fault := task.exception()) is not None:
        log.error("contract_watch_ended", fault=type(fault).__name__)
