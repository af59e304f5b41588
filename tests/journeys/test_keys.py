"""Keys over two processes of the API on one store: what one ends, the other refuses."""

import http.client
import itertools
import threading
import time
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from tests.journeys.loopback import PATIENCE, call, wait_for
from tests.journeys.operators import Caller, operator
from tests.journeys.system import System

APIS = ("api", "api-2")
WITHIN = 5.0  # seconds: what operators are promised
AFTER = 6.0  # seconds for which it is asked again
OVERLAP = 1  # seconds


@pytest.fixture(scope="module")
def fleet(whole: System) -> Iterator[System]:
    """A system with a second API."""
    whole.up()
    whole.start("api-2")
    yield whole
    assert whole.stop("api-2") == [0]


@dataclass(slots=True)
class Watched:
    """A key, when a process was last asked and took it, and when it had first refused it."""

    key: Caller
    ended: float = 0.0  # when whoever ended it was told so
    taken: dict[str, float] = field(default_factory=dict)
    refused: dict[str, float] = field(default_factory=dict)

    def ask(self, at: str) -> None:
        asked = time.monotonic()
        status = self.key.call("GET", "/v1/me", at=at).status
        if status == http.client.OK:
            self.taken[at] = asked
        else:
            assert status == http.client.UNAUTHORIZED
            self.refused.setdefault(at, time.monotonic())


@contextmanager
def watching(keys: Collection[Watched], stopping: threading.Event) -> Iterator[None]:
    """Ask each process all the time: what is asked is remembered, and no longer than promised."""

    def watch(at: str) -> None:
        while not stopping.wait(0.1):
            for one in keys:
                one.ask(at)

    with ThreadPoolExecutor(len(APIS)) as pool:
        watches = [pool.submit(watch, at) for at in APIS]
        try:
            yield
        finally:
            stopping.set()
        for one in watches:
            one.result()


def test_what_one_process_ends_the_other_refuses_within_five_seconds(fleet: System) -> None:
    admin = operator(fleet)
    by_api, by_command, rotated = (Watched(admin.client("messages:read")) for _ in range(3))
    keys = (by_api, by_command, rotated)

    with watching(keys, threading.Event()):
        wait_for(lambda: all(set(one.taken) == set(APIS) for one in keys), fleet.tails, PATIENCE)
        done = fleet.run("keys", "revoke", "--id", by_command.key.visible)
        assert (done.returncode, done.stdout) == (0, "revoked\n")
        by_command.ended = time.monotonic()
        path = f"/v1/admin/keys/{rotated.key.visible}/rotate"
        began = time.monotonic()
        new = Caller(fleet, admin.ask("POST", path, {"overlap_seconds": OVERLAP})["key"])
        rotated.ended = time.monotonic() + OVERLAP
        admin.ask("POST", f"/v1/admin/keys/{by_api.key.visible}/revoke")
        by_api.ended = time.monotonic()
        time.sleep(AFTER)

    took = {at: [round(one.taken[at] - one.ended, 2) for one in keys] for at in APIS}
    assert max(itertools.chain(*took.values())) <= WITHIN, took
    assert {at for one in keys for at in one.refused} == set(APIS)
    assert all(one.taken[at] < one.refused[at] for one in keys for at in APIS)
    assert min(rotated.refused.values()) >= began + OVERLAP - 0.1
    assert {new.call("GET", "/v1/me", at=at).status for at in APIS} == {http.client.OK}
    client_id = new.ask("GET", "/v1/me")["client"]["id"]
    told = admin.ask("GET", f"/v1/admin/clients/{client_id}/keys")["data"]
    assert [one["state"] for one in told] == ["active", "expired"]
    assert told[1]["last_used_at"] is not None  # written within moments


def test_no_process_logs_a_key_wherever_it_was_put(fleet: System) -> None:
    admin = operator(fleet)
    one = admin.client("messages:read")
    token = "eyJhbGciOiJSUzI1NiJ9.Y2FuYXJ5LWJvZHk.Y2FuYXJ5LXNpZ25hdHVyZQ"
    for at in APIS:
        assert one.call("GET", "/v1/me", at=at).status == http.client.OK
        for headers in (
            {"Authorization": f"Bearer {one.key[:-1]}"},
            {"Authorization": f"Basic {one.key}"},
            {"Authorization": f"Bearer {token}"},
            {"X-Api-Key": one.key, "X-Request-Id": one.key},
        ):
            url = f"{fleet.url(at)}/v1/messages?key={one.key}"
            assert call("GET", url, None, headers).status == http.client.UNAUTHORIZED
        for path, body in (
            (f"/v1/admin/keys/{one.key}/revoke", None),
            ("/v1/admin/clients", {"name": "x", one.key: one.key}),
            ("/v1/admin/clients", {"name": ["x"], "idempotency": one.key}),
        ):
            assert admin.call("POST", path, body, at=at).status in {404, 422}

    for said in (fleet.said(name) for name in APIS):
        assert "answered" in said
        for canary in (one.secret[:-1], admin.secret, *token.split(".")):
            assert canary not in said
