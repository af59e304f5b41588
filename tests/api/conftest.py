"""The gateway's API on a real port, without a worker: what it takes in stays queued."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, update

from app import main
from app.api.access import USUAL_SCOPES
from app.api.access_settings import AccessSettings
from app.api.issue import create_key
from app.delivery.settings import QueueSettings
from app.domain.message import Mode
from app.processes import Server, listen, port_of
from app.providers.efidem.settings import EfidemSettings
from app.providers.fax123.settings import Fax123Settings
from app.providers.twins import TwinSettings
from app.settings import AllSettings, CoreSettings
from app.store import migrate
from app.store.database import Database
from app.store.tables import channels, messages
from tests.api.client import ATTACHMENT_LIMIT, BODY_LIMIT, SECRET, Api, session

Serve = Callable[..., AbstractAsyncContextManager[Api]]


def settings(
    *,
    providers: str = "http://127.0.0.1:9",
    efidem: Mapping[str, Any] | None = None,
    queue: Mapping[str, Any] | None = None,
    access: Mapping[str, Any] | None = None,
    twins: Mapping[str, Any] | None = None,
    **changes: Any,
) -> AllSettings:
    """Settings of these tests alone: providers at an address where nobody listens."""
    usual = {
        "environment": "development",
        "public_url": "http://127.0.0.1:9",
        "callback_secret": SECRET,
        "key_pepper": "pepper-of-these-tests",
        "body_limit": BODY_LIMIT,
        "attachment_limit": ATTACHMENT_LIMIT,
    }
    return AllSettings(
        core=CoreSettings(_env_file=None, **{**usual, **changes}),
        queue=QueueSettings(_env_file=None, **(queue or {})),
        access=AccessSettings(_env_file=None, **(access or {})),
        efidem=EfidemSettings(
            _env_file=None, **{"wsdl": f"{providers}/efidem.wsdl", **(efidem or {})}
        ),
        fax123=Fax123Settings(_env_file=None, url=f"{providers}/http.php"),
        twins=TwinSettings(_env_file=None, **(twins or {})),
    )


@asynccontextmanager
async def serving(
    database: Database, *, now: Callable[[], datetime] = main.now, **changes: Any
) -> AsyncIterator[Api]:
    """Serve the API on a store."""
    chosen = settings(**changes)
    gateway = replace(main.build(chosen, database), now=now)
    edge = main.build_edge(chosen, gateway)
    listening = listen("127.0.0.1", 0)
    server = Server(main.application(edge), listening)
    running = asyncio.create_task(server.run_until_stopped())
    await server.wait_ready(running)
    try:
        async with session() as opened:
            yield Api(gateway=gateway, edge=edge, port=port_of(listening), session=opened)
    finally:
        server.stop()
        await running
        for provider in gateway.providers.values():
            await provider.close()
        await gateway.inspector.close()
        # The application froze the collector, as it should in a process of its own.
        gc.unfreeze()


async def with_keys(api: Api) -> Api:
    """Return the API as clients see it that nobody saw before."""
    name = uuid4().hex

    async def key(client: str, mode: Mode, *scopes: str) -> str:
        few = {"scopes": scopes or (*USUAL_SCOPES, "reports:read")}
        digest = api.edge.access.digest
        return await create_key(api.gateway, digest, name=f"{client} {name}", mode=mode, **few)

    return replace(
        api,
        live=await key("accounts", Mode.LIVE),
        test=await key("accounts", Mode.TEST),
        other=await key("archive", Mode.LIVE),
        reader=await key("accounts", Mode.LIVE, "messages:read"),
        sender=await key("accounts", Mode.LIVE, "sms:send"),
    )


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("MULTICANAL_")]:
            patch.delenv(name)
        yield


@asynccontextmanager
async def on_new_store(url: str) -> AsyncIterator[Api]:
    database = Database(url)
    await migrate.upgrade(database)
    async with serving(database) as api:
        yield api
    await database.close()


@pytest.fixture(scope="session")
async def shared(
    anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Api]:
    """One API on SQLite for all tests that look at single requests only."""
    folder = tmp_path_factory.mktemp("api")
    async with on_new_store(f"sqlite:///{folder / 'store.db'}") as api:
        yield await with_keys(api)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
async def served(
    request: pytest.FixtureRequest, anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Api]:
    """One API on each database."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('api') / 'store.db'}"
    else:
        url = request.getfixturevalue("postgres").create(f"api_{uuid4().hex}")
    async with on_new_store(url) as api:
        yield api


@pytest.fixture
async def api(served: Api) -> Api:
    """An API with clients of this test's own and an empty queue, on each database."""
    async with served.gateway.database.transaction() as connection:
        await connection.execute(
            update(messages)
            .where(messages.c.status.in_(["queued", "scheduled", "submitting"]))
            .values(status="cancelled", due_at=None, lease_until=None)
        )
        await connection.execute(delete(channels))
    fresh = await with_keys(served)
    await fresh.begin_counting()
    return fresh


@pytest.fixture
def serve() -> Serve:
    """Serve an API with other settings."""
    return serving
