"""Everything in one process, for a laptop: gateway, worker and both simulators, on loopback."""

import base64
import io
import json
import os
import secrets
import socket
from collections.abc import Mapping
from typing import Annotated, Any

import pikepdf
import typer
import uvloop

from app import logs, main
from app.api.access import USUAL_SCOPES
from app.api.issue import create_key
from app.delivery.watch import watching
from app.delivery.worker import Worker
from app.domain.message import Mode
from app.processes import LOOPBACK as HOST
from app.processes import Server, SimulatedConnection, listen, port_of, run
from app.providers.efidem import simulator as efidem_simulator
from app.providers.fax123 import simulator as fax123_simulator
from app.settings import load

app = typer.Typer()


@app.command()
def dev(port: Annotated[int, typer.Option(min=0, max=65535)] = 8000) -> None:
    """Everything in one go, for a laptop: SQLite, API, worker and both simulators."""
    uvloop.run(_start(port))


async def _start(port: int) -> None:
    """Run until Ctrl-C."""
    listening, efidem, fax123 = listen(HOST, port), listen(HOST, 0), listen(HOST, 0)
    secret = secrets.token_hex(16)
    os.environ |= _surroundings(port_of(listening), port_of(efidem), port_of(fax123), secret)
    settings = load()
    logs.configure(settings.core.log_level, readable=True)
    callback = f"{settings.core.public_url}/hooks/123fax/{secret}"
    simulators = [
        Server(efidem_simulator.create_app(), efidem, connection=SimulatedConnection),
        Server(
            fax123_simulator.create_app(callback_url=callback),
            fax123,
            connection=SimulatedConnection,
        ),
    ]
    gateway = main.build(settings)
    await main.prepare_store(gateway.database)
    key = await create_key(
        gateway,
        main.build_access(settings, gateway).digest,
        name="laptop",
        mode=Mode.TEST,
        scopes=(*USUAL_SCOPES, "reports:read", "webhooks:manage"),  # everything here is simulated
    )
    # The worker reads the WSDL from the simulator: as long as that is not up, it tries again.
    server = Server(main.application(main.build_edge(settings, gateway)), listening)
    try:
        async with watching(gateway):
            await run(
                [*simulators, server],
                Worker(gateway),
                ready=lambda: _greet(settings.core.public_url, key, efidem, fax123),
            )
    finally:
        await main.closed(gateway)


def _surroundings(port: int, efidem: int, fax123: int, secret: str) -> dict[str, str]:
    """Return the settings of a laptop; the store alone may be chosen."""
    return {
        "MULTICANAL_ENVIRONMENT": "development",
        "MULTICANAL_PORT": str(port),
        "MULTICANAL_PUBLIC_URL": f"http://{HOST}:{port}",
        "MULTICANAL_CALLBACK_SECRET": secret,
        "MULTICANAL_EFIDEM_WSDL": f"http://{HOST}:{efidem}/efidem.wsdl",
        "MULTICANAL_EFIDEM_USERNAME": "laptop",
        "MULTICANAL_EFIDEM_PASSWORD": "laptop",
        "MULTICANAL_EFIDEM_APP_ID": "laptop",
        # Shorter than the simulator's slow answers, so that `uncertain` can be seen.
        "MULTICANAL_EFIDEM_TIMEOUT": "20",
        "MULTICANAL_FAX123_URL": f"http://{HOST}:{fax123}/http.php",
        "MULTICANAL_FAX123_EMAIL": "laptop@example.com",
        "MULTICANAL_FAX123_PASSWORD": "laptop",
        "MULTICANAL_FAX123_TIMEOUT": "20",
        "MULTICANAL_WORKER_DRAIN": "3",
        "MULTICANAL_PACE": "0.3",
        "MULTICANAL_WEBHOOK_NETWORKS": "public,127.0.0.0/8,::1",
        "MULTICANAL_SETTLE": "30",  # the simulator's report knows a message at once
    }


def _greet(url: str, key: str, efidem: socket.socket, fax123: socket.socket) -> None:
    lines = [
        f"multicanal is ready at {url} (Ctrl-C stops it); all that it offers: {url}/docs",
        f"simulated providers: Efidem on port {port_of(efidem)}, 123-fax on {port_of(fax123)}",
        "(GET /ledger there lists what they accepted)",
        "",
        f"API key: {key}",
        "",
        "In another terminal, for the examples of docs/first-hour.md:",
        f"GATEWAY={url} KEY={key}",
        "",
        "Or paste one of these:",
        "",
        *_curls(url, key),
        "follow one:  " + f"curl -s {url}/v1/messages/ID -H 'Authorization: Bearer {key}'",
    ]
    typer.echo("\n".join(lines))


def _curls(url: str, key: str) -> list[str]:
    """Return one call per channel, ready to paste."""
    return [line for path, body in _samples().items() for line in (_curl(url, key, path, body), "")]


def _curl(url: str, key: str, path: str, body: Mapping[str, Any]) -> str:
    return (
        f"curl -s {url}/v1/{path} -H 'Authorization: Bearer {key}'"
        " -H 'Content-Type: application/json' -H 'Prefer: wait=5' \\\n"
        f" -H \"Idempotency-Key: $(date +%s%N)\" -d '{json.dumps(body)}'"
    )


def _samples() -> dict[str, dict[str, Any]]:
    document = {"content_base64": base64.b64encode(_one_page()).decode()}
    address = {"line1": "12 RUE DES LILAS", "postal_code": "75011", "city": "PARIS"}
    return {
        "emails": {
            "from": {"address": "service@example.com"},
            "to": [{"address": "delivered@example.com"}],
            "subject": "Hello",
            "text": "Hello from multicanal.",
        },
        "sms": {"to": "+33639980001", "text": "Your code is 1234"},
        "letters": {
            "to": {"last_name": "Durand", "first_name": "Marie", "address": address},
            "documents": [document],
        },
        "faxes": {"to": "+33199000001", "document": document},
    }


def _one_page() -> bytes:
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        out = io.BytesIO()
        pdf.save(out)
    return out.getvalue()
