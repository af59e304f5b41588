"""What keeps a part from starting or from sending, and how it says so."""

import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from subprocess import CompletedProcess
from typing import Any
from uuid import uuid4

from tests.journeys import samples
from tests.journeys.loopback import HOST
from tests.journeys.system import System
from tests.postgres import Postgres


def together(system: System, *commands: str, **settings: str) -> list[CompletedProcess[str]]:
    """Run commands at the same time, each to its end."""
    with ThreadPoolExecutor(len(commands)) as pool:
        return list(pool.map(lambda one: system.run(*one.split(), **settings), commands))


def test_nothing_starts_on_a_store_that_was_not_migrated(bare: System, postgres: Postgres) -> None:
    url = postgres.create(f"empty_{uuid4().hex}")

    ended = together(bare, "api --port 0", "worker", MULTICANAL_DATABASE_URL=url)

    for one in ended:
        assert one.returncode == 1
        (line,) = one.stderr.splitlines()
        assert "revision None" in line
        assert line.endswith("multicanal migrate")


def test_a_store_that_cannot_be_reached_is_said_without_its_address(bare: System) -> None:
    url = f"postgresql://somebody:canary@{HOST}:1/nothing"

    ended = together(bare, "api --port 0", "worker", "migrate", MULTICANAL_DATABASE_URL=url)

    for one in ended:
        assert one.returncode == 1
        (line,) = one.stderr.splitlines()
        assert "MULTICANAL_DATABASE_URL" in line
        assert "canary" not in line


def test_a_taken_port_is_said_in_one_line(bare: System) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        parts = ("api", "serve", "simulate efidem", "simulate fax123")
        ended = together(bare, *(f"{part} --port {port}" for part in parts))

    for one in ended:
        assert one.returncode == 1
        (line,) = one.stderr.splitlines()
        assert f"{HOST}:{port}" in line
        assert line.endswith("name another --port")


def blocked_by(reason: str) -> Callable[[dict[str, Any]], bool]:
    return lambda message: bool(message["blocked_reason"] == reason)


def test_a_worker_that_finds_no_wsdl_waits_for_it(alone: System) -> None:
    alone.start("api", "worker")

    message_id = alone.send("emails", samples.email())
    alone.follow(message_id, blocked_by("provider_contract"), "blocked")
    status = alone.message(message_id)["status"]
    alone.start("efidem")

    assert status in {"queued", "submitting"}
    assert alone.until(message_id, "delivered")["blocked_reason"] is None


def test_wrong_credentials_hold_a_channel_until_they_are_mended(alone: System) -> None:
    alone.start("efidem", "fax123", "api")
    wrong = {"MULTICANAL_EFIDEM_PASSWORD": "wrong", "MULTICANAL_FAX123_PASSWORD": "wrong"}
    alone.start("worker", **wrong)
    sent = [alone.send("sms", samples.sms()), alone.send("faxes", samples.fax())]
    for message_id in sent:
        alone.follow(message_id, blocked_by("provider_credentials"), "blocked")

    alone.stop("worker")
    alone.start("worker")

    for message_id in sent:
        alone.until(message_id, "delivered")
    assert len(alone.ledger("efidem")) == 1
    assert len(alone.ledger("fax123")) == 1
