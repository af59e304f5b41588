"""What Efidem's RAPPORT shows of messages whose call nobody answered.

Its columns are those that the operator named. Its dates and times are taken for those of Paris,
where a text does not say otherwise.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from app.domain.evidence import NoReport, Reported, Seen
from app.domain.outcome import Told
from app.providers.efidem.desk import Desk
from app.providers.efidem.functions import RAPPORT

_PARIS: Final = ZoneInfo("Europe/Paris")
_FORMATS: Final = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M")
_NAMES: Final = ("reference", "provider_message_id", "recipient")


class Evidence:
    """Looks into Efidem's report."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def report(self, since: datetime, now: datetime) -> Reported | NoReport:
        """Ask for what Efidem took from a moment until now; whole days, as it knows them."""
        columns = await self._desk.report_columns()
        if columns is None:
            return NoReport("nobody has said what the columns of RAPPORT are", lasting=True)
        days = {"DATE_DEBUT": since, "DATE_FIN": now}
        consulted = await self._desk.consult(
            RAPPORT.name, {name: at.astimezone(_PARIS).date() for name, at in days.items()}
        )
        if not isinstance(consulted, Told):
            return NoReport(f"RAPPORT was not answered: {type(consulted).__name__.casefold()}")
        value = consulted.value
        try:
            rows = await self._desk.read_report(
                value if isinstance(value, bytes) else value.encode()
            )
        except ValueError:
            return NoReport("RAPPORT is not written as the operator said")
        if rows is None:
            return NoReport("nobody has said what the columns of RAPPORT are", lasting=True)
        return Reported(since=since, at=now, rows=[_seen(row) for row in rows], columns=columns)


def _seen(row: Mapping[str, str]) -> Seen:
    named = {name: row.get(name, "").strip() or None for name in _NAMES}
    text = f"{row.get('date', '')} {row.get('time', '')}".strip()
    return Seen(**named, moments=tuple(moments(text)))


def moments(text: str) -> Iterator[datetime]:
    """Return what moments a date with its time may mean; none where it is not understood.

    Two in the hour that clocks live twice, when they are set back in October.
    """
    found = _read(text)
    if found is None:
        return
    if found.tzinfo is not None:
        yield found.astimezone(UTC)
        return
    both = {found.replace(tzinfo=_PARIS, fold=fold).astimezone(UTC) for fold in (0, 1)}
    yield from sorted(both)


def _read(text: str) -> datetime | None:
    for form in _FORMATS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 -- its zone is given later
        except ValueError:
            continue
    if ":" not in text:
        return None  # a day alone
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
