"""Which language a client would rather read (RFC 9110, 12.5.4)."""

import re
from typing import Final

from app.domain.explain import Language

_RANGE: Final = re.compile(
    r"\s*([a-z]{1,8}(?:-[a-z0-9]{1,8})*|\*)\s*(?:;\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*)?",
    re.ASCII | re.IGNORECASE,
)


def language_of(accepted: str | None) -> Language:
    """Return the language with the highest quality, English where all are alike or none is ours.

    A range that cannot be read says nothing.
    """
    qualities: dict[str, float] = {}
    for part in (accepted or "").split(","):
        read = _RANGE.fullmatch(part)
        if read is not None:
            # fr-CA is French too; the best of several counts.
            name = read[1].casefold().partition("-")[0]
            qualities[name] = max(qualities.get(name, 0.0), float(read[2] or 1))
    others = qualities.get("*", 0.0)
    best = max(Language, key=lambda one: qualities.get(one.value, others))
    return best if qualities.get(best.value, others) > 0 else Language.ENGLISH
