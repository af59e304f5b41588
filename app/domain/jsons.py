"""Write JSON as the standard library does, without what it makes anew for each text."""

import json.encoder
from collections.abc import Callable
from typing import Any

Writer = Callable[[object], str]


def writer(
    *,
    default: Callable[[Any], Any] | None = None,
    separators: tuple[str, str] = (", ", ": "),
    sort_keys: bool = False,
) -> Writer:
    """Return what json.JSONEncoder(...).encode returns of a value that does not hold itself."""
    usual = json.JSONEncoder(default=default, separators=separators, sort_keys=sort_keys)
    made: Any = json.encoder.c_make_encoder  # type: ignore[attr-defined] # None where there is no C
    if made is None:
        return usual.encode
    escaped: Any = json.encoder.encode_basestring_ascii
    between, after_name = separators
    write = made(None, usual.default, escaped, None, after_name, between, sort_keys, False, True)

    def written(value: object) -> str:
        return "".join(write(value, 0))

    return written
