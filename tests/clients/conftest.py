"""A gateway to call, and what its document's clients are made with."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract import node
from tests.journeys.conftest import prepared
from tests.journeys.system import PROVIDERS, System

DOCUMENT = Path(__file__).resolve().parents[2] / "openapi" / "openapi.json"
TOOLS = Path(sys.prefix) / "contract"  # an environment of its own: `make .venv/.tested`
RECIPIENT = "+33639980001"  # the simulated provider delivers to it


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Return a gateway in processes of its own, with a worker and simulated providers."""
    folder = tmp_path_factory.mktemp("clients")
    with prepared(folder, f"sqlite:///{folder / 'store.db'}", *PROVIDERS) as system:
        system.up()
        yield system


def run(folder: Path, *command: str, **environment: str) -> dict[str, Any]:
    """Run a client to its end, and return what it tells."""
    told: dict[str, Any] = json.loads(node.run(folder, *command, **environment).stdout)
    return told


def generate(folder: Path, *command: str) -> None:
    """Run a generator, which warns of nothing."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def check(system: System, told: dict[str, Any]) -> None:
    """Check that a client sent once, saw it delivered, and read what was refused."""
    assert told == {
        "accepted": 202,
        "id": told["id"],
        "repeated": told["id"],
        "replayed": "true",
        "status": "delivered",
        "events": [event["type"] for event in system.events(told["id"])],
        "refused": 422,
        "code": "validation_failed",
        "pointers": ["/to"],
    }
    assert told["events"][-1] == "message.delivered"
    reference = system.message(told["id"])["reference"]
    found = system.get(f"/v1/messages?reference={reference}").json["data"]
    assert [one["id"] for one in found] == [told["id"]]
