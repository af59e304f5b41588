"""Take up again what was said in codes that nobody knew, when somebody has said what they mean.

The worker looks now and again, so it does not matter in which process a code was kept, or when the
operator's file came: what stands on a code that has a meaning by now gets the move that the code
would have been. A message that moved on meanwhile is left as it is. Several workers share the work:
what one holds, the others pass over, and what is taken up stands on the code no more.

A code of a sending function that an operator calls `refused`, `deferred` or `blocked` says that
nothing was sent: on that word alone an `uncertain` message may be sent again. What failed stays
failed: a fax whose line turns out to have been busy is not faxed again hours later.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery.gateway import Gateway
from app.delivery.reconsider import Code, of_message, of_recipients, of_report
from app.domain.outcome import Accepted, Blocked, Deferred, Refused, Unclear
from app.store import attempts, messages, recipients, standing, unmapped
from app.store.messages import Move
from app.store.unmapped import OTHER

log = structlog.get_logger()

EVERY: Final = 5.0  # seconds between looks
BATCH: Final = 100  # messages in one transaction
_OUTCOMES: Final = (Accepted, Refused, Deferred, Blocked, Unclear)
_NOT_SENT: Final = (Refused, Deferred, Blocked)


@dataclass(slots=True)
class Replaying:
    """One worker's looks."""

    gateway: Gateway
    _told: set[tuple[str, str, str]] = field(default_factory=set)  # codes that were logged

    async def step(self) -> bool:
        """Take up one batch of each code that has a meaning by now; say whether there was any."""
        async with self.gateway.database.reading() as connection:
            rows = await unmapped.opened(connection)
        taken = 0
        for row in rows:
            self._tell(row)
            for code in await self._known(row):
                took = await _replay(self.gateway, code)
                if not took and row["code"] != OTHER:
                    await self._close(row)
                taken += took
        return taken > 0

    async def _known(self, row: RowMapping) -> list[Code]:
        """Return the codes of a row that have a meaning."""
        provider = self.gateway.providers.get(row["provider"])
        if provider is None:
            return []
        texts = [row["code"]]
        if row["code"] == OTHER:
            async with self.gateway.database.reading() as connection:
                texts = await standing.codes_of(connection, row["provider"], row["function"])
        of = {"provider": row["provider"], "function": row["function"]}
        meanings = {text: provider.meaning_of(row["function"], text) for text in texts}
        return [Code(**of, text=text, meaning=one) for text, one in meanings.items() if one]

    async def _close(self, row: RowMapping) -> None:
        async with self.gateway.database.transaction() as connection:
            closed = await unmapped.close(connection, row, self.gateway.now())
        if closed:
            self._told.discard(_key(row))
            log.info("code_mapped", **_named(row))

    def _tell(self, row: RowMapping) -> None:
        """Warn of a code once; its label could hold anything and is left out."""
        if _key(row) not in self._told:
            self._told.add(_key(row))
            log.warning("code_unmapped", **_named(row))


def _key(row: RowMapping) -> tuple[str, str, str]:
    return row["provider"], row["function"], row["code"]


def _named(row: RowMapping) -> dict[str, str]:
    return dict(zip(("provider", "function", "code"), _key(row), strict=True))


async def _replay(gateway: Gateway, code: Code) -> int:
    """Take up the oldest messages that stand on a code; return how many."""
    async with gateway.database.transaction() as connection:
        rows = await standing.take(connection, code.key, BATCH)
        shared = await standing.take_shared(connection, code.key, BATCH)
        if not rows and not shared:
            return 0
        moves = await _of_messages(gateway, connection, code, rows)
        moves += await _of_shared(gateway, connection, code, shared)
        if moves:
            await messages.move(connection, gateway.ids, moves)
        if rows:
            # Also what may not move: it stands on the code no more.
            gone = {"unmapped_code": None, "unmapped_function": None}
            fences = {row["id"]: row["fence"] for row in rows}
            await messages.note(connection, dict.fromkeys(fences, gone), fences)
    count = len(rows) + len(shared)
    log.info("code_replayed", provider=code.provider, code=code.text, messages=count)
    return count


async def _of_messages(
    gateway: Gateway, connection: AsyncConnection, code: Code, rows: Sequence[RowMapping]
) -> list[Move]:
    news = await standing.news_of(connection, [row["id"] for row in rows], code.text)
    moves = []
    not_sent: list[UUID] = []
    for row in rows:
        attempt_id = None
        if isinstance(code.meaning, _OUTCOMES) and row["attempt_reference"]:
            attempt = await attempts.of_reference(
                connection, row["provider"], row["attempt_reference"]
            )
            attempt_id = attempt["id"] if attempt else None
        move = of_message(gateway, code, row, news.get(row["id"]), attempt_id)
        if move is not None:
            moves.append(move)
            if attempt_id is not None and isinstance(code.meaning, _NOT_SENT):
                not_sent.append(attempt_id)
    if not_sent:
        # Nobody may fetch the document of a call that is known to have sent nothing.
        await attempts.revoke(connection, not_sent, gateway.now())
    return moves


async def _of_shared(
    gateway: Gateway, connection: AsyncConnection, code: Code, rows: Sequence[RowMapping]
) -> list[Move]:
    """Write what the code says of recipients; return what that makes of their messages."""
    moves = []
    ids = [row["id"] for row in rows]
    everybody = await recipients.of_messages(connection, ids)
    news = await standing.news_of(connection, ids, code.text)
    for row in rows:
        own = [one for one in everybody if one["message_id"] == row["id"]]
        changed, report = of_recipients(gateway, code, own)
        await recipients.change(connection, changed)
        if report is not None:
            moves.append(of_report(gateway, code, row, report, news.get(row["id"])))
    return moves
