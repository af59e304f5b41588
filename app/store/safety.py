"""What a PostgreSQL server must keep to, or a 202 would promise more than it does."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import text

from app.store.database import Database

# (setting, the values that are safe, only refused in production, why).
_WANTED: Final[tuple[tuple[str, frozenset[str], bool, str], ...]] = (
    ("in_recovery", frozenset({"off"}), False, "it is a standby: name the primary"),
    (
        "transaction_read_only",
        frozenset({"off"}),
        False,
        "it takes no writes: name the primary, or reset default_transaction_read_only",
    ),
    (
        "synchronous_commit",
        frozenset({"on", "remote_apply"}),
        True,
        "a commit is answered before it is on disk: let sessions set it (a pooler may drop it)",
    ),
    ("fsync", frozenset({"on"}), True, "a power cut destroys the store: set fsync = on"),
    (
        "full_page_writes",
        frozenset({"on"}),
        True,
        "a power cut may tear pages: set full_page_writes = on",
    ),
)
_ASK: Final = text(
    "SELECT CASE WHEN pg_is_in_recovery() THEN 'on' ELSE 'off' END AS in_recovery,"
    " current_setting('transaction_read_only') AS transaction_read_only,"
    " current_setting('synchronous_commit') AS synchronous_commit,"
    " current_setting('fsync') AS fsync,"
    " current_setting('full_page_writes') AS full_page_writes"
)


class UnsafeStore(Exception):
    """The store would lose what was promised; `problems` says how, a line each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


async def ensure(database: Database, *, production: bool) -> None:
    """Raise UnsafeStore where the store cannot keep promises; a laptop's may be fast and unsafe."""
    if database.is_sqlite:
        return  # each connection sets its own, see database.py
    async with database.reading() as connection:
        found = (await connection.execute(_ASK)).mappings().one()
    problems = unsafe({**found}, production=production)
    if problems:
        raise UnsafeStore(problems)


def unsafe(found: Mapping[str, str], *, production: bool) -> list[str]:
    """Return a line for each setting that is not safe."""
    return [
        f"PostgreSQL's {name} is {found[name]}: {why}"
        for name, safe, only_production, why in _WANTED
        if found[name] not in safe and (production or not only_production)
    ]
