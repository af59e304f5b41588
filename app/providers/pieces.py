"""The body of a large request, in pieces that are made while it is written.

A file of 10 MiB is 14 MB in base64: to write it down whole would hold the event loop up, and take
as much memory for each call under way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pybase64

PIECE: Final = 196_608  # bytes that are put into base64 in one go: by threes


@dataclass(frozen=True, slots=True)
class InBase64:
    """Bytes that a body has in base64."""

    content: bytes

    def __len__(self) -> int:
        """Return how many bytes of the body they are."""
        return (len(self.content) + 2) // 3 * 4

    def __iter__(self) -> Iterator[bytes]:
        """Yield them as they are written."""
        content = memoryview(self.content)
        for at in range(0, len(content), PIECE):
            yield pybase64.b64encode(content[at : at + PIECE])


class Pieces:
    """A body of bytes that stand as they are, and of files in base64."""

    def __init__(self, parts: Sequence[bytes | InBase64]) -> None:
        self._parts = parts
        self._size = sum(map(len, parts))

    def __len__(self) -> int:
        """Return how many bytes they are together."""
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        """Yield them in the order in which they are written."""
        for part in self._parts:
            if isinstance(part, InBase64):
                yield from part
            else:
                yield part


Body = bytes | Pieces


def whole(body: Body) -> bytes:
    """Return a body as bytes."""
    return body if isinstance(body, bytes) else b"".join(body)
