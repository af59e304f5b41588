"""Consumers read the feed along while several processes write: no gap, nothing twice, in order."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.journeys import samples
from tests.journeys.conftest import prepared
from tests.journeys.loopback import call, wait_for
from tests.journeys.system import PROVIDERS, System
from tests.postgres import Postgres

MESSAGES = 40  # of each writer
FINAL = {"delivered", "failed", "expired", "cancelled"}


@pytest.fixture(params=["sqlite", "postgresql"])
def feeding(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[System]:
    """Return a system of this journey's own, with two APIs and two workers."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'store.db'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create(f"feed_{uuid4().hex}")
    with prepared(tmp_path, url, *PROVIDERS) as system:
        system.start("api", "api-2")
        system.start("worker", "worker-2")
        yield system


class Consumer:
    """Reads the feed as a client does: on from the position that it was given last."""

    def __init__(self, system: System, *at: str, limit: int, dies: bool = False) -> None:
        self._system = system
        self._at = cycle(at)  # one API after the other, where there are several
        self._limit = limit
        self._dies = dies  # now and then, before it has stored what it read
        self.events: list[dict[str, Any]] = []
        self.after = 0  # as it is stored with the events

    def read(self, wait: int) -> int:
        """Read one page, and store it; return how many events it had."""
        page = self._page(wait)
        if self._dies and page["data"] and len(self.events) % 3 == 0:
            # What was not stored is asked for again, from where it stopped, and is the same.
            again = self._page(wait)
            both = min(len(page["data"]), len(again["data"]))
            assert page["data"][:both] == again["data"][:both]
            page = again
        self.events += page["data"]
        assert page["next_after"] >= self.after
        self.after = page["next_after"]
        return len(page["data"])

    def _page(self, wait: int) -> dict[str, Any]:
        url = f"{self._system.url(next(self._at))}/v1/events?limit={self._limit}"
        headers = {"Authorization": f"Bearer {self._system.key}", "Prefer": f"wait={wait}"}
        answer = call("GET", f"{url}&after={self.after}", None, headers)
        assert answer.status == 200, answer.content
        page: dict[str, Any] = answer.json
        return page

    def follow(self, ended: threading.Event) -> None:
        """Read until nobody writes any more, and what was written is read."""
        while not ended.is_set():
            self.read(wait=2)
        while self.read(wait=1):
            pass


def write(system: System, to: str) -> list[str]:
    """Send messages; return their ids."""
    sent = []
    for number in range(MESSAGES):
        mark = f"feed-{number}-{uuid4().hex}"
        body = {"to": "+33639980001", "text": f"Votre code : {number}", "billing_code": mark}
        answer = system.post("/v1/sms", body, to=to)
        assert answer.status == 202, answer.content
        sent.append(answer.json["id"])
    return sent


def is_told_at_once(system: System) -> str:
    """Wait at one API for what is handed in at the other; return the message."""
    waiting = Consumer(system, "api-2", limit=10)
    while waiting.read(wait=0):
        pass
    before = len(waiting.events)
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(waiting.read, 20)
        time.sleep(0.3)
        began = time.monotonic()
        message_id = system.send("sms", samples.sms())
        reading.result()
    assert time.monotonic() - began < 15, "a wait of 20 seconds went on"
    assert waiting.events[before]["data"]["message_id"] == message_id
    return message_id


def test_consumers_miss_nothing_and_see_nothing_twice(feeding: System) -> None:
    ended = threading.Event()
    consumers = _consumers(feeding)
    sent = [is_told_at_once(feeding)]
    with ThreadPoolExecutor(len(consumers) + 4) as pool:
        following = [pool.submit(one.follow, ended) for one in consumers]
        try:
            writers = [pool.submit(write, feeding, at) for at in ("api", "api-2", "api", "api-2")]
            time.sleep(0.5)
            feeding.kill("worker-2")
            sent += [message_id for one in writers for message_id in one.result()]
            wait_for(lambda: _at_rest(consumers[0], len(sent)), feeding.tails, 60)
            # What nobody publishes any more, an API does for who reads.
            feeding.stop("worker")
            sent.append(is_told_at_once(feeding))
        finally:
            ended.set()
        for one in following:
            one.result()

    first = consumers[0].events
    assert [one["data"]["position"] for one in first] == list(range(1, len(first) + 1))
    assert all(one.events == first for one in consumers)
    assert len({one["data"]["event_id"] for one in first}) == len(first)
    by_message: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for one in first:
        data = one["data"]
        by_message[data["message_id"]].append((data["sequence"], data["event_id"]))
    assert set(by_message) == set(sent)
    for message_id, told in by_message.items():
        timeline = feeding.events(message_id)
        assert told == [(one["sequence"], one["id"]) for one in timeline]


def _consumers(system: System) -> list[Consumer]:
    return [
        Consumer(system, "api", limit=7),
        Consumer(system, "api-2", limit=500),
        Consumer(system, "api", "api-2", limit=50),
        Consumer(system, "api-2", "api", limit=3, dies=True),
    ]


def _at_rest(consumer: Consumer, sent: int) -> bool:
    """Say whether every message has left the queue, and most have ended.

    Those that a worker took with it, to send or to ask about them, stay as they are for its lease.
    """
    last = {one["data"]["message_id"]: one["data"]["status"] for one in list(consumer.events)}
    ended = [status for status in last.values() if status in FINAL]
    return len(last) == sent and "queued" not in last.values() and len(ended) > sent / 2
