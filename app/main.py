"""Build everything; nothing is created elsewhere."""

import gc
import os
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp

from app import __doc__ as description
from app.api import (
    batches,
    billing,
    cancel,
    documents,
    health,
    hooks,
    messages,
    metrics,
    openapi,
    problems,
    provider_users,
    providers,
    reports,
    resolve,
    send,
    served,
    tools,
    unmapped,
    unmatched,
)
from app.api.access import Access
from app.api.edge import Edge
from app.api.metrics import figure
from app.api.requests import RequestLog
from app.delivery import accept, fault_points
from app.delivery.gateway import Gateway, Timing
from app.delivery.gather import Gathering
from app.delivery.inspect import Inspector
from app.delivery.limit import Limiter, Limits
from app.delivery.watch import watching
from app.domain.identifiers import Identifiers
from app.domain.message import Channel
from app.providers import registry
from app.providers.fax123 import acknowledgement
from app.settings import AllSettings, CoreSettings
from app.store import migrate
from app.store.clock import Clock
from app.store.database import Database, address, is_unavailable

VERSION: Final = "0.1.0"


class WrongRevision(Exception):
    """The store has another schema than this version works with."""


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def build(settings: AllSettings, database: Database | None = None) -> Gateway:
    """Return what every step works with; another store than the settings' may be handed in."""
    core = settings.core
    database = database or Database(core.database_url, pool=core.database_pool)
    clock = Clock(database)
    inspector = Inspector()
    built = registry.build(settings.efidem, settings.fax123, inspector, database, now)
    concurrency = {
        "efidem": settings.efidem.concurrency,
        "fax123": settings.fax123.concurrency,
    }
    return Gateway(
        database=database,
        providers=built.providers,
        desks=built.desks,
        evidence=built.evidence,
        routes=routes(core.route_fax),
        learn=built.learn,
        ids=Identifiers(now, os.urandom),
        now=clock.now,
        clock=clock,
        production=core.environment == "production",
        outside=outside_of(core),
        spool=Path(core.spool),
        random=random.SystemRandom().random,
        public_url=core.public_url,
        inspector=inspector,
        concurrency=concurrency,
        rates={"efidem": settings.efidem.rate} if settings.efidem.rate else {},
        slots={"efidem": settings.efidem.slots},
        fault_points=fault_points.read(core.fault_points, random.SystemRandom().random),
        timing=Timing(
            lease=timedelta(seconds=core.worker_lease),
            start_within=timedelta(seconds=core.worker_lease / 4),
            grace=timedelta(seconds=core.worker_lease / 4),
            idle=core.worker_idle,
            pace=core.pace,
            drain=core.worker_drain,
            fax_retries=core.fax_retries,
            ack_overdue=timedelta(seconds=core.fax_ack_overdue),
            settle=timedelta(seconds=core.settle),
        ),
    )


def outside_of(core: CoreSettings) -> Path | None:
    """Return the file that keeps the store's position outside it: beside SQLite's, or where said."""
    if core.incarnation_file is not None:
        return Path(core.incarnation_file)
    url = address(core.database_url)
    is_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    return Path(f"{url.database}.incarnation") if is_file else None


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


def _limits(settings: AllSettings, database: Database) -> Limits:
    """Return how much is taken in: the disk counts where the store is a file of this machine."""
    core = settings.core
    production = core.environment == "production"
    return settings.queue.limits(database.folder, body_limit=core.body_limit, production=production)


def build_edge(settings: AllSettings, gateway: Gateway) -> Edge:
    """Return what every endpoint works with."""
    core = settings.core
    access = build_access(settings, gateway)
    return Edge(
        gateway=gateway,
        access=access,
        limiter=Limiter(gateway.database, _limits(settings, gateway.database), gateway.random),
        accepting=Gathering(lambda items: accept.accept(gateway, items), is_unavailable),
        remembering=Gathering(lambda keys: accept.remember(gateway, keys), is_unavailable),
        figuring=Gathering(lambda asked: figure(gateway, asked), is_unavailable),
        secret=core.key_pepper.get_secret_value().encode(),
        callback_digest=access.digest(core.callback_secret.get_secret_value()),
        read_callback=acknowledgement.read,
        requires_idempotency=core.requires_idempotency,
        body_limit=core.body_limit,
        attachment_limit=core.attachment_limit,
        relay_automatic=core.route_email == "auto",
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
    for module in (send, batches, messages, documents, tools, reports, billing, provider_users):
        app.include_router(module.router)
    for module in (cancel, resolve, providers, unmatched, unmapped, hooks, served, health, metrics):
        app.include_router(module.router)
    problems.install(app)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    if edge is not None:
        app.state.edge = edge
    return app


def application(edge: Edge) -> ASGIApp:
    """Return what a server runs: the HTTP application, and one log line for each request."""
    return RequestLog(create_app(edge), edge.gateway.ids, edge.measures)


def _described(app: FastAPI) -> dict[str, object]:
    if app.openapi_schema is None:
        app.openapi_schema = openapi.document(app)
    return app.openapi_schema


@asynccontextmanager
async def opened(gateway: Gateway) -> AsyncIterator[None]:
    """Hold a gateway open: the store's schema is right, the providers know what they can."""
    await prepare_store(gateway.database)
    try:
        async with watching(gateway):
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
