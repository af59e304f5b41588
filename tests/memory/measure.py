"""Send many e-mails with attachments through real processes, and watch what these keep in memory."""

import itertools
import os
import threading
import time
from base64 import b64encode
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression, median

from tests.journeys.loopback import wait_for
from tests.journeys.system import System

PARTS = ("api", "worker")
# As in production: a pace of tests would ask for every status at once.
SETTINGS = {
    "MULTICANAL_LOG_LEVEL": "INFO",
    "MULTICANAL_PACE": "1.0",
    # What waits may be many gigabytes: they are taken in faster than the simulator reads them.
    "MULTICANAL_QUEUE_BYTES": str(10**12),
    "MULTICANAL_DISK_RESERVE": "0",
}
SENDERS = 8
EVERY = 0.1  # seconds between two looks
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Sample:
    """What the processes keep in memory after so many messages."""

    sent: int
    resident: dict[str, int]  # bytes, by part


@dataclass(frozen=True, slots=True)
class Grown:
    """How one process's memory went."""

    part: str
    settled: float  # MiB: the median of the second quarter
    last: float  # MiB: of the last quarter
    highest: float  # MiB
    slope: float  # KiB a message, over the second half

    def __str__(self) -> str:
        return (
            f"{self.part}: {self.settled:.1f} MiB in the second quarter, {self.last:.1f} in the"
            f" last, {self.highest:.1f} at most; {self.slope * 1024:+.0f} bytes a message"
        )


def run(system: System, *, messages: int, size: int) -> tuple[list[Sample], float]:
    """Send messages with a file of their own each; return what was seen, and the seconds taken."""
    numbers = itertools.count()
    done = itertools.count()
    sent = [0]
    ends = threading.Event()
    samples: list[Sample] = []

    def watch() -> None:
        while not ends.wait(EVERY):
            samples.append(Sample(sent[0], {part: resident(system, part) for part in PARTS}))

    def send(_: int) -> None:
        number = next(numbers)
        file = {"filename": "a.bin", "content_base64": b64encode(os.urandom(size)).decode()}
        body = {
            "from": {"address": "service@example.com"},
            "to": [{"address": f"delivered@m{number}.test"}],
            "subject": "Votre dossier",
            "text": "Bonjour",
            "attachments": [file],
        }
        system.send("emails", body)
        sent[0] = next(done) + 1

    watching = threading.Thread(target=watch)
    began = time.monotonic()
    watching.start()
    try:
        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(send, range(messages)))

        def all_arrived() -> bool:
            time.sleep(1)  # a ledger of ten thousand lines is no small thing to ask for
            return len(system.ledger("efidem")) == messages

        wait_for(all_arrived, system.tails, 120 + messages / 10)
    finally:
        ends.set()
        watching.join()
    return samples, time.monotonic() - began


def resident(system: System, part: str) -> int:
    """Return the bytes of a part that are in memory."""
    status = Path(f"/proc/{system.pid(part)}/status").read_text()
    (line,) = (one for one in status.splitlines() if one.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024


def curve(samples: Sequence[Sample], part: str) -> list[float]:
    """Return what a part held, in MiB, when each tenth of the messages was sent."""
    most = samples[-1].sent
    tenths = (next(one for one in samples if one.sent >= most * at // 10) for at in range(1, 11))
    return [round(one.resident[part] / MIB, 1) for one in tenths]


def grown(samples: Sequence[Sample], part: str) -> Grown:
    """Return how a part's memory went while messages came in."""
    most = samples[-1].sent
    coming = [one for one in samples if one.sent < most] or list(samples)

    def between(low: float, high: float) -> list[float]:
        few = [one for one in coming if low * most <= one.sent <= high * most]
        return [one.resident[part] / MIB for one in few]

    half = [one for one in coming if one.sent >= most / 2]
    slope = linear_regression(
        [one.sent for one in half], [one.resident[part] / 1024 for one in half]
    ).slope
    return Grown(
        part=part,
        settled=median(between(0.25, 0.5)),
        last=median(between(0.75, 1.0)),
        highest=max(one.resident[part] for one in samples) / MIB,
        slope=slope,
    )
