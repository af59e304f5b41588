"""The answer to a plain message, written by putting what is its own into a form.

A form is cut from what `answers.message` says of such a message: nothing describes it twice.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Final
from uuid import UUID

from pydantic_core import to_json

from app.api.answers import message, written
from app.domain.identifiers import MESSAGE, shown
from app.domain.moments import moment
from app.domain.status import Status
from app.store.news import New

# A message that nobody has: where this stands in the form, each message has its own.
_ID: Final = UUID(int=0)
_AT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MARKED: Final = (
    "reference", "billing_code", "tags", "purpose", "metadata", "warnings", "recipient",
    "units", "encoding",
)  # fmt: skip
_TO_THE_MICROSECOND: Final = len('"1970-01-01T00:00:00.000001Z"')
_MARK: Final = re.compile(rf'("@(?P<name>\w+)@")|(?P<id>{shown(MESSAGE, _ID)})|"{moment(_AT)}"')


class Form:
    """What is answered to new messages of one channel and mode that one provider carries."""

    def __init__(self, channel: str, mode: str, provider: str) -> None:
        row = {
            **{name: f"@{name}@" for name in _MARKED},
            "id": _ID,
            "channel": channel,
            "mode": mode,
            "provider": provider,
            "created_at": _AT,
            "status": Status.QUEUED.value,
            "status_at": _AT,
            "status_source": "client",
            "attempts": 0,
        }
        names: list[str] = []

        def marked(found: re.Match[str]) -> str:
            names.append(found["name"] or ("id" if found["id"] else "created_at"))
            return "%b"

        self._form = _MARK.sub(marked, written(message(row)).replace("%", "%%")).encode()
        self._own: Callable[[Mapping[str, bytes]], tuple[bytes, ...]] = itemgetter(*names)

    def filled(self, new: New, public: str) -> bytes:
        """Return what is answered to a message; `public` is its id as it is shown."""
        own = {
            "id": public.encode(),
            "reference": to_json(new.reference),
            "billing_code": to_json(new.billing_code) if new.billing_code else b"null",
            "tags": to_json(new.tags) if new.tags else b"[]",
            "purpose": to_json(new.purpose),
            "metadata": to_json(new.metadata) if new.metadata else b"{}",
            "warnings": to_json(new.warnings) if new.warnings else b"[]",
            "created_at": _moment(new.created_at),
            "recipient": to_json(new.recipient),
            "units": to_json(new.units),
            "encoding": to_json(new.encoding),
        }
        return self._form % self._own(own)


def _moment(at: datetime) -> bytes:
    """Return a time as JSON, as `moment` has it, by the quickest writer of times."""
    written_at = to_json(at)
    if len(written_at) != _TO_THE_MICROSECOND:
        return f'"{moment(at)}"'.encode()
    return written_at[:-5] + b'Z"'


@lru_cache(maxsize=64)
def form_of(channel: str, mode: str, provider: str) -> Form:
    """Return the form of what is answered."""
    return Form(channel, mode, provider)
