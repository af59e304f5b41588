"""How a time is told to clients."""

from datetime import UTC, datetime


def moment(value: datetime | None) -> str | None:
    """Return a time as RFC 3339 in UTC, to the millisecond."""
    if value is None:
        return None
    text = value.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
