"""Codes that no document lists: kept, counted, listed, and mapped by a file while all runs on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.journeys import samples
from tests.journeys.conftest import prepared
from tests.journeys.loopback import PATIENCE, call, wait_for
from tests.journeys.system import PROVIDERS, System
from tests.postgres import Postgres

CONFIG_ERROR = 78

STATUS = """
[statuses.STATUT_COMPLET_SMS]
"77" = { status = "delivered", label = "Remis" }
"""
ANSWER = """
[answers.ENVOYER_SMS]
"-77" = { meaning = "refused", reason = "forbidden_characters" }
"""
ACKNOWLEDGED = """
[acknowledgements]
"31099" = { status = "failed", type = "temporary", reason = "busy", label = "occupé" }
"""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def operated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """Return a system with an operator's files, which say nothing yet, and a key for operators."""
    folder = tmp_path_factory.mktemp(f"unmapped-{request.param}")
    url = f"sqlite:///{folder / 'store.db'}"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create(f"journey_{uuid4().hex}")
    with prepared(folder, url) as system:
        for name in PROVIDERS:
            file(system, name).touch()
            system.settings[f"MULTICANAL_{name.upper()}_BINDINGS"] = str(file(system, name))
        system.start(*PROVIDERS)
        system.start("api", "worker")
        made = system.run(
            *("keys", "create", "--name", "operator"),
            *("--scopes", "admin,messages:read,sms:send,fax:send"),
        )
        system.key = made.stdout.splitlines()[-1]
        yield system


def file(system: System, provider: str) -> Path:
    return system.folder / f"{provider}.toml"


def say(system: System, provider: str, text: str) -> None:
    """Add to an operator's file as an editor does: written beside it, and put in its place."""
    path = file(system, provider)
    beside = path.with_suffix(".new")
    beside.write_text(path.read_text() + text)
    beside.replace(path)


def listed(system: System, provider: str, mapped: str = "false") -> dict[str, dict[str, Any]]:
    answer = system.get(f"/v1/providers/{provider}/unmapped-codes?mapped={mapped}")
    assert answer.status == 200, answer.content
    return {one["code"]: one for one in answer.json["data"]}


def until_mapped(system: System, provider: str, code: str) -> dict[str, Any]:
    wait_for(lambda: code in listed(system, provider, "true"), system.tails, PATIENCE)
    assert code not in listed(system, provider)
    return listed(system, provider, "true")[code]


def counted(system: System) -> str:
    return call("GET", f"{system.url('api')}/metrics").content.decode()


def test_a_status_is_understood_as_soon_as_the_file_says_its_meaning(operated: System) -> None:
    body = samples.sms()
    operated.outcome("efidem", body["to"].removeprefix("+"), status="77")

    message_id = operated.send("sms", body)
    message = operated.follow(message_id, lambda now: now["provider"]["code"] == "77", "on 77")

    assert message["status"] == "submitted"
    found = listed(operated, "efidem")["77"]
    assert (found["function"], found["times"], found["waiting"]) == ("STATUT_COMPLET_SMS", 1, 1)
    assert 'code="77"' in counted(operated)
    operated.stop("efidem")  # nobody asks it again meanwhile: what it said is read again
    say(operated, "efidem", STATUS)
    operated.until(message_id, "delivered")
    operated.up()
    assert until_mapped(operated, "efidem", "77")["waiting"] == 0
    raw, replayed = operated.events(message_id)[-2:]
    assert (raw["type"], replayed["source"]) == ("message.status_unmapped", "replay")
    assert replayed["detail"] == {"function": "STATUT_COMPLET_SMS", "event": raw["id"]}
    assert operated.said("worker").count("code_unmapped") >= 1


def test_an_answer_is_understood_as_soon_as_the_file_says_its_meaning(operated: System) -> None:
    body = samples.sms()
    operated.outcome("efidem", body["to"].removeprefix("+"), answer="-77")

    message_id = operated.send("sms", body)
    operated.until(message_id, "uncertain")

    assert listed(operated, "efidem")["-77"]["function"] == "ENVOYER_SMS"
    told = operated.run("providers", "unmapped")
    assert told.returncode == 0
    assert '"-77" = { meaning = "?" }' in told.stdout
    say(operated, "efidem", ANSWER)
    message = operated.until(message_id, "failed")
    assert message["failure"]["reason"] == "forbidden_characters"
    assert message["failure"]["provider_code"] == "-77"
    until_mapped(operated, "efidem", "-77")
    assert message["attempts"] == 1


def test_an_acknowledgement_is_understood_as_soon_as_the_file_says_its_meaning(
    operated: System,
) -> None:
    body = samples.fax()
    operated.outcome("fax123", samples.dialled(body), ack="31099")

    message_id = operated.send("faxes", body)
    message = operated.until(message_id, "failed")

    assert message["failure"]["reason"] == "unmapped"
    assert listed(operated, "fax123")["31099"]["times"] == 1
    say(operated, "fax123", ACKNOWLEDGED)
    until_mapped(operated, "fax123", "31099")
    message = operated.message(message_id)
    assert (message["status"], message["failure"]["reason"]) == ("failed", "busy")
    # From now on the API itself, which takes the acknowledgement, knows the code.
    again = samples.fax(retry={"on": []})
    operated.outcome("fax123", samples.dialled(again), ack="31099")
    known = operated.until(operated.send("faxes", again), "failed")
    assert known["failure"]["label"] == "occupé"
    assert listed(operated, "fax123") == {}


def test_a_file_that_became_wrong_stops_nothing_that_runs_and_lets_nothing_start(
    operated: System,
) -> None:
    right = file(operated, "efidem").read_text()
    say(operated, "efidem", '\n[answers.ENVOYER_SMS.other]\nmeaning = "?"\n')
    try:
        checked = operated.run("config", "check")
        started = operated.run("worker")

        message_id = operated.send("sms", samples.sms())
        operated.until(message_id, "delivered")
    finally:
        file(operated, "efidem").write_text(right)

    for one in (checked, started):
        assert one.returncode == CONFIG_ERROR
        assert "MULTICANAL_EFIDEM_BINDINGS" in one.stderr
        assert "answers.ENVOYER_SMS.other.meaning" in one.stderr
        assert "Traceback" not in one.stderr
    assert operated.run("config", "check").returncode == 0


def test_a_worker_that_starts_takes_up_what_was_kept(operated: System) -> None:
    body = samples.sms()
    operated.outcome("efidem", body["to"].removeprefix("+"), status="79")
    message_id = operated.send("sms", body)
    operated.follow(message_id, lambda now: now["provider"]["code"] == "79", "on 79")
    operated.stop("worker")
    more = '"79" = { status = "failed", type = "permanent", reason = "invalid_recipient" }\n'
    path = file(operated, "efidem")
    path.write_text(path.read_text().replace(STATUS, STATUS + more))

    operated.start("worker")

    message = operated.until(message_id, "failed")
    assert message["failure"]["reason"] == "invalid_recipient"
    until_mapped(operated, "efidem", "79")
