"""Clients and their keys: the shapes of what operators send and are told."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, Field

from app.api.access import SCOPES, USUAL_SCOPES
from app.api.fields import Line, Time, e164, email_address, fault, line
from app.api.message_schema import Strict
from app.api.origin import networks_of
from app.domain.addresses import normalised
from app.domain.message import Mode

LONGEST_OVERLAP: Final = 2_592_000  # seconds: 30 days
USUAL_OVERLAP: Final = 86_400  # seconds: a day
MOST_TEAM: Final = 1_000  # recipients


def scope(text: str) -> str:
    """Return a scope that there is."""
    if text not in SCOPES:
        raise fault("not_allowed", f"There is no such scope; there are {', '.join(SCOPES)}.")
    return text


def network(text: str) -> str:
    """Return a network in its one spelling; an address is a network of its own."""
    try:
        return str(*networks_of([text]))
    except ValueError:
        detail = "Write a network as 10.1.0.0/16, without host bits, or an address."
        raise fault("network_invalid", detail) from None


def recipient(text: str) -> str:
    """Return an e-mail address or a number as it is compared with a message's."""
    return normalised(email_address(text) if "@" in text else e164(text))


Idempotency = Literal["required", "optional"]
Rate = Annotated[int, Field(ge=1, le=10_000)]
Quota = Annotated[int, Field(ge=0, le=100_000_000)]
Scope = Annotated[str, Field(json_schema_extra={"enum": list(SCOPES)}), AfterValidator(scope)]
Network = Annotated[str, Field(max_length=60), AfterValidator(network)]
Recipient = Annotated[str, Field(max_length=320), AfterValidator(recipient)]

_UNIQUE = "A reference that the client used before is refused with 409"
_IDEMPOTENCY = "Whether its live keys must send Idempotency-Key; null: as the deployment says"
_RATE = "Requests a second; null: as the deployment says"
_QUOTAS = "Messages a day by channel; null, or a channel that is null: no such limit"


class Quotas(Strict):
    """How many messages a day a client may hand in, by channel."""

    email: Quota | None = None
    sms: Quota | None = None
    letter: Quota | None = None
    fax: Quota | None = None


class ClientChangeIn(Strict):
    """Options of a client; what is left out stays as it is."""

    unique_references: bool = Field(False, description=_UNIQUE)
    idempotency: Idempotency | None = Field(None, description=_IDEMPOTENCY)
    rate: Rate | None = Field(None, description=_RATE)
    daily_quotas: Quotas | None = Field(None, description=_QUOTAS)


class ClientIn(ClientChangeIn):
    """A new client."""

    name: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(line)] = Field(
        description="Stands in events, and is what a token names its client by"
    )


class KeyIn(Strict):
    """A new key."""

    mode: Literal["live", "team", "test"] = Field(
        description="live: reaches anybody; team: the client's own list; test: simulators"
    )
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=50)] = Field(
        list(USUAL_SCOPES), description="What it may do"
    )
    label: Line | None = Field(None, description="What it is for; any words of yours")
    networks: Annotated[list[Network], Field(min_length=1, max_length=50)] | None = Field(
        None, description="From which alone it is taken; null: from everywhere"
    )
    expires_at: Time | None = Field(None, description="From when on it is not taken")


class RotateIn(Strict):
    """How a key is replaced."""

    overlap_seconds: Annotated[int, Field(ge=0, le=LONGEST_OVERLAP)] = Field(
        USUAL_OVERLAP, description="For how long the old key is still taken"
    )


class TeamIn(Strict):
    """Whom a client's keys of the mode team may send to."""

    recipients: Annotated[list[Recipient], Field(max_length=MOST_TEAM)] = Field(
        description="E-mail addresses and telephone numbers; they replace the whole list"
    )


class ClientOut(BaseModel):
    """A client, and its options."""

    id: str
    object: Literal["client"]
    name: str
    created_at: datetime
    unique_references: bool
    idempotency: Idempotency | None
    rate: int | None
    daily_quotas: dict[str, int] | None


class ClientsOut(BaseModel):
    """One page of clients, newest first."""

    data: list[ClientOut]
    has_more: bool
    next_cursor: str | None


class KeyOut(BaseModel):
    """A key, without its secret, which nobody can read again."""

    id: str = Field(description="The visible beginning of the key")
    object: Literal["key"]
    client_id: str
    mode: Mode
    state: Literal["active", "expired", "revoked"]
    scopes: list[str]
    label: str | None
    networks: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="To within some minutes")


class KeyMadeOut(KeyOut):
    """A new key, whole: this once."""

    key: str = Field(description="Keep it now; it is not shown again")


class KeysOut(BaseModel):
    """A client's keys, newest first."""

    data: list[KeyOut]


class TeamOut(BaseModel):
    """Whom a client's keys of the mode team may send to."""

    object: Literal["team_recipients"]
    client_id: str
    recipients: list[str]


class CallerOut(BaseModel):
    """The client that calls, as far as it is told."""

    id: str
    name: str


class QuotaOut(BaseModel):
    """What a client may still hand in today."""

    channel: str
    daily: int | None = Field(description="null: no such limit")
    used: int | None = Field(description="null where there is no limit: it is not counted then")
    left: int | None


class MeOut(BaseModel):
    """Who calls, and what it may do."""

    object: Literal["me"]
    client: CallerOut
    key: str | None = Field(description="The visible beginning of the key; null of a token")
    label: str | None
    mode: Mode
    scopes: list[str]
    networks: list[str] | None
    expires_at: datetime | None
    idempotency: Idempotency = Field(description="Whether an Idempotency-Key must be sent")
    unique_references: bool
    rate: int | None = Field(description="Requests a second; null: no such limit")
    quotas: list[QuotaOut]
    quotas_reset_at: datetime
    body_limit: int = Field(description="Bytes of a request's body")
    attachment_limit: int = Field(description="Bytes of a message's files together")
