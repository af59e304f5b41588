"""The messages of a batch as they came: each over the batch's defaults, each wrong field in place."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import ValidationError

from app.api import bodies, contents
from app.api.schemas import Common
from app.api.sending import Body, Sending
from app.api.wrong_fields import field_error
from app.domain.errors import FieldError, ValidationFailed
from app.domain.message import Content, Email, Sms

# What may differ between messages that leave in one call, and is no part of their content.
OWN: Final = frozenset({"reference", "tags", "metadata", "to", "variables"})


_NOT_TOGETHER: Final = "not_in_provider_multi"
_DIFFERS: Final = (
    "Messages that leave in one call differ in recipient, variables, reference, tags and metadata"
    " only: use mode individual, or give this in defaults."
)
_RELAY: Final = "The relay sends one message to several recipients: use mode individual."


class Errors:
    """What is wrong with a batch, each error once: one in `defaults` is wrong in every message."""

    def __init__(self) -> None:
        self._found: dict[FieldError, None] = {}
        self._in_defaults = False

    def __bool__(self) -> bool:
        return bool(self._found)

    @property
    def are_enough(self) -> bool:
        """Whether it need not be looked at further: what is in `defaults` is wrong in all others."""
        return len(self._found) == bodies.MOST_FOUND or self._in_defaults

    def note(self, errors: Iterable[FieldError | None]) -> None:
        """Keep errors."""
        for one in errors:
            if one is not None and len(self._found) < bodies.MOST_FOUND:
                self._found[one] = None
                self._in_defaults |= one.pointer.startswith("/defaults")

    def fault(self, last: int | None) -> ValidationFailed:
        """Return them as a fault; `last` is the message after which none was looked at."""
        found = bodies.failed(list(self._found), bodies.MANY_ERRORS)
        if last is None:
            return found
        return ValidationFailed(
            f"{found.detail} What follows message {last} was not looked at.", found.errors
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One message of a batch as it came, and where each of its fields stands in the request."""

    place: int
    given: Mapping[str, Any]
    defaults: Mapping[str, Any]

    @property
    def merged(self) -> dict[str, Any]:
        """The whole message."""
        return {**self.defaults, **self.given}

    def has_own(self, name: str) -> bool:
        """Say whether the message says itself what a field is."""
        return name in self.given or name not in self.defaults

    def located(self, error: FieldError) -> FieldError:
        """Return an error with its pointer into the request."""
        written = error.pointer.split("/")[1] if error.pointer else ""
        name = written.replace("~1", "/").replace("~0", "~")
        above = f"/messages/{self.place}" if self.has_own(name) else "/defaults"
        return replace(error, pointer=above + error.pointer)


def validated(sending: Sending[Body], row: Row, errors: Errors) -> Body | None:
    """Return a message that is well formed, or note what is wrong with it."""
    try:
        return sending.model.model_validate(row.merged)
    except ValidationError as fault:
        # Never the input: it would echo recipients and contents.
        wrong = fault.errors(include_url=False, include_input=False, include_context=True)
        errors.note(row.located(field_error(one)) for one in wrong)
        return None


class Together:
    """Compares the messages of one call with the first of them."""

    def __init__(self) -> None:
        self._first: tuple[Row, dict[str, Any], Content] | None = None

    def check(self, row: Row, body: Common, content: Content) -> FieldError | None:
        """Return what keeps a message from leaving in one call with the others."""
        own, alike = body.model_dump(exclude=set(OWN)), shared(content)
        if self._first is None:
            self._first = row, own, alike
            return None
        first, others, theirs = self._first
        names = [name for name, value in own.items() if value != others[name]]
        if not names and alike == theirs:
            return None
        name = (names or [""])[0].rstrip("_")
        # Where this message has what all have by default, the first one is the odd one.
        odd = row if row.has_own(name) or not first.has_own(name) else first
        return odd.located(FieldError(f"/{name}" if name else "", _NOT_TOGETHER, _DIFFERS))


def by_relay(row: Row, body: Common) -> FieldError | None:
    """Return what is wrong with a message of one call that only the relay carries."""
    # No WSDL can be asked how it sends many by it.
    if not contents.takes_relay(body):
        return None
    return row.located(FieldError("/route", _NOT_TOGETHER, _RELAY))


def shared(content: Content) -> Content:
    """Return a content without what its recipient alone has."""
    match content:
        case Email():
            return replace(content, to_address="", to_name=None, variables=())
        case Sms():
            return replace(content, to="", variables=())
        case _:
            return content
