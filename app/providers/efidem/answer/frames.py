"""Answers that differ in their one value only: XML that was read once is not read again.

A service wraps every identifier and code in the same envelope. What stands before and after the
value is kept, once another value in its place was read as exactly that; then an answer that begins
and ends so, with an identifier or a code between, can say nothing else: neither holds markup.
"""

import re
from collections import deque
from collections.abc import Callable
from typing import Final

from app.providers.efidem.answer.kinds import CODE, IDENTIFIER, Code, Identifier, Read

MOST: Final = 16  # frames that are kept: a service has one for each of its functions
LARGEST: Final = 16_384  # bytes of a frame
# What nobody answers, in the place of an identifier or of a code.
_IDENTIFIER: Final = "0123456789abcdef0123456789abcdef"
_CODE: Final = "-90381"
_IDENTIFIERS: Final = re.compile(IDENTIFIER.pattern.encode())
_CODES: Final = re.compile(CODE.pattern.encode())

Parse = Callable[[bytes], Read]


class Frames:
    """Knows envelopes by what stands around their value."""

    def __init__(self, parse: Parse) -> None:
        """Keep how answers are read that are like none before."""
        self._parse = parse
        self._known: deque[tuple[bytes, bytes]] = deque(maxlen=MOST)

    def read(self, body: bytes) -> Read:
        """Return what an answer says, as `parse` does."""
        for before, after in self._known:
            if body.startswith(before) and body.endswith(after):
                value = _value(body, len(before), len(body) - len(after))
                if value is not None:
                    return value
        said = self._parse(body)
        if isinstance(said, Identifier | Code) and len(body) <= LARGEST:
            self._learn(body, said.text.encode())
        return said

    def _learn(self, body: bytes, value: bytes) -> None:
        before, _, after = body.partition(b">%b<" % value)
        if not after or body.count(value) != 1:
            return
        frame = before + b">", b"<" + after
        others = (Identifier(_IDENTIFIER), Code(_CODE))
        if frame not in self._known and all(
            self._parse(one.text.encode().join(frame)) == one for one in others
        ):
            self._known.append(frame)


def _value(body: bytes, start: int, end: int) -> Identifier | Code | None:
    if (found := _IDENTIFIERS.fullmatch(body, start, end)) is not None:
        return Identifier(found[0].decode("ascii"))
    found = _CODES.fullmatch(body, start, end)
    return Code(found[0].decode("ascii")) if found is not None else None
