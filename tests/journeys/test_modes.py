"""Test keys reach simulators only, in a deployment whose live keys reach providers.

The providers of this deployment are one set of simulators, and what test keys send to is another:
each set's ledger says what it accepted, and the wire before it every call that was made.
"""

import asyncio
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from app.api.access import SCOPES
from app.store.database import Database
from app.store.tables import attempts, messages
from tests.crash.tap import Listening
from tests.journeys import samples
from tests.journeys.loopback import HOST, PATIENCE, free_port, wait_for
from tests.journeys.system import PROVIDERS, SIMULATED_PACE, System
from tests.postgres import Postgres

TWINS = ("efidem_test", "fax123_test")
CALL = re.compile(rb"(?:POST|GET) /(?:soap|http\.php)")  # and not the reading of a WSDL
UNSENT = {"queued", "submitting"}
SECRETS = {
    "MULTICANAL_CALLBACK_SECRET": "callback-secret-of-modes-5d0c1f-0123456789",
    "MULTICANAL_KEY_PEPPER": "key-pepper-of-modes-77b2e9-0123456789",
}
SAMPLES = {
    "emails": samples.email,
    "sms": samples.sms,
    "letters": samples.letter,
    "faxes": samples.fax,
}


class Wire(Listening):
    """Passes everything on to a provider, and keeps what that is told."""

    def __init__(self, target: int) -> None:
        super().__init__(free_port())
        self._target = target
        self._said: list[bytes] = []
        self._callers: set[socket.socket] = set()

    def close(self) -> None:
        """Be cut: what is connected, too."""
        super().close()
        for one in list(self._callers):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    @property
    def told(self) -> bytes:
        return b"\n".join(self._said)

    @property
    def calls(self) -> int:
        return len(CALL.findall(self.told))

    def serve(self, caller: socket.socket, port: int) -> None:
        _ = port
        self._callers.add(caller)
        with socket.create_connection((HOST, self._target)) as provider:
            back = threading.Thread(target=_copy, args=(provider, caller), daemon=True)
            back.start()
            with suppress(OSError):
                while said := caller.recv(65_536):
                    self._said.append(said)
                    provider.sendall(said)
            with suppress(OSError):
                provider.shutdown(socket.SHUT_WR)
            back.join(PATIENCE)
        self._callers.discard(caller)


def _copy(provider: socket.socket, caller: socket.socket) -> None:
    with suppress(OSError):
        while answered := provider.recv(65_536):
            caller.sendall(answered)
        caller.shutdown(socket.SHUT_WR)


class Deployment(System):
    """Production: its document server is behind a proxy that the simulators need not pass."""

    def __init__(self, folder: Path, database_url: str) -> None:
        super().__init__(folder, database_url)
        self.ports |= {name: free_port() for name in TWINS} | {"serve": self.ports["api"]}
        self.wires = {name: Wire(self.ports[name]) for name in (*PROVIDERS, *TWINS)}
        self.keys: dict[str, str] = {}
        self.settings |= SECRETS | {
            "MULTICANAL_ENVIRONMENT": "production",
            "MULTICANAL_SETTLE": "1",
            "MULTICANAL_PUBLIC_URL": "https://messages.invalid",
            "MULTICANAL_EFIDEM_WSDL": f"{self.wire('efidem')}/efidem.wsdl",
            "MULTICANAL_EFIDEM_ADDRESS": f"{self.wire('efidem')}/soap",
            "MULTICANAL_FAX123_URL": f"{self.wire('fax123')}/http.php",
            "MULTICANAL_TEST_EFIDEM_WSDL": f"{self.wire('efidem_test')}/efidem.wsdl",
            "MULTICANAL_TEST_FAX123_URL": f"{self.wire('fax123_test')}/http.php",
            "MULTICANAL_TEST_PUBLIC_URL": self.url("api"),
        }

    def wire(self, name: str) -> str:
        return f"http://{HOST}:{self.wires[name].port}"

    def await_ready(self, *names: str) -> None:
        super().await_ready(*names)
        for name in self.wires.keys() & set(names):
            self.wires[name].open()

    def stop(self, *names: str) -> list[int]:
        for name in self.wires.keys() & set(names):
            self.wires[name].close()
        return super().stop(*names)

    def make_key(self, mode: str) -> None:
        options = ("--name", "modes", "--mode", mode, "--scopes", ",".join(SCOPES))
        made = self.run("keys", "create", *options)
        assert made.returncode == 0, made.stderr
        self.key = self.keys[mode] = made.stdout.splitlines()[-1]

    def _arguments(self, name: str) -> list[str]:
        if name not in TWINS:
            return super()._arguments(name)
        kind = name.removesuffix("_test")
        port = ["--port", str(self.ports[name]), "--pace", SIMULATED_PACE]
        return ["simulate", kind, *port, *(["--test"] if kind == "fax123" else [])]

    def as_mode(self, mode: str) -> "Deployment":
        """Call with the key of a mode from now on."""
        self.key = self.keys[mode]
        return self

    def hand_in(self, path: str, body: Any) -> str:
        answer = self.post(f"/v1/{path}", body, Idempotency_Key=uuid4().hex)
        assert answer.status == 202, answer.content
        message_id: str = answer.json["id"]
        return message_id

    def sent_rows(self) -> list[Any]:
        """Return every attempt with the message that it was made for."""

        async def read() -> list[Any]:
            database = Database(self.settings["MULTICANAL_DATABASE_URL"])
            try:
                async with database.reading() as connection:
                    found = await connection.execute(
                        select(
                            messages.c.mode,
                            messages.c.provider,
                            attempts.c.provider.label("called"),
                            attempts.c.reference,
                            attempts.c.provider_message_id,
                        ).join(attempts, attempts.c.message_id == messages.c.id)
                    )
                    return list(found)
            finally:
                await database.close()

        return asyncio.run(read())

    def carriers(self) -> set[tuple[str, str, str]]:
        """Return each mode, and who carries and who was called for its messages."""
        return {(row.mode, row.provider, row.called) for row in self.sent_rows()}


