"""What docs/ and README.md say exists: links, commands, addresses, settings, codes and bodies."""

import ast
import inspect
import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import typer
from jsonschema import Draft202012Validator

from app import main
from app.api import connections, fields, metrics, problems, webhooks, wrong_fields
from app.api.access import SCOPES
from app.api.routes import ROUTERS
from app.cli import app as command
from app.delivery import guard
from app.delivery.inspect import refuse
from app.delivery.restore import REASON as RESTORED
from app.delivery.tell import TYPES
from app.domain import postal
from app.domain.message import Mode
from app.domain.standing import AWAY, CREDIT
from app.domain.status import Status
from app.providers.efidem import functions as efidem
from app.providers.efidem import statuses as efidem_bindings
from app.providers.fax123 import bindings as fax123_bindings
from app.providers.fax123.acknowledgement import CODES
from app.providers.fax123.functions import HTTP_PHP
from app.providers.manual import Function, Meaning, Parameter
from app.settings import KINDS, names_of
from app.store.uncertain import PROVEN
from tests.house.pages import (
    DOCS,
    PAGES,
    ROOT,
    Block,
    anchors,
    blocks,
    calls,
    code,
    commands,
    links,
    prose,
    text_of,
)
from tests.house.tables import remade

APP: Final = ROOT / "app"
VARIABLE: Final = re.compile(r"\bMULTICANAL_[A-Z0-9_]*[A-Z0-9]\b(?!\*|_)")
PATH: Final = re.compile(
    r"(?:\b(GET|POST|PUT|PATCH|DELETE) )?(/(?:v1|hooks|healthz|readyz|metrics|openapi\.json|docs)\b[^\s`'\",;|)]*)"
)
METRIC: Final = re.compile(r"\bmulticanal_[a-z_]+[a-z]\b")
# Said before the application hears of a request, or when it broke: no row of the table.
OTHERS: Final = {"internal_error": (500, True)} | {
    known: (status, status == 408) for status, (_, known, _) in connections._PROBLEMS.items()
}

every_page = pytest.mark.parametrize("page", PAGES, ids=[one.name for one in PAGES])
EVERY_BLOCK = [block for page in PAGES for block in blocks(page)]


def rows(page: str, title: str) -> list[list[str]]:
    """The cells of the table under a heading."""
    section = re.split(rf"(?m)^#+ {re.escape(title)}$", text_of(DOCS / page))[1]
    section = re.split(r"(?m)^#+ ", section)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def named_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# --- every page ---


@every_page
def test_a_link_leads_somewhere(page: Path) -> None:
    lost = []
    for link in links(page):
        if re.match(r"https?://", link):
            continue
        name, _, anchor = link.partition("#")
        there = page.parent / name if name else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            lost.append(link)

    assert lost == []


def test_a_file_that_is_named_to_contributors_exists() -> None:
    folders = [ROOT, APP, APP / "api", APP / "delivery", APP / "providers", ROOT / "tests/crash"]
    named = re.findall(r"`([a-z_./]+(?:\.py|/))`", text_of(ROOT / "CONTRIBUTING.md"))

    assert len(named) > 20
    assert [one for one in named if not any((folder / one).exists() for folder in folders)] == []


def test_each_page_is_reached_from_the_index() -> None:
    linked = {link.partition("#")[0] for link in links(DOCS / "README.md")}

    assert {one.name for one in DOCS.glob("*.md")} - {"README.md"} <= linked


@cache
def tree() -> Any:
    """The command, as the library that typer brings along has it."""
    return typer.main.get_command(command)


def is_group(one: Any) -> bool:
    return hasattr(one, "commands")


@every_page
def test_a_command_exists_with_its_options(page: Path) -> None:
    wrong = []
    for words in commands(page):
        at = tree()
        given = [word for word in words if word not in {"...", "…", "\\"}]
        while given and is_group(at):
            names = re.split(r"\\?\|", given[0])
            if not all(name in at.commands for name in names):
                break
            at, given = at.commands[names[0]], given[1:]
        known = {name for one in at.params for name in (*one.opts, *one.secondary_opts)}
        options = [
            one.split("=")[0].strip("[]") for one in given if one.strip("[").startswith("--")
        ]
        if is_group(at) and given and not at.params:
            wrong.append(" ".join(words))
        wrong += [f"{' '.join(words)}: {one}" for one in options if one not in {*known, "--help"}]

    assert wrong == []


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = main.create_app().openapi()
    return found


