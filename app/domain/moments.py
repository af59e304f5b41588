"""How a time is told to clients."""

from datetime import UTC, datetime


def moment(value: datetime | None) -> str | None:
    """Return a time as RFC 3339 in UTC, to the millisecond."""
    if value is None:
        return None
    if value.tzinfo is not UTC:
        value = value.astimezone(UTC)
    # Without its zone, which takes as long again to write.
    return f"{value.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
