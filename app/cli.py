"""The command `multicanal`: it starts everything else."""

import json
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final

import typer
import uvloop
from sqlalchemy.exc import DatabaseError

from app import (
    client_commands,
    key_commands,
    laptop,
    logs,
    main,
    provider_commands,
    restore_commands,
    simulate_commands,
    simulated,
)
from app.delivery import limit
from app.delivery.gateway import Gateway
from app.delivery.outside import UnreadableCopy
from app.delivery.worker import Worker
from app.processes import HTTP_DRAIN, PortTaken, Server, listen, port_of, run
from app.settings import AllSettings, WrongSettings, load, unknown_names
from app.store.clock import ClockSkewed
from app.store.database import UNAVAILABLE, Database, lacks_schema
from app.store.revision import NEWEST
from app.store.safety import UnsafeStore
from app.store.unusable import unusable

CONFIG_ERROR: Final = 78  # sysexits: EX_CONFIG

_HELP: Final = (
    "The gateway for e-mails, SMS, letters and faxes: its processes, and what its operators need."
    " `dev` runs all of it on a laptop; docs/operating.md says what each of the rest is for."
)
app = typer.Typer(help=_HELP, no_args_is_help=True, add_completion=False)
config = typer.Typer(help="The settings.", no_args_is_help=True)
counters = typer.Typer(help="What waits to be sent.", no_args_is_help=True)
app.add_typer(key_commands.app, name="keys")
app.add_typer(client_commands.app, name="clients")
app.add_typer(provider_commands.app, name="providers")
app.add_typer(restore_commands.app, name="restore")
app.add_typer(simulate_commands.app, name="simulate")
app.add_typer(config, name="config")
app.add_typer(counters, name="counters")

Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on.")]
Host = Annotated[str | None, typer.Option(help="Address to listen on.")]


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
    from app.store.migrate import upgrade  # noqa: PLC0415 -- Alembic, for this command alone

    settings = _ready()

    async def bring() -> None:
        database = Database(settings.core.database_url)
        try:
            await upgrade(database)
        finally:
            await database.close()

    _run(bring())
    typer.echo(f"the store has revision {NEWEST}")


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
        problems += _incomplete(load())
    except WrongSettings as fault:
        problems += fault.problems
    problems += [line for line in unknown_names() if line not in problems]
    if problems:
        _say(problems, CONFIG_ERROR)
    typer.echo("the settings are right")


def _incomplete(settings: AllSettings) -> list[str]:
    """Return a line for each thing that a provider lacks of which something is set."""
    lines = [
        f"{name} is not set: whatever this provider carries would wait"
        for provider in (settings.efidem, settings.fax123)
        if len(provider.missing) < len(provider.needed)
        for name in provider.missing
    ]
    wsdl = settings.efidem.wsdl
    if wsdl is not None and "://" not in wsdl and not Path(wsdl).is_file():
        lines.append(f"MULTICANAL_EFIDEM_WSDL: there is no file {wsdl}")
    return lines


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
        _say([unusable(fault)], 1)
    except DatabaseError as fault:
        is_no_database = type(fault) is DatabaseError  # a file that is none of SQLite, or damaged
        if not (lacks_schema(fault) or is_no_database):
            raise
        _say([unusable(fault)], 1)


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
    listening = listen(host, port)
    core = settings.core.model_copy(update={"port": port_of(listening)})
    settings = replace(settings, core=core)  # webhooks never go there
    async with AsyncExitStack() as stack:
        if with_worker:  # everything in one process: so are the simulators of test keys
            found = await stack.enter_async_context(simulated.twins(settings, listening))
            settings = replace(settings, twins=found)
        gateway: Gateway = main.build(settings)
        await stack.enter_async_context(main.opened(gateway))
        edge = main.build_edge(settings, gateway)
        server = Server(main.application(edge), listening, drain=HTTP_DRAIN)
        await run([server], Worker(gateway) if with_worker else None, stopping=edge.stopping)
