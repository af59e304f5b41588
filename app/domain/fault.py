"""What every fault is made of, and a wrong field."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: where (RFC 6901), why, and how to mend it."""

    pointer: str
    code: str
    detail: str


class Fault(Exception):
    """The request cannot be done."""

    code = "fault"
    retry_after: int | None = None  # seconds

    def __init__(
        self,
        detail: str | None = None,
        errors: tuple[FieldError, ...] = (),
        *,
        provider: Mapping[str, str | None] | None = None,
        retry_after: int | None = None,
        message_id: str | None = None,
    ) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.errors = errors
        self.provider = provider  # its name, function, code and words, where it spoke
        self.retry_after = retry_after or type(self).retry_after
        self.message_id = message_id  # as clients see it, of a message that stands in the way
        super().__init__(self.code)
