"""Harm ends at any moment: what just then ends by itself is a fault only if nobody asked for it."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash import stores
from tests.crash.nemesis import Nemesis
from tests.crash.site import Site

PARTS = ("api", "worker")


@pytest.fixture
def server() -> Iterator[stores.Postgres]:
    with stores.running() as made:
        yield made


@pytest.fixture
def site(server: stores.Postgres, tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, server.create("crash"))
    try:
        made.open()
        made.start("efidem", "fax123")
        yield made
    finally:
        made.close()


def test_who_ended_for_want_of_a_store_as_the_harm_ended_is_started_again(
    site: Site, server: stores.Postgres
) -> None:
    nemesis = Nemesis(site, PARTS, seed=1, postgres=server)
    site.start("worker")
    server.kill()
    site.begin("api")
    site.wait_for(lambda: not site.is_running("api"), "the API runs without a store")
    server.start()

    nemesis.rest()

    assert all(site.is_ready(name) for name in PARTS)
    assert nemesis.deeds == {"started without a store": 1}
    assert nemesis.kills == {"at the end": 1}


def test_who_ended_unasked_as_the_harm_ended_is_a_fault(site: Site) -> None:
    nemesis = Nemesis(site, PARTS, seed=1)
    site.start(*PARTS)
    site.signal("worker", signal.SIGTERM)
    site.wait_for(lambda: not site.is_running("worker"), "the worker does not end")

    with pytest.raises(AssertionError, match="worker ended: 0"):
        nemesis.rest()
