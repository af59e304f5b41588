"""Count what waits anew, and mend the counters where they are off."""

from typing import Final

from app.store import counters
from app.store.counters import ADDED, BYTES, CLIENT, LEFT, MESSAGES, TRIES
from app.store.database import Database

# The words of the partial index `ix_messages_to_submit`.
_WAITS: Final = "status IN ('queued', 'scheduled')"
# As the names of counters have it; SQLite keeps its digits alone.
_CLIENT_OF: Final = {
    "postgresql": "CAST(client_id AS text)",
    "sqlite": "substr(client_id, 1, 8) || '-' || substr(client_id, 9, 4) || '-'"
    " || substr(client_id, 13, 4) || '-' || substr(client_id, 17, 4) || '-'"
    " || substr(client_id, 21)",
}


async def recount(database: Database) -> dict[str, int]:
    """Count what waits, by its index, and mend the counters; return what they were off by.

    Other transactions wait with their last statement meanwhile: what they changed is either
    committed with its counters, or not seen at all.
    """
    if not database.is_sqlite:
        return dict(await database.at_once(_MENDING, None))
    async with database.transaction() as connection:
        found = await connection.exec_driver_sql(_drift("sqlite"))
        wrong = {row.name: row.value for row in found}
        counters.changed(connection, wrong)
    return wrong


def _drift(dialect: str) -> str:
    """Return the query for what each counter is off by; what only grows is not among them."""
    return f"""
WITH waiting AS (
  SELECT channel, {_CLIENT_OF[dialect]} AS client, count(*) AS messages,
    coalesce(sum(size), 0) AS size
  FROM messages WHERE {_WAITS} GROUP BY channel, client_id
)
SELECT name, CAST(sum(value) AS bigint) AS value FROM (
  SELECT '{MESSAGES}' || channel AS name, messages AS value FROM waiting
  UNION ALL SELECT '{BYTES}' || channel, size FROM waiting
  UNION ALL SELECT '{CLIENT}' || client, messages FROM waiting
  UNION ALL SELECT name, -value FROM counters
    WHERE name <> '{LEFT}' AND substr(name, 1, {len(TRIES)}) <> '{TRIES}'
) AS found GROUP BY name HAVING sum(value) <> 0 ORDER BY name
"""  # noqa: S608 -- words of ours


# In one trip: who stood still between two would let nobody write until it went on.
_MENDING: Final = f"""
LOCK TABLE counters IN EXCLUSIVE MODE;
WITH drift AS MATERIALIZED ({_drift("postgresql")}), mended AS (
  INSERT INTO counters (name, value) SELECT name, value FROM drift
  {ADDED}
)
SELECT name, value FROM drift
"""  # noqa: S608
