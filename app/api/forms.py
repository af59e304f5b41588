"""The answer to a plain message, written by putting what is its own into a form.

A form is cut from what `answers.message` says of such a message: nothing describes it twice.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final
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
# What messages say of their own; most have nothing of what is seldom.
_OWN: Final = ("reference", "recipient")
_SELDOM: Final[Mapping[str, object]] = {
    "billing_code": None, "tags": [], "metadata": {}, "warnings": [],
}  # fmt: skip
_TO_THE_MICROSECOND: Final = len('"1970-01-01T00:00:00.000001Z"')
_MARK: Final = re.compile(rf'("@(?P<name>\w+)@")|(?P<id>{shown(MESSAGE, _ID)})|"{moment(_AT)}"')


@dataclass(frozen=True, slots=True)
class Kind:
    """What many messages say alike."""

    channel: str
    mode: str
    provider: str
    purpose: str
    units: int | None
    encoding: str | None
    is_bare: bool  # without what is seldom


class Form:
    """What is answered to new messages of one kind."""

    def __init__(self, kind: Kind) -> None:
        marked = _OWN if kind.is_bare else (*_OWN, *_SELDOM)
        row = {
            **_SELDOM,
            **{name: f"@{name}@" for name in marked},
            "id": _ID,
            "channel": kind.channel,
            "mode": kind.mode,
            "provider": kind.provider,
            "purpose": kind.purpose,
            "units": kind.units,
            "encoding": kind.encoding,
            "created_at": _AT,
            "status": Status.QUEUED.value,
            "status_at": _AT,
            "status_source": "client",
            "attempts": 0,
        }
        order = ("id", "created_at", *marked)
        places: list[int] = []

        def mark(found: re.Match[str]) -> str:
            places.append(order.index(found["name"] or ("id" if found["id"] else "created_at")))
            return "%b"

        self._form = _MARK.sub(mark, written(message(row)).replace("%", "%%")).encode()
        self._own: Callable[[Sequence[bytes]], tuple[bytes, ...]] = itemgetter(*places)
        self._is_bare = kind.is_bare

    def filled(self, new: New, public: str) -> bytes:
        """Return what is answered to a message; `public` is its id as it is shown."""
        own = [
            public.encode(), _moment(new.created_at), to_json(new.reference), to_json(new.recipient),
        ]  # fmt: skip
        if not self._is_bare:
            own += [to_json(getattr(new, name)) for name in _SELDOM]
        return self._form % self._own(own)


@lru_cache(maxsize=16)  # those that are kept together have one time
def _moment(at: datetime) -> bytes:
    """Return a time as JSON, as `moment` has it, by the quickest writer of times."""
    written_at = to_json(at)
    if len(written_at) != _TO_THE_MICROSECOND:
        return f'"{moment(at)}"'.encode()
    return written_at[:-5] + b'Z"'


def answer(new: New, public: str) -> bytes:
    """Return what is answered to a new message; `public` is its id as it is shown."""
    is_bare = not (new.billing_code or new.tags or new.metadata or new.warnings)
    of = (new.channel, new.mode, new.provider, new.purpose, new.units, new.encoding, is_bare)
    return _form_of(*of).filled(new, public)


@lru_cache(maxsize=512)
def _form_of(*of: Any) -> Form:  # noqa: ANN401 -- as a kind has them
    return Form(Kind(*of))
