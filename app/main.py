"""Build everything; nothing is created elsewhere."""

import gc
import os
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp

from app import __doc__ as description
from app.api import openapi, problems
from app.api.access import Access
from app.api.edge import Edge
from app.api.held import Held
from app.api.metrics import figure
from app.api.rates import Rates
from app.api.recognise import Recognise
from app.api.requests import RequestLog
from app.api.routes import ROUTERS
from app.api.team import Team
from app.api.tokens import Tokens
from app.delivery import accept, fault_points, publish
from app.delivery.begin import begin
from app.delivery.follow import Followers
from app.delivery.gateway import Gateway, Timing
from app.delivery.gather import Gathering
from app.delivery.inspect import Inspector
from app.delivery.limit import Limiter, Limits
from app.delivery.watch import watching
from app.domain.identifiers import Identifiers
from app.domain.message import Channel
from app.domain.twins import twin_of
from app.providers import registry
from app.providers.fax123 import acknowledgement
from app.providers.fax123.provider import NAME as FAX123
from app.providers.twins import callback_secret
from app.settings import AllSettings, CoreSettings
from app.store.clock import Clock
from app.store.database import Database, address, is_unavailable
from app.store.revision import NEWEST, revision

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
    built = registry.build(settings, inspector, database, now)
    return Gateway(
        database=database,
        webhooks=settings.webhooks.build(
            core.key_pepper.get_secret_value().encode(),
            port=core.port,
            public_url=core.public_url,
            production=core.environment == "production",
            lease=core.worker_lease,
            random_bytes=os.urandom,
        ),
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
        zone=settings.queue.zone,
        twin_url=settings.twins.url,
        inspector=inspector,
        concurrency=built.concurrency,
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
            keys_kept=timedelta(days=settings.queue.idempotency_days),
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
    return dict.fromkeys(Channel, "efidem") | {Channel.FAX: fax}


def build_access(settings: AllSettings, gateway: Gateway) -> Access:
    """Return what knows callers."""
    core = settings.core
    rules = settings.access.rules()
    return Access(
        gateway,
        core.key_pepper.get_secret_value().encode(),
        proxies=settings.access.proxies,
        tokens=Tokens(rules, settings.access.issuer(rules), gateway.now) if rules else None,
    )


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
        rates=Rates(gateway.database, gateway.now, settings.queue.client_rate),
        team=Team(gateway.database),
        limiter=Limiter(gateway.database, _limits(settings, gateway.database), gateway.random),
        accepting=Gathering(lambda items: accept.accept(gateway, items), is_unavailable),
        remembering=Gathering(lambda keys: accept.remember(gateway, keys), is_unavailable),
        figuring=Gathering(lambda asked: figure(gateway, asked), is_unavailable),
        looking=Gathering(lambda wanted: publish.look(gateway, wanted), is_unavailable),
        followers=Followers(gateway),
        secret=core.key_pepper.get_secret_value().encode(),
        recognise=Recognise(core.key_pepper.get_secret_value().encode()),
        callback_digests={
            FAX123: access.digest(core.callback_secret.get_secret_value()),
            twin_of(FAX123): access.digest(callback_secret(core.callback_secret)),
        },
        read_callback=acknowledgement.read,
        requires_idempotency=core.requires_idempotency,
        body_limit=core.body_limit,
        held=Held(core.body_limit),
        attachment_limit=core.attachment_limit,
        relay_automatic=core.route_email == "auto",
    )


def create_app(edge: Edge | None = None) -> FastAPI:
    """Return the HTTP application; without an edge it can only describe itself."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # What was built lives as long as the process: the collector need not look at it again.
        gc.freeze()
        async with edge.access.last_use.kept() if edge is not None else nullcontext():
            yield
        if edge is not None:
            await edge.rates.close()

    app = FastAPI(
        title="multicanal",
        version=VERSION,
        description=description or "",
        docs_url=None,  # its pages load from another host; ours is api/docs.py
        redoc_url=None,
        generate_unique_id_function=openapi.operation_id,
        redirect_slashes=False,  # a redirect would name the host that the caller claims
        lifespan=lifespan,
    )
    for router in ROUTERS:
        app.include_router(router)
    problems.install(app)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    app.state.edge = edge
    return app


def application(edge: Edge) -> ASGIApp:
    """Return what a server runs: the HTTP application, and one log line for each request."""
    return RequestLog(create_app(edge), edge.gateway.ids, edge.measures, edge.held)


def _described(app: FastAPI) -> dict[str, object]:
    if app.openapi_schema is None:
        app.openapi_schema = openapi.document(app)
    return app.openapi_schema


@asynccontextmanager
async def opened(gateway: Gateway) -> AsyncIterator[None]:
    """Hold a gateway open: the store's schema is right, the providers know what they can."""
    try:
        await prepare_store(gateway.database)
        async with watching(gateway):
            await begin(gateway)
            yield
    finally:
        await closed(gateway)


async def closed(gateway: Gateway) -> None:
    """Close every connection and process."""
    for provider in gateway.providers.values():
        await provider.close()
    if gateway.webhooks is not None:
        await gateway.webhooks.close()
    await gateway.inspector.close()
    await gateway.database.close()


async def prepare_store(database: Database) -> None:
    """Bring the embedded SQLite to this version's schema; refuse another store that has not it."""
    found, wanted = await revision(database), NEWEST
    if found == wanted:
        return
    if not database.is_sqlite:
        message = f"the store has revision {found}, this version needs {wanted}: multicanal migrate"
        raise WrongRevision(message)
    from app.store import migrate  # noqa: PLC0415 -- Alembic, which hardly any start needs

    await migrate.upgrade(database)
