"""Write a text message's text as its client wants it written, and bound its parts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from app.api.gather import Gathered
from app.api.schemas import LONGEST_TEXT, SmsIn
from app.domain.segments import Encoding, Outside, encoding_of, measure, outside
from app.domain.transliterate import transliterate

TEXT: Final = "/text"
_SHOWN: Final = 5  # places of a character in one sentence


def text_of(body: SmsIn, gathered: Gathered) -> str:
    """Return the text that is sent, and note what is wrong with it."""
    text = _WRITTEN[body.encoding](body.text, TEXT, gathered)
    if body.max_segments is not None:
        taken = measure(text)
        if taken.parts > body.max_segments:
            detail = (
                f"The text takes {taken.parts} parts ({taken.encoding}, {taken.units} units) and"
                f" max_segments is {body.max_segments}: shorten it, or allow more."
            )
            gathered.refuse(TEXT, "too_many_segments", detail)
    if not text.strip():
        gathered.refuse(TEXT, "too_short", "Nothing is left of the text in the GSM alphabet.")
    elif len(text) > LONGEST_TEXT:
        detail = f"In the GSM alphabet the text has {len(text)} characters: send {LONGEST_TEXT}."
        gathered.refuse(TEXT, "too_long", detail)
    return text


def variables_of(body: SmsIn, gathered: Gathered) -> tuple[str, ...]:
    """Return what the provider puts into the text, written like it."""
    if not body.variables:
        return ()
    write = _WRITTEN[body.encoding]
    return tuple(
        write(one, f"/variables/{place}", gathered) for place, one in enumerate(body.variables)
    )


def _as_it_is(text: str, _pointer: str, _gathered: Gathered) -> str:
    return text


def _strict(text: str, pointer: str, gathered: Gathered) -> str:
    if encoding_of(text) is Encoding.UCS2:
        remedy = "replace it, or send encoding transliterate or auto."
        _refuse(outside(text), pointer, remedy, gathered)
    return text


def _transliterated(text: str, pointer: str, gathered: Gathered) -> str:
    if encoding_of(text) is Encoding.GSM7:
        return text
    # A batch's messages share a text: it is written once.
    made = gathered.derived(lambda given: transliterate(given).text, text)
    if encoding_of(made) is Encoding.UCS2:
        remedy = "nothing stands for it; replace it, or send encoding auto."
        _refuse(transliterate(text).lost, pointer, remedy, gathered)
    else:
        gathered.warnings.append(f"transliterated:{pointer}")
    return made


def _refuse(found: Sequence[Outside], pointer: str, remedy: str, gathered: Gathered) -> None:
    """Name each character by its name alone: itself it may be invisible, or turn a line around."""
    for one in found:
        places = ", ".join(str(place) for place in one.places[:_SHOWN])
        more = len(one.places) - _SHOWN
        at = f"position {places}" + (f" and {more} more" if more > 0 else "")
        detail = f"The GSM alphabet lacks {one.name} at {at} (the first is 0): {remedy}"
        gathered.refuse(pointer, "not_gsm7", detail)


_WRITTEN: Final[Mapping[str, Callable[[str, str, Gathered], str]]] = {
    "auto": _as_it_is,
    "strict_gsm7": _strict,
    "transliterate": _transliterated,
}
