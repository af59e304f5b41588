"""How RAPPORT's file is written: an operator says it, for the document tells only that it is CSV.

In the file that MULTICANAL_EFIDEM_BINDINGS names:

    [report]
    encoding = "iso-8859-1"
    delimiter = ";"
    header = true

    [report.columns]          # our name = the file's; its number, from 1, where header = false
    provider_message_id = "messageid"
    recipient = "destinataire"
"""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Column = Literal[
    "date",
    "time",
    "channel",
    "recipient",
    "reference",
    "billing_code",
    "provider_message_id",
    "code",
    "status",
]
_MOST_ROWS: Final = 1_000_000


class ReportFormat(BaseModel):
    """How the file is encoded, and which column is which."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    encoding: str = "utf-8"
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ";"
    header: bool = True
    columns: Annotated[
        dict[Column, str | Annotated[int, Field(ge=1, le=1000)]], Field(min_length=1)
    ]

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            "a".encode(codecs.lookup(value).name)
        except (LookupError, TypeError):  # unknown, or no encoding of texts
            message = "no such encoding"
            raise ValueError(message) from None
        return value

    @model_validator(mode="after")
    def _named_or_numbered(self) -> Self:
        wanted = str if self.header else int
        if not all(isinstance(one, wanted) for one in self.columns.values()):
            message = "columns are named where the file has a header, and numbered where not"
            raise ValueError(message)
        return self


def rows(written: ReportFormat, content: bytes) -> Sequence[Mapping[str, str]]:
    """Return a report's rows by our names; raises ValueError without a word of the report."""
    lines = _lines(written, content)
    header = next(lines, None) if written.header else None
    places = _places(written, header)
    last = max(places.values())
    found: list[dict[str, str]] = []
    for number, line in enumerate(lines, 2 if written.header else 1):
        if not any(line):  # an empty line, at the end as a rule
            continue
        if len(line) <= last:
            message = f"row {number} has {len(line)} columns, and {last + 1} are needed"
            raise ValueError(message)
        if len(found) == _MOST_ROWS:
            message = f"it has more than {_MOST_ROWS:,} rows"
            raise ValueError(message)
        found.append({name: line[place] for name, place in places.items()})
    return found


def _lines(written: ReportFormat, content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode(written.encoding)
    except UnicodeError:
        # Its own text would quote the bytes.
        message = f"it is not encoded in {written.encoding}"
        raise ValueError(message) from None
    reader = csv.reader(
        io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=written.delimiter
    )
    try:
        yield from reader
    except csv.Error:
        message = f"line {reader.line_num} is no CSV"
        raise ValueError(message) from None


def _places(written: ReportFormat, header: Sequence[str] | None) -> Mapping[str, int]:
    """Return each column's place, from 0."""
    if not written.header:
        return {name: int(number) - 1 for name, number in written.columns.items()}
    titles = [one.strip() for one in header or ()]
    # The operator's names, never the file's: without a header those would be a recipient.
    missing = [str(one) for one in written.columns.values() if titles.count(str(one)) != 1]
    if missing:
        message = f"its header does not name once: {', '.join(missing)}"
        raise ValueError(message)
    return {name: titles.index(str(title)) for name, title in written.columns.items()}
