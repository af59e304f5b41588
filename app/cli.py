"""The command `multicanal`: it starts everything else."""

import json
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import uvloop

from app import laptop, logs, main, provider_commands, restore_commands
from app.api.access import SCOPES, USUAL_SCOPES, create_key
from app.delivery import limit
from app.delivery.gateway import Gateway
from app.delivery.outside import UnreadableCopy
from app.delivery.worker import Worker
from app.domain.message import Mode
from app.processes import HTTP_DRAIN, PortTaken, Server, listen, run
from app.providers.efidem import simulator as efidem_simulator
from app.providers.fax123 import simulator as fax123_simulator
from app.settings import AllSettings, WrongSettings, load, unknown_names
from app.store import migrate as migrations
from app.store.clock import ClockSkewed
from app.store.database import UNAVAILABLE, Database
from app.store.safety import UnsafeStore

CONFIG_ERROR: Final = 78  # sysexits: EX_CONFIG

app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)
keys = typer.Typer(help="API keys.", no_args_is_help=True)
simulate = typer.Typer(help="Simulators of the providers.", no_args_is_help=True)
config = typer.Typer(help="The settings.", no_args_is_help=True)
counters = typer.Typer(help="What waits to be sent.", no_args_is_help=True)
app.add_typer(keys, name="keys")
app.add_typer(provider_commands.app, name="providers")
app.add_typer(restore_commands.app, name="restore")
app.add_typer(simulate, name="simulate")
app.add_typer(config, name="config")
app.add_typer(counters, name="counters")

Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on.")]
SimulatorHost = Annotated[str, typer.Option("--host", help="Address to listen on.")]
SimulatorPort = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")]
Pace = Annotated[float, typer.Option(min=0.0, help="Multiplies every simulated delay.")]
Ledger = Annotated[Path | None, typer.Option(help="File that keeps every accepted submission.")]


@app.command()
def dev(port: Annotated[int, typer.Option(min=0, max=65535)] = 8000) -> None:
    """Everything in one go, for a laptop: SQLite, API, worker and both simulators."""
    _run(laptop.start(port))


@app.command()
def serve(port: Port = None, host: Host = None) -> None:
    """Run API and worker in one process."""
    settings = _ready()
    _run(_serve(settings, host or settings.core.host, _port(settings, port), with_worker=True))


@app.command()
def api(port: Port = None, host: Host = None) -> None:
    """Run the API alone."""
    settings = _ready()
    _run(_serve(settings, host or settings.core.host, _port(settings, port), with_worker=False))


@app.command()
def worker() -> None:
    """Run the worker alone."""
    settings = _ready()

    async def work() -> None:
        gateway = main.build(settings)
        async with main.opened(gateway):
            await run([], Worker(gateway))

    _run(work())


@app.command()
def migrate() -> None:
    """Bring the store to this version's schema."""
    settings = _ready()

    async def bring() -> None:
        database = Database(settings.core.database_url)
        try:
            await migrations.upgrade(database)
        finally:
            await database.close()

    _run(bring())
    typer.echo(f"the store has revision {migrations.newest()}")


@keys.command("create")
def keys_create(
    name: Annotated[str, typer.Option(help="The client; made where there is none.")],
    mode: Annotated[Mode, typer.Option(help="What its messages may reach.")] = Mode.LIVE,
    scopes: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(USUAL_SCOPES),
) -> None:
    """Make a key and print it, once, alone on the last line."""
    chosen = [one.strip() for one in scopes.split(",") if one.strip()]
    wrong = sorted(set(chosen) - set(SCOPES))
    if wrong:
        raise typer.BadParameter(
            f"no such scope: {', '.join(wrong)}; there are {', '.join(SCOPES)}"
        )
    settings = _ready()

    async def make() -> str:
        gateway = main.build(settings)
        await main.prepare_store(gateway.database)
        try:
            digest = main.build_access(settings, gateway).digest
            return await create_key(gateway, digest, name=name, mode=mode, scopes=chosen)
        finally:
            await gateway.database.close()

    typer.echo(_run(make()))


