"""Rules of this house that no linter knows."""

import ast
import inspect
import os
import re
import subprocess
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.api import problems
from app.domain import errors
from app.settings import KINDS, load, names_of

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
MODULES = sorted(APP.rglob("*.py"))
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
LONGEST = 250  # lines of a module
EMPTY_NAMES = {"utils", "helpers", "common", "manager", "base", "core"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
REGISTRY_LOCK = re.compile(r"(^|/)(uv\.lock|pylock(\.[^/]+)?\.toml|poetry\.lock|pdm\.lock)$")
ANY_FAULT = {"Exception", "BaseException"}

every_module = pytest.mark.parametrize(
    "module", MODULES, ids=[str(one.relative_to(ROOT)) for one in MODULES]
)


def tree_of(module: Path) -> ast.Module:
    return ast.parse(module.read_bytes(), str(module))


def names_in(node: ast.AST | None) -> set[str]:
    """The bare names in an expression: `(OSError, errors.Fault)` has OSError, errors and Fault."""
    if node is None:
        return set()
    every = list(ast.walk(node))
    plain = {one.id for one in every if isinstance(one, ast.Name)}
    return plain | {one.attr for one in every if isinstance(one, ast.Attribute)}


def calls_in(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the last part of its name: `connection.begin()` is a call of begin."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    yield name, node


def committed_files() -> list[str]:
    """What git holds, and what it would take: no ignored file."""
    asked = subprocess.run(
        [
            *("git", "-c", "safe.directory=*", "ls-files"),
            *("-z", "--cached", "--others", "--exclude-standard"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in asked.stdout.split("\0") if name]


# --- modules ---


@every_module
def test_a_module_is_short(module: Path) -> None:
    lines = len(module.read_text().splitlines())

    assert lines <= LONGEST


def test_a_name_says_what_is_inside() -> None:
    folders = [APP, ROOT / "tests", ROOT / "migrations", ROOT / "bench"]
    named = {one for folder in folders for one in folder.rglob("*") if one.suffix in {"", ".py"}}

    assert [str(one) for one in sorted(named) if one.stem.casefold() in EMPTY_NAMES] == []


@every_module
def test_nothing_is_left_to_do(module: Path) -> None:
    with tokenize.open(module) as source:
        tokens = list(tokenize.generate_tokens(source.readline))
    comments = [one.string for one in tokens if one.type == tokenize.COMMENT]
    tree = tree_of(module)
    holders = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    texts = [ast.get_docstring(one) or "" for one in ast.walk(tree) if isinstance(one, holders)]

    assert [text for text in (*comments, *texts) if UNFINISHED.search(text)] == []
    assert "NotImplementedError" not in names_in(tree)


# --- faults ---


def test_only_the_worker_catches_whatever_comes() -> None:
    caught = [
        str(module.relative_to(ROOT))
        for module in MODULES
        for node in ast.walk(tree_of(module))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or names_in(node.type) & ANY_FAULT)
    ]

    assert caught == ["app/delivery/worker.py"]


@every_module
def test_no_fault_is_suppressed_unnamed(module: Path) -> None:
    suppressed = [call for name, call in calls_in(tree_of(module)) if name == "suppress"]
    unnamed = [
        call.lineno for call in suppressed if any(names_in(one) & ANY_FAULT for one in call.args)
    ]

    assert unnamed == []


@every_module
def test_no_wait_passes_over_being_cancelled(module: Path) -> None:
    # Until Python 3.12, `wait_for` loses a cancellation that comes with its result or its end:
    # who cancelled waits for ever. `asyncio.timeout` does not.
    assert [name for name, _ in calls_in(tree_of(module)) if name == "wait_for"] == []


FAULTS = [
    kind
    for kind in vars(errors).values()
    if inspect.isclass(kind) and issubclass(kind, errors.Fault) and kind is not errors.Fault
]


def test_each_fault_has_one_row_in_the_table_of_problems() -> None:
    rows = Counter(row[0] for row in problems.TABLE)

    assert rows == Counter(FAULTS)


def test_each_fault_has_a_code_of_its_own() -> None:
    codes = Counter([errors.Fault.code, "internal_error", *(kind.code for kind in FAULTS)])

    assert [code for code, times in codes.items() if times > 1] == []
    assert [code for code in codes if not re.fullmatch(r"[a-z]+(_[a-z]+)*", code)] == []


def test_each_fault_explains_itself() -> None:
    assert [kind.__name__ for kind in FAULTS if not (kind.__doc__ or "").endswith(".")] == []


# --- store ---


TRANSACTIONS = {
    # The one place that opens transactions for all; a commit is of a migration's options.
    "database.py": ["begin", "commit", "commit"],
    "sqlite.py": ["rollback", "rollback"],  # of a connection that is lost, of a turn that failed
    "migrate.py": ["commit", "commit"],  # nobody waits for a migration's turn in a transaction
    "staging.py": ["begin"],  # of temporary tables
}


@pytest.mark.parametrize(
    "module", [one for one in MODULES if one.parent.name == "store"], ids=lambda one: one.name
)
def test_the_store_leaves_transactions_to_its_callers(module: Path) -> None:
    ends = {"begin", "begin_nested", "commit", "rollback"}
    called = [name for name, _ in calls_in(tree_of(module)) if name in ends]

    assert called == TRANSACTIONS.get(module.name, [])


# --- settings ---


def example() -> dict[str, tuple[str, str]]:
    """Each name of .env.example, with its comment and its value."""
    found: dict[str, tuple[str, str]] = {}
    comment: list[str] = []
    for line in (ROOT / ".env.example").read_text().splitlines():
        if line.startswith("#"):
            comment.append(line.removeprefix("#").strip())
            continue
        if line:
            name, equals, value = line.partition("=")
            assert equals, f"neither a comment nor a setting: {line}"
            assert name not in found, f"stands twice: {name}"
            found[name] = (" ".join(comment), value)
        comment = []
    return found


FIELDS = {
    name: field
    for kind in KINDS
    for name, field in zip(names_of(kind), kind.model_fields.values(), strict=True)
}


def test_the_example_names_exactly_the_settings_in_their_order() -> None:
    named = [name for name in example() if name.startswith("MULTICANAL_")]

    assert named == list(FIELDS)


def test_the_example_names_nothing_else_but_what_compose_reads() -> None:
    others = {name for name in example() if not name.startswith("MULTICANAL_")}
    compose = (ROOT / "docker-compose.yml").read_text()

    assert others == set(re.findall(r"\$\{((?!MULTICANAL_)[A-Z_]+)", compose))


@pytest.mark.parametrize("name", FIELDS)
def test_the_example_explains_each_setting(name: str) -> None:
    description = FIELDS[name].description
    comment, _ = example()[name]

    assert description
    assert description in comment
    assert comment.endswith(".")


@pytest.mark.parametrize("name", FIELDS)
def test_the_example_holds_defaults_and_no_secret(name: str) -> None:
    default = FIELDS[name].default
    _, value = example()[name]

    if default is None or isinstance(default, SecretStr):
        assert value == ""
    else:
        assert value in {"", str(default)}


def test_the_example_is_what_an_empty_environment_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [one for one in os.environ if one.upper().startswith("MULTICANAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    bare = load()

    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text())

    assert load() == bare


# --- locks ---


@pytest.mark.parametrize("lock", LOCKS, ids=lambda one: one.name)
def test_every_locked_package_has_a_version_and_hashes(lock: Path) -> None:
    text = lock.read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    pinned = re.compile(
        r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9,_-]+\])?==[^\s;]+( ; [^#]+?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*"
    )

    assert lines
    assert [line[:60] for line in lines if not pinned.fullmatch(line)] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda one: one.name)
def test_a_lock_names_no_registry(lock: Path) -> None:
    assert re.findall(r"https?://|file:/|index-url|find-links", lock.read_text()) == []


def test_there_is_a_lock_for_each_step_of_the_installation() -> None:
    assert {"runtime.txt", "build.txt", "test.txt"} <= {lock.name for lock in LOCKS}


def test_no_lock_that_records_a_registry_is_committed() -> None:
    assert [name for name in committed_files() if REGISTRY_LOCK.search(name)] == []


def test_no_environment_file_is_committed() -> None:
    environments = [name for name in committed_files() if re.search(r"(^|/)\.env($|\.)", name)]

    assert environments == [".env.example"]


def test_zeep_is_a_version_without_its_known_hole() -> None:
    # CVE-2026-58501 is mended in 4.3.3.
    pins = re.findall(
        r"(?m)^zeep==(\d+)\.(\d+)\.(\d+)", (ROOT / "requirements/runtime.txt").read_text()
    )

    assert len(pins) == 1
    assert tuple(int(part) for part in pins[0]) >= (4, 3, 3)


# --- make ---

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = [name for line in re.findall(r"(?m)^\.PHONY:(.*)$", MAKEFILE) for name in line.split()]


@pytest.mark.parametrize("name", ["run", "test"])
def test_make_has_the_two_commands_of_a_fresh_machine(name: str) -> None:
    assert name in TARGETS
    assert re.search(rf"(?m)^{name}:", MAKEFILE)


def test_make_help_tells_what_each_target_does() -> None:
    surroundings = {
        name: value for name, value in os.environ.items() if not name.startswith("MAKE")
    }
    asked = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        env=surroundings,
        capture_output=True,
        text=True,
        check=True,
    )
    told = dict(line.split(maxsplit=1) for line in asked.stdout.splitlines())

    assert sorted(told) == sorted(TARGETS)
