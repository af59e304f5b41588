"""The commands `multicanal keys ...`: make, list, rotate and revoke API keys."""

import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Annotated, Final, TypeVar

import typer
import uvloop
from pydantic import ValidationError
from sqlalchemy import RowMapping

from app.api.access import SCOPES, USUAL_SCOPES, Access
from app.api.administering import key_id_of
from app.api.client_shapes import KeyIn
from app.api.issue import create_key, rotate
from app.build import build, prepare_store
from app.delivery.gateway import Gateway
from app.domain.errors import KeyNotActive, NotFound
from app.domain.message import Mode
from app.ready import ready
from app.store import clients
from app.store import keys as store
from app.store.addresses import missing_file

app = typer.Typer(help="API keys.", no_args_is_help=True)

_MODES: Final = tuple(one.value for one in Mode)
_OVERLAP: Final = re.compile(r"([0-9]{1,6})([smhd])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_Found = TypeVar("_Found")
Digest = Callable[[str], str]

_LONGEST_NAME: Final = 200  # characters


def client_name(text: str) -> str:
    """Return the name of a client that may be made: a line that holds something."""
    if not text.strip() or not text.isprintable() or len(text) > _LONGEST_NAME:
        raise typer.BadParameter(f"a name is one line of 1 to {_LONGEST_NAME} characters")
    return text


NewName = Annotated[
    str, typer.Option("--name", parser=client_name, help="The client; made where there is none.")
]
KeyId = Annotated[str, typer.Option("--id", help="The visible part of the key.")]


@app.command("create")
def create(
    name: NewName,
    mode: Annotated[Mode, typer.Option(help="What its messages may reach.")] = Mode.LIVE,
    scopes: Annotated[str, typer.Option(help="Comma-separated.")] = ",".join(USUAL_SCOPES),
    label: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    networks: Annotated[
        str | None, typer.Option(help="From which alone it is taken, comma-separated.")
    ] = None,
) -> None:
    """Make a key and print it, once, alone on the last line."""
    try:
        given = KeyIn.model_validate(
            {
                "mode": mode.value,
                "scopes": _listed(scopes),
                "label": label,
                "networks": _listed(networks) if networks is not None else None,
            }
        )
    except ValidationError as fault:
        wrong = (f"{one['loc'][0]}: {one['msg']}" for one in fault.errors(include_input=False))
        raise typer.BadParameter("; ".join(wrong)) from None

    async def make(gateway: Gateway, digest: Digest) -> str:
        return await create_key(
            gateway,
            digest,
            name=name,
            mode=mode,
            scopes=[one for one in SCOPES if one in given.scopes],
            label=given.label,
            networks=given.networks,
        )

    typer.echo(in_store(make))


@app.command("list")
def listed(
    name: Annotated[str | None, typer.Option(help="Of this client alone.")] = None,
) -> None:
    """List keys, the newest first: never their secrets."""

    async def ask(gateway: Gateway, _: Digest) -> list[str]:
        async with gateway.database.reading() as connection:
            row = await clients.named(connection, name) if name is not None else None
            if name is not None and row is None:
                return []
            rows = await store.listed(connection, _MODES, row["id"] if row else None)
        now = gateway.now()
        return [
            f"gw_{one['mode']}_{one['id']}  {one['name']}  {_state(one, now)}"
            f"  last used {_day(one['last_used_at'])}  {','.join(one['scopes'])}"
            + (f"  from {','.join(one['networks'])}" if one["networks"] else "")
            + (f"  {one['label']!r}" if one["label"] else "")
            for one in rows
        ]

    typer.echo("\n".join(in_store(ask)) or "there is no key")


@app.command("rotate")
def rotated(
    key_id: KeyId,
    overlap: Annotated[
        str, typer.Option(help="For how long the old key is still taken: 30m, 24h, 7d.")
    ] = "24h",
) -> None:
    """Make a key like another, which then ends; print it, once, alone on the last line."""
    identifier, lasting = _read(key_id), _OVERLAP.fullmatch(overlap)
    if lasting is None:
        raise typer.BadParameter("write an overlap as 30m, 24h or 7d")
    seconds = int(lasting[1]) * _SECONDS[lasting[2]]

    async def change(gateway: Gateway, digest: Digest) -> str | None:
        async with gateway.database.transaction() as connection:
            old = await store.lock(connection, identifier, _MODES)
            if old is None:
                return None
            _, key = await rotate(connection, gateway, digest, old, timedelta(seconds=seconds))
            return key

    try:
        key = in_store(change)
    except KeyNotActive as fault:
        typer.echo(fault.detail, err=True)
        raise typer.Exit(1) from None
    typer.echo(key if key is not None else _no_such())


@app.command("revoke")
def revoke(key_id: KeyId) -> None:
    """Take a key no more: no process takes it after five seconds."""
    identifier = _read(key_id)

    async def change(gateway: Gateway, _: Digest) -> bool:
        async with gateway.database.transaction() as connection:
            row = await store.lock(connection, identifier, _MODES)
            if row is not None and row["revoked_at"] is None:
                await store.change(connection, identifier, revoked_at=gateway.now())
        return row is not None

    typer.echo("revoked" if in_store(change) else _no_such())


def in_store(work: Callable[[Gateway, Digest], Awaitable[_Found]]) -> _Found:
    """Do something with the configured store, whose schema is this version's."""
    settings = ready()

    if missing_file(
        settings.core.database_url
    ):  # in the wrong folder, say, or without the settings
        typer.echo(
            "there was no store here: a new one is made (see MULTICANAL_DATABASE_URL)", err=True
        )

    async def do() -> _Found:
        gateway = build(settings)
        await prepare_store(gateway.database)
        access = Access(gateway, settings.core.key_pepper.get_secret_value().encode())
        try:
            return await work(gateway, access.digest)
        finally:
            await gateway.database.close()

    return uvloop.run(do())


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _read(text: str) -> str:
    try:
        return key_id_of(text)
    except NotFound:
        message = "give the visible part of the key, such as gw_live_0123456789"
        raise typer.BadParameter(message) from None


def _no_such() -> str:
    typer.echo("there is no such key", err=True)
    raise typer.Exit(1)


def _state(row: RowMapping, now: datetime) -> str:
    if row["revoked_at"] is not None:
        return "revoked"
    ends = row["expires_at"]
    if ends is None:
        return "active"
    return "expired" if ends <= now else f"active until {_day(ends)}"


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at is not None else "never"
