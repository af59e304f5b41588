"""Columns of many rows as PostgreSQL's arrays, in its binary form.

The driver writes a list value by value, at ten times the price: with thirty columns a row, that is
most of what a message costs. Who hands over an `Array` says `%s::uuid[]` and the like beside it.
"""

import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import psycopg
from psycopg.adapt import Buffer, Dumper
from psycopg.pq import Format
from sqlalchemy import JSON, BigInteger, Boolean, Column, Date, Integer, LargeBinary, String, Uuid

from app.store.times import UtcDateTime

_JSON: Final = "json[]"
_EMPTY: Final[dict[type, str]] = {list: "[]", dict: "{}"}
_NULL: Final = b"\xff\xff\xff\xff"  # the length -1
_HEAD: Final = struct.Struct("!iiIii")  # dimensions, whether NULLs may come, element, length, first
_LENGTH: Final = struct.Struct("!i")
_SIXTEEN: Final = _LENGTH.pack(16)
_SHORT: Final = struct.Struct("!ii")  # a length of 4, and a number of that length
_LONG: Final = struct.Struct("!iq")
_FLAG: Final = struct.Struct("!i?")
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_FIRST_DAY: Final = _EPOCH.date()
_MICROSECOND: Final = timedelta(microseconds=1)

Items = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Array:
    """A column, written."""

    oid: int  # of the array's type
    content: bytes


@dataclass(frozen=True, slots=True)
class Kind:
    """How the values of a type are written."""

    name: str  # of an array of it, in SQL
    element: int  # the type's number in PostgreSQL's catalogue
    array: int
    pieces: Callable[[Items], list[bytes]]  # each value with its length

    def written(self, values: Items) -> Array:
        """Return a column."""
        return Array(self.array, self.content(values))

    def content(self, values: Items) -> bytes:
        """Return a column's bytes."""
        count, first = len(values), values[0]
        # Most say the same in every row, and are written once.
        if values[-1] == first and values.count(first) == count and self._is_sure(first):
            body = (_NULL if first is None else self.pieces((first,))[0]) * count
        else:
            body = b"".join(self.pieces(values))
        return _HEAD.pack(1, 1, self.element, count, 1) + body

    def value(self, value: object) -> bytes:
        """Return the bytes of one value, which is not None."""
        return self.pieces([value])[0][_LENGTH.size :]

    def _is_sure(self, first: object) -> bool:
        """Say whether what equals a value is written as it is."""
        if self.name != _JSON:
            return True
        return not first and type(first) in _EMPTY  # JSON's true equals its 1


def _uuids(values: Items) -> list[bytes]:
    # What `bytes` of a UUID returns, without asking it for that.
    return [_NULL if one is None else _SIXTEEN + one.int.to_bytes(16, "big") for one in values]


def _times(values: Items) -> list[bytes]:
    return [
        _NULL if one is None else _LONG.pack(8, (one - _EPOCH) // _MICROSECOND) for one in values
    ]


def _days(values: Items) -> list[bytes]:
    def days(one: date) -> int:
        return (one - _FIRST_DAY).days

    return [_NULL if one is None else _SHORT.pack(4, days(one)) for one in values]


def _integers(values: Items) -> list[bytes]:
    return [_NULL if one is None else _SHORT.pack(4, one) for one in values]


def _long_integers(values: Items) -> list[bytes]:
    return [_NULL if one is None else _LONG.pack(8, one) for one in values]


def _flags(values: Items) -> list[bytes]:
    return [_NULL if one is None else _FLAG.pack(1, one) for one in values]


def _bytes(values: Items) -> list[bytes]:
    return [_NULL if one is None else _LENGTH.pack(len(one)) + one for one in values]


def _texts(values: Items) -> list[bytes]:
    return [
        _NULL if one is None else _LENGTH.pack(len(text := one.encode())) + text for one in values
    ]


def _jsons(values: Items) -> list[bytes]:
    return _texts([json_text(one) for one in values])


def _small_jsons(values: Items) -> list[bytes]:
    return _texts([None if one is None else json_text(one) for one in values])


def json_text(value: object) -> str:
    """Return a value as JSON; most are empty."""
    return json.dumps(value) if value else _EMPTY.get(type(value)) or json.dumps(value)


# The first that a column's type is an instance of.
_KINDS: Final = (
    (Uuid, Kind("uuid[]", 2950, 2951, _uuids)),
    (UtcDateTime, Kind("timestamptz[]", 1184, 1185, _times)),
    (Date, Kind("date[]", 1082, 1182, _days)),
    (BigInteger, Kind("int8[]", 20, 1016, _long_integers)),
    (Integer, Kind("int4[]", 23, 1007, _integers)),
    (Boolean, Kind("bool[]", 16, 1000, _flags)),
    (LargeBinary, Kind("bytea[]", 17, 1001, _bytes)),
    (String, Kind("text[]", 25, 1009, _texts)),
)
_JSON_NULL: Final = Kind(_JSON, 114, 199, _jsons)  # None is JSON's null
_SMALL_JSON: Final = Kind(_JSON, 114, 199, _small_jsons)


def kind_of(column: Column[Any]) -> Kind:
    """Return how a column's values are written; raises TypeError for a type that no table has."""
    if isinstance(column.type, JSON):
        return _SMALL_JSON if column.type.none_as_null else _JSON_NULL
    for type_, kind in _KINDS:
        if isinstance(column.type, type_):
            return kind
    raise TypeError(column.type)


class _Written(Dumper):
    """Hands an `Array` over as it is."""

    format = Format.BINARY

    def __init__(self, cls: type, context: Any = None, oid: int = 0) -> None:  # noqa: ANN401
        super().__init__(cls, context)
        self.oid = oid

    def dump(self, obj: Array) -> Buffer:
        return obj.content

    def get_key(self, obj: Array, format: Any) -> Any:  # noqa: A002, ANN401 -- the driver's own
        _ = format
        return (self.cls, obj.oid)

    def upgrade(self, obj: Array, format: Any) -> "_Written":  # noqa: A002, ANN401
        _ = format
        return _Written(self.cls, oid=obj.oid)


def prepare(connection: "psycopg.AsyncConnection[Any]") -> None:
    """Have a connection take arrays."""
    connection.adapters.register_dumper(Array, _Written)
