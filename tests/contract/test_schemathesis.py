"""The running gateway answers as its document says, to whatever schemathesis makes of it."""

import base64
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.api.access import SCOPES
from tests.api.client import pdf
from tests.journeys.conftest import prepared
from tests.journeys.system import PROVIDERS, System

HERE = Path(__file__).parent
COMMAND = Path(sys.prefix) / "contract" / "bin" / "schemathesis"  # `make .venv/.tested`
# Examples of each operation: `make fuzz EXAMPLES=500` looks longer, and elsewhere each time.
EXAMPLES = os.environ.get("FUZZ_EXAMPLES")
SECONDS = 400 if EXAMPLES is None else 6 * 3600  # for one run, which ends with its examples
pytestmark = pytest.mark.timeout(SECONDS + 60)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("fuzzed")
    with prepared(folder, f"sqlite:///{folder / 'store.db'}", *PROVIDERS) as system:
        # A machine that stands still for a while makes no answer of ours a 503.
        system.settings["MULTICANAL_EFIDEM_TIMEOUT"] = "20"
        system.up()
        made = system.run("keys", "create", "--name", "fuzz", "--scopes", ",".join(SCOPES))
        system.key = made.stdout.splitlines()[-1]
        yield system


def fuzz(system: System, folder: Path, *options: str, **environment: str) -> None:
    """Run schemathesis: no answer is undocumented or 5xx, and nothing that is forbidden is taken."""
    for name in ("schemathesis.toml", "fuzz.py"):
        shutil.copy(HERE / name, folder)
    if EXAMPLES is not None:
        settings = folder / "schemathesis.toml"
        settings.write_text(settings.read_text().replace("deterministic = true\n", ""))
        options += ("--max-examples", EXAMPLES)
    done = subprocess.run(
        [str(COMMAND), "run", f"{system.url('api')}/openapi.json", *options],
        cwd=folder,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    document = system.get("/openapi.json").json
    count = sum(len(item) for item in document["paths"].values())
    assert f"  Tested: {count}\n" in done.stdout, "some operations were passed over"


def test_whoever_has_a_key_is_answered_as_documented(system: System, tmp_path: Path) -> None:
    me = system.get("/v1/me").json

    fuzz(
        system,
        tmp_path,
        *("--header", f"Authorization: Bearer {system.key}"),
        MULTICANAL_OWN_KEY=me["key"].rpartition("_")[2],
        MULTICANAL_OWN_CLIENT=me["client"]["id"],
        MULTICANAL_PDF=base64.b64encode(pdf()).decode(),
    )

    assert system.get("/v1/me").status == 200, "the run took its own key away"


def test_whoever_has_no_key_is_answered_as_documented(system: System, tmp_path: Path) -> None:
    fuzz(system, tmp_path, "--phases", "examples,fuzzing")
