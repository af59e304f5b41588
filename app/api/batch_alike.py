"""Messages of a batch that are like an earlier one but for what is their recipient's alone.

The earlier one went the whole way, and every check that it passed holds for what they share. What
they have of their own is checked by the fields of the same model, and put into a copy of its row.
Whatever is not plainly so, and whatever is wrong, goes the whole way itself.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Annotated, Any, Final, Protocol

from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from app.api.batch_rows import Row
from app.api.edge import Edge
from app.api.schemas import Common, EmailIn, SmsIn
from app.api.sending import Drafted
from app.domain.identity import of_address
from app.domain.message import Content, Email, Sms, masked_address, masked_number
from app.domain.segments import measure
from app.store.contents import Alike

MOST: Final = 32  # messages that are made together: what follows them waits so long
_MOST_KNOWN: Final = 8  # messages that others may be like
# What a message may have of its own.
_OWN: Final[Mapping[type[Common], tuple[str, ...]]] = {
    SmsIn: ("to", "text", "reference", "tags", "metadata"),
    EmailIn: ("to", "reference", "tags", "metadata"),
}


class _Changing(Protocol):
    def __call__(self, own: dict[str, Any], row: dict[str, Any]) -> bool:
        """Put what a message has of its own into a copy of the row; False where it is not alike."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A message that went the whole way."""

    names: tuple[str, ...]  # of what it says itself
    own: tuple[str, ...]  # of what others may say otherwise
    shared_of: Callable[[Mapping[str, Any]], Any]  # what others must say with the same words
    shared: Any
    row: dict[str, Any]
    change: _Changing

    def is_like(self, given: Mapping[str, Any]) -> bool:
        """Say whether another message differs in what may be its own alone."""
        return tuple(given) == self.names and self.shared_of(given) == self.shared


def _has_numbers(value: object) -> bool:
    match value:
        case dict():
            return any(map(_has_numbers, value.values()))
        case list() | tuple():
            return any(map(_has_numbers, value))
        case _:
            return isinstance(value, int | float)


class Alikes:
    """Makes the rows of messages that are like one of the batch's earlier ones."""

    def __init__(self, edge: Edge, model: type[Common], defaults: Mapping[str, Any]) -> None:
        self._edge = edge
        self._model = model
        self._names = _OWN[model]
        self._defaults = {name: defaults[name] for name in self._names if name in defaults}
        self._known: list[_Known] = []
        self._most = MOST

    def learn(self, row: Row, body: Common, drafted: Drafted) -> None:
        """Take a message that went the whole way as one that others may be like."""
        change = _changing(self._edge, body, drafted) if drafted.alike else None
        names = [name for name in row.given if name not in self._names]
        shared_of = itemgetter(*names) if names else _nothing
        shared = shared_of(row.given)
        # 1 equals true, and 1.0; a text equals nothing but itself.
        if change is None or _has_numbers(shared):
            return
        own = tuple(one for one in self._names if one in row.merged)
        known = _Known(tuple(row.given), own, shared_of, shared, drafted.row, change)
        self._known = [known, *self._known[: _MOST_KNOWN - 1]]

    def rows(self, messages: Sequence[Mapping[str, Any]], place: int) -> list[dict[str, Any]]:
        """Return the rows of what stands from a place on, as far as it is alike and right."""
        if place >= len(messages):
            return []
        known = next((one for one in self._known if one.is_like(messages[place])), None)
        if known is None:
            return []
        given = [messages[place]]
        for one in messages[place + 1 : place + self._most]:
            if not known.is_like(one):
                break
            given.append(one)
        owns = self._checked(known, given)
        # Whatever is wrong will be said on the whole way; the next ones may be wrong too.
        self._most = MOST if len(owns) == len(given) else 1
        return self._made(known, owns)

    def _checked(self, known: _Known, given: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return what messages have of their own, as far as it is right."""
        read = _reader(self._model, known.own).validate_python
        merged = [{**self._defaults, **one} for one in given] if self._defaults else given
        try:
            return read(merged)
        except ValidationError as fault:
            right = int(min(one["loc"][0] for one in fault.errors(include_input=False)))
            return read(merged[:right])

    def _made(self, known: _Known, owns: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        made = []
        for own in owns:
            row = known.row.copy()
            if not known.change(own, row):
                break
            made.append(row)
        identifiers = self._edge.gateway.ids.many(len(made)) if made else []
        for row, identifier in zip(made, identifiers, strict=True):
            row["id"] = identifier
        return made


def _nothing(given: object) -> None:
    _ = given


@lru_cache
def _reader(model: type[Common], names: tuple[str, ...]) -> TypeAdapter[list[dict[str, Any]]]:
    """Return what reads some fields of each message, as the model reads them."""
    fields = {name: model.model_fields[name] for name in names}
    annotations = {
        name: Annotated[one.annotation, *one.metadata] if one.metadata else one.annotation
        for name, one in fields.items()
    }
    typed: Any = TypedDict  # whose fields are known at run time only
    own: Any = typed(f"{model.__name__}Own", annotations)
    return TypeAdapter(list[own], config=ConfigDict(strict=True))


def _changing(edge: Edge, body: Common, drafted: Drafted) -> _Changing | None:
    """Return what makes the columns that differ, None where a content's others are never alike."""
    content: Content = drafted.content
    match body, content:
        case SmsIn(), Sms():
            return _Texts(edge, body, drafted)
        case EmailIn(), Email(relay=False):
            return _Emails(edge, content, drafted)
        case _:
            return None


class _Texts:
    def __init__(self, edge: Edge, body: SmsIn, drafted: Drafted) -> None:
        self._digest = edge.recognise
        self._written = Alike(drafted.row["content"], ("to", "text")).written
        self._given = body.text
        # Otherwise another text may have to be refused or written differently.
        self._takes_texts = body.encoding == "auto" and body.max_segments is None
        assert isinstance(drafted.content, Sms)
        self._text = drafted.content.text
        self._units, self._encoding = drafted.row["units"], drafted.row["encoding"]

    def __call__(self, own: dict[str, Any], row: dict[str, Any]) -> bool:
        to, text = own.pop("to"), own.pop("text")
        if text != self._given:
            if not self._takes_texts:
                return False
            measured = measure(text)
            self._given = self._text = text
            self._units, self._encoding = measured.parts, measured.encoding.value
        content = self._written(to, self._text)
        row |= own
        row["units"], row["encoding"] = self._units, self._encoding
        row["content"], row["size"] = content.decode(), len(content)
        row["recipient"] = masked_number(to)
        row["recipient_digest"] = self._digest(of_address(to))
        return True


class _Emails:
    def __init__(self, edge: Edge, content: Email, drafted: Drafted) -> None:
        self._digest = edge.recognise
        self._written = Alike(drafted.row["content"], ("to_address", "to_name")).written
        self._is_named = content.to_name is not None
        self._files = sum(file.size for file in content.files)

    def __call__(self, own: dict[str, Any], row: dict[str, Any]) -> bool:
        to = own.pop("to")
        address, name = to[0].address, to[0].name
        # Several take the relay; and a provider may have no place for a name.
        if len(to) > 1 or (name is not None) != self._is_named:
            return False
        content = self._written(address, name)
        row |= own
        row["content"], row["size"] = content.decode(), len(content) + self._files
        row["recipient"] = masked_address(address)
        row["recipient_digest"] = self._digest(of_address(address))
        return True
