"""Decide what may leave: how each channel stands, and at what pace its provider is called.

Both are rows that every worker shares: an outage that one worker meets holds all of them back.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.delivery import carry
from app.delivery.conclude import Ended
from app.delivery.gateway import Gateway
from app.domain.message import Channel
from app.domain.standing import Standing, State, after_call, after_probe, is_doubt
from app.store import channels, rates
from app.store.channels import Name
from app.store.queue import Claim, Room

log = structlog.get_logger()

# What a person does about a channel that stopped.
REMEDIES: Final[Mapping[str, str]] = {
    "provider_credentials": "mend the provider's account in the settings, and start anew",
    "provider_settings": "set what is missing, and start anew: multicanal config check",
    "provider_contract": "multicanal providers check says what does not fit",
    "provider_credit": "credit the account, then POST /v1/providers/{name}/probe",
    "document_unreachable": "MULTICANAL_PUBLIC_URL must be reachable for the provider",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What a channel lets through now."""

    of: frozenset[str]  # the providers of its lane
    shut: frozenset[str]  # of those, which nothing is claimed for
    width: int | None  # calls at once; None: as the settings say

    def room(self, wanted: int, under_way: int) -> Room:
        """Return how much may be claimed, where so many calls are under way."""
        limit = wanted if self.width is None else max(0, min(wanted, self.width - under_way))
        return Room(limit, self.shut, of=self.of)


async def admission(connection: AsyncConnection, channel: Channel, of: frozenset[str]) -> Admission:
    """Return what a channel of some providers lets through now."""
    every = await channels.of_channel(connection, channel.value)
    standing = {name: one for name, one in every.items() if name in of}
    widths = [
        one.width
        for one in standing.values()
        if one.state is State.CLOSED and one.width is not None
    ]
    return Admission(
        of=of,
        shut=frozenset(name for name, one in standing.items() if one.state is not State.CLOSED),
        width=min(widths, default=None),
    )


async def paced(
    gateway: Gateway, connection: AsyncConnection, channel: Channel, wanted: int
) -> int:
    """Return how many of the wanted calls the pace of the channel's provider allows now."""
    provider = gateway.routes[channel]
    rate = gateway.rates.get(provider)
    if rate is None:
        return wanted
    return min(wanted, await rates.room(connection, provider, rate, gateway.now()))


async def spend_pace(
    gateway: Gateway, connection: AsyncConnection, claims: Sequence[Claim]
) -> None:
    """Count the calls that claims will make against their providers' paces."""
    calls = Counter(one.row["provider"] for one in claims if not one.follows)
    for provider, count in calls.items():
        if (rate := gateway.rates.get(provider)) is not None:
            await rates.spend(connection, provider, rate, gateway.now(), count)


async def note_calls(
    gateway: Gateway, connection: AsyncConnection, ended: Iterable[Ended], now: datetime
) -> None:
    """Write down what calls told about their channels; nothing is written where all is well."""
    calls: dict[Name, list[Ended]] = {}
    for one in ended:
        if not one.held.claim.follows:  # a campaign was one call
            name = (one.held.claim.row["provider"], one.held.channel.value)
            calls.setdefault(name, []).append(one)
    known = await channels.standings(connection, list(calls))
    telling = {
        name: those
        for name, those in calls.items()
        if known.get(name, Standing()) != Standing() or any(is_doubt(one.outcome) for one in those)
    }
    if not telling:
        return
    before = await channels.standings(connection, list(telling), lock=True)
    after = dict(before)
    for name, those in telling.items():
        for one in those:
            after[name] = after_call(
                after[name], one.outcome, now, gateway.timing.pace, gateway.random
            )
    await _write(connection, before, after, now)


async def probe_due(gateway: Gateway, *, twins: bool = False) -> None:
    """Look at the channels that are open or stopped, with calls that send nothing."""
    lease, of = gateway.timing.lease, carry.names(gateway, twins=twins)
    async with gateway.database.transaction() as connection:
        due = await channels.take_due(connection, gateway.now(), lease, of)
    for name in due:
        provider, channel = name
        probed = await gateway.providers[provider].probe(Channel(channel))
        now = gateway.now()
        async with gateway.database.transaction() as connection:
            before = await channels.standings(connection, [name], lock=True)
            if before[name].state is State.CLOSED:
                continue
            standing = after_probe(before[name], probed, now, gateway.timing.pace, gateway.random)
            await _write(connection, before, {name: standing}, now)
        if standing.state is State.CLOSED:
            gateway.wake.call(Channel(channel))


async def _write(
    connection: AsyncConnection,
    before: Mapping[Name, Standing],
    after: Mapping[Name, Standing],
    now: datetime,
) -> None:
    changed = {name: one for name, one in after.items() if one != before[name]}
    await channels.write(connection, changed, now)
    for (provider, channel), standing in changed.items():
        old = before[provider, channel]
        if (old.state, old.reason) != (standing.state, standing.reason):
            _tell(provider, channel, standing)


def _tell(provider: str, channel: str, standing: Standing) -> None:
    about = {"provider": provider, "channel": channel}
    if standing.state is State.CLOSED:
        log.info("channel_resumed", **about)
        return
    about |= {"reason": standing.reason or "", "why": standing.why or ""}
    if standing.state is State.OPEN:
        log.warning("circuit_opened", **about)
    else:
        remedy = REMEDIES.get(standing.reason or "", "see GET /v1/providers")
        log.error("channel_stopped", remedy=remedy, **about)
