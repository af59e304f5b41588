"""Identifiers that sort by time: UUIDv7 (RFC 9562, 5.7), shown as `msg_01J9...`."""

from collections.abc import Callable
from datetime import UTC, datetime
from struct import unpack
from typing import Final
from uuid import UUID, SafeUUID

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_LETTERS: Final = frozenset(ALPHABET)
# In place of each letter, the digit by which Python reads numbers to the base 32.
_DIGITS: Final = str.maketrans(ALPHABET, "0123456789ABCDEFGHIJKLMNOPQRSTUV")
_PAIRS: Final = [one + other for one in ALPHABET for other in ALPHABET]
_LENGTH: Final = 26  # 128 bits, five a letter
_VERSION: Final = 0x7 << 76
_VARIANT: Final = 0b10 << 62
_TAIL: Final = (1 << 62) - 1  # what is random of an identifier
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
        micros = int(self._now().timestamp() * 1_000_000)
        ticks = max((micros // 1000) << 12 | (micros % 1000) * 4, self._last + 1)
        self._last = ticks
        return UUID(int=(ticks >> 12) << 80 | _VERSION | (ticks & 0xFFF) << 64 | self._tail())

    def many(self, count: int) -> list[UUID]:
        """Return so many of them, each later than the one before it."""
        # Microseconds, 48 bits of milliseconds and 12 of the fraction (RFC 9562, 6.2, method 3).
        micros = int(self._now().timestamp() * 1_000_000)
        first = max((micros // 1000) << 12 | (micros % 1000) * 4, self._last + 1)
        self._last = first + count - 1
        return [
            _made((ticks >> 12) << 80 | _VERSION | (ticks & 0xFFF) << 64 | self._tail())
            for ticks in range(first, first + count)
        ]

    def _tail(self) -> int:
        # Drawn many at once. Each draw asks the system, and lets go of the interpreter's lock: a
        # thread that waits for that lock begins to wait anew, and hardly gets it.
        if not self._tails:
            drawn = self._random_bytes(8 * _TAILS)
            self._tails = [one & _TAIL | _VARIANT for one in unpack(f">{_TAILS}Q", drawn)]
        return self._tails.pop()

    def reference(self) -> str:
        """Return an attempt reference: 80 random bits as 16 letters, without personal data."""
        return _letters(int.from_bytes(self._random_bytes(10), "big"), 16)

    def token(self) -> str:
        """Return an unguessable token of 256 bits as 52 letters, safe in a URL's path."""
        return _letters(int.from_bytes(self._random_bytes(32), "big"), 52)


def _made(value: int) -> UUID:
    """Return what UUID(int=value) returns, at half the price: that looks at nine ways to be called."""
    made = object.__new__(UUID)
    object.__setattr__(made, "int", value)
    object.__setattr__(made, "is_safe", SafeUUID.unknown)
    return made


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
    if head != prefix or len(letters) != _LENGTH or not _LETTERS.issuperset(letters):
        return None
    value = int(letters.translate(_DIGITS), 32)
    return UUID(int=value) if value < 1 << 128 else None


def _letters(value: int, length: int) -> str:
    """Return a number in so many letters, an even count; it looks up two at a time."""
    return "".join([_PAIRS[value >> bits & 1023] for bits in range(5 * length - 10, -1, -10)])
