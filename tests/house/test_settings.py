"""Settings: what is wrong is named all at once, by name and never by value."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from app.ready import CONFIG_ERROR
from app.settings import WrongSettings, load, unknown_names
from tests.postgres import Postgres

COMMAND = Path(sys.executable).parent / "multicanal"
PEPPER = "pepper-of-these-tests-" + "p" * 32
SECRET = "secret-of-these-tests-" + "s" * 32
PRODUCTION = {
    "MULTICANAL_ENVIRONMENT": "production",
    "MULTICANAL_PUBLIC_URL": "https://messages.example.com",
    "MULTICANAL_KEY_PEPPER": PEPPER,
    "MULTICANAL_CALLBACK_SECRET": SECRET,
    "MULTICANAL_FAX123_URL": "http://fax.example.com/http.php",
}
ACCOUNT = {"MULTICANAL_FAX123_EMAIL": "a@example.com", "MULTICANAL_FAX123_PASSWORD": "secret"}
WRONG = {
    "MULTICANAL_PORT": "wrong-port",
    "MULTICANAL_DATABASE_URL": "wrong-database",
    "MULTICANAL_LOG_LEVEL": "wrong-level",
    "MULTICANAL_TIME_ZONE": "wrong-zone",
    "MULTICANAL_PUBLIC_URL": "wrong-url",
    "MULTICANAL_EFIDEM_TIMEOUT": "wrong-timeout",
    "MULTICANAL_EFIDEM_RATE": "-7531",
    "MULTICANAL_FAX123_URL": "wrong-address",
    "MULTICANAL_FAX123_CONCURRENCY": "7531",
}


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable and no file of this machine has a say."""
    for name in [one for one in os.environ if one.upper().startswith("MULTICANAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def give(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def problems() -> list[str]:
    with pytest.raises(WrongSettings) as raised:
        load()
    return raised.value.problems


def named(lines: list[str]) -> list[str]:
    """The variable that each line begins with."""
    return [line.replace(":", " ").split()[0] for line in lines]


def check(values: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [COMMAND, "config", "check"],
        env=os.environ | values,
        capture_output=True,
        text=True,
        check=False,
    )


# --- development ---


def test_an_empty_environment_is_a_laptops() -> None:
    settings = load()

    assert settings.core.environment == "development"
    assert settings.core.database_url == "sqlite:///./multicanal.db"
    assert settings.core.host == "127.0.0.1"
    assert settings.core.requires_idempotency is False
    assert settings.efidem.wsdl is None
    assert settings.fax123.url is None


def test_an_empty_value_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = load()

    give(monkeypatch, dict.fromkeys(WRONG, ""))

    assert load() == bare


def test_a_file_counts_and_the_environment_counts_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("MULTICANAL_PORT=8100\nMULTICANAL_EFIDEM_USERNAME=file\n")

    give(monkeypatch, {"MULTICANAL_PORT": "8200"})

    assert load().core.port == 8200
    assert load().efidem.username == "file"


def test_a_public_address_has_no_slash_at_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, {"MULTICANAL_PUBLIC_URL": "https://messages.example.com/sub/"})

    assert load().core.public_url == "https://messages.example.com/sub"


# --- wrong values ---


def test_wrong_values_are_named_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, WRONG)

    assert sorted(named(problems())) == sorted(WRONG)


@pytest.mark.parametrize(("name", "value"), WRONG.items())
def test_a_wrong_value_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    give(monkeypatch, {name: value})

    assert value not in problems()[0]


@pytest.mark.parametrize(
    "address",
    [
        "hunter2",
        "mysql://gateway:hunter2@host/name",
        "postgresql://gateway:word@host:hunter2/name",
        "postgresql://gateway:pass#word@host:5432hunter2/name",
    ],
)
def test_a_wrong_store_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    give(monkeypatch, {"MULTICANAL_DATABASE_URL": address})

    assert problems() == [
        "MULTICANAL_DATABASE_URL: the database is sqlite:///file or postgresql://user@host/name"
    ]


