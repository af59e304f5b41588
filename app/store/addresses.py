"""Where a store is."""

from pathlib import Path

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError


def address(text: str) -> URL:
    """Return the engine's address for `sqlite:///file` or `postgresql://...`."""
    message = "the database is sqlite:///file or postgresql://user@host/name"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # The text of the fault may hold a part of the password.
        raise ValueError(message) from None
    if url.get_backend_name() == "sqlite":
        return url.set(drivername="sqlite+aiosqlite")
    if url.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    raise ValueError(message)


def missing_file(text: str) -> str | None:
    """Return that a store's file is not there, where it is one: to open it would make it."""
    url = address(text)
    is_missing = url.get_backend_name() == "sqlite" and not Path(url.database or "").exists()
    return f"there is no file {url.database}" if is_missing else None
