"""What was checked of a batch so far, within a bound of its size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from app.api import bodies
from app.api.batch_rows import Row, Together
from app.api.gather import Gathered
from app.api.sending import Batch, Drafted
from app.delivery.accept_many import Ahead
from app.delivery.arrival import Totals
from app.domain.errors import FieldError
from app.domain.message import File

# Each message keeps its whole content, so that defaults of 1 MB are 10 GB of ten thousand messages.
MOST_WRITTEN: Final = 64 * 1_048_576  # bytes of all contents, and of the files once each


@dataclass(slots=True)
class Draft:
    """What was checked so far."""

    batch: Batch
    defaults: Mapping[str, Any]
    unique_references: bool
    ahead: Ahead
    recipients: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)  # by SHA-256
    pointers: list[str] = field(default_factory=list)  # to references, where they must be unique
    size: int = 0  # characters of contents, and bytes of files once each
    totals: Totals = field(default_factory=Totals)
    together: Together = field(default_factory=Together)
    gathered: dict[str, tuple[list[File], Gathered]] = field(default_factory=dict)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The messages."""
        return self.ahead.rows

    def add(
        self, place: int, given: Sequence[Mapping[str, Any]], rows: Sequence[dict[str, Any]]
    ) -> None:
        """Take messages from a place on to the others; raises ValidationFailed if they are too large."""
        before = self.size
        self.rows.extend(rows)
        self.totals.add(rows)
        self.size += sum([len(row["content"]) for row in rows])
        if self.unique_references:
            at = FieldError("/reference", "", "")
            self.pointers += [
                Row(nth, one, self.defaults).located(at).pointer
                for nth, one in enumerate(given, place)
            ]
        if self.size > MOST_WRITTEN:
            self._refuse(place, before, rows)

    def _refuse(self, place: int, size: int, rows: Sequence[dict[str, Any]]) -> NoReturn:
        for row in rows:
            size += len(row["content"])
            if size > MOST_WRITTEN:
                break
            place += 1
        detail = (
            f"The contents and files have more than {MOST_WRITTEN:,} bytes, written out for"
            f" each message: after message {place}. Send smaller batches."
        )
        raise bodies.failed([FieldError("/messages", "too_large", detail)])

    def add_whole(self, row: Row, drafted: Drafted) -> None:
        """Take one message with all that it has besides its row."""
        self.recipients += drafted.recipients
        new = {name: one for name, one in drafted.files.items() if name not in self.files}
        self.files |= new
        self.size += sum(map(len, new.values()))
        self.add(row.place, [row.given], [drafted.row])
