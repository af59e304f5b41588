"""Efidem's simulator behind a server of the test's own, which hands over another WSDL when told."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from app.processes import Server, listen, port_of
from app.providers.efidem.simulator import create_app

Change = Callable[[bytes], bytes]
CLIENT_FAULT = (
    b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>'
    b"<faultcode>e:Client</faultcode><faultstring>no such operation</faultstring>"
    b"</e:Fault></e:Body></e:Envelope>"
)


def unchanged(wsdl: bytes) -> bytes:
    return wsdl


class Front:
    """What stands between the gateway and the simulator."""

    def __init__(self, behind: ASGIApp) -> None:
        self._behind = behind
        self.change: Change = unchanged
        self.away = False  # the WSDL alone
        self.refuses = False  # every call, for its form
        self.looks = 0  # at the WSDL
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def wsdl(self) -> str:
        return f"{self.url}/efidem.wsdl"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path")
        if path == "/efidem.wsdl":
            self.looks += 1
            status, body = await self._asked(scope, receive)
            await _answer(send, 503 if self.away else status, self.change(body))
        elif path == "/soap" and self.refuses:
            await _answer(send, 500, CLIENT_FAULT)
        else:
            await self._behind(scope, receive, send)

    async def _asked(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        said: list[dict[str, Any]] = []

        async def keep(message: Any) -> None:
            said.append(dict(message))

        await self._behind(scope, receive, keep)
        return said[0]["status"], b"".join(one.get("body", b"") for one in said)


async def _answer(send: Send, status: int, body: bytes) -> None:
    length = str(len(body)).encode()
    headers = [(b"content-type", b"text/xml"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def fronting(dialect: str = "document") -> AsyncIterator[Front]:
    """Serve a simulator behind a front, on a free port."""
    front = Front(create_app(pace=0.01, dialect=dialect))
    listening = listen("127.0.0.1", 0)
    front.port = port_of(listening)
    server = Server(front, listening)
    running = asyncio.create_task(server.run_until_stopped())
    await server.wait_ready(running)
    try:
        yield front
    finally:
        server.stop()
        await running
        gc.unfreeze()
