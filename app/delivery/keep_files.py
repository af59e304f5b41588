"""Keep the bytes of files before what is taken in with them, in a commit of their own.

Megabytes are several milliseconds' work for the store. So nobody else's commit waits for them, and
some are written side by side; what has them is then taken in as if it had none. Files that nothing
is taken in with after all are deleted as those that nothing has any more (`retain.py`).
"""

from dataclasses import replace
from typing import Final

from app.delivery.arrival import Arrival
from app.delivery.gateway import Gateway
from app.store import documents

LARGE: Final = 65_536  # bytes of the files of one arrival, up to which they share its commit


async def keep_files(gateway: Gateway, arrival: Arrival) -> Arrival:
    """Commit the files of an arrival where they are large; return what is still to be kept of it.

    SQLite has one writer, who would sync twice: there they are kept with the rest.
    """
    size = sum(map(len, arrival.files.values()))
    if size <= LARGE or gateway.database.is_sqlite:
        return arrival
    async with gateway.filing:
        await documents.keep_at_once(gateway.database, arrival.files, gateway.now())
    return replace(arrival, files={})
