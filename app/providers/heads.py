"""Answers that begin alike: a head that was read once is not read again.

What the headers of an answer say follows from their bytes alone. Those after which a body of so
many bytes came, and nothing else to know, are kept: an answer that begins with the same bytes and
is that long says the same.
"""

from typing import Final

from app.providers.exchange import Answered
from app.providers.reading import Reading

MOST: Final = 64  # heads that are kept: a server's hold the second, and the length of the body
LARGEST: Final = 4_096  # bytes of one
_OK: Final = 200
_END: Final = b"\r\n\r\n"


class Heads:
    """Knows the heads of answers of one provider."""

    def __init__(self) -> None:
        self._known: dict[bytes, int] = {}  # head -> bytes of the body

    def answer(self, data: bytes, largest: int) -> Answered | None:
        """Return a whole answer of at most so many bytes whose head is known, or None."""
        end = data.find(_END) + len(_END)
        length = self._known.get(data[:end])
        if length is None or length > largest or len(data) != end + length:
            return None
        return Answered(_OK, data[end:])

    def learn(self, data: bytes, reading: Reading) -> None:
        """Take an answer that was read, and came as one piece."""
        end = data.find(_END) + len(_END)
        if end > LARGEST or not reading.is_plain or reading.status != _OK:
            return
        # As long as what was read: nothing stood between, and the end was told by the head.
        if reading.body == data[end:] != b"":
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[data[:end]] = len(data) - end
