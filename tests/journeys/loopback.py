"""Loopback: HTTP calls from outside, ports, and waiting with a limit."""

import http.client
import json
import random
import socket
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

HOST = "127.0.0.1"
PATIENCE = 60.0  # seconds: other tests run at the same time
MOST_KEPT = 300  # ports; whoever asked for the first of so many has ended
_KEPT: deque[socket.socket] = deque()


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]  # their names in lower case
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


def call(
    method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Answer:
    address = urlsplit(url)
    assert address.hostname is not None
    path = f"{address.path}?{address.query}" if address.query else address.path
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=PATIENCE)
    with closing(connection):
        connection.request(method, path, body, dict(headers or {}))
        response = connection.getresponse()
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, names, response.read())


def free_port() -> int:
    """Return a port that nothing outgoing is given by chance while its process is restarted.

    Nobody else is given it either: a socket that never listens keeps it, and lets a server have it.
    """
    while True:
        port = random.randint(15_000, 32_000)
        one = socket.socket()
        try:
            one.bind((HOST, port))
        except OSError:
            one.close()
            continue
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _KEPT.append(one)
        if len(_KEPT) > MOST_KEPT:
            _KEPT.popleft().close()
        return port


def wait_for(happened: Callable[[], bool], otherwise: Callable[[], str], seconds: float) -> None:
    """Return when something has happened; say what stands instead where it does not."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise())
        time.sleep(0.03)
