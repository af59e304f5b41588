"""Build everything; nothing is created elsewhere."""

import gc
import os
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp

from app import __doc__ as description
from app.api import documents, health, hooks, messages, openapi, problems, send, served
from app.api.access import Access
from app.api.edge import Edge
from app.api.requests import RequestLog
from app.delivery import accept
from app.delivery.gateway import Gateway, Timing
from app.delivery.gather import Gathering
from app.delivery.inspect import Inspector
from app.domain.identifiers import Identifiers
from app.domain.message import Channel
from app.providers import registry
from app.providers.fax123 import acknowledgement
from app.settings import AllSettings
from app.store import migrate
from app.store.database import Database, is_unavailable

VERSION: Final = "0.1.0"


class WrongRevision(Exception):
    """The store has another schema than this version works with."""


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def build(settings: AllSettings) -> Gateway:
    """Return what every step works with."""
    core = settings.core
    inspector = Inspector()
    providers = registry.build(settings.efidem, settings.fax123, inspector)
    concurrency = {
        "efidem": settings.efidem.concurrency,
        "fax123": settings.fax123.concurrency,
    }
    return Gateway(
        database=Database(core.database_url, pool=core.database_pool),
        providers=providers,
        routes=routes(core.route_fax),
        learn=registry.LEARN,
        ids=Identifiers(now, os.urandom),
        now=now,
        random=random.SystemRandom().random,
        public_url=core.public_url,
        inspector=inspector,
        concurrency=concurrency,
        timing=Timing(
            lease=timedelta(seconds=120),
            idle=core.worker_idle,
            pace=core.pace,
            drain=core.worker_drain,
        ),
    )


def routes(fax: str) -> Mapping[Channel, str]:
    """Return the provider that carries each channel."""
    return {
        Channel.EMAIL: "efidem",
        Channel.SMS: "efidem",
        Channel.LETTER: "efidem",
        Channel.FAX: fax,
    }


def build_access(settings: AllSettings, gateway: Gateway) -> Access:
    """Return what knows callers."""
    core = settings.core
    pepper = core.key_pepper.get_secret_value().encode()
    return Access(gateway, pepper, production=core.environment == "production")


def build_edge(settings: AllSettings, gateway: Gateway) -> Edge:
    """Return what every endpoint works with."""
    core = settings.core
    access = build_access(settings, gateway)
    return Edge(
        gateway=gateway,
        access=access,
        accepting=Gathering(lambda items: accept.accept(gateway, items), is_unavailable),
        remembering=Gathering(lambda keys: accept.remember(gateway, keys), is_unavailable),
        secret=core.key_pepper.get_secret_value().encode(),
        callback_digest=access.digest(core.callback_secret.get_secret_value()),
        read_callback=acknowledgement.read,
        requires_idempotency=core.requires_idempotency,
        body_limit=core.body_limit,
        attachment_limit=core.attachment_limit,
    )


def create_app(edge: Edge | None = None) -> FastAPI:
    """Return the HTTP application; without an edge it can only describe itself."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # What was built lives as long as the process: the collector need not look at it again.
        gc.freeze()
        yield

    app = FastAPI(
        title="multicanal",
        version=VERSION,
        description=description or "",
        docs_url=None,  # its pages load from another host
        redoc_url=None,
        redirect_slashes=False,  # a redirect would name the host that the caller claims
        lifespan=lifespan,
    )
    for module in (send, messages, documents, hooks, served, health):
        app.include_router(module.router)
    problems.install(app)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    if edge is not None:
        app.state.edge = edge
    return app


def application(edge: Edge) -> ASGIApp:
    """Return what a server runs: the HTTP application, and one log line for each request."""
    return RequestLog(create_app(edge), edge.gateway.ids)


def _described(app: FastAPI) -> dict[str, object]:
    if app.openapi_schema is None:
        app.openapi_schema = openapi.document(app)
    return app.openapi_schema


@asynccontextmanager
async def opened(gateway: Gateway) -> AsyncIterator[None]:
    """Hold a gateway open: the store's schema is right, the providers know what they can."""
    await prepare_store(gateway.database)
    try:
        for provider in gateway.providers.values():
            await provider.start()
        yield
    finally:
        await closed(gateway)


async def closed(gateway: Gateway) -> None:
    """Close every connection and process."""
    for provider in gateway.providers.values():
        await provider.close()
    await gateway.inspector.close()
    await gateway.database.close()


async def prepare_store(database: Database) -> None:
    """Bring the embedded SQLite to this version's schema; refuse another store that has not it."""
    found, wanted = await migrate.revision(database), migrate.newest()
    if found == wanted:
        return
    if not database.is_sqlite:
        message = f"the store has revision {found}, this version needs {wanted}: multicanal migrate"
        raise WrongRevision(message)
    await migrate.upgrade(database)
