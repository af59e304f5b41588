"""Write down apart what is nearly all of a round: messages that their providers simply took."""

from collections.abc import Sequence
from datetime import datetime

from app.delivery.conclude import LENGTHS, Ended, first_status_look
from app.delivery.fault_points import Point
from app.delivery.gateway import Gateway
from app.domain.outcome import Accepted
from app.domain.standing import is_doubt
from app.store import submitted
from app.store.submitted import Taken


async def write(
    gateway: Gateway, ended: Sequence[Ended], now: datetime
) -> tuple[Sequence[Ended], Sequence[Ended]]:
    """Commit what was simply taken, with one statement; return it, and the others.

    Those go the general way, and so does what this finds otherwise than expected: a lost claim, a
    channel that is out of order; and a round that tells of a provider that is away, for which it
    counts how calls followed each other.
    """
    if gateway.database.is_sqlite or any(is_doubt(one.outcome) for one in ended):
        return [], ended
    rows, others = [], []
    looks: dict[tuple[object, ...], datetime | None] = {}
    for one in ended:
        claim, outcome = one.held.claim, one.outcome
        if not (isinstance(outcome, Accepted) and _is_plain(gateway, one, outcome)):
            others.append(one)
            continue
        # All that a first look goes by, beside the time: mostly it is the same for all.
        kind = claim.row["channel"], claim.row["provider"], claim.follows, one.function
        if kind not in looks:
            looks[kind] = first_status_look(gateway, one, now)
        rows.append(
            Taken(
                claim.message_id,
                claim.fence,
                claim.attempt_id,
                claim.reference,
                one.function,
                outcome.provider_id,
                outcome.code and outcome.code[: LENGTHS["code"]],
                outcome.words and outcome.words[: LENGTHS["words"]],
                looks[kind],
            )
        )
    if not rows:
        return [], ended
    channels = {(str(provider), str(channel)) for channel, provider, *_ in looks}
    await gateway.fault_points.reached(Point.RECORDING)
    left = await submitted.write(gateway.database, gateway.ids, rows, channels, now)
    await gateway.fault_points.reached(Point.RECORDED)
    left |= {one.held.claim.message_id for one in others}
    return (
        [one for one in ended if one.held.claim.message_id not in left] if left else ended,
        [one for one in ended if one.held.claim.message_id in left] if left else [],
    )


def _is_plain(gateway: Gateway, one: Ended, accepted: Accepted) -> bool:
    return (
        not one.again
        and one.held.claim.slot is None
        and one.held.claim.row["provider"] not in gateway.learn
        and len(accepted.provider_id or "") <= LENGTHS["provider_message_id"]
    )
