"""Acknowledgements ("AR en GET"): the callback to the one address of the account."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from yarl import URL

from app.providers.fax123.simulator.clock import Clock
from app.providers.fax123.simulator.codes import RECEPTION
from app.providers.fax123.simulator.ledger import Acknowledgement, Ledger
from app.providers.fax123.simulator.wire import Reply, Wire

logger = logging.getLogger(__name__)

AFTER_THE_ANSWER = 2.0  # seconds
BETWEEN_TRIES = 1.0  # seconds
TRIES = 4  # the first, and three more
MOST_WAITING = 20_000
SERVER_ERROR = 500


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is acknowledged, and how many times."""

    etat_e: str
    ref_accuse: str
    numero: str
    nb_page: str
    times: int


class Acknowledger:
    """Calls the callback, now or later."""

    def __init__(self, callback_url: str | None, wire: Wire, clock: Clock, ledger: Ledger) -> None:
        self._callback_url = callback_url
        self._wire = wire
        self._clock = clock
        self._ledger = ledger
        self._waiting: set[asyncio.Task[None]] = set()

    async def soon(self, receipt: Receipt) -> None:
        """Have a fax acknowledged in a while; returns at once."""
        if len(self._waiting) >= MOST_WAITING:
            logger.warning("not acknowledged: too many wait")
            return
        self._start(self._later(receipt))

    async def now(self, receipt: Receipt) -> None:
        """Acknowledge a fax, and return when the callback has answered or was given up."""
        if self._callback_url is None:
            return
        for _ in range(receipt.times):
            await self._try_until_answered(self._callback_url, receipt)

    async def stop(self) -> None:
        """Give up every acknowledgement that is still to come."""
        for task in self._waiting:
            task.cancel()
        await asyncio.gather(*self._waiting, return_exceptions=True)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _later(self, receipt: Receipt) -> None:
        await self._clock.wait(AFTER_THE_ANSWER)
        await self.now(receipt)

    async def _try_until_answered(self, callback_url: str, receipt: Receipt) -> None:
        for further in range(TRIES):
            if further:
                await self._clock.wait(BETWEEN_TRIES)
            address = self._address(callback_url, receipt)
            reply = await self._wire.get(address, at_most=1)
            self._record(receipt, reply)
            if reply.status is not None and reply.status < SERVER_ERROR:
                return

    def _address(self, callback_url: str, receipt: Receipt) -> URL:
        """Return the callback with "les variables à récupérer", in the document's order."""
        variables = {
            "etat_e": receipt.etat_e,
            "ref_accuse": receipt.ref_accuse,
            "numero": receipt.numero,
            "nb_page": receipt.nb_page,
            "heure": self._clock.hour(),
        }
        mark = "&" if "?" in callback_url else "?"
        query = urlencode(variables, quote_via=quote, safe="")
        return URL(f"{callback_url}{mark}{query}", encoded=True)

    def _record(self, receipt: Receipt, reply: Reply) -> None:
        words = RECEPTION.get(receipt.etat_e, "not in the document")
        logger.info("acknowledged %s (%s): %s", receipt.etat_e, words, reply.status)
        self._ledger.acknowledgements.append(
            Acknowledgement(
                at=self._ledger.now(),
                ref=receipt.ref_accuse,
                etat_e=receipt.etat_e,
                nb_page=receipt.nb_page,
                http_status=reply.status,
            )
        )
