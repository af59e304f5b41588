"""Why the store cannot be used, in words for an operator, and without the fault's own.

Those may hold the address of the store, and with it a password.
"""

from typing import Final

from sqlalchemy.exc import DBAPIError

from app.store.database import lacks_schema

NO_ANSWER: Final = "it does not answer"
# What the drivers' texts hold, and what it means; for reading alone, nothing is decided by it.
_WHY: Final = (
    ("password authentication failed", "it refuses the password"),
    ("no password supplied", "it wants a password: set PGPASSWORD"),
    ("pg_hba.conf", "it takes no connection from here, or not as this user"),
    ("does not exist", "it has no such user or database"),
    ("too many clients", "it has no connection left"),
    ("connection slots", "it has no connection left"),
    ("is starting up", "it is starting up"),
    ("is shutting down", "it is shutting down"),
    ("Connection refused", "nothing listens at its address"),
    ("timeout", NO_ANSWER),
    ("timed out", NO_ANSWER),
    ("resolve", "the name of its host is not known"),
    ("translate host name", "the name of its host is not known"),
    ("unable to open database file", "there is no such folder, or it may not be written"),
    ("readonly database", "its file may not be written"),
    ("file is not a database", "its file is no SQLite database"),
    ("malformed", "its file is damaged: restore it from a backup"),
    ("is locked", "another process holds it"),
    ("is full", "its disk is full"),
)


def unusable(fault: BaseException) -> str:
    """Return what a person can do about a fault of the store."""
    if lacks_schema(fault):
        return "the store has not the tables of this version: multicanal migrate"
    return f"the store cannot be used ({why(fault)}): see MULTICANAL_DATABASE_URL"


def why(fault: BaseException) -> str:
    """Return what is wrong with the store, or the fault's name where that is not known."""
    said = str(fault.orig) if isinstance(fault, DBAPIError) else ""
    return next((words for part, words in _WHY if part in said), type(fault).__name__)
