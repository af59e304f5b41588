"""How much work it is to render a call: by its texts, and by a part of its files."""

from typing import Final

LITTLE: Final = 8_192  # up to which nobody notices
LARGE: Final = 262_144  # above which it is not for the event loop
_LIGHTER: Final = 16  # times: a byte of a file, which is never looked at


def weight(value: object) -> int:
    """Return roughly how much text the arguments hold, and how much their files are worth of it."""
    if isinstance(value, bytes | str):
        return len(value) // (_LIGHTER if isinstance(value, bytes) else 1)
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return sum([weight(one) for one in value])
    values = getattr(value, "__values__", None)  # of zeep's structs
    return 0 if values is None else weight(values)
