"""The commands that serve HTTP alone, and print its document: no worker and no simulator is read."""

import json
import socket
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from typing import Annotated

import typer
import uvloop

from app import main
from app.delivery.gateway import Gateway
from app.processes import HTTP_DRAIN, Server, Working, listen, port_of, run
from app.providers.twins import TwinSettings
from app.ready import ready
from app.settings import AllSettings

app = typer.Typer()

Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
Twins = Callable[[AllSettings, socket.socket], AbstractAsyncContextManager[TwinSettings]]


@app.command()
def api(port: Port = None, host: Host = None) -> None:
    """Run the API alone."""
    serve_until_stopped(port, host)


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    typer.echo(json.dumps(main.create_app().openapi(), indent=2, ensure_ascii=False))


def serve_until_stopped(
    port: int | None,
    host: str | None,
    *,
    twins: Twins | None = None,
    worker: Callable[[Gateway], Working] | None = None,
) -> None:
    """Serve the API, with the simulators of test keys and a worker in the same process if given."""
    settings = ready()
    port = settings.core.port if port is None else port
    served = _serve(settings, host or settings.core.host, port, twins=twins, worker=worker)
    # Wakes the loop from other threads, such as SQLite's, at a fraction of the cost.
    uvloop.run(served)


async def _serve(
    settings: AllSettings,
    host: str,
    port: int,
    *,
    twins: Twins | None,
    worker: Callable[[Gateway], Working] | None,
) -> None:
    listening = listen(host, port)
    core = settings.core.model_copy(update={"port": port_of(listening)})
    settings = replace(settings, core=core)  # webhooks never go there
    async with AsyncExitStack() as stack:
        if twins is not None:
            found = await stack.enter_async_context(twins(settings, listening))
            settings = replace(settings, twins=found)
        gateway = main.build(settings)
        await stack.enter_async_context(main.opened(gateway))
        edge = main.build_edge(settings, gateway)
        server = Server(main.application(edge), listening, drain=HTTP_DRAIN)
        await run([server], worker(gateway) if worker else None, stopping=edge.stopping)
