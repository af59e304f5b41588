"""What was checked of a batch so far, within a bound of its size."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from app.api import bodies
from app.api.batch_rows import Row, Together
from app.api.gather import Gathered
from app.api.sending import Batch, Drafted
from app.delivery.accept_many import Ahead
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
    size: int = 0  # bytes of contents and files
    together: Together = field(default_factory=Together)
    gathered: dict[str, tuple[list[File], Gathered]] = field(default_factory=dict)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The messages."""
        return self.ahead.rows

    def add(self, place: int, given: Mapping[str, Any], row: dict[str, Any]) -> None:
        """Take one message to the others; raises ValidationFailed where they are too large."""
        self.rows.append(row)
        self.size += len(row["content"])
        if self.unique_references:
            at = Row(place, given, self.defaults).located(FieldError("/reference", "", ""))
            self.pointers.append(at.pointer)
        if self.size > MOST_WRITTEN:
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
        self.add(row.place, row.given, drafted.row)
