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
from app.providers.efidem.simulator.dialects import DIALECTS
from app.providers.efidem.simulator.dialects.dialect import Dialect
from app.providers.efidem.simulator.disconnect import Disconnect
from app.providers.efidem.simulator.envelope import SOAP_11, SOAP_12, Version
from app.providers.efidem.simulator.functions import FUNCTIONS
from app.providers.efidem.simulator.ledger import Ledger
from app.providers.efidem.simulator.outcomes import Outcomes, outcome_from
from app.providers.efidem.simulator.simulation import Silence, Simulation


def create_app(
    *,
    pace: float = 1.0,
    ledger_path: Path | None = None,
    credentials: tuple[str, str, str] | None = None,
    now: Callable[[], float] = time.time,
    dialect: str = "document",
    report_lag: float = 0.0,
) -> Starlette:
    """Build a simulator; `pace` multiplies every delay, `ledger_path` survives a restart.

    Without `credentials` (UTILISATEUR, MOT_DE_PASSE, AppID) any trio is an account's, but for the
    password "wrong". `dialect` is one of DIALECTS: only WSDL and wire format depend on it.
    `report_lag` is the age in seconds from which RAPPORT knows a message.
    """
    simulation = Simulation(
        ledger=Ledger(ledger_path),
        outcomes=Outcomes(),
        account=None if credentials is None else Trio(*credentials),
        pace=pace,
        now=now,
        report_lag=report_lag,
    )
    service = _Service(simulation, DIALECTS[dialect](Contract()))
    return Starlette(
        routes=[
            Route("/soap", service.soap, methods=["POST"]),
            Route("/efidem.wsdl", service.wsdl),
            Route("/efidem.xsd", service.schema),
            Route("/", service.root),
            Route("/ledger", service.ledger),
            Route("/outcomes/{recipient}", service.put_outcome, methods=["PUT"]),
            Route("/outcomes", service.delete_outcomes, methods=["DELETE"]),
            Route("/users", service.users),
            Route("/report", service.put_report, methods=["PUT"]),
            Route("/healthz", service.health),
        ]
    )


class _Service:
    def __init__(self, simulation: Simulation, dialect: Dialect) -> None:
        self._simulation = simulation
        self._dialect = dialect

    async def soap(self, request: Request) -> Response:
        try:
            opened = envelope.opened(await request.body(), self._dialect.versions)
        except envelope.Unreadable as unreadable:
            return self._fault(self._dialect.versions[0], "Client", str(unreadable))
        version = opened.version
        if version is SOAP_12 and not _is_soap_12(request):
            return Response(status_code=415)
        try:
            element = self._dialect.request(opened, _action(request, version))
        except envelope.Unreadable as unreadable:
            return self._fault(version, "Client", str(unreadable))
        call = Call(element, self._simulation.account)
        reply = await FUNCTIONS[call.function](call, self._simulation)
        if isinstance(reply, Silence):
            return Disconnect()
        content = self._dialect.response(call.function, reply)
        sealed = envelope.sealed(version, content, self._dialect.encoding)
        return self._xml(sealed, version.media_type)

    async def wsdl(self, request: Request) -> Response:
        host = f"{request.url.scheme}://{request.url.netloc}"
        return self._xml(self._dialect.wsdl(host))

    async def schema(self, _request: Request) -> Response:
        schema = self._dialect.schema()
        return Response(status_code=404) if schema is None else self._xml(schema)

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

    async def users(self, _request: Request) -> Response:
        return JSONResponse({"users": sorted(self._simulation.users)})

    async def put_report(self, request: Request) -> Response:
        try:
            asked = await request.json()
        except ValueError:
            asked = None
        match asked:
            case {"lag": int() | float() as lag, **others} if not others and lag >= 0:
                self._simulation.report_lag = lag
                return Response(status_code=204)
            case _:
                return JSONResponse({"error": 'expected {"lag": seconds}'}, status_code=400)

    async def health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    def _fault(self, version: Version, code: str, words: str) -> Response:
        content = envelope.fault(version, code, words)
        sealed = envelope.sealed(version, content, self._dialect.encoding)
        # By SOAP 1.2's HTTP binding a Sender's fault is a 400; by SOAP 1.1's, all are a 500.
        status = 400 if version is SOAP_12 and code == "Client" else 500
        return self._xml(sealed, version.media_type, status)

    def _xml(self, content: bytes, media_type: str = "text/xml", status: int = 200) -> Response:
        kind = f"{media_type}; charset={self._dialect.encoding.lower()}"
        return Response(content, status_code=status, media_type=kind)


def _is_soap_12(request: Request) -> bool:
    return _media_type(request)[0] == SOAP_12.media_type


def _action(request: Request, version: Version) -> str | None:
    """Return what the request says that it calls: a header, or in SOAP 1.2 a parameter."""
    if version is SOAP_11:
        action = request.headers.get("SOAPAction")
        return None if action is None else action.strip().strip('"')
    _, *parameters = _media_type(request)
    actions = (one.partition("=")[2] for one in parameters if one.startswith("action="))
    return next((action.strip('"') for action in actions), None)


def _media_type(request: Request) -> list[str]:
    return [part.strip() for part in request.headers.get("Content-Type", "").split(";")]
