"""Identifiers that sort by time: UUIDv7 (RFC 9562, 5.7), shown as `msg_01J9...`."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from struct import unpack
from typing import Final
from uuid import UUID, SafeUUID

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
_LETTERS: Final = frozenset(ALPHABET)
# In place of each letter, the digit by which Python reads numbers to the base 32.
_DIGITS: Final = str.maketrans(ALPHABET, "0123456789ABCDEFGHIJKLMNOPQRSTUV")
_PAIRS: Final = [one + other for one in ALPHABET for other in ALPHABET]
_LENGTH: Final = 26  # 128 bits, five a letter
_LOW: Final = (1 << 60) - 1  # the last twelve letters
_SEVEN: Final = 0x7 << 12  # the version, above the 12 bits of the fraction
_VARIANT: Final = 0b10 << 62
_TAIL: Final = (1 << 62) - 1  # what is random of an identifier
_TAILS: Final = 256  # random ends of identifiers that are drawn at once

_MILLISECOND: Final = timedelta(milliseconds=1)

# How an identifier gets its two parts, past what keeps them from being changed.
_NEW: Final = object.__new__
_SET_INT: Final = UUID.__dict__["int"].__set__
_SET_SAFE: Final = UUID.__dict__["is_safe"].__set__
_UNKNOWN: Final = SafeUUID.unknown

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
        self._request, self._lasts = "", iter(_PAIRS)
        self._requests_until = datetime.min.replace(tzinfo=UTC)

    def new(self) -> UUID:
        """Return a UUIDv7 later than every one that this object made before."""
        return _made(self._next(self._now()))

    def request(self) -> str:
        """Return a new identifier of a request, as it is shown."""
        # Those of one millisecond differ in nothing but their last two letters.
        at = self._now()
        last = next(self._lasts, None) if at < self._requests_until else None
        if last is None:
            self._request = f"{REQUEST}_{_whole(self._next(at))[:-2]}"
            self._lasts, self._requests_until = iter(_PAIRS), at + _MILLISECOND
            last = next(self._lasts)
        return self._request + last

    def _next(self, at: datetime) -> int:
        micros = int(at.timestamp() * 1_000_000)
        ticks = micros // 1000 << 12 | micros % 1000 * 4
        if ticks <= self._last:
            ticks = self._last + 1
        self._last = ticks
        tails = self._tails or self._drawn()
        return (ticks >> 12 << 16 | _SEVEN | ticks & 0xFFF) << 64 | tails.pop()

    def many(self, count: int) -> list[UUID]:
        """Return so many of them, each later than the one before it."""
        # Microseconds, 48 bits of milliseconds and 12 of the fraction (RFC 9562, 6.2, method 3).
        micros = int(self._now().timestamp() * 1_000_000)
        first = max((micros // 1000) << 12 | (micros % 1000) * 4, self._last + 1)
        self._last = first + count - 1
        return [
            _made(
                (ticks >> 12 << 16 | _SEVEN | ticks & 0xFFF) << 64
                | (self._tails or self._drawn()).pop()
            )
            for ticks in range(first, first + count)
        ]

    def _drawn(self) -> list[int]:
        """Return random ends of identifiers to take from."""
        # Drawn many at once. Each draw asks the system, and lets go of the interpreter's lock: a
        # thread that waits for that lock begins to wait anew, and hardly gets it.
        drawn = self._random_bytes(8 * _TAILS)
        self._tails = [one & _TAIL | _VARIANT for one in unpack(f">{_TAILS}Q", drawn)]
        return self._tails

    def reference(self) -> str:
        """Return an attempt reference: 80 random bits as 16 letters, without personal data."""
        return _sixteen(int.from_bytes(self._random_bytes(10), "big"))

    def references(self, count: int) -> list[str]:
        """Return so many attempt references; they are drawn at once."""
        drawn = self._random_bytes(10 * count)
        return [
            _sixteen(int.from_bytes(drawn[at : at + 10], "big")) for at in range(0, 10 * count, 10)
        ]

    def token(self) -> str:
        """Return an unguessable token of 256 bits as 52 letters, safe in a URL's path."""
        return _letters(int.from_bytes(self._random_bytes(32), "big"), 52)


def _made(value: int) -> UUID:
    """Return what UUID(int=value) returns, at a third of its price."""
    made = _NEW(UUID)
    _SET_INT(made, value)
    _SET_SAFE(made, _UNKNOWN)
    return made


def earliest(at: datetime) -> UUID:
    """Return what every identifier that was made at a moment, or after it, comes after."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def made_at(identifier: UUID) -> datetime:
    """Return when an identifier was made, to the millisecond."""
    return datetime.fromtimestamp((identifier.int >> 80) / 1000, UTC)


def shown(prefix: str, identifier: UUID) -> str:
    """Return the public form of an identifier, such as `msg_01J9ZK...`."""
    return f"{prefix}_{_whole(identifier.int)}"


def read(prefix: str, text: str) -> UUID | None:
    """Return the identifier behind a public form, or None where the text is not one."""
    head, _, letters = text.partition("_")
    if head != prefix or len(letters) != _LENGTH or not _LETTERS.issuperset(letters):
        return None
    value = int(letters.translate(_DIGITS), 32)
    return UUID(int=value) if value < 1 << 128 else None


def _whole(value: int) -> str:
    """Return 128 bits in 26 letters, as _letters does, at half its price: in small numbers."""
    high, low, pairs = value >> 60, value & _LOW, _PAIRS
    return (
        f"{pairs[high >> 60]}{pairs[high >> 50 & 1023]}{pairs[high >> 40 & 1023]}"
        f"{pairs[high >> 30 & 1023]}{pairs[high >> 20 & 1023]}{pairs[high >> 10 & 1023]}"
        f"{pairs[high & 1023]}{pairs[low >> 50]}{pairs[low >> 40 & 1023]}"
        f"{pairs[low >> 30 & 1023]}{pairs[low >> 20 & 1023]}{pairs[low >> 10 & 1023]}"
        f"{pairs[low & 1023]}"
    )


def _sixteen(value: int) -> str:
    """Return 80 bits in 16 letters, as _letters does, at half its price."""
    high, low, pairs = value >> 60, value & _LOW, _PAIRS
    return (
        f"{pairs[high >> 10]}{pairs[high & 1023]}{pairs[low >> 50]}{pairs[low >> 40 & 1023]}"
        f"{pairs[low >> 30 & 1023]}{pairs[low >> 20 & 1023]}{pairs[low >> 10 & 1023]}"
        f"{pairs[low & 1023]}"
    )


def _letters(value: int, length: int) -> str:
    """Return a number in so many letters, an even count; it looks up two at a time."""
    return "".join([_PAIRS[value >> bits & 1023] for bits in range(5 * length - 10, -1, -10)])
