"""Statements of PostgreSQL's that are each a transaction of their own, and cost one round trip.

There is no BEGIN and no COMMIT: the server commits a statement that comes alone, before it says that
it is done. The driver's own way to the socket costs more than most such statements. So a statement
is prepared once a connection, its parameters are handed over in binary, and the event loop watches
the socket for as long as the connection stands; one that the server closes is known at once.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format, abc
from sqlalchemy.exc import DBAPIError

from app.store.patience import STALLED, Impatient

Values = Sequence[bytes | None]  # of `$1`, `$2` and so on, in PostgreSQL's binary form
Rows = Sequence[tuple[Any, ...]]

SOON: Final = 0.1  # seconds for which a new connection's first plans last
SELDOM: Final = 60.0  # seconds for which plans last in the end
_DONE: Final = (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK)


class Line:
    """One connection, over which one statement at a time runs."""

    def __init__(self, connection: Impatient) -> None:
        self._connection = connection
        self._server: abc.PGconn = connection.pgconn
        self._socket = connection.fileno()
        self._loop = asyncio.get_running_loop()
        self._names: dict[str, bytes] = {}  # of prepared statements
        self._planned_at = self._loop.time()
        self._plans_last = SOON
        self._told: asyncio.Future[None] | None = None  # once all is there that was asked for
        self._result: abc.PGresult | None = None
        self._stands = True
        self._loop.add_reader(self._socket, self._read)

    @property
    def is_free(self) -> bool:
        """Whether it stands, and nothing is under way."""
        return self._stands and self._told is None

    async def run(self, sql: str, values: Values | None) -> Rows:
        """Run one statement and commit it; return its rows, if it has any.

        Without values it may be several statements of one transaction, which are not prepared;
        the rows are the last one's. Raises psycopg.Error; one without an SQLSTATE says that nobody
        knows what became of it.
        """
        if self._loop.time() > self._planned_at + self._plans_last:
            await self._plan_anew()
        if values is None:
            self._server.send_query(sql.encode())
        else:
            name = self._names.get(sql) or await self._prepared(sql)
            formats = [Format.BINARY] * len(values)
            self._server.send_query_prepared(name, values, formats, Format.BINARY)
        result = await self._answered()
        if not result.ntuples:
            return ()
        reading = Transformer.from_context(self._connection)
        reading.set_pgresult(result)
        rows: Rows = reading.load_rows(0, result.ntuples, tuple)
        return rows

    async def _prepared(self, sql: str) -> bytes:
        """Have the server prepare a statement that is new; return its name."""
        name = b"alone_%d" % len(self._names)
        self._server.send_prepare(name, sql.encode())
        await self._answered()
        self._names[sql] = name
        return name

    async def _plan_anew(self) -> None:
        """Let go of plans that were made while a table may have been small, ever less often."""
        self._planned_at = self._loop.time()
        self._plans_last = min(2 * self._plans_last, SELDOM)
        self._server.send_query(b"DISCARD PLANS")
        await self._answered()

    def close(self) -> None:
        """End the connection."""
        if self._stands:
            self._stands = False
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._server.finish()

    async def _answered(self) -> abc.PGresult:
        """Return what the server says to what was just handed to the driver."""
        self._told = told = self._loop.create_future()
        cutting = self._loop.call_later(STALLED, self._break, "the server did not answer in time")
        self._send()
        try:
            await told
        finally:
            cutting.cancel()
        # Who is cancelled leaves it as it is: an answer may still come.
        self._told, result, self._result = None, self._result, None
        assert result is not None
        if result.status not in _DONE:
            fault = error_from_result(result)
            if not isinstance(fault, psycopg.IntegrityError):
                self.close()  # what was prepared may be out of date, such as after a migration
            raise fault
        return result

    def _send(self) -> None:
        """Send what waits; the socket may not take all of it at once."""
        try:
            if self._server.flush():
                self._loop.add_writer(self._socket, self._send)
            else:
                self._loop.remove_writer(self._socket)
        except psycopg.OperationalError as fault:
            self._break(str(fault))

    def _read(self) -> None:
        """Take what came; where nothing was asked, it can only be that the connection ends."""
        try:
            self._server.consume_input()
            is_whole = False
            while not is_whole and not self._server.is_busy():
                result = self._server.get_result()
                is_whole = result is None
                self._result = result or self._result  # the last one: an error comes after all else
        except psycopg.OperationalError as fault:
            self._break(str(fault))
            return
        if is_whole and self._told is not None and not self._told.done():
            self._told.set_result(None)

    def _break(self, why: str) -> None:
        self.close()
        if self._told is not None and not self._told.done():
            self._told.set_exception(psycopg.OperationalError(why))


class Alone:
    """Connections for such statements; as many as are needed at once, and they are kept."""

    def __init__(self, connect: Callable[[], Awaitable[Impatient]]) -> None:
        self._connect = connect
        self._free: list[Line] = []
        self._lent = 0
        self._rested: asyncio.Event | None = None  # once somebody waited for that

    async def lend(self) -> Line:
        """Lend a connection, which is then taken back; the faults of connecting are SQLAlchemy's."""
        line: Line | None = None
        while self._free and line is None:
            line = self._free.pop()
            if not line.is_free:
                line = None
        if line is None:
            try:
                line = Line(await self._connect())
            except psycopg.Error as fault:
                raise told(fault) from fault
        self._lent += 1
        return line

    def take_back(self, line: Line) -> None:
        """Keep a connection for the next one; not while something is under way there."""
        self._lent -= 1
        if not self._lent and self._rested is not None:
            self._rested.set()
        if line.is_free:
            self._free.append(line)
        else:
            line.close()

    async def rested(self, seconds: float) -> None:
        """Return when no connection is lent, or after some time."""
        if not self._lent:
            return
        self._rested = self._rested or asyncio.Event()
        self._rested.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rested.wait()

    def close(self) -> None:
        """End the connections that are free."""
        while self._free:
            self._free.pop().close()


def told(fault: psycopg.Error) -> DBAPIError:
    """Return a fault of the driver's as SQLAlchemy's, as every other statement's is."""
    made = DBAPIError.instance(None, None, fault, psycopg.Error, hide_parameters=True)
    assert isinstance(made, DBAPIError)
    return made
