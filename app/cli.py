"""The command `multicanal`: the list of what it does, and which module does it.

A module is read when its command is asked for: a simulator needs no store, and a worker no HTTP.
"""

import gc
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, cast

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True, slots=True)
class Part:
    """A command, or several below one word."""

    module: str
    says: str  # as the command itself says it


PARTS: Final[Mapping[str, Part]] = {
    "dev": Part(
        "app.laptop",
        "Everything in one go, for a laptop: SQLite, API, worker and both simulators.",
    ),
    "serve": Part("app.serve_commands", "Run API and worker in one process."),
    "api": Part("app.api_commands", "Run the API alone."),
    "worker": Part("app.work_commands", "Run the worker alone."),
    "migrate": Part("app.store_commands", "Bring the store to this version's schema."),
    "openapi": Part("app.api_commands", "Print the OpenAPI document."),
    "keys": Part("app.key_commands", "API keys."),
    "clients": Part("app.client_commands", "Clients: internal services."),
    "providers": Part("app.provider_commands", "The providers' contracts."),
    "restore": Part("app.restore_commands", "A store that was restored or failed over."),
    "simulate": Part("app.simulate_commands", "Simulators of the providers."),
    "config": Part("app.config_commands", "The settings."),
    "counters": Part("app.store_commands", "What waits to be sent."),
}
_RARE: Final = 10_000  # new objects between two looks of the collector; usual: 700
_HELP: Final = (
    "The gateway for e-mails, SMS, letters and faxes: its processes, and what its operators need."
    " `dev` runs all of it on a laptop; docs/operating.md says what each of the rest is for."
)


class Commands(Mapping[str, Any]):
    """Every command, as typer has it."""

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 -- typer's own classes
        part = PARTS[name]
        # What is imported stays: the collector's looks at it, while it grows, took a quarter of a
        # start. Without any, two megabytes of garbage would stay as well.
        usual = gc.get_threshold()
        gc.set_threshold(_RARE)
        module = import_module(part.module)
        gc.freeze()
        gc.set_threshold(*usual)
        group = typer.main.get_group(module.app)
        return group.commands.get(name, group)

    def __iter__(self) -> Iterator[str]:
        return iter(PARTS)

    def __len__(self) -> int:
        return len(PARTS)


class Listed(TyperGroup):
    """All commands by their sentences; only the one that is called is read."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 -- typer's own
        super().__init__(**given)
        self.commands = cast("MutableMapping[str, Any]", Commands())  # which nobody writes to

    def list_commands(self, _ctx: object) -> list[str]:
        """Return the names in the order of the table."""
        return list(PARTS)

    def get_command(self, _ctx: object, cmd_name: str) -> TyperCommand | None:
        """Return what the list says of a command."""
        part = PARTS.get(cmd_name)
        return TyperCommand(cmd_name, help=part.says) if part is not None else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 -- typer's own
        """Return the command that is called."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, self.commands[name] if name is not None else listed, rest


app = typer.Typer(cls=Listed, help=_HELP, no_args_is_help=True, add_completion=False)


@app.callback()
def _all() -> None:
    """Be a command with commands."""


def entry() -> None:
    """Be the command: faults that a person can mend are a line each, and no traceback."""
    try:
        app()
    except SystemExit:  # how every command ends
        raise
    except _mendable() as fault:
        from app.mend import tell  # noqa: PLC0415 -- as below

        tell(fault)


def _mendable() -> tuple[type[BaseException], ...]:
    # Asked for where something was raised, and not before: it brings every layer along.
    from app.mend import MENDABLE  # noqa: PLC0415

    return MENDABLE
