"""A fault of ours: the caller is told nothing of it but an id, by which the log has its place."""

import asyncio
import logging
from typing import Any

import pytest
import structlog
from fastapi import FastAPI

from app.api import problems
from app.api.held import Held
from app.api.measures import Measures
from app.api.requests import RequestLog
from app.domain.identifiers import Identifiers
from app.main import now
from app.processes import Server, listen, port_of
from tests.journeys.loopback import HOST, call

pytestmark = pytest.mark.anyio
SECRET = "+33601020304"  # stands in the fault's text


class Heard(logging.Handler):
    """Keeps what the server logs, with what stands in each line besides."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[logging.LogRecord, dict[str, Any]]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record, structlog.contextvars.get_contextvars()))


def failing() -> FastAPI:
    app = FastAPI()
    problems.install(app)

    @app.get("/v1/broken/{number}")
    async def broken(number: str) -> None:
        raise RuntimeError(number)

    return app


async def test_a_fault_of_ours_is_found_in_the_log_by_the_id_that_its_caller_has() -> None:
    heard, logger = Heard(), logging.getLogger("uvicorn.error")
    listening = listen(HOST, 0)
    ids = Identifiers(now, lambda size: b"\0" * size)
    server = Server(RequestLog(failing(), ids, Measures(), Held(1)), listening)
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
