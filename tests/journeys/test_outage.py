"""A provider that swallows every call while hundreds of messages wait: few become uncertain."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.journeys.conftest import prepared
from tests.journeys.loopback import HOST, call, free_port, wait_for
from tests.journeys.system import System
from tests.postgres import Postgres

MESSAGES = 500
CONCURRENCY = 4  # calls at once, of each worker
WORKERS = ("worker", "worker-2")


class Front:
    """A line to a provider: it passes everything on, or takes calls and never answers."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.is_hole = False
        self._target = target
        self._listening = socket.create_server((HOST, self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller = self._listening.accept()[0]
                work = self._swallow if self.is_hole else self._pass_on
                threading.Thread(target=work, args=(caller,), daemon=True).start()

    def _swallow(self, caller: socket.socket) -> None:
        with caller, suppress(OSError):
            while caller.recv(65_536):
                pass

    def _pass_on(self, caller: socket.socket) -> None:
        with suppress(OSError), caller, socket.create_connection((HOST, self._target)) as provider:
            back = threading.Thread(target=self._copy, args=(provider, caller), daemon=True)
            back.start()
            self._copy(caller, provider)
            back.join()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)


@pytest.fixture(params=["sqlite", "postgresql"])
def fronted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[System, Front]]:
    if request.param == "sqlite":
        database_url = f"sqlite:///{tmp_path / 'store.db'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        database_url = server.create(f"outage_{uuid4().hex}")
    with prepared(tmp_path, database_url) as system:
        front = Front(system.ports["efidem"])
        system.settings |= {
            "MULTICANAL_EFIDEM_CONCURRENCY": str(CONCURRENCY),
            "MULTICANAL_EFIDEM_TIMEOUT": "1",
            "MULTICANAL_SETTLE": "10",
        }
        try:
            yield system, front
        finally:
            front.close()


def statuses(system: System, batch: str) -> Counter[str]:
    return Counter(system.get(f"/v1/batches/{batch}").json["counts"])


def test_an_outage_makes_few_messages_uncertain_and_loses_none(
    fronted: tuple[System, Front],
) -> None:
    system, front = fronted
    system.start("efidem")
    address = f"http://{HOST}:{front.port}{_path(system)}"
    system.settings["MULTICANAL_EFIDEM_ADDRESS"] = address
    system.start("api", *WORKERS)
    front.is_hole = True
    given = {
        "defaults": {"text": "Bonjour", "on_uncertain": "retry"},
        "messages": [{"to": f"+3361{place:03}0001"} for place in range(MESSAGES)],
    }

    batch = system.post("/v1/sms/batch", given).json["id"]
    # Far longer than the circuit's looks: 30 seconds, and then ever more, times the pace.
    time.sleep(12)
    during = statuses(system, batch)
    waiting = system.get(f"/v1/messages?batch_id={batch}&status=queued&limit=1").json["data"]

    assert 0 < during["uncertain"] <= len(WORKERS) * CONCURRENCY + 3, during
    assert during["queued"] + during["uncertain"] == MESSAGES, during
    assert waiting[0]["blocked_reason"] == "provider_unavailable"
    assert system.ledger("efidem") == []

    front.is_hole = False
    # What was uncertain is in no report: it is sent again, and everything arrives.
    wait_for(
        lambda: statuses(system, batch)["delivered"] == MESSAGES,
        lambda: f"{statuses(system, batch)}\n{system.tails()}",
        150,
    )
    lines = Counter(one["recipient"] for one in system.ledger("efidem"))
    assert len(lines) == MESSAGES
    assert set(lines.values()) == {1}


def _path(system: System) -> str:
    """Return the path of the service, as the provider's WSDL names it."""
    text = call("GET", system.settings["MULTICANAL_EFIDEM_WSDL"]).content.decode()
    return urlsplit(text.split(':address location="', 1)[1].split('"', 1)[0]).path
