"""The simulator's application: its parts and its routes."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from app.providers.fax123.simulator.acknowledge import Acknowledger
from app.providers.fax123.simulator.answering import Desk
from app.providers.fax123.simulator.checks import Credentials, Means
from app.providers.fax123.simulator.clock import Clock
from app.providers.fax123.simulator.connection import HiddenQuery
from app.providers.fax123.simulator.ledger import Ledger
from app.providers.fax123.simulator.outcomes import Outcomes
from app.providers.fax123.simulator.wire import Wire


def create_app(
    *,
    callback_url: str | None = None,
    pace: float = 1.0,
    ledger_path: Path | None = None,
    credentials: tuple[str, str] | None = None,
    now: Callable[[], float] = time.time,
) -> Starlette:
    """Build a provider with one account, whose acknowledgements go to `callback_url` if any.

    `pace` multiplies every simulated delay; `credentials` are the only (email, pass) that are
    known, and any are if there are none; `ledger_path` keeps the accepted faxes across runs.
    """
    clock = Clock(now, pace)
    ledger = Ledger(now, ledger_path)
    wire = Wire(clock)
    outcomes = Outcomes()
    acknowledger = Acknowledger(callback_url, wire, clock, ledger)
    desk = Desk(Means(Credentials(credentials), wire, ledger), outcomes, acknowledger, clock)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with wire:
            try:
                yield
            finally:
                await acknowledger.stop()

    async def show_ledger(_: Request) -> Response:
        return JSONResponse(ledger.as_json())

    send_fax = Route("/http.php", desk.send_fax)
    send_fax.methods = {"GET"}  # Starlette adds HEAD to every GET: here it would send a fax
    return Starlette(
        routes=[
            send_fax,
            Route("/ledger", show_ledger),
            Route("/outcomes/{digits}", outcomes.put, methods=["PUT"]),
            Route("/outcomes", outcomes.delete, methods=["DELETE"]),
            Route("/healthz", healthy),
        ],
        middleware=[Middleware(HiddenQuery)],
        lifespan=lifespan,
    )


async def healthy(_: Request) -> Response:
    """`GET /healthz`."""
    return PlainTextResponse("ok")
