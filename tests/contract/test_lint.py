"""The committed document passes the linter without a finding."""

import json
from pathlib import Path

import pytest

from tests.contract import node

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[1] / "openapi" / "openapi.json"


@pytest.mark.skipif(node.missing(), reason=node.WITHOUT)
def test_the_document_is_linted_without_a_finding() -> None:
    tools = node.tools()
    linted = node.run(
        HERE,
        str(tools / "node_modules/.bin/redocly"),
        *("lint", str(DOCUMENT), "--config", "redocly.yaml", "--format", "json"),
        REDOCLY_TELEMETRY="off",
        REDOCLY_SUPPRESS_UPDATE_NOTICE="true",
    )

    assert json.loads(linted.stdout)["totals"] == {"errors": 0, "warnings": 0, "ignored": 0}


def test_the_tools_are_pinned_and_name_no_host() -> None:
    text = (HERE / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    wanted = json.loads((HERE / "package.json").read_text())["devDependencies"]

    assert "://" not in text
    assert {one[:1].isdigit() for one in wanted.values()} == {True}
    installed = {name: one for name, one in packages.items() if name}
    assert [name for name, one in installed.items() if "integrity" not in one] == []
    assert {name: installed[f"node_modules/{name}"]["version"] for name in wanted} == wanted
