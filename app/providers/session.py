"""HTTP exchanges with a provider, each on a connection of its own: what no kept connection serves.

aiohttp takes 8 MiB, and most processes of the API never need it: this is read when it is first used.
"""

from types import SimpleNamespace

import aiohttp
from aiohttp import ClientHandlerType, ClientTimeout, TraceConfig
from yarl import URL

from app.domain.message import MayBegin
from app.providers.exchange import (
    CONNECT,
    HELD_UP,
    Answered,
    Broken,
    Exchange,
    NotSent,
    too_large,
)


class Session:
    """Connections that serve one call each."""

    def __init__(self, *, timeout: float, concurrency: int) -> None:
        self._timeout = ClientTimeout(total=timeout, sock_connect=CONNECT, connect=None)
        self._concurrency = concurrency
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def exchange(
        self,
        largest: int,
        may_begin: MayBegin | None,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Exchange:
        """Make one call; an answer of more than `largest` bytes is not read to its end."""
        phase = SimpleNamespace(connected=False, may_begin=may_begin)
        try:
            async with self._opened().request(
                method,
                _as_it_is(url),
                data=body,
                headers=headers,
                allow_redirects=False,
                trace_request_ctx=phase,
            ) as response:
                content = await _read(response, largest)
                if content is None:
                    return too_large(largest)
                return Answered(
                    status=response.status,
                    body=content,
                    retry_after=response.headers.get("Retry-After"),
                )
        except _TooLate:
            return HELD_UP
        except _BrokenOff as fault:
            return Broken(fault.why)
        # The class names what happened; the text may hold the address, and with it a password.
        except aiohttp.ClientConnectorCertificateError as fault:
            return NotSent(type(fault).__name__, certificate=True)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
            why = type(fault).__name__
            return Broken(why) if phase.connected else NotSent(why)

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            trace = TraceConfig()
            trace.on_connection_create_end.append(_connected)
            trace.on_request_headers_sent.append(_about_to_write)
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                connector=aiohttp.TCPConnector(limit=self._concurrency, force_close=True),
                trace_configs=[trace],
                middlewares=(_once,),
                # What a call is told must not colour the next one.
                cookie_jar=aiohttp.DummyCookieJar(),
                # No proxy and no password file of the machine may step in between.
                trust_env=False,
                auto_decompress=True,
                headers={"User-Agent": "multicanal", "Accept-Encoding": "identity"},
            )
        return self._session


class _TooLate(aiohttp.ClientError):
    """The connection stands, and its caller does not want it any more."""


class _BrokenOff(aiohttp.ClientError):
    """A connection broke after it stood; no class that aiohttp answers with a second try."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


async def _once(
    request: aiohttp.ClientRequest, handler: ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a GET: it does, whatever the connection, and cannot be told."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as fault:
        raise _BrokenOff(type(fault).__name__) from None


async def _connected(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _parameters: aiohttp.TraceConnectionCreateEndParams,
) -> None:
    context.trace_request_ctx.connected = True


async def _about_to_write(
    _session: aiohttp.ClientSession,
    context: SimpleNamespace,
    _parameters: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    """Ask whether the call may begin: despite its name, this is told before the first byte."""
    may_begin = context.trace_request_ctx.may_begin
    if may_begin is not None and not await may_begin():
        raise _TooLate


def _as_it_is(url: str) -> URL:
    return URL(url, encoded=True)


async def _read(response: aiohttp.ClientResponse, largest: int) -> bytes | None:
    """Return the whole body, None where it is too large: it is never held whole then."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_chunked(65_536):
        size += len(part)
        if size > largest:
            return None
        parts.append(part)
    return b"".join(parts)
