"""Long texts kept in a fifth of their room, packed where nobody waits for it.

PostgreSQL would pack the answer to ten thousand messages itself, for 20 ms of the transaction that
writes it. A text that was kept as it is, as long as it is JSON, is told from a packed one.
"""

import zlib
from typing import Final

import pybase64

LONG: Final = 65_536  # characters, from which on packing pays
_MARK: Final = "zlib:"  # no JSON begins so
_LEVEL: Final = 1  # others take longer, and save nothing worth it


def packed(text: str) -> str:
    """Return a text as it is kept; a long one takes 6 ms for each megabyte, and a thread's time."""
    if len(text) < LONG:
        return text
    return _MARK + pybase64.b64encode(zlib.compress(text.encode(), _LEVEL)).decode()


def unpacked(kept: str) -> str:
    """Return the text that is kept."""
    if not kept.startswith(_MARK):
        return kept
    return zlib.decompress(pybase64.b64decode(kept[len(_MARK) :])).decode()
