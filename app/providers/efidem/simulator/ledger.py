"""What the simulator accepted: the truth that a gateway's store is compared with."""

import json
import os
from collections import Counter
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from uuid import uuid4

from app.providers.efidem.simulator.call import File


@dataclass(frozen=True, slots=True)
class Accepted:
    """The parts of an accepted call that are worth keeping; contents only as a hash."""

    function: str
    recipient: str  # e-mail address, cleaned number, or a letter's postcode
    reference: str | None  # REFCLIENT or Reference_client; ENVOYER_SMS has none
    billing_code: str | None
    subject: str | None
    content_sha256: str
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Submission(Accepted):
    """An accepted call with its number, its moment and the id that it was given."""

    n: int
    at: float
    id: str


class Ledger:
    """Accepted submissions, in memory and, if there is a file, on disk before the answer leaves."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._submissions: list[Submission] = []
        self._by_id: dict[str, Submission] = {}
        self._billed: Counter[str] = Counter()
        if path is not None and path.exists():
            self._restore(path)

    def append(self, accepted: Accepted, at: float) -> Submission:
        """Give `accepted` an id, a "GUID simplifié", and keep it."""
        parts = {field.name: getattr(accepted, field.name) for field in fields(Accepted)}
        submission = Submission(n=len(self._submissions) + 1, at=at, id=uuid4().hex, **parts)
        if self._path is not None:
            line = json.dumps(asdict(submission), ensure_ascii=False)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{line}\n")
                file.flush()
                os.fsync(file.fileno())
        self._keep(submission)
        return submission

    def find(self, message_id: str) -> Submission | None:
        """Return the submission that was given `message_id`."""
        return self._by_id.get(message_id)

    def submitted(self, billing_code: str) -> int:
        """Count the submissions with `billing_code`."""
        return self._billed[billing_code]

    def shown(self) -> dict[str, list[dict[str, object]]]:
        """Return every submission, as GET /ledger shows them."""
        return {"submissions": [asdict(submission) for submission in self._submissions]}

    def _keep(self, submission: Submission) -> None:
        self._submissions.append(submission)
        self._by_id[submission.id] = submission
        if submission.billing_code is not None:
            self._billed[submission.billing_code] += 1

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
