"""Processes that are told to stop: they say so, end what they began, and nobody notices."""

import http.client
import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.journeys import samples
from tests.journeys.conftest import prepared
from tests.journeys.loopback import call, wait_for
from tests.journeys.system import PROVIDERS, System
from tests.postgres import Postgres

SLOW = "0005"  # a fax that is answered after nine seconds at this pace
ROUNDS = 5
SENDERS = 4
UNSENT = {"queued", "submitting"}
PATIENCE = 15.0  # seconds for which a client tries again


@pytest.fixture
def serving(alone: System) -> System:
    """Return a system whose API and worker are one process."""
    alone.ports["serve"] = alone.ports["api"]
    alone.simulated_pace = "0.3"
    alone.start(*PROVIDERS)
    alone.start("serve")
    return alone


def begin_slow_fax(system: System) -> str:
    body = samples.fax(SLOW)
    message_id = system.send("faxes", body)
    number = samples.dialled(body)
    wait_for(lambda: bool(system.ledger("fax123", fax=number)), system.tails, 20)
    return message_id


def readiness(system: System) -> tuple[int, str]:
    answer = call("GET", system.url("serve") + "/readyz")
    return answer.status, answer.json["status"]


def test_while_calls_end_it_is_not_ready_and_still_answers(serving: System) -> None:
    message_id = begin_slow_fax(serving)

    serving.signal("serve")
    wait_for(lambda: "worker_draining" in serving.said("serve"), serving.tails, 10)
    seen = readiness(serving)
    late = serving.send("sms", samples.sms())
    status = serving.wait("serve")

    assert seen == (503, "stopping")
    assert status == 0
    serving.start("serve")
    assert serving.timeline(message_id)[:3] == ["queued", "submitting", "submitted"]
    serving.until(late, "delivered")


def test_a_second_signal_ends_it_at_once(serving: System) -> None:
    message_id = begin_slow_fax(serving)

    serving.signal("serve")
    time.sleep(0.7)  # a shell may repeat what the terminal sent
    began = time.monotonic()
    serving.signal("serve")
    status = serving.wait("serve")

    assert status == 128 + 15
    assert time.monotonic() - began < 5
    serving.start("serve")
    assert serving.message(message_id)["status"] == "submitting"


@dataclass(slots=True)
class Fleet:
    """Clients that send on and on, and try again with the same key when they are not answered."""

    system: System
    ends: threading.Event = field(default_factory=threading.Event)
    sent: dict[str, str] = field(default_factory=dict)  # ids by keys
    failed: list[str] = field(default_factory=list)
    tries: Counter[str] = field(default_factory=Counter)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def send(self) -> None:
        while not self.ends.is_set():
            number = next(self.numbers)
            body: dict[str, Any] = {
                "to": f"+336{1000 + number}0001",  # the last digits: delivered
                "text": "Bonjour",
                "billing_code": "rolling",
            }
            self._hand_in(f"rolling-{number}", body, number)
            time.sleep(0.1)

    def _hand_in(self, key: str, body: dict[str, Any], number: int) -> None:
        gives_up = time.monotonic() + PATIENCE
        for api in itertools.cycle(("api", "api-2") if number % 2 else ("api-2", "api")):
            self.tries[key] += 1
            try:
                answer = self.system.post("/v1/sms", body, to=api, Idempotency_Key=key)
            except (OSError, http.client.HTTPException):
                answer = None
            if answer is not None and answer.status == http.client.ACCEPTED:
                self.sent[key] = answer.json["id"]
                return
            refused = answer is not None and answer.status != http.client.SERVICE_UNAVAILABLE
            if refused or time.monotonic() > gives_up:
                self.failed.append(f"{key}: {answer and answer.status}")
                return
            time.sleep(0.05)


@pytest.fixture
def replicas(tmp_path: Path, postgres: Postgres) -> Iterator[System]:
    """Two APIs and two workers on PostgreSQL."""
    url = postgres.create(f"rolling_{uuid4().hex}")
    with prepared(tmp_path, url, *PROVIDERS) as system:
        # Whatever holds the machine up, no call ends without its answer.
        system.settings["MULTICANAL_EFIDEM_TIMEOUT"] = "12"
        system.start("api", "api-2", "worker", "worker-2")
        yield system


def test_a_rolling_restart_under_load_is_noticed_by_nobody(replicas: System) -> None:
    fleet = Fleet(replicas)
    senders = [threading.Thread(target=fleet.send) for _ in range(SENDERS)]
    for one in senders:
        one.start()
    ended = []
    try:
        for _ in range(ROUNDS):
            for pair in (("api", "worker"), ("api-2", "worker-2")):
                ended += replicas.stop(*pair)
                replicas.start(*pair)
    finally:
        fleet.ends.set()
        for one in senders:
            one.join()

    assert ended == [0] * (4 * ROUNDS)
    assert fleet.failed == []
    assert len(fleet.sent) > 100
    assert sum(fleet.tries.values()) > len(fleet.sent)  # some met an API that was away

    def history(message_id: str) -> list[str]:
        replicas.follow(message_id, lambda now: now["status"] not in UNSENT, "sent")
        return replicas.timeline(message_id)

    with ThreadPoolExecutor(SENDERS) as pool:
        histories = list(pool.map(history, fleet.sent.values()))
    assert [seen for seen in histories if "uncertain" in seen] == []
    recipients = Counter(
        line["recipient"] for line in replicas.ledger("efidem", billing_code="rolling")
    )
    assert len(recipients) == len(fleet.sent)
    assert set(recipients.values()) == {1}
