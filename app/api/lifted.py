"""Files in base 64, taken out of a body; out of a long one before the rest of it is read as JSON.

In their megabytes is nothing that a reader of JSON, a look for characters that cannot be sent, or a
canonical spelling would find: they are found by their name and decoded, and a mark takes their
place. Whatever is not as usual (an escape in a file, a file where none belongs, a body that is
wrong) is left to the general way, so that it gets the answer that it always got.

Both ways take out the same files of the same JSON, however it is written: every long text that is
base 64, where a file belongs. So a fingerprint can have their digests in place of them.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import Request

from app.api import bodies
from app.api.base64s import Decoded, decoded
from app.domain.errors import Fault

STAND_IN: Final = "AAAA"  # in place of a file, for who looks at the shape of a request
FEW: Final = 50  # files that are looked for there
# Characters of a file that is read as any other text. Fingerprints depend on it: who changes it has
# a repeat of what came before answered as another request.
SHORT: Final = 4_096
_FIELD: Final = "content_base64"
_NAME: Final = f'"{_FIELD}"'.encode()
_BEGIN: Final = re.compile(rb'[ \t\r\n]*:[ \t\r\n]*"')
# A character that no request may hold; a body that names it is read the general way.
_MARK: Final = "\0"
_ESCAPED: Final = rb"\u0000"
_LISTS: Final = ("attachments", "documents")
_ALONE: Final = "document"
_NOWHERE: Final = -1  # the place of a text that was left for an escape, in it or in its name


@dataclass(frozen=True, slots=True)
class Body:
    """A request's JSON, and the files that were taken out of it."""

    value: Any  # a stand-in is in place of each of the files
    files: Mapping[str, Decoded] = field(default_factory=dict)  # by their pointers

    @property
    def signed(self) -> Any:  # noqa: ANN401 -- any JSON
        """What tells this body from others: with its files' digests in place of them."""
        if not self.files:
            return self.value

        def signed(pointer: str, _: str) -> str | None:
            return _MARK + self.files[pointer].sha256 if pointer in self.files else None

        return _replaced(self.value, signed)


async def read(request: Request, limit: int, turns: asyncio.Lock) -> Body:
    """Return a body; long ones are looked at one after the other, the longest in a thread.

    Several threads would keep the event loop waiting for the interpreter's lock in turn.
    """
    content = await bodies.read_json_bytes(request, limit)
    if len(content) < bodies.LONG:
        return usual(content)
    async with turns:
        if len(content) <= bodies.AT_ONCE:
            await asyncio.sleep(0)  # others, between one body and the next
            found = _without_files(content, longest=bodies.LONG, most=FEW)
            if found is not None:
                return found
        return await asyncio.to_thread(body_of, content)


def body_of(content: bytes) -> Body:
    """Return what a long body holds; raises what `bodies.parse` raises."""
    size = len(content)
    return _without_files(content, longest=size, most=size) or usual(content)


def usual(content: bytes) -> Body:
    """Return what a body holds that is read as a whole; raises what `bodies.parse` raises."""
    value = bodies.parse(content)
    files: dict[str, Decoded] = {}

    def without(pointer: str, text: str) -> str | None:
        found = decoded(text.encode()) if len(text) > SHORT and text.isascii() else None
        if found is None:
            return None
        files[pointer] = found
        return STAND_IN

    return Body(_replaced(value, without), files)


def _without_files(content: bytes, *, longest: int, most: int) -> Body | None:
    """Return a body whose files were found, `most` of them; the rest has `longest` bytes at most.

    None where the general way has to look at it.
    """
    rest, texts = _cut(content, most)
    if not texts or len(rest) > longest:
        return None
    try:
        value, places = _without_marks(bodies.loaded(rest))
        writable = bodies.writable(value)
    except Fault:  # it may be about a place in the body, which is another one here
        return None
    if sorted(places.values()) != [*range(len(texts))]:
        return None
    files = {}
    for pointer, place in places.items():
        one = decoded(texts[place])
        if one is None:
            return None
        files[pointer] = one
    return Body(writable, files)


def _cut(content: bytes, most: int) -> tuple[bytes, list[memoryview]]:
    """Return a body with marks for its long files, and their texts.

    No text where it has an escape, or the name of a file more than `most` times.

    A name in quotes is a field's, or no JSON: in a text, a quote is escaped.
    """
    whole, kept, at = memoryview(content), 0, 0
    rest: list[bytes] = []
    texts: list[memoryview] = []
    while (at := content.find(_NAME, at)) >= 0:
        most -= 1
        if most < 0:
            return content, []
        at += len(_NAME)
        found = _BEGIN.match(content, at)
        end = content.find(b'"', found.end()) if found is not None else -1
        if found is None or end < 0:
            continue
        begin = found.end()
        if end - begin > SHORT and content.find(b"\\", begin, end) < 0:
            rest += [content[kept:begin], b"%b%d" % (_ESCAPED, len(texts))]
            texts.append(whole[begin:end])
            kept = end
        at = end
    rest.append(content[kept:])
    if any(_ESCAPED in piece for piece in rest[::2]):
        return content, []
    return b"".join(rest), texts


def _without_marks(marked: Any) -> tuple[Any, dict[str, int]]:  # noqa: ANN401 -- any JSON
    """Return a value with stand-ins for the marks where files belong; and which file is where.

    A long text that is none of the marks is at no place.
    """
    places: dict[str, int] = {}

    def without(pointer: str, text: str) -> str | None:
        if not text.startswith(_MARK):
            if len(text) > SHORT:
                places[pointer] = _NOWHERE
            return None
        places[pointer] = int(text[1:])
        return STAND_IN

    return _replaced(marked, without), places


def _replaced(
    value: Any,  # noqa: ANN401 -- any JSON
    other: Callable[[str, str], str | None],
) -> Any:  # noqa: ANN401
    """Return a value with other texts for files, where by their pointers and texts there are any."""
    if not isinstance(value, dict):
        return value

    def with_other(file: Any, pointer: str) -> Any:  # noqa: ANN401 -- any JSON
        text = file.get(_FIELD) if isinstance(file, dict) else None
        found = other(pointer, text) if isinstance(text, str) else None
        return file if found is None else {**file, _FIELD: found}

    made = dict(value)
    for name in _LISTS:
        if isinstance(made.get(name), list):
            made[name] = [
                with_other(one, f"/{name}/{place}") for place, one in enumerate(made[name])
            ]
    if _ALONE in made:
        made[_ALONE] = with_other(made[_ALONE], f"/{_ALONE}")
    return made
