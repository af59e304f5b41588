"""Look whether a connection of the pool still stands, before it is used again.

One that was used a moment ago is not asked: under load the question would be a round trip for each
transaction. Should the server have gone meanwhile, the transaction fails as those do that are under
way, and the pool forgets all its connections.
"""

import time
from typing import Any, Final

from sqlalchemy import Engine, event
from sqlalchemy.exc import InvalidatePoolError

RESTED: Final = 0.25  # seconds without use, after which a connection is asked
_LEFT: Final = "multicanal_left"


def look_at_rested(engine: Engine) -> None:
    """Have an engine's pool ask connections that nobody used for a while."""

    @event.listens_for(engine, "checkin")
    def _(_connection: object, record: Any) -> None:  # noqa: ANN401 -- the pool's own
        record.info[_LEFT] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _(connection: Any, record: Any, _proxy: object) -> None:  # noqa: ANN401
        left = record.info.get(_LEFT)
        if left is None or time.monotonic() - left < RESTED:
            return
        error: type[Exception] = engine.dialect.loaded_dbapi.Error
        try:
            engine.dialect.do_ping(connection)
        except error as fault:
            raise InvalidatePoolError from fault  # the pool makes a new one
