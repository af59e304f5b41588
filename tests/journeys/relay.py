"""A relay before the fax simulator: byte for byte, and it lets a test look while a call is open."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

from tests.journeys.loopback import HOST


class Relay:
    """Passes each call on; remembers the document's address that it named."""

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.urls: list[str] = []
        self.urls_of: dict[str, list[str]] = {}  # by the number of the fax
        self.look: Callable[[str], None] | None = None  # called with the address, before the call
        self._target = target
        self._listening: socket.socket | None = None
        self._threads: list[threading.Thread] = []

    def open(self) -> None:
        """Take calls; without it they are refused, as if the provider were down."""
        self._listening = socket.create_server((HOST, self.port))
        self._begin(self._accept, self._listening)

    def close(self) -> None:
        if self._listening is not None:
            # Only a shutdown wakes the thread that waits for a call.
            self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None
        for thread in self._threads:
            thread.join(20)
        self._threads.clear()

    def _begin(self, work: Callable[[socket.socket], None], one: socket.socket) -> None:
        thread = threading.Thread(target=work, args=(one,), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                self._begin(self._pass_on, listening.accept()[0])

    def _pass_on(self, caller: socket.socket) -> None:
        with caller, suppress(OSError):
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                request += caller.recv(65_536)
            address = urlsplit(request.split(b" ", 2)[1].decode("ascii"))
            named = parse_qs(address.query)
            # A call that only looks whether the provider is there names no document.
            for url in named.get("url", ()):
                self.urls.append(url)
                self.urls_of.setdefault(named["fax"][0], []).append(url)
                if self.look is not None:
                    self.look(url)
            with socket.create_connection((HOST, self._target)) as provider:
                # The provider shall close after its answer, so that its end can be seen.
                provider.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
                while answered := provider.recv(65_536):
                    caller.sendall(answered)
