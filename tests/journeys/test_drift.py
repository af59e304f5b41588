"""A WSDL that changes under running processes: reported, not followed, and accepted by hand."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.journeys import samples
from tests.journeys.conftest import prepared
from tests.journeys.handing import Handing
from tests.journeys.loopback import PATIENCE, call, free_port, wait_for
from tests.journeys.system import System
from tests.postgres import Postgres


def renamed(wsdl: bytes) -> bytes:
    """Return a WSDL whose ENVOYER_SMS has another name."""
    for end in (b'"', b"Response", b"Result", b"Soap"):
        for start in (b'"', b'"tns:'):
            wsdl = wsdl.replace(start + b"ENVOYER_SMS" + end, start + b"PosterTexto" + end)
    return wsdl


@pytest.fixture(params=["sqlite", "postgresql"])
def drifting(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[System, Handing]]:
    """Return a system on each database, and what hands it its WSDL."""
    folder = tmp_path_factory.mktemp(f"drift-{request.param}")
    database_url = f"sqlite:///{folder / 'store.db'}"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        database_url = server.create(f"drift_{uuid4().hex}")
    with prepared(folder, database_url) as system:
        handing = Handing(free_port(), system.url("efidem"))
        system.settings |= {
            "MULTICANAL_EFIDEM_WSDL": handing.url,
            "MULTICANAL_EFIDEM_RELOAD": "0.3",
        }
        system.start("efidem")
        handing.open()
        try:
            yield system, handing
        finally:
            handing.close()


def operator_of(system: System) -> str:
    made = system.run("keys", "create", "--name", "operator", "--scopes", "admin")
    assert made.returncode == 0, made.stderr
    return made.stdout.splitlines()[-1]


def contract(system: System, key: str) -> Any:
    url = f"{system.url('api')}/v1/providers/efidem/contract"
    return call("GET", url, headers={"Authorization": f"Bearer {key}"}).json


def becomes(system: System, what: str, happened: Callable[[], bool]) -> None:
    wait_for(happened, lambda: f"{what} did not happen\n{system.tails()}", PATIENCE)


def delivered(system: System) -> None:
    system.until(system.send("sms", samples.sms()), "delivered")


def refused(system: System) -> Any:
    """Return the refusal of an SMS, None where it is taken."""
    answer = system.post("/v1/sms", samples.sms(), Idempotency_Key=uuid4().hex)
    return answer.json if answer.status == 503 else None


def test_a_changed_wsdl_is_reported_and_followed_when_it_is_accepted(
    drifting: tuple[System, Handing],
) -> None:
    system, handing = drifting
    system.start("api", "worker")
    key = operator_of(system)
    delivered(system)
    first = contract(system, key)["fingerprint"]

    handing.change = renamed
    becomes(system, "drift", lambda: contract(system, key)["pending"] is not None)
    becomes(system, "health", lambda: system.get("/readyz").json["status"] == "degraded")
    found = contract(system, key)
    checked = system.run("providers", "check")

    assert found["fingerprint"] == first
    assert ("operation renamed", "ENVOYER_SMS", "PosterTexto") in [
        (one["what"], one["old"], one["new"]) for one in found["pending"]["differences"]
    ]
    logged = system.said("api") + system.said("worker")
    assert logged.count("contract_drift") == 1
    assert checked.returncode == 1
    headline, *report = checked.stdout.splitlines()
    assert headline.startswith("THE WSDL HAS CHANGED (")
    assert "ENVOYER_SMS: BLOCKED" in report
    assert "operation renamed: ENVOYER_SMS -> PosterTexto" in checked.stdout
    pasted = f"multicanal providers accept --fingerprint {found['pending']['fingerprint'][:12]}"
    assert pasted in checked.stdout
    assert "contract_first_seen" not in checked.stderr
    assert "function_bound" not in checked.stderr
    assert found["state"] == "degraded"

    # Calls go by the accepted contract, after a restart too, while nobody hands over a WSDL.
    delivered(system)
    handing.close()
    assert system.stop("api", "worker") == [0, 0]
    system.start("api", "worker")
    delivered(system)
    assert [one["function"] for one in system.ledger("efidem")] == ["ENVOYER_SMS"] * 3
    assert "contract_restored" in system.said("worker")

    wrong = system.run("providers", "accept", "--fingerprint", "0000")
    shown = system.run("providers", "accept")
    accepted = system.run("providers", "accept", "--yes")
    again = system.run("providers", "accept", "--yes")

    assert (wrong.returncode, accepted.returncode, again.returncode) == (1, 0, 1)
    assert shown.returncode == 2
    assert "operation renamed: ENVOYER_SMS -> PosterTexto" in shown.stdout
    assert "nothing was accepted: " + pasted in shown.stderr
    assert "accepted: " not in shown.stdout
    assert "operation renamed: ENVOYER_SMS -> PosterTexto" in accepted.stdout
    assert found["pending"]["fingerprint"] in accepted.stdout
    becomes(system, "acceptance", lambda: refused(system) is not None)
    problem = refused(system)
    assert problem["code"] == "provider_contract"
    assert "ENVOYER_SMS" in problem["detail"]
    becomes(system, "following", lambda: "contract_followed" in system.said("worker"))
    system.until(system.send("emails", samples.email()), "delivered")

    # The way back is a change like any other.
    handing.change = bytes
    handing.open()
    becomes(system, "drift", lambda: contract(system, key)["pending"] is not None)
    assert system.run("providers", "accept", "--fingerprint", first[:12]).returncode == 0
    becomes(system, "acceptance", lambda: refused(system) is None)
    delivered(system)
    assert contract(system, key)["fingerprint"] == first


on_sqlite = pytest.mark.parametrize("drifting", ["sqlite"], indirect=True)


@on_sqlite
def test_a_check_tells_all_that_is_known_and_needs_no_store(
    drifting: tuple[System, Handing],
) -> None:
    system, _ = drifting
    elsewhere = {"MULTICANAL_DATABASE_URL": "postgresql://somebody:canary@127.0.0.1:1/nothing"}

    as_json = system.run("providers", "check", "--json", **elsewhere)
    readable = system.run("providers", "check", **elsewhere)

    assert (as_json.returncode, readable.returncode) == (0, 0)
    assert "canary" not in as_json.stderr + readable.stderr
    for one in json.loads(as_json.stdout):
        assert f"{one['function']}: ok" in readable.stdout
        told = (one["operation"], one["found"], one["style"], one["trio_place"], one["address"])
        assert all(text in readable.stdout for text in told)
        for name in ("parameters", "fields", "constants", "trio"):
            for documented, path in one[name].items():
                assert f"{documented} -> {path}" in readable.stdout
        for text in (*one["warnings"], *one["missing"]):
            assert text in readable.stdout
        for name, values in one["allowed"].items():
            assert f"{name}: {', '.join(values)}" in readable.stdout


@on_sqlite
def test_a_check_makes_no_store(drifting: tuple[System, Handing]) -> None:
    system, _ = drifting

    checked = system.run("providers", "check", MULTICANAL_DATABASE_URL="sqlite:///./not-made.db")
    accepted = system.run("providers", "accept", MULTICANAL_DATABASE_URL="sqlite:///./not-made.db")

    assert (checked.returncode, accepted.returncode) == (0, 1)
    assert "there is no file ./not-made.db" in accepted.stderr
    assert not (system.folder / "not-made.db").exists()


@on_sqlite
def test_what_a_changed_service_refuses_waits_until_its_wsdl_is_accepted(
    drifting: tuple[System, Handing],
) -> None:
    system, _ = drifting
    system.start("api", "worker")
    delivered(system)

    system.stop("efidem")
    system.dialect = "php"
    system.start("efidem")
    waiting = [system.send("sms", samples.sms()) for _ in range(3)]
    for one in waiting:
        system.follow(one, lambda now: now["blocked_reason"] == "provider_contract", "blocked")
    stood = {system.message(one)["status"] for one in waiting}
    accepted = system.run("providers", "accept", "--yes")

    assert stood <= {"queued", "submitting"}
    assert accepted.returncode == 0, accepted.stderr
    for one in waiting:
        system.until(one, "delivered")
    assert len(system.ledger("efidem")) == 4
