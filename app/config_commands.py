"""The commands `multicanal config ...`: what is wrong with the settings."""

from pathlib import Path

import typer

from app.ready import CONFIG_ERROR, end
from app.settings import AllSettings, WrongSettings, load, unknown_names

app = typer.Typer(help="The settings.", no_args_is_help=True)


@app.callback()
def _config() -> None:
    """Be a command with commands."""


@app.command("check")
def check() -> None:
    """Say what is wrong with the settings, all at once."""
    problems: list[str] = []
    try:
        problems += _incomplete(load())
    except WrongSettings as fault:
        problems += fault.problems
    problems += [line for line in unknown_names() if line not in problems]
    if problems:
        end(problems, CONFIG_ERROR)
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
