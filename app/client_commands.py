"""The commands `multicanal clients ...`: their options, and whom their team keys may send to."""

from typing import Annotated, Any, Final

import typer
from pydantic_core import PydanticCustomError

from app.api.client_shapes import MOST_TEAM, recipient
from app.delivery.gateway import Gateway
from app.domain.message import Channel
from app.key_commands import Digest, NewName, in_store
from app.store import clients, keys

app = typer.Typer(help="Clients: internal services.", no_args_is_help=True)
team = typer.Typer(help="Whom a client's team keys may send to.", no_args_is_help=True)
app.add_typer(team, name="team")

Name = Annotated[str, typer.Option("--name", help="The client.")]
Addresses = Annotated[
    list[str], typer.Option("--address", help="An e-mail address or a number; several times.")
]
_DEPLOYMENTS: Final = "deployment"  # the option is as the deployment says
_LARGEST: Final = 100_000_000  # messages a day
_MOST: Final = 10_000  # requests a second


@app.command("list")
def listed() -> None:
    """List clients and their options, the newest first."""

    async def ask(gateway: Gateway, _: Digest) -> list[str]:
        lines, after = [], None
        while True:
            async with gateway.database.reading() as connection:
                rows = await clients.page(connection, None, limit=200, after=after)
            lines += [_told(row) for row in rows]
            if not rows:
                return lines
            after = rows[-1]["id"]

    typer.echo("\n".join(in_store(ask)) or "there is no client")


@app.command("set")
def change(
    name: NewName,
    unique_references: Annotated[
        bool | None, typer.Option(help="Refuse a reference that the client used before.")
    ] = None,
    idempotency: Annotated[
        str | None, typer.Option(help="required, optional, or deployment: as that says.")
    ] = None,
    rate: Annotated[
        int | None, typer.Option(min=0, max=_MOST, help="Requests a second; 0: as the deployment.")
    ] = None,
    quota: Annotated[
        list[str] | None,
        typer.Option(help="Messages a day of a channel: sms=1000; sms=none lifts it."),
    ] = None,
) -> None:
    """Change a client's options; what is not named stays as it is."""
    options: dict[str, Any] = {}
    if unique_references is not None:
        options["unique_references"] = unique_references
    if idempotency is not None:
        if idempotency not in {"required", "optional", _DEPLOYMENTS}:
            raise typer.BadParameter("idempotency is required, optional or deployment")
        options["idempotency"] = None if idempotency == _DEPLOYMENTS else idempotency
    if rate is not None:
        options["rate"] = rate or None
    quotas = dict(_quota(one) for one in quota or ())

    async def write(gateway: Gateway, _: Digest) -> str:
        async with gateway.database.transaction() as connection:
            client_id = await keys.client_named(connection, gateway.ids, name, gateway.now())
            row = await clients.find(connection, client_id)
            assert row is not None
            if quotas:
                merged = {**(row["daily_quotas"] or {}), **quotas}
                kept = {one: most for one, most in merged.items() if most is not None}
                options["daily_quotas"] = kept or None
            changed = await clients.change(connection, client_id, options)
            assert changed is not None
            return _told(changed)

    typer.echo(in_store(write))


@team.command("add")
def add(name: Name, address: Addresses) -> None:
    """Let a client's team keys send to somebody."""
    _change_team(name, [_recipient(one) for one in address], adds=True)


@team.command("remove")
def remove(name: Name, address: Addresses) -> None:
    """Let a client's team keys send to somebody no more."""
    _change_team(name, [_recipient(one) for one in address], adds=False)


@team.command("list")
def members(name: Name) -> None:
    """List whom a client's team keys may send to."""

    async def ask(gateway: Gateway, _: Digest) -> list[str] | None:
        async with gateway.database.reading() as connection:
            row = await clients.named(connection, name)
            return await clients.team(connection, row["id"]) if row is not None else None

    found = in_store(ask)
    typer.echo("\n".join(_known(found)) or "nobody")


def _change_team(name: str, addresses: list[str], *, adds: bool) -> None:
    async def write(gateway: Gateway, _: Digest) -> list[str] | None:
        async with gateway.database.transaction() as connection:
            row = await clients.named(connection, name)
            if row is None:
                return None
            if adds:
                await clients.add_to_team(connection, row["id"], addresses, gateway.now())
            else:
                await clients.remove_from_team(connection, row["id"], addresses)
            found = await clients.team(connection, row["id"])
            if len(found) > MOST_TEAM:
                raise typer.BadParameter(f"a team has {MOST_TEAM:,} recipients at most")
            return found

    typer.echo(f"{len(_known(in_store(write)))} recipients")


def _known(found: list[str] | None) -> list[str]:
    if found is None:
        typer.echo("there is no such client", err=True)
        raise typer.Exit(1)
    return found


def _recipient(text: str) -> str:
    try:
        return recipient(text)
    except PydanticCustomError as why:
        raise typer.BadParameter(why.message()) from None


def _quota(text: str) -> tuple[str, int | None]:
    channel, _, most = text.partition("=")
    is_number = most.isascii() and most.isdecimal() and int(most[:12]) <= _LARGEST
    if channel not in list(Channel) or not (is_number or most == "none"):
        named = ", ".join(Channel)
        raise typer.BadParameter(f"write a quota as sms=1000 or sms=none; channels are {named}")
    return channel, int(most) if is_number else None


def _told(row: Any) -> str:  # noqa: ANN401 -- a row
    quotas = ",".join(f"{one}={most}" for one, most in (row["daily_quotas"] or {}).items())
    return (
        f"{row['name']}  unique_references={str(row['unique_references']).lower()}"
        f"  idempotency={row['idempotency'] or _DEPLOYMENTS}"
        f"  rate={row['rate'] or _DEPLOYMENTS}  quotas={quotas or 'none'}"
    )