@cache
def routes() -> list[tuple[frozenset[str], re.Pattern[str]]]:
    """The methods and the address of each endpoint, described or not."""
    made = []
    ours = [route for router in ROUTERS for route in router.routes]
    for route in (*ours, *main.create_app().routes):
        template = getattr(route, "path", "")
        parts = re.split(r"\{([a-z_]+)(:path)?\}", template)
        # Texts stand at 0, 3, 6, ...; what stands for a parameter is whatever a page writes.
        pattern = "".join(
            re.escape(part) if at % 3 == 0 else ("" if at % 3 == 1 else "[^?]+?")
            for at, part in enumerate(parts)
        )
        made.append((frozenset(getattr(route, "methods", None) or ()), re.compile(pattern)))
    return made


def is_served(method: str | None, path: str) -> bool:
    bare = path.partition("?")[0].rstrip(".:")
    return any(
        pattern.fullmatch(bare) and (method is None or method in methods)
        for methods, pattern in routes()
    )


@every_page
def test_an_address_is_served(page: Path) -> None:
    wrong = [
        found[0]
        for piece in code(page)
        for found in PATH.finditer(piece)
        # A beginning of addresses, such as /v1/...
        if not found[2].endswith("...") and not is_served(found[1], found[2])
    ]

    assert wrong == []


def asked() -> Iterator[tuple[str, str]]:
    """Each method with its address that a page names, or calls."""
    for page in PAGES:
        for piece in code(page):
            for found in PATH.finditer(piece):
                yield found[1] or "", found[2].partition("?")[0].rstrip(".:")
        for block in blocks(page):
            if block.language == "sh":
                yield from ((one.method, one.path.partition("?")[0]) for one in calls(block))


def test_every_endpoint_is_named_on_some_page() -> None:
    named = set(asked())
    unnamed = [
        f"{method.upper()} {path}"
        for path, methods in document()["paths"].items()
        for method in methods
        if not any(method.upper() == one and fits(path, there) for one, there in named)
    ]

    assert unnamed == []


def fits(template: str, path: str) -> bool:
    """Say whether an address is one of a template's, whatever stands for its parameters."""
    parts = [re.escape(part) for part in re.split(r"\{[a-z_]+\}", template)]
    return re.fullmatch("[^/]+".join(parts), path) is not None


@every_page
def test_a_setting_is_one_of_ours(page: Path) -> None:
    known = {name for kind in KINDS for name in names_of(kind)}

    assert set(VARIABLE.findall(text_of(page))) - known == set()


@pytest.mark.parametrize(
    "block", [one for one in EVERY_BLOCK if "curl " in one.text and one.language == "sh"], ids=str
)
def test_what_is_sent_is_what_its_endpoint_takes(block: Block) -> None:
    wrong = shows_after(block, "validation_failed")
    for call in calls(block):
        assert is_served(call.method, call.path) != shows_after(block, "method_not_allowed"), call
        if call.body is None or call.body.startswith("@"):
            continue
        schema = body_schema(call.method, call.path)
        assert schema is not None, f"{call.path} takes no body"
        told = json.loads(call.body)
        assert call.content_type == "application/json" or "content" not in schema
        checked = Draft202012Validator({**schema, "components": document()["components"]})
        errors = [error.message for error in checked.iter_errors(told)]
        assert bool(errors) == wrong, errors


def shows_after(block: Block, code: str) -> bool:
    """Say whether a page shows right after a block that it is refused, on purpose, with a code."""
    after = EVERY_BLOCK[EVERY_BLOCK.index(block) + 1 :]
    return bool(after) and after[0].language == "json" and f'"{code}"' in after[0].text