@pytest.mark.parametrize(
    "address",
    [
        "messages.example.com",
        "ftp://messages.example.com",
        "https://user:word@messages.example.com",
        "https://messages.example.com/?a=b",
        "https://messages.example.com/#a",
    ],
)
def test_a_public_address_is_an_address_alone(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    give(monkeypatch, {"MULTICANAL_PUBLIC_URL": address})

    assert named(problems()) == ["MULTICANAL_PUBLIC_URL"]


def test_a_wrong_value_hides_no_unsafe_one(monkeypatch: pytest.MonkeyPatch) -> None:
    give(
        monkeypatch,
        PRODUCTION
        | {
            "MULTICANAL_PORT": "wrong-port",
            "MULTICANAL_FAX123_TIMEOUT": "wrong-timeout",
            "MULTICANAL_KEY_PEPPER": "short",
            "MULTICANAL_PUBLIC_URL": "http://messages.example.com",
            "MULTICANAL_PROT": "8000",
        },
    )

    assert sorted(named(problems())) == [
        "MULTICANAL_FAX123_TIMEOUT",
        "MULTICANAL_KEY_PEPPER",
        "MULTICANAL_PORT",
        "MULTICANAL_PROT",
        "MULTICANAL_PUBLIC_URL",
    ]


# --- production ---


def test_production_takes_safe_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, PRODUCTION)

    assert load().core.requires_idempotency is True


def test_production_refuses_the_secrets_of_development(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, {"MULTICANAL_ENVIRONMENT": "production"})

    assert sorted(named(problems())) == ["MULTICANAL_CALLBACK_SECRET", "MULTICANAL_KEY_PEPPER"]


@pytest.mark.parametrize("name", ["MULTICANAL_CALLBACK_SECRET", "MULTICANAL_KEY_PEPPER"])
def test_production_refuses_a_short_secret(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    give(monkeypatch, PRODUCTION | {name: "x" * 31})

    assert named(problems()) == [name]


def test_production_refuses_one_secret_for_two_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, PRODUCTION | {"MULTICANAL_CALLBACK_SECRET": PEPPER})

    assert problems() == ["MULTICANAL_KEY_PEPPER and MULTICANAL_CALLBACK_SECRET must differ"]


def test_production_serves_documents_over_https_only(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, PRODUCTION | {"MULTICANAL_PUBLIC_URL": "http://messages.example.com"})

    assert named(problems()) == ["MULTICANAL_PUBLIC_URL"]


def test_production_refuses_a_name_that_nothing_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("MULTICANAL_EFIDEM_WSDI=efidem.wsdl\n")
    give(monkeypatch, PRODUCTION | {"MULTICANAL_FAX_123_URL": "x"})

    assert problems() == [
        "MULTICANAL_EFIDEM_WSDI is not a setting of this version",
        "MULTICANAL_FAX_123_URL is not a setting of this version",
    ]


def test_a_name_of_another_program_is_none_of_ours() -> None:
    assert unknown_names({"PATH": "x", "MULTICANALX": "y", "MULTICANAL_PORT": "z"}) == []


def test_production_has_no_fault_points(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, PRODUCTION | {"MULTICANAL_FAULT_POINTS": "K8=kill@1"})

    assert problems() == ["MULTICANAL_FAULT_POINTS: production has none"]


# --- what must fit together ---


