"""The commands that bring the store to this version's schema, and mend its counters."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer
import uvloop

from app.ready import ready
from app.store.database import Database
from app.store.revision import NEWEST

app = typer.Typer()
counters = typer.Typer(help="What waits to be sent.", no_args_is_help=True)
app.add_typer(counters, name="counters")

_Found = TypeVar("_Found")


@app.command()
def migrate() -> None:
    """Bring the store to this version's schema."""
    from app.store.migrate import upgrade  # noqa: PLC0415 -- Alembic, for this command alone

    _with_store(upgrade)
    typer.echo(f"the store has revision {NEWEST}")


@counters.callback()
def _counters() -> None:
    """Be a command with commands."""


@counters.command("recount")
def counters_recount() -> None:
    """Count what waits to be sent, and mend the counters; workers do it when they start."""
    from app.delivery.limit import recount  # noqa: PLC0415 -- what a message needs on its way

    drift = _with_store(recount)
    typer.echo("\n".join(f"{name}: {change:+d}" for name, change in drift.items()) or "right")


def _with_store(work: Callable[[Database], Awaitable[_Found]]) -> _Found:
    settings = ready()

    async def do() -> _Found:
        database = Database(settings.core.database_url)
        try:
            return await work(database)
        finally:
            await database.close()

    return uvloop.run(do())
