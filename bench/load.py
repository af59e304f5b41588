"""Offer requests and time the answers: `python -m bench.load`, a process of its own.

Closed loop: each of `--connections` sends its next request when it has its answer. Open loop
(`--rate`): requests are due at a steady rate whatever the service does, and a latency runs from the
moment when its request was due (so that a service that stalls cannot hide it).

Nothing here parses more of an answer than its status and length; one request costs this process
about 20 us, several times less than the fastest service that it is pointed at.
"""

import argparse
import asyncio
import json
import math
import sys
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any, Final

import uvloop

MARK: Final = b"@@@@@@@@@@@@"  # where a request's own number stands, in twelve digits
VALUES: Final = (b"@1@", b"@2@")  # where the values of a line of `--values` stand
PATIENCE: Final = 20.0  # seconds for the answers that are still due at the end
TICK: Final = 0.0005  # seconds between two looks at what is due


class Requests:
    """Makes requests from a template: with a number of their own, and with values in turn."""

    def __init__(self, template: bytes, first: int, lines: list[bytes]) -> None:
        made = [template]
        if lines:
            made = []
            for line in lines:
                one = template
                for mark, value in zip(VALUES, line.split(b"\t"), strict=False):
                    one = one.replace(mark, value)
                made.append(one)
        self._parts = [one.split(MARK) for one in made]
        self._next = first

    def make(self) -> bytes:
        """Return the next request; no two of a run, or of two runs, have one number."""
        self._next += 1
        return (b"%012d" % self._next).join(self._parts[self._next % len(self._parts)])


class Offer:
    """What was offered, and what came of it within the counted time."""

    def __init__(self, requests: Requests, most: int) -> None:
        self.requests = requests
        self.most = most
        self.counting = False
        self.sending = True
        self.answers: Counter[int] = Counter()  # while counting
        self.all: Counter[int] = Counter()
        self.latencies: list[float] = []  # seconds
        self.since = math.inf  # from when on requests count that were due
        self.sent = self.broken = 0
        self.idle: deque[Connection] = deque()
        self.due: deque[float] = deque()
        self.open = False  # loop

    def answered(self, status: int, due: float) -> None:
        """Count an answer."""
        self.all[status] += 1
        if self.counting:
            self.answers[status] += 1
        # In an open loop what was due in time counts, whenever it is answered.
        if due >= self.since if self.open else self.counting:
            self.latencies.append(time.perf_counter() - due)

    def next_of(self, connection: "Connection") -> None:
        """Give a connection that has its answer what to do next."""
        if not self.open:
            if self.sending and (not self.most or self.sent < self.most):
                connection.send(time.perf_counter())
        elif self.due:
            connection.send(self.due.popleft())
        else:
            self.idle.append(connection)


class Connection(asyncio.Protocol):
    """One kept connection, with at most one request under way."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer
        self._transport: Any = None
        self._had = b""
        self._due = 0.0
        self._busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._offer.next_of(self)

    def send(self, due: float) -> None:
        """Send the next request, that was due at a time."""
        self._due, self._busy = due, True
        self._offer.sent += 1
        self._transport.write(self._offer.requests.make())

    def data_received(self, data: bytes) -> None:
        data = self._had + data if self._had else data
        end = data.find(b"\r\n\r\n")
        if end < 0 or len(data) < end + 4 + _length(data[:end]):
            self._had = data
            return
        self._had, self._busy = b"", False
        self._offer.answered(int(data[9:12]), self._due)
        self._offer.next_of(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's name
        self._offer.broken += self._busy


def _length(head: bytes) -> int:
    at = head.lower().find(b"content-length:")
    if at < 0:
        return 0
    end = head.find(b"\r\n", at)
    return int(head[at + 15 : end if end >= 0 else None])


async def _clock(offer: Offer, rate: float, until: float) -> None:
    """Make requests due at a steady rate."""
    began, made = time.perf_counter(), 0
    while (now := time.perf_counter()) < until:
        while made < (now - began) * rate:
            due = began + made / rate
            made += 1
            if offer.idle:
                offer.idle.popleft().send(due)
            else:
                offer.due.append(due)
        # In a thread: the loop's own timers have no more than whole milliseconds.
        await asyncio.to_thread(time.sleep, TICK)


async def run(asked: argparse.Namespace) -> dict[str, Any]:
    """Offer what is asked for, and return what came of it."""
    lines = Path(asked.values).read_bytes().splitlines() if asked.values else []
    offer = Offer(Requests(Path(asked.template).read_bytes(), asked.first, lines), asked.most)
    offer.open = bool(asked.rate)
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(
            lambda: Connection(offer), "127.0.0.1", asked.port[place % len(asked.port)]
        )
        for place in range(asked.connections)
    ]
    began = time.perf_counter()
    until = began + asked.warm + asked.seconds
    clock = asyncio.create_task(_clock(offer, asked.rate, until)) if asked.rate else None
    await asyncio.sleep(asked.warm)
    offer.counting = True
    spent, counted = time.process_time(), time.perf_counter()
    offer.since = counted
    while (left := until - time.perf_counter()) > 0:
        if 0 < offer.most <= sum(offer.all.values()):
            break
        await asyncio.sleep(min(0.05, left))
    offer.counting = False
    seconds, busy = time.perf_counter() - counted, time.process_time() - spent
    offer.sending = False
    if clock is not None:
        await clock
    deadline = time.perf_counter() + PATIENCE
    while sum(offer.all.values()) < offer.sent + len(offer.due) and time.perf_counter() < deadline:
        await asyncio.sleep(0.01)
    for transport, _ in made:
        transport.close()
    found = sorted(offer.latencies)
    return {
        "answers": {str(status): count for status, count in offer.answers.items()},
        "all": {str(status): count for status, count in offer.all.items()},
        "seconds": seconds,
        "rate": sum(offer.answers.values()) / seconds,
        "p50": _quantile(found, 0.5),
        "p99": _quantile(found, 0.99),
        "unanswered": offer.sent + len(offer.due) - sum(offer.all.values()),
        "broken": offer.broken,
        "busy": busy / seconds,  # of one core: near 1, this process was the bottleneck
    }


def _quantile(found: list[float], share: float) -> float:
    return found[min(len(found) - 1, int(len(found) * share))] * 1000 if found else 0.0


def main() -> None:
    """Be the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True, action="append")
    parser.add_argument("--template", required=True, help="file with a whole HTTP/1.1 request")
    parser.add_argument("--values", help="file whose lines, in turn, hold a request's values")
    parser.add_argument("--first", type=int, default=0, help="number before the first request")
    parser.add_argument("--most", type=int, default=0, help="requests altogether; 0: no such end")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rate", type=float, default=0.0, help="requests a second; 0: closed loop")
    parser.add_argument("--warm", type=float, default=1.0, help="seconds that do not count")
    parser.add_argument("--seconds", type=float, default=5.0)
    sys.stdout.write(json.dumps(uvloop.run(run(parser.parse_args()))) + "\n")


if __name__ == "__main__":
    main()
