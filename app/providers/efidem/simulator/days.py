"""Days and times as the provider has them: Paris time, and no zone."""

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

_PARIS = ZoneInfo("Europe/Paris")
# The document gives no format: the one of XML Schema, and the one of France.
_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)(?!\d)")
_FRENCH = re.compile(r"(?P<day>\d\d)/(?P<month>\d\d)/(?P<year>\d{4})(?!\d)")


def paris(moment: float) -> datetime:
    """Return a moment on the clocks of Paris."""
    return datetime.fromtimestamp(moment, _PARIS).replace(tzinfo=None)


def day_of(text: str) -> date | None:
    """Return the day that a date, with or without a time, is about; nothing if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _written(text)
    return (moment.astimezone(_PARIS) if moment.tzinfo else moment).date()


def _written(text: str) -> date | None:
    found = _ISO.match(text) or _FRENCH.match(text)
    if found is None:
        return None
    try:
        return date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return None
