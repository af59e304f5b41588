"""What a command begins with: the settings, logs by them, and how it says why it will not go on."""

import sys
from typing import Final, NoReturn

import typer

from app import logs
from app.settings import AllSettings, load

CONFIG_ERROR: Final = 78  # sysexits: EX_CONFIG


def ready() -> AllSettings:
    """Return the settings, with logging set up by them."""
    settings = load()
    logs.configure(settings.core.log_level, readable=sys.stderr.isatty())
    return settings


def end(lines: list[str], status: int) -> NoReturn:
    """Say why, a line each, and end."""
    for line in lines:
        typer.echo(line, err=True)
    raise SystemExit(status)
