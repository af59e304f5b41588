"""A relay on a wire of the system, that can cut it and call somebody at exactly one place."""

import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from tests.journeys.loopback import HOST

SENDING = (b"ENVOYER", b"/http.php?")  # what stands in the beginning of a call that sends
WINDOW = 4096  # bytes that the kernel may take in before we read them


class Place(Enum):
    """How far a call has come when it is cut."""

    PART = auto()  # a part of the request was read, and passed on
    WHOLE = auto()  # all of it was read, nothing was passed on
    PROCESSED = auto()  # all of it was passed on, the answer was read, and is dropped


@dataclass(frozen=True, slots=True)
class Trap:
    """Cuts one call at a place; is told the port of whoever calls."""

    place: Place
    caught: Callable[[int], None]


class Listening(ABC):
    """Takes connections on a port, each in a thread of its own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._listening: socket.socket | None = None

    def open(self) -> None:
        self._listening = socket.create_server((HOST, self.port), backlog=512)
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def close(self) -> None:
        if self._listening is not None:
            with suppress(OSError):
                # Only a shutdown wakes the thread that waits for a call.
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
            self._listening = None

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                caller, (_, port) = listening.accept()
                threading.Thread(target=self._guarded, args=(caller, port), daemon=True).start()

    def _guarded(self, caller: socket.socket, port: int) -> None:
        with caller, suppress(OSError):
            self.serve(caller, port)

    @abstractmethod
    def serve(self, caller: socket.socket, port: int) -> None:
        """Serve one connection to its end."""


class HttpTap(Listening):
    """Passes calls on to a provider."""

    def __init__(self, port: int, target: int) -> None:
        super().__init__(port)
        self._target = target
        self._lock = threading.Lock()
        self._trap: Trap | None = None

    def set(self, trap: Trap | None) -> None:
        """Have the next call cut; it is then as if no trap had been set."""
        with self._lock:
            self._trap = trap

    def serve(self, caller: socket.socket, port: int) -> None:
        # One call after another: a connection may be kept for the next one.
        while (read := caller.recv(WINDOW)) and self._pass_on(caller, port, read):
            pass

    def _pass_on(self, caller: socket.socket, port: int, read: bytes) -> bool:
        """Pass one call on, and its answer back; say whether the connection is still good."""
        trap = None
        # A status that is asked for is no business of a trap.
        if any(one in read for one in SENDING):
            with self._lock:
                trap, self._trap = self._trap, None
        with socket.create_connection((HOST, self._target)) as provider:
            if trap is not None and trap.place is Place.PART:
                trap.caught(port)
                provider.sendall(read[: len(read) // 2])
                return False
            request = self._whole(caller, read)
            if trap is not None and trap.place is Place.WHOLE:
                trap.caught(port)
                return False
            provider.sendall(request)
            answer = self._answer(provider)
            if trap is not None:
                trap.caught(port)
                return False
        caller.sendall(answer)
        return bool(answer) and b"\r\nconnection: close\r\n" not in answer.lower()

    def _answer(self, provider: socket.socket) -> bytes:
        """Read an answer to its end, which may be that of the connection."""
        read = b""
        with suppress(ConnectionError):
            while b"\r\n\r\n" not in read:
                read += _more(provider)
            head, _, body = read.partition(b"\r\n\r\n")
            lengths = [
                int(line.partition(b":")[2])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            ]
            while not lengths or len(body) < lengths[0]:
                more = _more(provider)
                read, body = read + more, body + more
        return read

    def _whole(self, caller: socket.socket, read: bytes) -> bytes:
        while b"\r\n\r\n" not in read:
            read += _more(caller)
        head, _, body = read.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        parts, missing = [read], length - len(body)
        while missing > 0:
            parts.append(_more(caller))
            missing -= len(parts[-1])
        return b"".join(parts)


def _more(caller: socket.socket) -> bytes:
    more = caller.recv(65_536)
    if not more:
        raise ConnectionError
    return more


class CommitTap(Listening):
    """Passes a store's connections on, and can cut one between a commit and its answer."""

    def __init__(self, port: int, target: int) -> None:
        super().__init__(port)
        self._target = target
        self._armed = threading.Event()
        self.cut = 0  # how many commits were cut off from their answer

    def arm(self) -> None:
        self._armed.set()

    def serve(self, caller: socket.socket, port: int) -> None:
        try:
            store = socket.create_connection((HOST, self._target))
        except OSError:
            return
        doomed = threading.Event()
        with store:
            back = threading.Thread(target=self._answers, args=(store, caller, doomed), daemon=True)
            back.start()
            with suppress(OSError):
                while said := caller.recv(65_536):
                    if b"COMMIT" in said and self._armed.is_set():
                        self._armed.clear()
                        doomed.set()
                    store.sendall(said)
            with suppress(OSError):
                store.shutdown(socket.SHUT_WR)
            back.join(20)

    def _answers(
        self, store: socket.socket, caller: socket.socket, doomed: threading.Event
    ) -> None:
        with suppress(OSError):
            while answered := store.recv(65_536):
                if doomed.is_set():
                    # The commit stands, and whoever asked for it will never know from this answer.
                    self.cut += 1
                    break
                caller.sendall(answered)
        for one in (caller, store):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def owner_of(port: int, pids: dict[str, int]) -> str | None:
    """Return the name of the process that holds the connection from a local port."""
    wanted = f":{port:04X}"
    inodes = {
        fields[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if (fields := line.split())[1].endswith(wanted)
    }
    for name, pid in pids.items():
        with suppress(OSError):
            for one in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    target = str(one.readlink())
                    if target.startswith("socket:[") and target[8:-1] in inodes:
                        return name
    return None
