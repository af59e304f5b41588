"""What the simulator accepted: the truth that a gateway's store is compared with."""

import json
import os
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any
from uuid import uuid4

from app.providers.efidem.simulator.call import File

REMEMBERED = 100_000  # submissions; the file, if there is one, keeps every one


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The parts of an accepted call that are worth keeping; contents only as a hash."""

    function: str
    recipient: str  # e-mail address, cleaned number, or a letter's postcode
    reference: str | None  # REFCLIENT or Reference_client; SMS have none
    billing_code: str | None
    subject: str | None
    content_sha256: str
    files: tuple[File, ...]
    details: Mapping[str, str] = field(default_factory=dict)  # optional parameters that were given


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission(Accepted):
    """An accepted recipient with its number, its moment and the id that its call was given."""

    n: int
    at: float
    id: str


class Ledger:
    """Accepted submissions, in memory and, if there is a file, on disk before the answer leaves."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._submissions: deque[Submission] = deque()
        self._by_id: dict[str, list[Submission]] = {}
        self._billed: Counter[str] = Counter()
        if path is not None and path.exists():
            self._restore(path)

    def __iter__(self) -> Iterator[Submission]:
        return iter(self._submissions)

    def append(self, accepted: Sequence[Accepted], at: float) -> str:
        """Give the recipients of one call an id, a "GUID simplifié", and keep them."""
        message_id = uuid4().hex
        first = self._submissions[-1].n + 1 if self._submissions else 1
        submissions = [
            Submission(n=n, at=at, id=message_id, **_parts(one))
            for n, one in enumerate(accepted, first)
        ]
        if self._path is not None:
            lines = [json.dumps(_shown(one), ensure_ascii=False) for one in submissions]
            with self._path.open("a", encoding="utf-8") as file:
                file.write("".join(f"{line}\n" for line in lines))
                file.flush()
                os.fsync(file.fileno())
        for submission in submissions:
            self._keep(submission)
        return message_id

    def find(self, message_id: str) -> Sequence[Submission]:
        """Return the submissions that were given `message_id`, in the order of the call."""
        return self._by_id.get(message_id, ())

    def submitted(self, billing_code: str) -> int:
        """Count the submissions with `billing_code`."""
        return self._billed[billing_code]

    def shown(self) -> dict[str, list[dict[str, object]]]:
        """Return every submission, as GET /ledger shows them."""
        return {"submissions": [_shown(submission) for submission in self._submissions]}

    def _keep(self, submission: Submission) -> None:
        self._submissions.append(submission)
        self._by_id.setdefault(submission.id, []).append(submission)
        if submission.billing_code is not None:
            self._billed[submission.billing_code] += 1
        if len(self._submissions) > REMEMBERED:
            self._by_id.pop(self._submissions.popleft().id, None)

    def _restore(self, path: Path) -> None:
        written = path.read_bytes()
        whole = written[: written.rfind(b"\n") + 1]
        if whole != written:
            # A line cut short was never answered: it is dropped, or the next would continue it.
            os.truncate(path, len(whole))
        for line in whole.splitlines():
            parts = json.loads(line)
            parts["files"] = tuple(File(**file) for file in parts["files"])
            self._keep(Submission(**parts))


def _parts(accepted: Accepted) -> dict[str, Any]:
    return {one.name: getattr(accepted, one.name) for one in fields(Accepted)}


def _shown(submission: Submission) -> dict[str, object]:
    shown = asdict(submission)
    if not submission.details:
        del shown["details"]
    return shown
