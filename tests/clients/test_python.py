"""The Python client that openapi-python-client makes of the document."""

from pathlib import Path

from tests.clients.conftest import DOCUMENT, RECIPIENT, TOOLS, check, generate, run
from tests.journeys.system import System

HERE = Path(__file__).parent


def test_the_python_client_sends_and_follows_a_message(system: System, tmp_path: Path) -> None:
    generate(
        tmp_path,
        *(str(TOOLS / "bin/openapi-python-client"), "generate", "--path", str(DOCUMENT)),
        *("--config", str(HERE / "python_client.yaml"), "--meta", "none", "--fail-on-warning"),
        *("--output-path", str(tmp_path / "multicanal_client")),
    )
    python = str(TOOLS / "bin/python")
    generate(tmp_path, python, "-W", "error", "-m", "compileall", "-q", "multicanal_client")

    told = run(
        tmp_path,
        *(python, str(HERE / "follow.py"), system.url("api"), system.key, RECIPIENT),
        PYTHONPATH=str(tmp_path),
    )

    check(system, told)
