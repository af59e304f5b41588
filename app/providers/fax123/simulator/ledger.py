"""What the provider really did: the faxes it accepted, its acknowledgements, its downloads."""

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

REMEMBERED = 100_000  # of each kind; the file keeps every accepted fax


@dataclass(frozen=True, slots=True)
class Fax:
    """A fax that was accepted, with neither the document's URL nor the sender's account."""

    n: int  # counts the accepted faxes, from 1
    at: float
    ref: str  # as the sender gave it
    fax: str  # the number's digits
    pages: int
    bytes: int
    sha256: str
    url_path_prefix: str


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One try to acknowledge a fax."""

    at: float
    ref: str  # as acknowledged
    etat_e: str
    nb_page: str
    http_status: int | None  # None if nobody answered


@dataclass(frozen=True, slots=True)
class Download:
    """One try to download a document."""

    at: float
    status: int | None  # None if nobody answered, or not to the end
    bytes: int


class Ledger:
    """Remembers what was done; accepted faxes are in its file, if any, before they are answered."""

    def __init__(self, now: Callable[[], float], path: Path | None) -> None:
        self.now = now
        self.submissions: deque[Fax] = deque(maxlen=REMEMBERED)
        self.acknowledgements: deque[Acknowledgement] = deque(maxlen=REMEMBERED)
        self.downloads: deque[Download] = deque(maxlen=REMEMBERED)
        self._path = path
        self._unwritten: list[Fax] = []
        self._writing = asyncio.Lock()
        if path is not None and path.exists():
            self.submissions.extend(read_file(path))

    def next_n(self) -> int:
        """Return the number of the next fax; record it before anything is awaited."""
        return self.submissions[-1].n + 1 if self.submissions else 1

    def count(self, number: str) -> int:
        """Return how many faxes to a number are remembered."""
        return sum(fax.fax == number for fax in self.submissions)

    async def record(self, fax: Fax) -> None:
        """Remember an accepted fax, and return when the disk has it too."""
        self.submissions.append(fax)
        if self._path is None:
            return
        self._unwritten.append(fax)
        async with self._writing:
            # While one fsync runs the next faxes gather, and share theirs.
            faxes = tuple(self._unwritten)
            if faxes:
                await asyncio.to_thread(append, self._path, faxes)
                del self._unwritten[: len(faxes)]

    def as_json(self) -> dict[str, list[dict[str, object]]]:
        """Return everything remembered, as `GET /ledger` shows it."""
        return {
            "submissions": [asdict(row) for row in self.submissions],
            "acknowledgements": [asdict(row) for row in self.acknowledgements],
            "downloads": [asdict(row) for row in self.downloads],
        }


def append(path: Path, faxes: tuple[Fax, ...]) -> None:
    """Write one line a fax and wait for the disk."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(fax)) + "\n" for fax in faxes)
        file.flush()
        os.fsync(file.fileno())


def read_file(path: Path) -> list[Fax]:
    """Return the faxes of an earlier run, and remove a last line that was cut short."""
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if whole != content:
        # That fax was never answered; the next line must not be glued to what is left of it.
        os.truncate(path, len(whole))
    return [Fax(**json.loads(line)) for line in whole.splitlines()]
