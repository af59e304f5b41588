"""A connection to PostgreSQL that waits only so long for an answer.

A server that is gone refuses at once. One that hangs, or a network that swallows what we say, would
hold a request for ever: neither `statement_timeout`, which the server keeps, nor cancelling a
task, which asks the server too, ends that. Here the socket is shut down on our side, and whoever
waits for the answer gets a broken connection.
"""

import asyncio
import contextlib
import os
import socket
import traceback
from typing import Any, Final

import psycopg
from psycopg.abc import PQGen

from app.store import arrays

STALLED: Final = 5.0  # seconds without an answer; longer than SESSION's `statement_timeout`


class Impatient(psycopg.AsyncConnection[Any]):
    """A connection that breaks when an answer takes longer than `patience` seconds."""

    patience: float | None = STALLED  # None: for ever, as a migration may need it

    @classmethod
    async def connect(cls, conninfo: str = "", **options: Any) -> "Impatient":  # noqa: ANN401
        """Connect; an attempt that failed leaves no socket behind."""
        try:
            made = await super().connect(conninfo, **options)
        except psycopg.Error as fault:
            # Their frames hold the socket of an attempt that ran out of time, until the collector
            # comes by: while a server hangs, attempts would pile up.
            traceback.clear_frames(fault.__traceback__)
            if fault.__context__ is not None:
                traceback.clear_frames(fault.__context__.__traceback__)
            raise
        arrays.prepare(made)
        return made

    async def wait(
        self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None
    ) -> Any:  # noqa: ANN401 -- whatever the generator returns
        """Wait for the server, as every exchange with it does."""
        if self.patience is None:
            return await super().wait(gen, interval, timeout)
        cutting = asyncio.get_running_loop().call_later(self.patience, self._cut)
        try:
            return await super().wait(gen, interval, timeout)
        finally:
            cutting.cancel()

    def _cut(self) -> None:
        with (
            contextlib.suppress(OSError, psycopg.OperationalError),
            socket.socket(fileno=os.dup(self.fileno())) as same,
        ):
            same.shutdown(socket.SHUT_RDWR)
