"""Envelopes cut from zeep's own rendering: it is asked once for each form that a call can have.

The form of a call is everything about its values but their texts: which are there, how many, of
what kind. zeep renders a form once with marks instead of texts; what stands between the marks is
the template, and each text is put in its place as lxml writes texts. Whatever does not come back
from zeep as it was handed over has no template, and is rendered by zeep each time.
"""

import copy
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from zeep.xsd.valueobjects import CompoundValue

from app.providers.efidem.binding.bound import Bound
from app.providers.efidem.binding.leaves import CannotBind
from app.providers.pieces import Body, InBase64, Pieces

MOST_FORMS: Final = 500  # of a contract, that are kept
MOST_TEXTS: Final = 100  # of a form: a campaign's recipients are rendered each time
_PIECE: Final = 262_144  # characters that are looked at in one go: other threads get their turn
_LARGE: Final = 65_536  # bytes of a file that is put into base64 while it is written
_SAMPLE: Final = 3_001  # bytes of a file, by which a new form is learnt: it has an end too
_TEXT, _BYTES = "text", "bytes"  # what stands for them in a form
_MARK: Final = "mUlTiCaNaL{}zEeP"  # letters of both cases: a type that changes one is noticed
# XML 1.0, 2.2: what may stand in a text; and of that, what lxml writes as it is.
_FORBIDDEN: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_PLAIN: Final = re.compile("[^\t\n\x20-%'-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What zeep raises for a mark where its type wants something else.
NO_MARK: Final = (CannotBind, ValueError, ArithmeticError, AttributeError)

Arguments = Mapping[str, Any]
Text = str | bytes


class _NoForm(Exception):
    """A call whose values are more than texts."""


@dataclass(frozen=True, slots=True)
class Template:
    """What stands before each text, and after the last one; the places of texts as they come."""

    between: Sequence[bytes]
    order: Sequence[int]

    def filled(self, texts: Sequence[Text]) -> Body:
        """Return the envelope with some texts; raises ValueError for what XML cannot carry."""
        parts: list[bytes | InBase64] = []
        so_far = [self.between[0]]
        for place, literal in zip(self.order, self.between[1:], strict=True):
            text = texts[place]
            if isinstance(text, str):
                so_far += _pieces(text)
            elif len(text) <= _LARGE:
                so_far += InBase64(text)
            else:
                parts += b"".join(so_far), InBase64(text)
                so_far = []
            so_far.append(literal)
        last = b"".join(so_far)
        return Pieces([*parts, last]) if parts else last

    def filled_shortly(self, texts: Sequence[str]) -> bytes:
        """Return what `filled` returns with short texts, at half its price."""
        parts = [b""] * (2 * len(self.order) + 1)
        parts[::2] = self.between
        parts[1::2] = [_escaped(texts[place]) for place in self.order]
        return b"".join(parts)


class Templates:
    """Renders calls by templates, and where there is none by what it is handed."""

    def __init__(self, render: Callable[[Bound, Arguments], bytes]) -> None:
        self._render = render
        self._known: dict[Hashable, Template | None] = {}

    def render(self, bound: Bound, arguments: Arguments) -> Body:
        """Return the envelope of a call; raises as zeep's rendering does."""
        texts: list[Text] = []
        try:
            form = bound.function.name, bound.operation, _form(arguments, texts)
        except _NoForm:
            return self._render(bound, arguments)
        forms = self._known
        if form not in forms:
            if len(forms) >= MOST_FORMS:
                forms = self._known = {}  # another thread may look into those that were
            forms[form] = self._learnt(bound, arguments, texts)
        known = forms[form]
        return self._render(bound, arguments) if known is None else known.filled(texts)

    def _learnt(self, bound: Bound, arguments: Arguments, texts: Sequence[Text]) -> Template | None:
        """Return the template of a form; None where one would not say what zeep says.

        Raises as zeep's rendering does. It is tried with the beginnings of files: zeep takes long
        over a large one, and each is put into base64 alike.
        """
        some = [text if isinstance(text, str) else text[:_SAMPLE] for text in texts]
        rendered = self._render(bound, _marked(arguments, iter(some)))
        cut = self._cut(bound, arguments, texts)
        return cut if cut is not None and cut.filled(some) == rendered else None

    def _cut(self, bound: Bound, arguments: Arguments, texts: Sequence[Text]) -> Template | None:
        marks: list[Text] = [
            mark_of(place) if isinstance(text, str) else mark_of(place).encode()
            for place, text in enumerate(texts)
        ]
        try:
            return cut(self._render(bound, _marked(arguments, iter(marks))), marks)
        except NO_MARK:
            return None


def mark_of(place: int) -> str:
    """Return what stands for a text in a rendering that is cut."""
    return _MARK.format(place)


def cut(rendered: bytes, marks: Sequence[Text]) -> Template | None:
    """Return what stands around marks; None where one is not the text of one element."""
    places: dict[int, int] = {}  # where a mark stands -> whose it is
    for place, mark in enumerate(marks):
        written = _written(mark)
        if rendered.count(b">%b<" % written) != 1 or rendered.count(written) != 1:
            return None
        places[rendered.index(written)] = place
    between, after = [], 0
    for at, place in sorted(places.items()):
        between.append(rendered[after:at])
        after = at + len(_written(marks[place]))
    order = [place for _, place in sorted(places.items())]
    return Template([*between, rendered[after:]], order)


def _form(value: object, texts: list[Text]) -> Hashable:
    """Return what a value is but for its texts, which are added to those before it."""
    match value:
        case "" | b"" | None | bool():
            return (type(value), value)
        case str() | bytes():
            texts.append(value)
            if len(texts) > MOST_TEXTS:
                raise _NoForm
            return _TEXT if isinstance(value, str) else _BYTES
        case dict():
            return tuple([(key, _form(one, texts)) for key, one in value.items()])
        case list():
            return (list, *[_form(one, texts) for one in value])
        case CompoundValue():
            return type(value), _form(dict(value.__values__), texts)
        case _:
            raise _NoForm


def _marked(value: Any, marks: Iterator[Text]) -> Any:  # noqa: ANN401 -- zeep's values
    """Return a value with marks for its texts, in the order of `_form`."""
    match value:
        case "" | b"" | None | bool():
            return value
        case str() | bytes():
            return next(marks)
        case dict():
            return {key: _marked(one, marks) for key, one in value.items()}
        case list():
            return [_marked(one, marks) for one in value]
        case _:
            made = copy.deepcopy(value)  # bytes are not copied
            made.__values__ = _marked(dict(value.__values__), marks)
            return made


def _written(text: Text) -> bytes:
    """Return a text as lxml writes it, and bytes as zeep does: in base64."""
    return b"".join(InBase64(text) if isinstance(text, bytes) else _pieces(text))


def _pieces(text: str) -> Sequence[bytes]:
    """Return a text as lxml writes it, piece by piece."""
    if len(text) <= _PIECE:
        return (_escaped(text),)
    return [_escaped(text[at : at + _PIECE]) for at in range(0, len(text), _PIECE)]


def _escaped(text: str) -> bytes:
    if _NOT_PLAIN.search(text) is None:
        return text.encode()
    if _FORBIDDEN.search(text) is not None:
        message = "a character that XML cannot carry"
        raise ValueError(message)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;").encode()
