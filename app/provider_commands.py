"""The commands `multicanal providers ...`: contracts and their changes, and codes without meaning."""

import json
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Final, TypeVar

import typer
import uvloop

from app import logs
from app.build import build, closed, now
from app.delivery.keep_contract import ContractStore, NotKept, Pending
from app.domain.twins import is_twin
from app.providers import registry
from app.providers.efidem.drift import counted, told
from app.providers.efidem.provider import NAME as EFIDEM
from app.providers.efidem.soap import CannotBind
from app.ready import ready
from app.settings import AllSettings, load
from app.store import unmapped
from app.store.addresses import missing_file
from app.store.database import Database
from app.store.unmapped import OTHER

app = typer.Typer(help="The providers' contracts.", no_args_is_help=True)

ACCEPT: Final = "multicanal providers accept"
_BEGINNING: Final = 12  # characters of a fingerprint that are shown to be pasted
_Found = TypeVar("_Found")


@app.command("check")
def check(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """Bind the configured WSDL and report, per function; exit 1 when something is blocked."""
    settings = load()
    # What is found is the report's to say, and no log's.
    logs.configure(_at_least_warning(settings.core.log_level), readable=sys.stderr.isatty())
    found = uvloop.run(_checked(settings))
    waiting = uvloop.run(_waiting(settings))
    # Beside JSON, whose form is another's to read; else first, or it would not be seen.
    for line in waiting:
        typer.echo(line, err=as_json)
    if as_json:
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        typer.echo("\n".join(line for one in found for line in _told(one)))
    raise typer.Exit(1 if any(one["blocked"] for one in found) else 0)


@app.command("accept")
def accept(
    fingerprint: Annotated[
        str | None, typer.Option(help="Accept this one only; the beginning is enough.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Accept whichever waits.")] = False,
) -> None:
    """Accept the changed contract that waits: from then on, calls are made by it.

    Without --fingerprint or --yes it only shows what would be accepted; exit 2 then.
    """
    settings = ready()
    is_meant = yes or bool(fingerprint)

    async def taken(store: ContractStore) -> tuple[Pending | None, bool]:
        standing = await store.standing()
        waits = standing.pending if standing else None
        if waits is None or not waits.fingerprint.startswith(fingerprint or ""):
            return None, False
        return waits, is_meant and await store.accept(waits.fingerprint)

    try:
        waits, accepted = uvloop.run(_in_store(settings, taken))
    except NotKept as fault:
        typer.echo(f"the store cannot be used ({fault.why}): see MULTICANAL_DATABASE_URL", err=True)
        raise typer.Exit(1) from None
    if waits is None or (is_meant and not accepted):
        named = f" {fingerprint}" if fingerprint else ""
        typer.echo(f"no contract{named} waits to be accepted", err=True)
        raise typer.Exit(1)
    for line in _differences(waits):
        typer.echo(line)
    if not accepted:
        typer.echo(f"nothing was accepted: {_command(waits)}   (or --yes)", err=True)
        raise typer.Exit(2)
    typer.echo(f"accepted: {waits.fingerprint}")


@app.command("unmapped")
def unmapped_codes() -> None:
    """List codes that nobody has said the meaning of, with the lines that would say it."""
    settings = ready()
    if missing := missing_file(settings.core.database_url):
        typer.echo(f"{missing}: see MULTICANAL_DATABASE_URL", err=True)
        raise typer.Exit(1)
    typer.echo("\n".join(uvloop.run(_unmapped(settings))))


async def _unmapped(settings: AllSettings) -> list[str]:
    gateway = build(settings)
    try:
        async with gateway.database.reading() as connection:
            rows = [
                row
                for name in gateway.providers
                if not is_twin(name)  # what a simulator makes up needs no meaning
                for row in await unmapped.listed(connection, name, mapped=False)
            ]
    finally:
        await closed(gateway)
    lines = []
    for row in rows:
        name, function, code = row["provider"], row["function"], row["code"]
        since = f"{row['first_at']:%Y-%m-%d} to {row['last_at']:%Y-%m-%d %H:%M} UTC"
        lines.append(f"{name} {function} {code}: {row['times']} times, {since}")
        if row["label"]:
            # A provider's words: what a terminal might obey is shown as what it is.
            lines.append(f"  label {row['label']!a}")
        lines.append(f"  waiting {row['waiting']}")
        if code != OTHER:
            remedy = gateway.providers[name].remedy(function, code)
            lines += [f"  {line}" for line in remedy.splitlines()]
    return lines or ["every code has a meaning"]


async def _checked(settings: AllSettings) -> list[dict[str, Any]]:
    efidem = registry.build_efidem(settings.efidem)
    try:
        return await efidem.report()
    except CannotBind as fault:
        return [{"function": "*", "operation": None, "blocked": [fault.why], "warnings": []}]
    finally:
        await efidem.close()


async def _waiting(settings: AllSettings) -> Sequence[str]:
    """Return lines about a contract that waits; none where the store cannot tell."""
    try:
        standing = await _in_store(settings, ContractStore.standing)
    except NotKept as fault:
        if missing_file(settings.core.database_url):
            return ()
        return (f"the store cannot say whether a changed contract waits ({fault.why})", "")
    if standing is None or standing.pending is None:
        return ()
    return (
        *_differences(standing.pending),
        f"calls go by the contract that was accepted, until: {_command(standing.pending)}",
        "",
    )


async def _in_store(
    settings: AllSettings, ask: Callable[[ContractStore], Awaitable[_Found]]
) -> _Found:
    if missing := missing_file(settings.core.database_url):
        raise NotKept(missing)
    database = Database(settings.core.database_url)
    try:
        return await ask(ContractStore(database, EFIDEM, now))
    finally:
        await database.close()


def _differences(pending: Pending) -> Iterator[str]:
    read = f"{pending.read_at:%Y-%m-%d %H:%M} UTC"
    yield f"THE WSDL HAS CHANGED ({read}): {counted(pending.differences)}"
    for one in pending.differences:
        yield f"  {told(one)}"
    yield f"its fingerprint is {pending.fingerprint}"


def _command(pending: Pending) -> str:
    """Return the command that accepts it, and no other."""
    return f"{ACCEPT} --fingerprint {pending.fingerprint[:_BEGINNING]}"


def _at_least_warning(level: str) -> str:
    return level if level == "ERROR" else "WARNING"


def _told(one: Mapping[str, Any]) -> Iterator[str]:
    """Yield all that is known of one function, a line for each thing."""
    yield f"{one['function']}: {'BLOCKED' if one['blocked'] else 'ok'}"
    for name, values in _sections(one):
        for place, value in enumerate(values):
            yield f"  {'' if place else name:14}{value}"


def _sections(one: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[str]]]:
    yield "blocked", one["blocked"]
    yield "warning", one["warnings"]
    if one["operation"] is None:
        return
    yield "operation", [f"{one['operation']} ({one['found']}), {one['style']}"]
    yield "called at", [f"{one['address']}, SOAP {one['soap']}, {one['service']}/{one['port']}"]
    yield "credentials", [f"at {one['trio_place'] or 'no one place'}", *_pairs(one["trio"])]
    yield "parameters", _pairs(one["parameters"])
    yield "fields", _pairs(one["fields"])
    yield "constants", _pairs(one["constants"])
    yield "takes", [f"{name}: {', '.join(values)}" for name, values in one["allowed"].items()]
    yield "not carried", one["missing"]


def _pairs(values: Mapping[str, str]) -> list[str]:
    return [f"{name} -> {value}" for name, value in values.items()]
