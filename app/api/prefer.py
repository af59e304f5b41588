"""What a client would rather have: the Prefer header (RFC 7240)."""

import re
from typing import Final

LONGEST_WAIT: Final = 30  # seconds
# One preference of RFC 7240, section 2: a name, perhaps a value, perhaps parameters.
_PREFERENCE: Final = re.compile(
    r"[\s,]*([!#$%&'*+.^_`|~0-9a-z-]+)"
    r'(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,;"]*))?'
    # Possessive: it would try each blank of the parameters as their end, one after the other.
    r'(?:\s*;(?:[^,"]|"(?:[^"\\]|\\.)*")*+)?\s*(?:,|$)',
    re.ASCII | re.IGNORECASE,
)
_SECONDS: Final = re.compile(r'"?([0-9]{1,18})"?', re.ASCII)


def wait_of(prefer: list[str] | None) -> int:
    """Return for how many seconds a client wants to wait for the provider (RFC 7240, 4.3).

    Of a preference that is given twice, the first counts; one that cannot be read is ignored, as
    is all that follows it: nobody knows where it ends.
    """
    text, at = ",".join(prefer or ()), 0
    while read := _PREFERENCE.match(text, at):
        at = read.end()
        if read[1].casefold() == "wait":
            seconds = _SECONDS.fullmatch(read[2] or "")
            return min(int(seconds[1]), LONGEST_WAIT) if seconds else 0
    return 0
