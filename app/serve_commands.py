"""The command that runs everything in one process: so are the simulators of test keys."""

import typer

from app import simulated
from app.api_commands import Host, Port, serve_until_stopped
from app.delivery.worker import Worker

app = typer.Typer()


@app.command()
def serve(port: Port = None, host: Host = None) -> None:
    """Run API and worker in one process."""
    serve_until_stopped(port, host, twins=simulated.twins, worker=Worker)
