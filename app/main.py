"""Build everything; nothing is created elsewhere. What is below HTTP is built in build.py."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp

from app import __doc__ as description
from app import logs
from app.api import openapi, problems, seen
from app.api.access import Access
from app.api.claims import Reading, Rules
from app.api.direct import Direct
from app.api.drafts import Drafting
from app.api.edge import Edge
from app.api.held import Held
from app.api.metrics import figure
from app.api.rates import Rates
from app.api.recognise import Recognise
from app.api.requests import RequestLog
from app.api.routes import HOT, ROUTERS, at_once
from app.api.team import Team
from app.build import WrongRevision, build, closed, now, opened, prepare_store
from app.delivery import accept, publish
from app.delivery.follow import Followers
from app.delivery.gateway import Gateway
from app.delivery.gather import Gathering
from app.delivery.hear import Hearing
from app.delivery.limit import Limiter
from app.delivery.settings import Limits
from app.domain.twins import twin_of
from app.providers.fax123 import acknowledgement
from app.providers.fax123.provider import NAME as FAX123
from app.providers.twins import callback_secret
from app.settings import AllSettings
from app.store.database import Database, is_unavailable

__all__ = [
    "WrongRevision",
    "application",
    "build",
    "build_access",
    "build_edge",
    "closed",
    "create_app",
    "now",
    "opened",
    "prepare_store",
]

VERSION: Final = "0.1.0"
# What a request leaves behind goes by its reference counts; the collector looks for circles.
SELDOM: Final = (50_000, 20, 100)


def build_access(settings: AllSettings, gateway: Gateway) -> Access:
    """Return what knows callers."""
    core = settings.core
    rules = settings.access.rules()
    return Access(
        gateway,
        core.key_pepper.get_secret_value().encode(),
        proxies=settings.access.proxies,
        tokens=_tokens(rules, gateway) if rules else None,
    )


def _tokens(rules: Rules, gateway: Gateway) -> Reading:
    # What checks signatures is large, and most deployments trust no issuer: read where one does.
    from app.api.issuer import Issuer  # noqa: PLC0415
    from app.api.tokens import Tokens  # noqa: PLC0415

    return Tokens(rules, Issuer(rules.issuer, rules.jwks_url), gateway.now)


def _limits(settings: AllSettings, database: Database) -> Limits:
    """Return how much is taken in: the disk counts where the store is a file of this machine."""
    core = settings.core
    production = core.environment == "production"
    return settings.queue.limits(database.folder, body_limit=core.body_limit, production=production)


def build_edge(settings: AllSettings, gateway: Gateway) -> Edge:
    """Return what every endpoint works with."""
    core = settings.core
    access = build_access(settings, gateway)
    secret = core.key_pepper.get_secret_value().encode()
    recognise = Recognise(secret)
    drafting = Drafting(gateway, secret, recognise)
    return Edge(
        gateway=gateway,
        access=access,
        rates=Rates(gateway.database, gateway.now, settings.queue.client_rate),
        team=Team(gateway.database),
        limiter=Limiter(gateway.database, _limits(settings, gateway.database), gateway.random),
        accepting=Gathering(
            lambda items: accept.accept(gateway, drafting.rows(items)),
            is_unavailable,
            whole=gateway.database.is_sqlite,
        ),
        drafting=drafting,
        remembering=Gathering(lambda keys: accept.remember(gateway, keys), is_unavailable),
        finding=Gathering(lambda ids: seen.look_up(gateway, ids), is_unavailable),
        acknowledging=Hearing(gateway),
        figuring=Gathering(lambda asked: figure(gateway, asked), is_unavailable),
        looking=Gathering(lambda wanted: publish.look(gateway, wanted), is_unavailable),
        followers=Followers(gateway),
        secret=secret,
        recognise=recognise,
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
        gc.set_threshold(*SELDOM)
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
    direct = Direct(create_app(edge), edge, HOT, at_once(edge))
    gateway = edge.gateway
    return RequestLog(direct, gateway.ids, edge.measures, edge.held, logs.of_requests())


def _described(app: FastAPI) -> dict[str, object]:
    if app.openapi_schema is None:
        app.openapi_schema = openapi.document(app)
    return app.openapi_schema
