"""The image and docker-compose.yml, as far as they can be checked without an engine."""

import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from app import cli
from app.settings import KINDS, AllSettings, load, names_of
from app.store import migrate

ROOT = Path(__file__).parents[2]
TOOLS = Path(sys.executable).parent
SETTINGS = {name for kind in KINDS for name in names_of(kind)}
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::(?P<sign>[-?])(?P<other>[^}]*))?\}")
PRODUCTION = {
    "POSTGRES_PASSWORD": "word",
    "MULTICANAL_PUBLIC_URL": "https://messages.example.com",
    "MULTICANAL_KEY_PEPPER": "p" * 32,
    "MULTICANAL_CALLBACK_SECRET": "s" * 32,
}


def tool(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(TOOLS / arguments[0]), *arguments[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


# --- the image ---


def stages() -> list[list[tuple[str, str]]]:
    """The image's stages, each a list of (instruction, the rest) that begins with its FROM."""
    text = (ROOT / "Dockerfile").read_text()
    whole = re.sub(r"\\\n\s*", " ", re.sub(r"(?m)^#.*\n", "", text))
    found: list[list[tuple[str, str]]] = []
    for line in whole.splitlines():
        if line.strip():
            instruction, _, rest = line.partition(" ")
            if instruction == "FROM":
                found.append([])
            found[-1].append((instruction, rest.strip()))
    return found


def said(stage: list[tuple[str, str]], instruction: str) -> list[str]:
    return [rest for name, rest in stage if name == instruction]


def test_hadolint_finds_nothing_in_the_image() -> None:
    done = tool("hadolint", "--no-color", "Dockerfile")

    assert (done.returncode, done.stdout) == (0, "")


def test_both_stages_begin_with_one_exact_python() -> None:
    begun = [said(stage, "FROM")[0].split()[0] for stage in stages()]

    assert len(begun) == 2
    assert len(set(begun)) == 1
    assert re.fullmatch(r"python:3\.11\.\d+-slim-[a-z]+", begun[0])


def test_everything_that_is_downloaded_is_hashed_and_ready_built() -> None:
    commands = [part for run in said(stages()[0], "RUN") for part in run.split("&&")]
    downloading = [shlex.split(one) for one in commands if re.search(r"pip .*-r ", one)]
    itself = [shlex.split(one) for one in commands if "--editable" in one]

    assert len(downloading) == 2
    assert [one for one in downloading if "--require-hashes" not in one] == []
    assert [one for one in downloading if one[one.index("--only-binary") + 1] != ":all:"] == []
    assert len(itself) == 1
    assert {"--no-deps", "--no-build-isolation"} <= set(itself[0])


def test_nothing_runs_in_the_last_stage() -> None:
    last = stages()[-1]

    assert said(last, "RUN") == []
    assert [one for one in said(last, "COPY") if not one.startswith("--from=builder")] == []


def test_the_user_is_a_number_and_not_root() -> None:
    assert said(stages()[-1], "USER") == ["10001:10001"]


def test_only_the_folder_of_the_store_belongs_to_the_user() -> None:
    copies = [one for stage in stages() for one in said(stage, "COPY")]

    assert [one for one in copies if "--chown" in one] == [
        "--from=builder --chown=10001:10001 /opt/data /data"
    ]
    assert said(stages()[-1], "WORKDIR") == ["/data"]


def test_the_image_is_the_api_where_nothing_else_is_said() -> None:
    last = stages()[-1]

    assert said(last, "ENTRYPOINT") == ['["multicanal"]']
    assert said(last, "CMD") == ['["api"]']
    assert said(last, "EXPOSE") == ["8000"]
    assert {"MULTICANAL_HOST=0.0.0.0", "PYTHONDONTWRITEBYTECODE=1"} <= set(
        said(last, "ENV")[0].split()
    )


def test_the_migrations_stand_where_the_command_looks_for_them() -> None:
    copied = said(stages()[0], "COPY")

    assert ROOT / "migrations" == migrate.MIGRATIONS
    assert {"app app", "migrations migrations"} <= set(copied)


def test_what_the_image_copies_exists_and_is_not_ignored() -> None:
    sources = {
        source
        for one in said(stages()[0], "COPY")
        for source in shlex.split(one)[:-1]
        if not source.startswith("--")
    }
    let_in = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }

    assert sources == let_in
    assert [one for one in sources if not (ROOT / one).exists()] == []


class _Alive(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def alive() -> Iterator[int]:
    """The port of a server that is well."""
    with HTTPServer(("127.0.0.1", 0), _Alive) as server:
        running = threading.Thread(target=server.serve_forever)
        running.start()
        yield server.server_port
        server.shutdown()
        running.join()


def healthcheck(port: int) -> int:
    """Run the image's health check, behind a proxy that leads nowhere."""
    _, command = said(stages()[-1], "HEALTHCHECK")[0].split("CMD ")
    _, *arguments = json.loads(command)
    surroundings = os.environ | {
        "MULTICANAL_PORT": str(port),
        "http_proxy": "http://127.0.0.1:9",
    }
    done = subprocess.run(
        [sys.executable, *arguments], env=surroundings, capture_output=True, check=False
    )
    return done.returncode


def test_the_health_check_tells_a_server_that_is_well(alive: int) -> None:
    assert healthcheck(alive) == 0


def test_the_health_check_tells_a_server_that_is_gone() -> None:
    assert healthcheck(1) == 1


# --- docker-compose.yml ---

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: one for name, one in SERVICES.items() if one["image"].startswith("multicanal")}
SIMULATORS = {"efidem-simulator", "fax123-simulator"}

each_of_ours = pytest.mark.parametrize("name", OURS)


def environment_of(service: str, given: Mapping[str, str]) -> dict[str, str]:
    """The variables that a container gets, from those that its operator gave."""

    def value(found: re.Match[str]) -> str:
        is_given = given.get(found["name"]) or None
        assert is_given or found["sign"] == "-", f"{found['name']}: {found['other']}"
        return is_given or found["other"]

    image = dict(one.split("=", 1) for one in said(stages()[-1], "ENV")[0].split())
    own = SERVICES[service].get("environment", {})
    return image | {name: VARIABLE.sub(value, str(one)) for name, one in own.items()}


def settings_of(
    service: str, given: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> AllSettings:
    """What a container's gateway makes of them."""
    monkeypatch.chdir(tmp_path)
    for name in [one for one in os.environ if one.upper().startswith("MULTICANAL_")]:
        monkeypatch.delenv(name)
    for name, value in environment_of(service, given).items():
        if name.startswith("MULTICANAL_"):
            monkeypatch.setenv(name, value)
    return load()


def test_compose_has_the_form_that_its_specification_asks() -> None:
    done = tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")

    assert done.returncode == 0, done.stdout


def test_compose_has_every_role() -> None:
    usual = {name for name, one in SERVICES.items() if "profiles" not in one}
    simulated = {name for name, one in SERVICES.items() if one.get("profiles") == ["simulators"]}

    assert usual == {"db", "migrate", "api", "worker", "efidem-test", "fax123-test"}
    assert simulated == SIMULATORS


@each_of_ours
def test_a_container_can_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] == "10001:10001"
    assert service["init"] is True


@each_of_ours
def test_a_container_may_end_what_it_sends(name: str) -> None:
    drain = load_default("worker_drain")

    assert SERVICES[name]["stop_grace_period"] == "100s"
    assert drain + 10 < 100


def load_default(field: str) -> float:
    default: float = KINDS[0].model_fields[field].default
    return default


@each_of_ours
def test_the_command_takes_what_compose_tells_it(name: str) -> None:
    done = CliRunner().invoke(cli.app, [*SERVICES[name]["command"], "--help"])

    assert done.exit_code == 0, done.output


def test_nothing_is_published_beyond_this_machine() -> None:
    ports = [one for service in SERVICES.values() for one in service.get("ports", [])]

    assert len(ports) == 3
    assert [one for one in ports if not one.startswith("127.0.0.1:")] == []


def test_the_store_is_ready_before_anything_uses_it() -> None:
    healthy, done = (
        {"condition": "service_healthy"},
        {"condition": "service_completed_successfully"},
    )

    assert SERVICES["migrate"]["depends_on"] == {"db": healthy}
    assert SERVICES["api"]["depends_on"] == {"db": healthy, "migrate": done}
    assert SERVICES["worker"]["depends_on"] == {"db": healthy, "migrate": done, "api": healthy}


def test_the_store_is_kept() -> None:
    # postgres:18 keeps its data in a folder below this one; a volume further down stays empty.
    assert SERVICES["db"]["image"] == "postgres:18"
    assert SERVICES["db"]["volumes"] == ["store:/var/lib/postgresql"]
    assert "store" in COMPOSE["volumes"]


def test_compose_knows_no_setting_that_the_gateway_does_not() -> None:
    assert set(re.findall(r"MULTICANAL_[A-Z0-9_]+", TEXT)) <= SETTINGS


@pytest.mark.parametrize("name", ["migrate", "api", "worker"])
def test_every_setting_reaches_the_gateway(name: str) -> None:
    # The port within a container is the image's; the setting says where it is published.
    assert SETTINGS - {"MULTICANAL_PORT"} <= set(environment_of(name, PRODUCTION))
    assert "${MULTICANAL_PORT:-8000}:8000" in SERVICES["api"]["ports"][0]


def test_no_secret_stands_in_the_file() -> None:
    secret = re.compile(r"PASSWORD|SECRET|PEPPER")
    environments = [one.get("environment", {}) for one in SERVICES.values()]
    values = {value for one in environments for name, value in one.items() if secret.search(name)}

    assert [value for value in values if not VARIABLE.fullmatch(value)] == []


@pytest.mark.parametrize("missing", PRODUCTION)
def test_compose_asks_for_what_it_cannot_invent(missing: str) -> None:
    given = {name: value for name, value in PRODUCTION.items() if name != missing}

    with pytest.raises(AssertionError, match=rf"{missing}: set it in \.env"):
        environment_of("api", given)


@pytest.mark.parametrize("name", ["migrate", "api", "worker"])
def test_what_compose_asks_for_is_enough_for_production(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    core = settings_of(name, PRODUCTION, monkeypatch, tmp_path).core

    assert core.environment == "production"
    assert core.database_url == "postgresql://multicanal@db/multicanal"
    assert (core.host, core.port) == ("0.0.0.0", 8000)


def documented() -> dict[str, str]:
    """The variables for the simulators, from the comment at the top."""
    return dict(re.findall(r"(?m)^#   (MULTICANAL_[A-Z0-9_]+)=(\S+)$", TEXT))


@pytest.mark.parametrize("name", ["api", "worker", "fax123-simulator"])
def test_the_simulators_work_with_the_documented_variables(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    core = settings_of(name, PRODUCTION | documented(), monkeypatch, tmp_path).core

    assert core.environment == "development"
    assert core.public_url == "http://api:8000"


def test_the_documented_variables_lead_to_the_simulators() -> None:
    given = documented()
    ends = {
        "efidem-simulator": given["MULTICANAL_EFIDEM_WSDL"],
        "fax123-simulator": given["MULTICANAL_FAX123_URL"],
    }

    for service, address in ends.items():
        command = SERVICES[service]["command"]
        port = command[command.index("--port") + 1]
        assert address.startswith(f"http://{service}:{port}/")
        assert command[command.index("--host") + 1] == "0.0.0.0"
        assert f":{port}/healthz" in SERVICES[service]["healthcheck"]["test"][-1]
    needed = {one for one in SETTINGS if one.endswith(("_USERNAME", "_PASSWORD", "_APP_ID"))}
    assert needed | {"MULTICANAL_FAX123_EMAIL"} <= set(given)
