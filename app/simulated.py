"""The simulators of test keys within `multicanal serve`, where the settings name none elsewhere."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from starlette.types import ASGIApp

from app.processes import Server, SimulatedConnection, listen, port_of
from app.providers.efidem import simulator as efidem_simulator
from app.providers.fax123 import simulator as fax123_simulator
from app.providers.twins import TwinSettings, callback_path
from app.settings import AllSettings

_HOST: Final = "127.0.0.1"
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 -- listened on, and here replaced


@asynccontextmanager
async def twins(settings: AllSettings, listening: socket.socket) -> AsyncIterator[TwinSettings]:
    """Run what is missing on loopback, for as long as the API listens; return where all are.

    What they accepted is forgotten when this process ends: they are for trying, not for keeping.
    """
    found = settings.twins
    ours = str(found.public_url).rstrip("/") if found.public_url else _address_of(listening)
    callback = ours + callback_path(settings.core.callback_secret)
    async with AsyncExitStack() as stack:
        named: dict[str, str] = {"public_url": ours}
        if found.efidem_wsdl is None:
            url = await stack.enter_async_context(_served(efidem_simulator.create_app()))
            named["efidem_wsdl"] = f"{url}/efidem.wsdl"
        if found.fax123_url is None:
            fax123 = fax123_simulator.create_app(callback_url=callback)
            url = await stack.enter_async_context(_served(fax123))
            named["fax123_url"] = f"{url}/http.php"
        known = {name: str(value) for name, value in found.model_dump().items() if value}
        yield TwinSettings.model_validate(known | named)


@asynccontextmanager
async def _served(application: ASGIApp) -> AsyncIterator[str]:
    listening = listen(_HOST, 0)
    server = Server(application, listening, connection=SimulatedConnection)
    running = asyncio.create_task(server.run_until_stopped())
    await server.wait_ready(running)
    try:
        yield f"http://{_HOST}:{port_of(listening)}"
    finally:
        server.stop(1)
        await running


def _address_of(listening: socket.socket) -> str:
    """Return the address at which this machine itself reaches what listens."""
    host = listening.getsockname()[0]
    host = _HOST if host in _EVERYWHERE else host
    return f"http://{f'[{host}]' if ':' in host else host}:{port_of(listening)}"