@simulate.command("efidem")
def simulate_efidem(
    port: SimulatorPort = 8001,
    host: SimulatorHost = laptop.HOST,
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
    _run(run([Server(application, listening)], ready=laptop.tells_efidem(listening)))


@simulate.command("fax123")
def simulate_fax123(
    port: SimulatorPort = 8002,
    host: SimulatorHost = laptop.HOST,
    pace: Pace = 1.0,
    ledger: Ledger = None,
    callback: Annotated[str | None, typer.Option(help="Where acknowledgements go.")] = None,
) -> None:
    """123-fax's HTTP service, by its document; it acknowledges to the configured gateway."""
    logs.configure("INFO", readable=sys.stderr.isatty())
    core = load().core
    usual = f"{core.public_url}/hooks/123fax/{core.callback_secret.get_secret_value()}"
    application = fax123_simulator.create_app(
        callback_url=callback or usual, pace=pace, ledger_path=ledger
    )
    listening = listen(host, port)
    _run(run([Server(application, listening)], ready=laptop.tells_fax123(listening)))


@app.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    typer.echo(json.dumps(main.create_app().openapi(), indent=2, ensure_ascii=False))


@counters.callback()
def _counters() -> None:
    """Be a command with commands."""


@counters.command("recount")
def counters_recount() -> None:
    """Count what waits to be sent, and mend the counters; workers do it when they start."""
    settings = _ready()

    async def mend() -> dict[str, int]:
        database = Database(settings.core.database_url)
        try:
            return await limit.recount(database)
        finally:
            await database.close()

    drift = _run(mend())
    typer.echo("\n".join(f"{name}: {change:+d}" for name, change in drift.items()) or "right")


@config.command("check")
def config_check() -> None:
    """Say what is wrong with the settings, all at once."""
    problems: list[str] = []
    try:
        load()
    except WrongSettings as fault:
        problems += fault.problems
    problems += [line for line in unknown_names() if line not in problems]
    if problems:
        _say(problems, CONFIG_ERROR)
    typer.echo("the settings are right")


def entry() -> None:
    """Be the command: faults that a person can mend are a line each, and no traceback."""
    try:
        app()
    except WrongSettings as fault:
        _say(fault.problems, CONFIG_ERROR)
    except UnsafeStore as fault:
        _say(fault.problems, CONFIG_ERROR)
    except (PortTaken, main.WrongRevision, ClockSkewed, UnreadableCopy) as fault:
        _say([str(fault)], 1)
    except UNAVAILABLE as fault:
        # Its text may hold the address of the store, and with it a password.
        _say([f"the store cannot be used ({type(fault).__name__}): see MULTICANAL_DATABASE_URL"], 1)


def _say(lines: list[str], status: int) -> None:
    for line in lines:
        typer.echo(line, err=True)
    raise SystemExit(status)


def _ready() -> AllSettings:
    """Return the settings, with logging set up by them."""
    settings = load()
    logs.configure(settings.core.log_level, readable=sys.stderr.isatty())
    return settings


def _port(settings: AllSettings, given: int | None) -> int:
    return settings.core.port if given is None else given


def _run(work: Coroutine[Any, Any, Any]) -> Any:  # noqa: ANN401 -- whatever it returns
    # Wakes the loop from other threads, such as SQLite's, at a fraction of the cost.
    return uvloop.run(work)


async def _serve(settings: AllSettings, host: str, port: int, *, with_worker: bool) -> None:
    gateway: Gateway = main.build(settings)
    listening = listen(host, port)
    async with main.opened(gateway):
        edge = main.build_edge(settings, gateway)
        server = Server(main.application(edge), listening, drain=HTTP_DRAIN)
        await run([server], Worker(gateway) if with_worker else None, stopping=edge.stopping)
