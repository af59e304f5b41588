"""The simulator's own calls: the download of a document, and the callback."""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from app.providers.fax123.simulator.clock import Clock

CONNECTIONS = 256  # at the same time
TIMEOUT = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: no status if nothing did, and never more of the body than asked for."""

    status: int | None
    body: bytes


class Wire:
    """Calls by GET, each on a connection of its own, without redirects or retries."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        # A kept connection would make aiohttp repeat a GET that broke: acknowledgements are counted
        connector = TCPConnector(limit=CONNECTIONS, force_close=True)
        self._session = ClientSession(
            connector=connector,
            cookie_jar=DummyCookieJar(),
            timeout=ClientTimeout(total=self._clock.timeout(TIMEOUT)),
            headers={"Accept-Encoding": "identity", "User-Agent": "123-fax simulator"},
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, url: URL, *, at_most: int) -> Reply:
        """Call a URL and read at most so many bytes; a failure is a reply without a status."""
        if self._session is None:
            raise RuntimeError("the simulator's lifespan has not run: serve it with lifespan on")
        body = bytearray()
        try:
            async with self._session.get(url, allow_redirects=False) as response:
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) >= at_most:
                        break
        except (ClientError, OSError, TimeoutError, ValueError):
            return Reply(None, b"")
        return Reply(response.status, bytes(body[:at_most]))
