"""Show what is left of a client's daily quota, in the headers of what is sent on its channel."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from app.api.access import Caller
from app.api.edge import Edge
from app.api.requests import limits_of
from app.delivery.quota import until_midnight
from app.domain.message import Channel

DAY: Final = 86_400  # seconds


@dataclass(slots=True)
class Showing:
    """Whether the answer shows a quota."""

    is_wanted: bool = True


@contextmanager
def showing_quota(
    edge: Edge, caller: Caller, channel: Channel, request: Request
) -> Iterator[Showing]:
    """Add a channel's quota to the limits that the answer shows, whether it is taken in or not."""
    showing = Showing()
    try:
        yield showing
    finally:
        quota = caller.quota_of(channel) if showing.is_wanted else None
        if quota is not None:
            _show(edge, caller, channel, quota, request)


def _show(edge: Edge, caller: Caller, channel: Channel, quota: int, request: Request) -> None:
    now = edge.gateway.local_time()
    used = edge.gateway.usage.of((caller.client_id, caller.mode, channel.value, now.date()))
    if used is not None:
        name = f'"{channel}-daily"'
        left = f"{name};r={max(0, quota - used)};t={until_midnight(now)}"
        limits_of(request).append((f"{name};q={quota};w={DAY}", left))