@pytest.fixture(scope="module")
def deployed(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    system = Deployment(tmp_path_factory.mktemp("modes"), postgres.create(f"modes_{uuid4().hex}"))
    try:
        system.begin(*PROVIDERS, *TWINS)
        assert system.run("migrate").returncode == 0
        system.make_key("live")
        system.await_ready(*PROVIDERS, *TWINS)
        system.start("api", "worker")
        client = system.get("/v1/me").json["client"]["id"]
        test = {"mode": "test", "scopes": SCOPES}
        made = system.post(f"/v1/admin/clients/{client}/keys", test, Idempotency_Key="test")
        system.keys["test"] = made.json["key"]
        yield system
    finally:
        ended = system.stop_all()
    assert set(ended) <= {0}, system.tails()


def shape(value: Any) -> Any:
    """Return what a JSON value is made of, without what it says."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in value.items()}
    return [shape(one) for one in value] if isinstance(value, list) else None


def arrive(system: Deployment, ids: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return messages as soon as they have gone as far as they do."""
    last = {path: {"delivered"} for path in ids} | {"letters": {"sent", "delivered"}}
    return {
        path: system.follow(
            ids[path], lambda now, path=path: now["status"] in last[path], f"{last[path]}"
        )
        for path in ids
    }


def use_all(system: Deployment) -> None:
    """Use everything by which a key has a provider asked, besides sending and following."""
    code = "modes"
    asked = [
        ("tools/email-address", {"address": "anna@example.com", "provider_check": True}),
        ("tools/phone-number", {"number": "0601020304", "provider_check": True}),
        ("provider-users", {"username": f"user{uuid4().hex[:8]}", "password": "Secret-1234"}),
    ]
    for path, body in asked:
        answer = system.post(f"/v1/{path}", body, Idempotency_Key=uuid4().hex)
        assert answer.status in {200, 201}, answer.content
    for path in (
        "tools/esmtp-codes/5.1.1?source=provider",
        f"billing-codes/{code}/submitted-count",
    ):
        assert system.get(f"/v1/{path}").status == 200
    days = {"kind": "provider_efidem", "from": "2026-11-01", "to": "2026-11-21"}
    made = system.post("/v1/reports", days, Idempotency_Key=uuid4().hex)
    where = made.headers["location"]
    wait_for(lambda: system.get(where).json["status"] == "ready", system.tails, PATIENCE)
    assert system.get(f"{where}/file").status == 200


def test_nothing_that_a_test_key_has_done_reaches_a_provider(deployed: Deployment) -> None:
    system = deployed.as_mode("test")
    ids = {path: system.hand_in(path, made()) for path, made in SAMPLES.items()}
    lost = system.hand_in("emails", samples.email("lost"))
    unknown = system.hand_in("sms", samples.sms("0007", on_uncertain="hold"))
    busy = system.hand_in("faxes", samples.fax("0008"))
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    late = system.hand_in("sms", samples.sms(send_at=tomorrow.isoformat()))
    assert system.post(f"/v1/messages/{late}/cancel", {}).json["status"] == "cancelled"
    several = {
        "mode": "provider_multi",
        "defaults": {"text": "Bonjour", "billing_code": "modes"},
        "messages": [{"to": samples.sms()["to"]} for _ in range(3)],
    }
    batch = system.post("/v1/sms/batch", several).json["messages"]

    arrive(system, ids)
    system.until(lost, "uncertain")
    settled = system.until(lost, "delivered")
    system.until(unknown, "uncertain")
    again = {"outcome": "retry", "reason": "it was a test", "accept_duplicate_risk": True}
    resolved = system.post(f"/v1/messages/{unknown}/resolve", again)
    assert resolved.status == 200, resolved.content
    assert system.until(busy, "delivered")["attempts"] == 3
    for one in batch:
        system.follow(one["id"], lambda now: now["status"] in {"sent", "delivered"}, "sent")
    assert system.post(f"/v1/messages/{ids['letters']}/refresh", {}).status in {202, 409}
    use_all(system)
    assert system.post("/v1/providers/efidem/probe", {}).status == 403
    system.follow(
        unknown, lambda now: now["attempts"] == 2 and now["status"] not in UNSENT, "sent once more"
    )
    given_up = {"outcome": "abandon", "reason": "it was a test"}
    system.until(unknown, "uncertain")
    assert system.post(f"/v1/messages/{unknown}/resolve", given_up).json["status"] == "failed"

    assert (settled["provider"]["name"], settled["attempts"]) == ("efidem", 1)
    assert {name: system.wires[name].calls for name in PROVIDERS} == dict.fromkeys(PROVIDERS, 0)
    assert [system.ledger(name) for name in PROVIDERS] == [[], []]
    assert len(system.ledger("efidem_test")) == 7  # three samples, what was lost, and the batch
    assert len(system.ledger("fax123_test")) == 4
    assert system.carriers() == {
        ("test", "efidem_test", "efidem_test"),
        ("test", "fax123_test", "fax123_test"),
    }


def test_nothing_that_a_live_key_has_done_reaches_a_simulator(deployed: Deployment) -> None:
    system = deployed.as_mode("test")
    test = arrive(system, {path: system.hand_in(path, made()) for path, made in SAMPLES.items()})
    before = [system.ledger(name) for name in TWINS]
    reports = system.wires["efidem_test"].told.count(b"RAPPORT")

    system.as_mode("live")
    bodies = {path: made() for path, made in SAMPLES.items()}
    # 123-fax could not fetch from this address: it is carried by the other provider.
    bodies["faxes"] |= {"provider": "efidem"}
    live = arrive(system, {path: system.hand_in(path, body) for path, body in bodies.items()})
    lost = system.hand_in("emails", samples.email("lost"))
    system.until(lost, "uncertain")
    system.until(lost, "delivered")
    use_all(system)

    assert {path: shape(one) for path, one in test.items()} == {
        path: shape(one) for path, one in live.items()
    }
    assert len(system.ledger("efidem")) == 5
    assert [system.ledger(name) for name in TWINS] == before
    told = b"".join(system.wires[name].told for name in TWINS)
    assert told.count(b"RAPPORT") == reports
    mine = [row for row in system.sent_rows() if row.mode == "live"]
    assert {(row.provider, row.called) for row in mine} == {("efidem", "efidem")}
    names = {name for row in mine for name in (row.reference, row.provider_message_id) if name}
    assert len(names) >= 9  # the call that nobody answered got no id
    assert [name for name in names if name.encode() in told] == []
    assert [name for name in names if name.encode() in system.wires["efidem"].told] != []


def test_providers_that_are_away_hold_up_no_test_message(deployed: Deployment) -> None:
    system = deployed
    system.wires["efidem"].close()
    live = system.as_mode("live").hand_in("sms", samples.sms())
    system.follow(live, lambda now: now["attempts"] >= 1, "tried")

    test = system.as_mode("test").hand_in("sms", samples.sms())

    delivered = system.until(test, "delivered")
    assert delivered["attempts"] == 1
    assert system.as_mode("live").message(live)["status"] in UNSENT
    system.wires["efidem"].open()
    assert system.until(live, "delivered")


def test_simulators_that_are_away_hold_up_no_live_message(deployed: Deployment) -> None:
    system = deployed
    system.wires["efidem_test"].close()
    waiting = [system.as_mode("test").hand_in("sms", samples.sms()) for _ in range(4)]
    for one in waiting:
        system.follow(one, lambda now: now["attempts"] >= 1 or now["blocked_reason"], "tried")

    live = system.as_mode("live").hand_in("sms", samples.sms())

    assert system.until(live, "delivered")["attempts"] == 1
    system.as_mode("test")
    assert {system.message(one)["status"] for one in waiting} <= UNSENT
    system.wires["efidem_test"].open()
    for one in waiting:
        system.until(one, "delivered")


def test_serve_brings_the_simulators_itself(tmp_path: Path) -> None:
    """Production, whose providers are away."""
    system = Deployment(tmp_path, f"sqlite:///{tmp_path / 'store.db'}")
    for name in ("EFIDEM_WSDL", "FAX123_URL", "PUBLIC_URL"):
        del system.settings[f"MULTICANAL_TEST_{name}"]
    system.make_key("test")
    try:
        system.start("serve")
        arrive(system, {path: system.hand_in(path, made()) for path, made in SAMPLES.items()})
        use_all(system)
    finally:
        ended = system.stop_all()
    assert set(ended) <= {0}, system.tails()
    assert {one[1:] for one in system.carriers()} == {(name, name) for name in TWINS}