def body_schema(method: str, path: str) -> dict[str, Any] | None:
    bare = path.partition("?")[0]
    for template, methods in document()["paths"].items():
        pattern = re.sub(r"\\\{[a-z_]+\\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, bare) and method.lower() in methods:
            taken = methods[method.lower()].get("requestBody")
            found = taken and taken["content"].get("application/json", {}).get("schema")
            return found or None
    return None


@pytest.mark.parametrize("block", [one for one in EVERY_BLOCK if one.language == "json"], ids=str)
def test_what_is_shown_as_json_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", [one for one in EVERY_BLOCK if one.language == "toml"], ids=str)
def test_what_an_operator_shall_write_is_taken(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "bindings.toml"
    path.write_text(block.text)
    said = tomllib.loads(block.text)
    known = {**efidem_bindings.Bindings.model_fields, **fax123_bindings.Bindings.model_fields}

    assert set(said) <= set(known)
    of = fax123_bindings if "acknowledgements" in said else efidem_bindings
    of.read_bindings(path)


@pytest.mark.parametrize("block", [one for one in EVERY_BLOCK if one.language == "python"], ids=str)
def test_what_is_shown_as_python_is_python(block: Block) -> None:
    ast.parse(block.text)


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda one: one.name)
def test_a_table_that_is_made_is_as_the_code_has_it(page: Path) -> None:
    # python -m tests.house.tables writes them.
    assert text_of(page) == remade(text_of(page))


# --- errors.md ---


def test_every_code_of_an_error_has_its_row() -> None:
    wanted = {kind.code: (status, again) for kind, status, _, again in problems.TABLE} | OTHERS
    found = {
        named_in(name)[0]: (int(status), again == "yes")
        for name, status, again, _, _ in rows("errors.md", "Every code")
    }

    assert found == wanted


def field_codes() -> set[str]:
    """Every code that a field's error is given, read from the source."""
    places = {"FieldError": 1, "refuse": 1, "fault": 0, "fault_at": 1, "NotInspected": 0}
    found = set(wrong_fields._CODES.values()) | {name for name, _ in fields._IMPOSSIBLE.values()}
    found |= {one for one, _, _ in postal._RULES} | set(webhooks._ADDRESSES)
    found |= set(re.findall(r'return \(?\s*"([a-z_]+)",', inspect.getsource(guard)))
    found |= {
        refuse.INVALID,
        refuse.TOO_LARGE,
        wrong_fields._type_code("x_type"),
        wrong_fields._type_code("x"),
    }
    for module in APP.rglob("*.py"):
        if "simulator" not in module.parts:
            found |= set(_codes_in(ast.parse(module.read_text()), places))
    return found - {""}


def _codes_in(module: ast.Module, places: dict[str, int]) -> Iterator[str]:
    constants = {
        target.id: node.value.value
        for node in module.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        place = places.get(name)
        if place is None or len(node.args) <= place:
            continue
        match node.args[place]:
            case ast.Constant(value=str(value)):
                yield value
            case ast.Name(id=constant) if isinstance(value := constants.get(constant), str):
                yield value


def test_every_code_of_a_field_has_its_row() -> None:
    of_fields, of_addresses = (
        [named_in(row[0])[0] for row in rows("errors.md", title)]
        for title in ("Field errors", "Addresses of letters")
    )

    assert (sorted(of_fields), sorted(of_addresses)) == (of_fields, of_addresses)
    assert set(of_fields) | set(of_addresses) == field_codes()


# --- statuses.md ---


def test_each_status_is_explained_in_its_order() -> None:
    explained = [named_in(row[0])[0] for row in rows("statuses.md", "What each one means")]

    assert explained == [one.value for one in Status]


def test_each_reason_of_a_failure_is_explained() -> None:
    refusing = {Meaning.REFUSED, Meaning.REFUSED_IF_FETCHED}
    sending = [one for one in efidem.FUNCTIONS if "ENVOYER" in one.name]
    wanted = {
        answer.reason
        for function in (*sending, HTTP_PHP)
        for answer in function.answers
        if answer.meaning in refusing
    }
    wanted |= {row.reason for row in CODES if row.reason}
    failures = [
        source
        for folder in ("delivery", "providers")
        for one in (APP / folder).rglob("*.py")
        for source in re.findall(r"Failure\((?:[^()]|\([^()]*\))*\)", one.read_text())
    ]
    wanted |= {name for one in failures for name in re.findall(r'reason="([a-z_]+)"', one)}

    explained = {name for row in rows("statuses.md", "Failures") for name in named_in(row[0])}

    assert {one for one in wanted if one} - explained == set()


def test_each_reason_why_a_message_waits_is_explained() -> None:
    source = "".join(one.read_text() for one in APP.rglob("*.py") if "simulator" not in one.parts)
    wanted = set(re.findall(r'Blocked\(\s*"([a-z_]+)"', source))
    wanted |= {
        answer.reason
        for function in (*efidem.FUNCTIONS, HTTP_PHP)
        for answer in function.answers
        if answer.meaning is Meaning.BLOCKED and answer.reason
    }
    wanted |= {AWAY, CREDIT, PROVEN, RESTORED, "poison"}
    title = "What a waiting message waits for"
    explained = {name for row in rows("statuses.md", title) for name in named_in(row[0])}

    assert wanted - explained == set()


def test_each_type_of_an_event_is_explained() -> None:
    source = "".join(one.read_text() for one in (APP / "delivery").rglob("*.py"))
    wanted = {*TYPES, *re.findall(r'"(message\.[a-z_]+)"', source)}
    explained = {name for row in rows("statuses.md", "Events") for name in named_in(row[0])}
    explained |= set(named_in(prose(DOCS / "webhooks.md")))

    assert wanted - {f"message.{one}" for one in Status} - explained == set()


# --- from-soap.md ---


def listed(parameter: Parameter) -> Iterator[str]:
    yield parameter.name
    yield from (f"{parameter.name}.{one.name}" for one in parameter.fields)


def test_every_function_of_the_document_has_its_heading_in_its_order() -> None:
    titles = re.findall(r"(?m)^### ([A-Z_]+)$", prose(DOCS / "from-soap.md"))

    assert titles == [one.name for one in efidem.FUNCTIONS]


@pytest.mark.parametrize("function", efidem.FUNCTIONS, ids=lambda one: one.name)
def test_every_parameter_of_a_function_has_its_row_in_its_order(function: Function) -> None:
    found = [named_in(row[0])[0] for row in rows("from-soap.md", function.name)]

    assert found == [name for one in function.parameters for name in listed(one)]


@pytest.mark.parametrize("function", efidem.FUNCTIONS, ids=lambda one: one.name)
def test_the_other_names_of_a_function_are_named(function: Function) -> None:
    # What only another chapter's slip of the pen has need not be.
    index = [name for name in function.spellings if name.startswith(("STATUT_", "COURRIER_"))]

    assert [name for name in index if name not in text_of(DOCS / "from-soap.md")] == []


def test_the_credentials_have_their_rows() -> None:
    found = [named_in(row[0])[0] for row in rows("from-soap.md", "What changes for you")]

    assert found == [one.name for one in efidem.TRIO]


# --- operating.md ---


def test_every_metric_is_explained() -> None:
    source = inspect.getsource(metrics) + (APP / "api" / "measures.py").read_text()
    wanted = set(re.findall(r'"(multicanal_[a-z_]+)"', source))

    named = METRIC.findall(text_of(DOCS / "operating.md"))

    assert {one.removesuffix("_total") for one in named} == wanted


def test_every_alarm_leads_to_what_is_to_be_done() -> None:
    alarms = [row for row in rows("operating.md", "Watch") if row[2]]

    assert len(alarms) > 5
    assert [row[0] for row in alarms if not re.search(r"\]\(#[a-z0-9-]+\)", row[2])] == []


def test_every_setting_has_its_row() -> None:
    known = {name for kind in KINDS for name in names_of(kind)}

    assert set(VARIABLE.findall(text_of(DOCS / "settings.md"))) == known


# --- keys.md ---


def test_every_scope_is_explained() -> None:
    explained = [name for row in rows("keys.md", "Scopes") for name in named_in(row[0])]

    assert sorted(explained) == sorted(SCOPES)


def test_every_mode_is_explained() -> None:
    assert [named_in(row[0])[0] for row in rows("keys.md", "Modes")] == [one.value for one in Mode]


def test_every_command_is_explained() -> None:
    def paths(group: Any, above: str) -> Iterator[str]:
        for name, one in group.commands.items():
            if is_group(one):
                yield from paths(one, f"{above} {name}")
            else:
                yield f"{above} {name}"

    text = text_of(DOCS / "operating.md")

    assert [one for one in paths(tree(), "multicanal") if one not in text] == []
