"""What a client's own limits refuse: whom it may write to, how fast it may ask, how much a day."""

from app.domain.fault import Fault


class RecipientNotInTeamList(Fault):
    """A key of the mode team sends to the recipients of its client's list only; nothing was kept."""

    code = "recipient_not_in_team_list"


class RateLimited(Fault):
    """You send more requests a second than you may; send this one again later."""

    code = "rate_limited"


class DailyQuotaExceeded(Fault):
    """Your quota of this channel for today does not hold this; nothing was kept."""

    code = "daily_quota_exceeded"
