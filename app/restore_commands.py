"""The commands `multicanal restore ...`: what a restored store holds back, and how to go on."""

from typing import Annotated

import typer
import uvloop
from sqlalchemy import RowMapping

from app.build import build, closed
from app.delivery import restore
from app.delivery.gateway import Gateway
from app.ready import ready
from app.store import incarnation

app = typer.Typer(help="A store that was restored or failed over.", no_args_is_help=True)


@app.command("status")
def status() -> None:
    """Say whether the store was restored, and what waits; exit 1 while it does."""
    row, held = uvloop.run(_asked())
    if row is None or row["restore_since"] is None:
        typer.echo("the store was not restored: channels are not stopped for that")
        return
    known = row["known_until"]
    typer.echo(f"restored, noticed at {row['restore_since']:%Y-%m-%d %H:%M:%S} UTC")
    typer.echo(f"why: {row['restore_why']}")
    typer.echo(
        f"it knows nothing after {f'{known:%Y-%m-%d %H:%M:%S} UTC' if known else 'its start'}"
    )
    typer.echo(f"held: {held} messages that waited then, and may have been sent since")
    typer.echo("nothing is sent before: multicanal restore accept --hold (or --release)")
    raise typer.Exit(1)


@app.command("accept")
def accept(
    release: Annotated[
        bool,
        typer.Option(
            "--release/--hold",
            help="Send what was held, even if it was sent since; or leave it held.",
        ),
    ],
) -> None:
    """Let all channels go on."""
    released = uvloop.run(_accepted(release=release))
    if released is None:
        typer.echo("there is nothing to accept: the store was not restored", err=True)
        raise typer.Exit(1)
    typer.echo(f"accepted: channels go on, {released} messages are queued again")


async def _asked() -> tuple[RowMapping | None, int]:
    gateway = _gateway()
    try:
        async with gateway.database.reading() as connection:
            row = await incarnation.standing(connection)
            return row, await incarnation.held_by_restore(connection)
    finally:
        await closed(gateway)


async def _accepted(*, release: bool) -> int | None:
    gateway = _gateway()
    try:
        async with gateway.database.reading() as connection:
            row = await incarnation.standing(connection)
        if row is None or row["restore_since"] is None:
            return None
        return await restore.accept(gateway, release=release)
    finally:
        await closed(gateway)


def _gateway() -> Gateway:
    return build(ready())
