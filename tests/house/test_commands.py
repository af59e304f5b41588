"""The list of the commands, and the commands themselves."""

import subprocess
import sys

import pytest
import typer

from app.cli import PARTS, app

LISTED = typer.main.get_command(app)


@pytest.mark.parametrize("name", PARTS)
def test_the_list_says_of_a_command_what_the_command_says(name: str) -> None:
    command = LISTED.commands[name]  # type: ignore[attr-defined]

    assert command.help == PARTS[name].says


def test_help_and_the_simulators_read_no_store_and_no_http_api() -> None:
    for arguments, absent in (
        (["--help"], {"sqlalchemy", "pydantic", "aiohttp"}),
        (["simulate", "efidem", "--help"], {"sqlalchemy", "fastapi", "zeep", "app.settings"}),
        (["worker", "--help"], {"fastapi", "app.api.routes"}),
    ):
        read = _modules_of(arguments)

        assert (arguments, absent & read) == (arguments, set())


def _modules_of(arguments: list[str]) -> set[str]:
    """Return what a process has read by the time it has shown a command's help."""
    program = (
        "import sys\nfrom app.cli import entry\n"
        f"sys.argv = ['multicanal', *{arguments!r}]\n"
        "try:\n    entry()\nexcept SystemExit:\n    print('\\0', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.partition("\0")[2].split())
