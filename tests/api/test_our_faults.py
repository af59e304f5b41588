"""A fault of ours: the caller is told nothing of it but an id, by which the log has its place."""

import asyncio
import logging
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from prometheus_client import generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import logs
from app.api import problems
from app.api.direct import Direct
from app.api.edge import Edge
from app.api.held import AT_ONCE, Held
from app.api.measures import Measures
from app.api.requests import RequestLog
from app.domain.identifiers import Identifiers
from app.main import now
from app.processes import Server, listen, port_of
from tests.api.client import Api
from tests.journeys.loopback import HOST, call

pytestmark = pytest.mark.anyio
SECRET = "+33601020304"  # stands in the fault's text


class Heard(logging.Handler):
    """Keeps what the server logs, with what stands in each line besides."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[logging.LogRecord, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record, logs._completed(None, "error", {})))


def failing() -> FastAPI:
    app = FastAPI()
    problems.install(app)

    @app.get("/v1/broken/{number}")
    async def broken(number: str) -> None:
        raise RuntimeError(number)

    return app


def failing_at_once(edge: Edge) -> Direct:
    """Return what answers without the framework, with a fault of ours in it."""

    async def broken(scope: Scope, _receive: Receive, _send: Send) -> Receive | None:
        raise RuntimeError(scope["path_params"]["number"])

    async def unasked(_edge: Edge, _request: Request) -> Response:
        return Response()

    address = ("GET", "/v1/broken/{number}")
    return Direct(failing(), edge, {address: unasked}, {address: broken})


@pytest.mark.parametrize("way", ["framework", "at once"])
async def test_a_fault_of_ours_is_found_in_the_log_by_the_id_that_its_caller_has(
    shared: Api, way: str
) -> None:
    heard, logger = Heard(), logging.getLogger("uvicorn.error")
    listening = listen(HOST, 0)
    ids, measures = Identifiers(now, lambda size: b"\0" * size), Measures()
    app: ASGIApp = failing() if way == "framework" else failing_at_once(shared.edge)
    server = Server(RequestLog(app, ids, measures, Held(1)), listening)
    running = asyncio.create_task(server.run_until_stopped())
    await server.wait_ready(running)
    logger.addHandler(heard)
    try:
        url = f"http://{HOST}:{port_of(listening)}/v1/broken/{SECRET}"
        answer = await asyncio.to_thread(call, "GET", url)
    finally:
        logger.removeHandler(heard)
        server.stop(1)
        await running

    assert (answer.status, answer.json["code"], answer.json["retryable"]) == (
        500,
        "internal_error",
        True,
    )
    assert SECRET not in answer.content.decode()
    (fault,) = [bound for record, bound in heard.lines if record.exc_info]
    assert fault["request_id"] == answer.json["request_id"]
    assert answer.json["instance"] == "/v1/broken/{number}"
    told = generate_latest(measures.registry).decode()
    assert 'method="GET",route="/v1/broken/{number}",status="500"' in told


async def test_a_body_is_not_held_though_nobody_can_be_told_of_the_fault() -> None:
    held = Held(10)

    async def broken(scope: Scope, _receive: Receive, _send: Send) -> None:
        held.take(scope, 10)
        raise RuntimeError

    async def send(_message: Message) -> None:
        raise OSError

    app = RequestLog(broken, Identifiers(now, lambda size: b"\0" * size), Measures(), held)
    scope: Scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    with pytest.raises(OSError):  # noqa: PT011 -- it has no text
        await app(scope, lambda: asyncio.sleep(0, {}), send)

    assert held._left == 10 * AT_ONCE
