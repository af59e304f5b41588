"""An API whose provider can be asked: the simulated Efidem, or one that answers what a test says."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from app import main
from app.api.access import SCOPES
from app.api.issue import create_key
from app.domain.message import Mode
from app.processes import Server, listen, port_of
from app.providers.efidem.simulator import create_app
from app.store.database import Database
from tests.api.client import Answer, Api
from tests.api.conftest import serving, with_keys
from tests.providers import sockets
from tests.providers.efidem.envelopes import result

ACCOUNT = {"username": "nous", "password": "canary-account-password", "app_id": "app-1"}
PACE = 0.05  # of the simulator's delays: an answer after 30 seconds comes after 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The API, its provider's address, and a key that may do everything."""

    api: Api
    provider: str
    admin: str

    async def at_provider(self, path: str, method: str = "GET", body: Any = None) -> Any:
        """Look at the simulator, or set it."""
        async with self.api.session.request(method, self.provider + path, json=body) as answer:
            return await answer.json() if answer.status == 200 else None

    async def users(self) -> list[str]:
        """Return the users of the provider's console."""
        found: list[str] = (await self.at_provider("/users"))["users"]
        return found

    async def post(self, path: str, body: object, **options: Any) -> Answer:
        return await self.api.post(path, body, **{"key": self.admin, **options})

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.api.get(path, **{"key": self.admin, **options})


@asynccontextmanager
async def simulated(**options: Any) -> AsyncIterator[str]:
    """Serve Efidem's simulator on a free port, and return its address."""
    listening = listen("127.0.0.1", 0)
    server = Server(create_app(pace=PACE, **options), listening)
    running = asyncio.create_task(server.run_until_stopped())
    await server.wait_ready(running)
    try:
        yield f"http://127.0.0.1:{port_of(listening)}"
    finally:
        server.stop()
        await running


@asynccontextmanager
async def asking(
    database: Database,
    *,
    account: dict[str, str] | None = None,
    dialect: str = "document",
    efidem: dict[str, Any] | None = None,
    **changes: Any,
) -> AsyncIterator[Asking]:
    """Serve the API over a simulator of its own."""
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(simulated(dialect=dialect))
        told = {**ACCOUNT, "timeout": 5, **(account or {}), **(efidem or {})}
        api = await with_keys(
            await stack.enter_async_context(
                serving(database, providers=provider, efidem=told, **changes)
            )
        )
        admin = await create_key(
            api.gateway, api.edge.access.digest, name="operators", mode=Mode.LIVE, scopes=SCOPES
        )
        yield Asking(api=replace(api, live=admin), provider=provider, admin=admin)


@asynccontextmanager
async def answering(
    database: Database,
    answer: bytes | str | None,
    status: int = 200,
    *,
    silent: float = 0.0,
    **options: Any,
) -> AsyncIterator[tuple[Asking, sockets.Server]]:
    """Serve the API over a provider whose every answer is this one, by the simulator's WSDL."""
    body = result(answer) if isinstance(answer, str) else answer
    said = sockets.http_answer(body, status) if body is not None else None
    async with sockets.serving(said, silent=silent) as server:
        efidem = {"address": server.url("/soap"), **options.pop("efidem", {})}
        async with asking(database, efidem=efidem, **options) as found:
            yield found, server


def calls(requests: Sequence[str], function: str) -> list[str]:
    """Return the requests that call a function."""
    return [one for one in requests if f"{function}>" in one or f"{function} " in one]


async def without(asked: Asking, function: str, folder: Path) -> str:
    """Write the simulator's WSDL to a file, one function renamed beyond recognition."""
    async with asked.api.session.get(f"{asked.provider}/efidem.wsdl") as answer:
        content = await answer.read()
    assert function.encode() in content
    path = folder / "without.wsdl"
    path.write_bytes(content.replace(function.encode(), b"AUTRE_CHOSE"))
    return str(path)


@cache
def described(model: str) -> set[str]:
    """Return the fields that the OpenAPI document names for an answer."""
    document = main.create_app().openapi()
    return set(document["components"]["schemas"][model]["properties"])
