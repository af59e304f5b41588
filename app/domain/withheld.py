"""Keep what a provider says in its own words from telling who was written to.

What a provider passes on of a mail server often names the mailbox ("550 5.1.1 <...>: unknown").
"""

import re
from typing import Final

_LONGEST: Final = 500  # characters of a provider's words that are kept
_INSTEAD: Final = "***"
# An e-mail address, or nine digits of a number however they are grouped; by strokes only as French
# numbers are, because dates have them too.
_PERSONAL: Final = re.compile(
    r"[^\s<>()\[\],;:\"'=@]+@[^\s<>()\[\],;:\"'=@]+|\+?\(?\d(?:[ .()\u00a0\u202f-]{0,3}\d){8,}"
    r"|\b0\d(?:/\d\d){4}\b"
)


def withheld(words: str) -> str:
    """Return a provider's words without the addresses and the numbers in them, cut to 500."""
    return _PERSONAL.sub(_INSTEAD, words[:_LONGEST])
