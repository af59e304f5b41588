"""Identifiers that sort by time: UUIDv7 (RFC 9562, 5.7), shown as `msg_01J9...`."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_VALUES: Final = {letter: value for value, letter in enumerate(ALPHABET)}
_LENGTH: Final = 26  # 128 bits, five a letter
_TAILS: Final = 256  # random ends of identifiers that are drawn at once

MESSAGE: Final = "msg"
DOCUMENT: Final = "doc"
EVENT: Final = "evt"
REQUEST: Final = "req"
BATCH: Final = "bat"
REPORT: Final = "rep"
ACKNOWLEDGEMENT: Final = "ack"
CLIENT: Final = "cli"
ENDPOINT: Final = "whe"
DELIVERY: Final = "whd"


class Identifiers:
    """Makes identifiers and references from a clock and a source of random bytes."""

    def __init__(self, now: Callable[[], datetime], random_bytes: Callable[[int], bytes]) -> None:
        self._now = now
        self._random_bytes = random_bytes
        self._last = 0
        self._tails: list[int] = []

    def new(self) -> UUID:
        """Return a UUIDv7 later than every one that this object made before."""
        # Microseconds, 48 bits of milliseconds and 12 of the fraction (RFC 9562, 6.2, method 3).
        micros = int(self._now().timestamp() * 1_000_000)
        ticks = (micros // 1000) << 12 | (micros % 1000) * 4
        self._last = ticks = max(ticks, self._last + 1)
        tail = self._tail() & ((1 << 62) - 1)
        return UUID(int=(ticks >> 12) << 80 | 0x7 << 76 | (ticks & 0xFFF) << 64 | 0b10 << 62 | tail)

    def _tail(self) -> int:
        # Drawn many at once. Each draw asks the system, and lets go of the interpreter's lock: a
        # thread that waits for that lock begins to wait anew, and hardly gets it.
        if not self._tails:
            drawn = self._random_bytes(8 * _TAILS)
            self._tails = [
                int.from_bytes(drawn[at : at + 8], "big") for at in range(0, 8 * _TAILS, 8)
            ]
        return self._tails.pop()

    def reference(self) -> str:
        """Return an attempt reference: 80 random bits as 16 letters, without personal data."""
        return _letters(int.from_bytes(self._random_bytes(10), "big"), 16)

    def token(self) -> str:
        """Return an unguessable token of 256 bits as 52 letters, safe in a URL's path."""
        return _letters(int.from_bytes(self._random_bytes(32), "big"), 52)


def earliest(at: datetime) -> UUID:
    """Return what every identifier that was made at a moment, or after it, comes after."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def made_at(identifier: UUID) -> datetime:
    """Return when an identifier was made, to the millisecond."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)


def shown(prefix: str, identifier: UUID) -> str:
    """Return the public form of an identifier, such as `msg_01J9ZK...`."""
    return f"{prefix}_{_letters(identifier.int, _LENGTH)}"


def read(prefix: str, text: str) -> UUID | None:
    """Return the identifier behind a public form, or None where the text is not one."""
    head, _, letters = text.partition("_")
    if head != prefix or len(letters) != _LENGTH or not letters.isascii():
        return None
    value = 0
    for letter in letters:
        if letter not in _VALUES:
            return None
        value = value << 5 | _VALUES[letter]
    return UUID(int=value) if value < 1 << 128 else None


def _letters(value: int, length: int) -> str:
    return "".join(ALPHABET[value >> 5 * place & 31] for place in reversed(range(length)))
