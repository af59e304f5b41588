"""The simulator's routes: the service itself, and what tests read and set."""

import time
from collections.abc import Callable
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.providers.efidem.simulator import envelope
from app.providers.efidem.simulator.call import Call, Trio
from app.providers.efidem.simulator.contract import Contract
from app.providers.efidem.simulator.disconnect import Disconnect
from app.providers.efidem.simulator.functions import FUNCTIONS
from app.providers.efidem.simulator.ledger import Ledger
from app.providers.efidem.simulator.outcomes import Outcomes, outcome_from
from app.providers.efidem.simulator.simulation import Silence, Simulation

_XML = "text/xml; charset=utf-8"


def create_app(
    *,
    pace: float = 1.0,
    ledger_path: Path | None = None,
    credentials: tuple[str, str, str] | None = None,
    now: Callable[[], float] = time.time,
) -> Starlette:
    """Build a simulator; `pace` multiplies every delay, `ledger_path` survives a restart.

    Without `credentials` (UTILISATEUR, MOT_DE_PASSE, AppID) any trio is an account's, but for the
    password "wrong".
    """
    simulation = Simulation(
        ledger=Ledger(ledger_path),
        outcomes=Outcomes(),
        account=None if credentials is None else Trio(*credentials),
        pace=pace,
        now=now,
    )
    service = _Service(simulation, Contract())
    return Starlette(
        routes=[
            Route("/soap", service.soap, methods=["POST"]),
            Route("/efidem.wsdl", service.wsdl),
            Route("/", service.root),
            Route("/ledger", service.ledger),
            Route("/outcomes/{recipient}", service.put_outcome, methods=["PUT"]),
            Route("/outcomes", service.delete_outcomes, methods=["DELETE"]),
            Route("/healthz", service.health),
        ]
    )


class _Service:
    def __init__(self, simulation: Simulation, contract: Contract) -> None:
        self._simulation = simulation
        self._contract = contract

    async def soap(self, request: Request) -> Response:
        try:
            element = envelope.read(await request.body(), self._contract)
        except envelope.Unreadable as unreadable:
            return _fault("Client", str(unreadable))
        call = Call(element, self._simulation.account)
        serve = FUNCTIONS.get(call.function)
        if serve is None:
            return _fault("Server", "not served by this simulator yet")
        reply = await serve(call, self._simulation)
        if isinstance(reply, Silence):
            return Disconnect()
        return Response(envelope.answer(call.function, reply), media_type=_XML)

    async def wsdl(self, request: Request) -> Response:
        address = f"{request.url.scheme}://{request.url.netloc}/soap"
        return Response(self._contract.wsdl(address), media_type=_XML)

    async def root(self, request: Request) -> Response:
        asked = {name.casefold() for name in request.query_params}
        return await self.wsdl(request) if "wsdl" in asked else Response(status_code=404)

    async def ledger(self, _request: Request) -> Response:
        return JSONResponse(self._simulation.ledger.shown())

    async def put_outcome(self, request: Request) -> Response:
        try:
            outcome = outcome_from(await request.json())
        except ValueError:  # neither JSON nor, at worst, UTF-8
            outcome = None
        if outcome is None:
            expected = 'expected {"answer": text, "accepted": true or false, "status": text}'
            return JSONResponse({"error": expected}, status_code=400)
        self._simulation.outcomes.put(request.path_params["recipient"], outcome)
        return Response(status_code=204)

    async def delete_outcomes(self, _request: Request) -> Response:
        self._simulation.outcomes.clear()
        return Response(status_code=204)

    async def health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})


def _fault(code: str, words: str) -> Response:
    return Response(envelope.fault(code, words), status_code=500, media_type=_XML)