@pytest.mark.parametrize(
    "text", ["K8", "K8=", "K8=melt", "K99=kill", "K8=kill@x", "K8=kill;K9=kill", "8=kill"]
)
def test_a_fault_point_is_one_of_ours(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    give(monkeypatch, {"MULTICANAL_FAULT_POINTS": text})

    assert named(problems()) == ["MULTICANAL_FAULT_POINTS"]


def test_a_lease_outlasts_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    give(monkeypatch, {"MULTICANAL_WORKER_LEASE": "60", "MULTICANAL_FAX123_TIMEOUT": "40"})

    words = "with a MULTICANAL_WORKER_LEASE of 60 a call may take 40 seconds at most"
    assert problems() == [f"MULTICANAL_EFIDEM_TIMEOUT: {words}"]


# --- the command ---


def test_config_check_is_content_with_right_settings() -> None:
    done = check(PRODUCTION | ACCOUNT)

    assert (done.returncode, done.stdout, done.stderr) == (0, "the settings are right\n", "")


def test_config_check_prints_every_problem_as_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = WRONG | {"MULTICANAL_PROT": "8000"}

    done = check(wrong)

    assert done.returncode == CONFIG_ERROR == 78
    assert done.stdout == ""
    assert sorted(named(done.stderr.splitlines())) == sorted(wrong)


def test_config_check_names_an_unknown_setting_in_development_too() -> None:
    done = check({"MULTICANAL_PROT": "8000"})

    assert done.returncode == CONFIG_ERROR
    assert done.stderr == "MULTICANAL_PROT is not a setting of this version\n"


def test_config_check_names_each_unknown_setting_of_production_once() -> None:
    done = check(PRODUCTION | ACCOUNT | {"MULTICANAL_PROT": "8000"})

    assert done.stderr == "MULTICANAL_PROT is not a setting of this version\n"


def test_config_check_names_what_a_provider_lacks_of_which_something_is_set() -> None:
    done = check(
        {
            "MULTICANAL_EFIDEM_WSDL": "./not-there.wsdl",
            "MULTICANAL_EFIDEM_USERNAME": "somebody",
            "MULTICANAL_EFIDEM_PASSWORD": "",
            "MULTICANAL_FAX123_URL": "http://127.0.0.1:9/http.php",
        }
    )

    waits = "is not set: whatever this provider carries would wait"
    assert done.returncode == CONFIG_ERROR
    assert done.stderr.splitlines() == [
        f"MULTICANAL_EFIDEM_PASSWORD {waits}",
        f"MULTICANAL_EFIDEM_APP_ID {waits}",
        f"MULTICANAL_FAX123_EMAIL {waits}",
        f"MULTICANAL_FAX123_PASSWORD {waits}",
        "MULTICANAL_EFIDEM_WSDL: there is no file ./not-there.wsdl",
    ]


def test_a_store_without_tables_is_answered_with_the_command_that_makes_them(
    tmp_path: Path, postgres: Postgres
) -> None:
    (tmp_path / "empty.db").touch()
    for url in (f"sqlite:///{tmp_path / 'empty.db'}", postgres.create(f"bare_{uuid4().hex}")):
        for command in (
            ["counters", "recount"],
            ["restore", "status"],
            ["providers", "unmapped"],
            ["providers", "accept", "--yes"],
        ):
            done = subprocess.run(
                [COMMAND, *command],
                env=os.environ | {"MULTICANAL_DATABASE_URL": url},
                cwd=tmp_path,
                capture_output=True,
                text=True,
                check=False,
            )

            assert done.returncode == 1
            (line,) = done.stderr.splitlines()
            assert "multicanal migrate" in line


def test_a_store_that_is_made_by_the_way_is_told_of(tmp_path: Path) -> None:
    made = subprocess.run(
        [COMMAND, "keys", "create", "--name", "x"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "a new one is made (see MULTICANAL_DATABASE_URL)" in made.stderr
    assert made.stdout.startswith("gw_live_")


@pytest.mark.parametrize(
    "command", [["api"], ["worker"], ["migrate"], ["keys", "create", "--name=a"]]
)
def test_nothing_starts_on_wrong_settings(command: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [COMMAND, *command],
        env=os.environ | {"MULTICANAL_ENVIRONMENT": "production"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == CONFIG_ERROR
    assert len(done.stderr.splitlines()) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_secret_is_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {
        "MULTICANAL_KEY_PEPPER": "hidden-one",
        "MULTICANAL_CALLBACK_SECRET": "hidden-one",
        "MULTICANAL_EFIDEM_PASSWORD": "hidden-two",
        "MULTICANAL_FAX123_PASSWORD": "hidden-three",
    }
    give(monkeypatch, secrets)

    shown = repr(load()) + str(load())
    done = check(PRODUCTION | secrets | {"MULTICANAL_PORT": "wrong-port"})

    assert "hidden" not in shown
    assert done.returncode == CONFIG_ERROR
    assert "hidden" not in done.stdout + done.stderr
