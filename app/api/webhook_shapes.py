"""Webhooks: the shapes of what clients ask for, and are told."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, Field

from app.api.fields import Time, fault, single_line
from app.api.message_schema import Strict
from app.delivery.guard import LONGEST_URL
from app.delivery.tell import TYPES
from app.domain.message import Channel

USUAL_OVERLAP: Final = 24  # hours
LONGEST_OVERLAP: Final = 168


def event_type(text: str) -> str:
    """Return a type of event that there is."""
    if text not in TYPES:
        raise fault("not_allowed", f"There is no such type; there are {', '.join(TYPES)}.")
    return text


Url = Annotated[str, Field(min_length=1, max_length=LONGEST_URL)]
EventType = Annotated[
    str, Field(json_schema_extra={"enum": list(TYPES)}), AfterValidator(event_type)
]
EventTypes = Annotated[list[EventType], Field(min_length=1, max_length=len(TYPES))]
# As text: a strict enumeration takes no text.
ChannelName = Literal["email", "sms", "letter", "fax"]
ChannelNames = Annotated[list[ChannelName], Field(min_length=1, max_length=len(Channel))]
Description = Annotated[str, Field(max_length=200), AfterValidator(single_line)]

_URL = "https, without user, password and fragment; where the operator's list allows"
_EVENTS = "Types of events; null: all"
_CHANNELS = "Channels of messages; null: all. Events that are of no message come always"


class WebhookEndpointIn(Strict):
    """A new endpoint."""

    url: Url = Field(description=_URL)
    description: Description | None = None
    events: EventTypes | None = Field(None, description=_EVENTS)
    channels: ChannelNames | None = Field(None, description=_CHANNELS)


class WebhookEndpointChangeIn(Strict):
    """What changes of an endpoint; a field that is missing stays as it is."""

    url: Url | None = Field(None, description=f"{_URL}; null changes nothing")
    description: Description | None = None
    events: EventTypes | None = Field(None, description=_EVENTS)
    channels: ChannelNames | None = Field(None, description=_CHANNELS)


class RotateSecretIn(Strict):
    """How long the old secret signs beside the new one."""

    overlap_hours: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP)] = USUAL_OVERLAP


class RecoverIn(Strict):
    """Which time is recovered."""

    since: Time = Field(description="Events from here on; 30 days back at most")
    until: Time | None = Field(None, description="And before this; null: up to now")
    after_position: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = Field(
        None, description="The `next_after_position` of the answer before, to go on"
    )


class EndpointLinksOut(BaseModel):
    """Where to go on."""

    self: str
    deliveries: str


class WebhookEndpointOut(BaseModel):
    """Where a client is told of events. It belongs to the mode of the key that made it."""

    id: str
    object: str
    mode: str
    url: str
    description: str | None
    events: list[str] | None = Field(description=_EVENTS)
    channels: list[Channel] | None = Field(description=_CHANNELS)
    enabled: bool
    disabled_reason: Literal["gone", "failing", "client"] | None
    failing_since: datetime | None = Field(description="Since when it took nothing")
    previous_secret_until: datetime | None = Field(
        description="Until when the secret before the last rotation signs too"
    )
    created_at: datetime
    changed_at: datetime
    links: EndpointLinksOut


class WebhookEndpointSecretOut(WebhookEndpointOut):
    """An endpoint with its new secret, which is shown this once."""

    secret: str = Field(description="`whsec_...`: keep it; it is never shown again")


class WebhookEndpointsOut(BaseModel):
    """A client's endpoints, oldest first."""

    data: list[WebhookEndpointOut]


class TryOut(BaseModel):
    """One try of a delivery."""

    at: datetime
    milliseconds: int
    code: int | None = Field(description="HTTP status of the answer, where one came")
    why: str | None = Field(description="Why it counts as failed, in a word")


class WebhookDeliveryOut(BaseModel):
    """One event for one endpoint."""

    id: str
    object: str
    endpoint_id: str
    webhook_id: str = Field(description="The header `webhook-id`, the same at each try")
    type: str
    message_id: str | None
    state: Literal["pending", "delivered", "failed"]
    attempts: int = Field(description="Tries of the present schedule, the one under way included")
    next_try_at: datetime | None
    last_try: TryOut | None
    created_at: datetime
    ended_at: datetime | None
    links: dict[str, Any]


class WebhookDeliveryDetailOut(WebhookDeliveryOut):
    """A delivery with its tries, the last twenty."""

    tries: list[TryOut]
    response: str | None = Field(description="The beginning of the last answer's body")


class WebhookDeliveriesOut(BaseModel):
    """A page of deliveries, newest first."""

    data: list[WebhookDeliveryOut]
    has_more: bool
    next_cursor: str | None


class RecoveredOut(BaseModel):
    """What is delivered, or delivered again."""

    examined: int = Field(description="Events of that time")
    created: int = Field(description="Of these, such as the endpoint was never told")
    resumed: int = Field(description="Of these, such as had failed")
    complete: bool
    next_after_position: int | None = Field(
        description="Where it is not complete: send it as `after_position`, with the same times"
    )
