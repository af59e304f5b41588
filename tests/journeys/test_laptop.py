"""`multicanal dev` in an empty folder: it prints what to paste, and what is pasted works."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import samples
from tests.journeys.loopback import HOST, call, free_port, wait_for
from tests.journeys.system import COMMAND

CURL = re.compile(r"^curl -s (?:.*\\\n)*.*$", re.MULTILINE)


class Laptop:
    """`multicanal dev`, its process group, and what it printed."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.out, self.log = folder / "printed.txt", folder / "log.txt"
        home = folder / "empty"
        home.mkdir()
        with self.out.open("wb") as out, self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [COMMAND, "dev", "--port", str(self.port)],
                env={"PATH": os.environ["PATH"]},
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                start_new_session=True,
            )
        wait_for(lambda: "follow one" in self.printed(), self.explain, 30)
        self.curls = CURL.findall(self.printed())
        self.key = re.findall(r"^API key: (\S+)$", self.printed(), re.MULTILINE)[0]

    def printed(self) -> str:
        return self.out.read_text()

    def explain(self) -> str:
        return f"printed:\n{self.printed()}\nlogged:\n{self.log.read_text()[-4000:]}"

    def ports(self) -> list[int]:
        """Return every port that it says it listens on."""
        found = re.search(r"Efidem on port (\d+), 123-fax on (\d+)", self.printed())
        assert found is not None, self.explain()
        return [self.port, int(found[1]), int(found[2])]

    def message(self, message_id: str) -> dict[str, Any]:
        url = f"http://{HOST}:{self.port}/v1/messages/{message_id}"
        message: dict[str, Any] = call(
            "GET", url, None, {"Authorization": f"Bearer {self.key}"}
        ).json
        return message

    def follow(self, message_id: str, status: str) -> None:
        wait_for(
            lambda: bool(self.message(message_id)["status"] == status),
            lambda: f"{self.message(message_id)}\n{self.explain()}",
            40,
        )

    def interrupt(self) -> int:
        """Press Ctrl-C: the terminal tells every process of the group."""
        os.killpg(self.process.pid, signal.SIGINT)
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            raise AssertionError(self.explain()) from None

    def processes(self) -> list[str]:
        """Return what still runs of its session."""
        left = []
        for one in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = one.read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == self.process.pid:
                left.append(one.parent.name)
        return left


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    started = Laptop(tmp_path_factory.mktemp("laptop"))
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait()


def listens(port: int) -> bool:
    try:
        with socket.create_connection((HOST, port), 1):
            return True
    except ConnectionRefusedError:
        return False


@pytest.mark.skipif(shutil.which("curl") is None, reason="this machine has no curl")
def test_each_printed_curl_sends_a_message_that_is_delivered(laptop: Laptop) -> None:
    sent = []
    for curl in laptop.curls:
        pasted = subprocess.run(
            ["bash", "-c", f"{curl} -w '\\n%{{http_code}}'"],
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        content, _, status = pasted.stdout.rpartition("\n")
        sent.append((int(status), json.loads(content)))

    assert len(laptop.curls) == 4
    # 202 where a machine is too slow for the seconds that they wait: not for all of them.
    assert 201 in {status for status, _ in sent} <= {201, 202}, laptop.explain()
    assert [one["channel"] for _, one in sent] == ["email", "sms", "letter", "fax"]
    for _, one in sent:
        laptop.follow(one["id"], "delivered")


def test_the_last_line_follows_a_message(laptop: Laptop) -> None:
    last = laptop.printed().splitlines()[-1]

    assert last.startswith("follow one:  curl -s ")
    assert f"Authorization: Bearer {laptop.key}" in last


def test_a_second_one_says_in_one_line_that_the_port_is_taken(
    laptop: Laptop, tmp_path: Path
) -> None:
    second = subprocess.run(
        [COMMAND, "dev", "--port", str(laptop.port)],
        env={"PATH": os.environ["PATH"]},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert second.returncode == 1
    (line,) = (second.stdout + second.stderr).splitlines()
    why = "cannot be listened on (Address already in use): name another --port"
    assert line == f"{HOST}:{laptop.port} {why}"
    assert list(tmp_path.iterdir()) == []


def test_what_a_simulator_cuts_off_is_no_error_in_a_log_without_colours(laptop: Laptop) -> None:
    url = f"http://{HOST}:{laptop.port}/v1"
    headers = {"Authorization": f"Bearer {laptop.key}", "Content-Type": "application/json"}
    for path, body in (("sms", samples.sms("0006")), ("faxes", samples.fax("0006"))):
        content = json.dumps(body).encode()
        sent = call("POST", f"{url}/{path}", content, headers).json
        laptop.follow(sent["id"], "uncertain")

    logged = laptop.log.read_text()
    assert "worker_started" in logged
    assert "ASGI callable" not in logged
    assert "\x1b[" not in logged


def test_ctrl_c_ends_everything(laptop: Laptop) -> None:
    ports = laptop.ports()
    assert [listens(port) for port in ports] == [True] * 3

    began = time.monotonic()
    status = laptop.interrupt()

    assert status == 0, laptop.explain()
    assert time.monotonic() - began < 10
    assert laptop.processes() == []
    assert [listens(port) for port in ports] == [False] * 3
    assert "Traceback" not in laptop.log.read_text()
