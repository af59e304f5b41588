"""What `make install` would do; doing it takes a minute, and `make test` has done it already."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def steps() -> list[str]:
    """The commands of `make install` on a machine that has nothing yet."""
    surroundings = {
        name: value for name, value in os.environ.items() if not name.startswith("MAKE")
    }
    asked = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "--always-make", "install"],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        check=True,
    )
    return asked.stdout.replace("\\\n", " ").splitlines()


def installing(steps: list[str]) -> list[str]:
    return [step for step in steps if re.search(r"pip.* install ", step)]


def test_the_environment_needs_no_ensurepip(steps: list[str]) -> None:
    making = [step for step in steps if " -m venv " in step]

    assert len(making) == 1
    assert "--without-pip" in making[0]


def test_the_machines_pip_installs_into_the_environment(steps: list[str]) -> None:
    assert installing(steps)
    assert [step for step in installing(steps) if "--python .venv/bin/python" not in step] == []


def test_what_is_downloaded_is_hashed_and_ready_built(steps: list[str]) -> None:
    downloading, itself = installing(steps)

    assert "--require-hashes" in downloading
    assert "--only-binary :all:" in downloading
    assert re.findall(r"-r (\S+)", downloading) == [
        "requirements/runtime.txt",
        "requirements/build.txt",
    ]
    assert "--no-deps" in itself
    assert "--no-build-isolation" in itself


def test_nothing_names_where_packages_come_from(steps: list[str]) -> None:
    assert [step for step in steps if re.search(r"https?://|index-url|find-links", step)] == []
