"""The commands `multicanal simulate ...`: one provider's simulator, as a process of its own."""

import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from app import logs
from app.processes import LOOPBACK, Server, SimulatedConnection, listen, port_of, run
from app.providers.efidem import simulator as efidem_simulator

app = typer.Typer(help="Simulators of the providers.", no_args_is_help=True)

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")]
Pace = Annotated[float, typer.Option(min=0.0, help="Multiplies every simulated delay.")]
Ledger = Annotated[Path | None, typer.Option(help="File that keeps every accepted submission.")]


@app.command("efidem")
def efidem(
    port: Port = 8001,
    host: Host = LOOPBACK,
    pace: Pace = 1.0,
    ledger: Ledger = None,
    dialect: Annotated[str, typer.Option(help=", ".join(efidem_simulator.DIALECTS))] = "document",
) -> None:
    """Efidem's SOAP service, by its document."""
    if dialect not in efidem_simulator.DIALECTS:
        known = ", ".join(efidem_simulator.DIALECTS)
        raise typer.BadParameter(f"no such dialect: {dialect}; there are {known}")
    logs.configure("INFO", readable=sys.stderr.isatty())
    application = efidem_simulator.create_app(pace=pace, ledger_path=ledger, dialect=dialect)
    listening = listen(host, port)
    server = Server(application, listening, connection=SimulatedConnection)
    uvloop.run(run([server], ready=_tells_efidem(listening)))


@app.command("fax123")
def fax123(
    port: Port = 8002,
    host: Host = LOOPBACK,
    pace: Pace = 1.0,
    ledger: Ledger = None,
    callback: Annotated[str | None, typer.Option(help="Where acknowledgements go.")] = None,
    test: Annotated[bool, typer.Option("--test", help="For the faxes of test keys.")] = False,
) -> None:
    """123-fax's HTTP service, by its document; it acknowledges to the configured gateway."""
    logs.configure("INFO", readable=sys.stderr.isatty())
    # The other simulator needs none of the gateway's settings, nor what calls back.
    from app.providers.fax123 import simulator as fax123_simulator  # noqa: PLC0415
    from app.providers.twins import callback_path  # noqa: PLC0415
    from app.settings import load  # noqa: PLC0415

    settings = load()
    core = settings.core
    usual = f"{core.public_url}/hooks/123fax/{core.callback_secret.get_secret_value()}"
    if test:
        usual = (settings.twins.url or core.public_url) + callback_path(core.callback_secret)
    application = fax123_simulator.create_app(
        callback_url=callback or usual, pace=pace, ledger_path=ledger
    )
    listening = listen(host, port)
    server = Server(application, listening, connection=SimulatedConnection)
    uvloop.run(run([server], ready=_tells_fax123(listening)))


def _tells_efidem(listening: socket.socket) -> Callable[[], None]:
    """Return what prints how to use Efidem's simulator."""
    url = f"http://{LOOPBACK}:{port_of(listening)}"
    return _tells(
        [
            f"MULTICANAL_EFIDEM_WSDL={url}/efidem.wsdl",
            *(f"MULTICANAL_EFIDEM_{name}=any" for name in ("USERNAME", "PASSWORD", "APP_ID")),
            f"what it accepted: {url}/ledger",
        ]
    )


def _tells_fax123(listening: socket.socket) -> Callable[[], None]:
    """Return what prints how to use 123-fax's simulator."""
    url = f"http://{LOOPBACK}:{port_of(listening)}"
    return _tells(
        [
            f"MULTICANAL_FAX123_URL={url}/http.php",
            "MULTICANAL_FAX123_EMAIL=any@example.com",
            "MULTICANAL_FAX123_PASSWORD=any",
            f"what it accepted: {url}/ledger",
        ]
    )


def _tells(lines: Sequence[str]) -> Callable[[], None]:
    return lambda: typer.echo("\n".join(lines))
