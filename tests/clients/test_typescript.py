"""The TypeScript types that openapi-typescript makes of the document, with openapi-fetch."""

import shutil
from pathlib import Path

import pytest

from tests.clients.conftest import DOCUMENT, RECIPIENT, check, generate, run
from tests.contract import node
from tests.journeys.system import System

HERE = Path(__file__).parent
# A field with a default need not be sent.
OPTIONS = ("--default-non-nullable", "false", "-o", "generated.d.ts")


@pytest.mark.skipif(node.missing(), reason=node.WITHOUT)
def test_the_typescript_client_sends_and_follows_a_message(system: System, tmp_path: Path) -> None:
    tools = node.tools()
    (tmp_path / "node_modules").symlink_to(tools / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    for name in ("follow.ts", "tsconfig.json"):
        shutil.copy(HERE / name, tmp_path)
    binaries = tmp_path / "node_modules/.bin"
    openapi_typescript = str(binaries / "openapi-typescript")
    generate(tmp_path, openapi_typescript, str(DOCUMENT), *OPTIONS)
    generate(tmp_path, str(binaries / "tsc"))

    told = run(tmp_path, "node", "out/follow.js", system.url("api"), system.key, RECIPIENT)

    check(system, told)
