"""What an operator is told of the providers: their state, and how their functions are offered."""

from datetime import datetime

from pydantic import BaseModel, Field

from app.domain.message import Channel
from app.domain.standing import State


class StandingOut(BaseModel):
    """How one channel of a provider stands."""

    channel: Channel
    state: State
    reason: str | None
    why: str | None = Field(description="For keys with the scope admin")
    since: datetime | None = Field(description="Null where it never was out of order")
    next_look_at: datetime | None = Field(description="When it is seen whether messages may leave")


class ProviderStateOut(BaseModel):
    """A provider."""

    name: str
    channels: list[Channel]
    state: str
    standings: list[StandingOut] = Field(description="Of each channel: whether messages leave")


class ProvidersOut(BaseModel):
    """Every provider."""

    data: list[ProviderStateOut]


class FunctionOut(BaseModel):
    """A documented function, and how the provider's contract offers it."""

    function: str
    operation: str | None = Field(None, description="Null where nothing carries the function")
    found: str = Field(description="How the operation was found, such as pinned or exact")
    to_confirm: bool = False
    service: str | None = None
    port: str | None = None
    soap: str | None = None
    style: str | None = None
    address: str | None = None
    parameters: dict[str, str] = Field({}, description="Documented name to path")
    fields: dict[str, str] = Field({}, description="Of objects: documented name to the contract's")
    trio: dict[str, str] = Field({}, description="Where the credentials go")
    trio_place: str | None = None
    constants: dict[str, str] = Field({}, description="Path to what the operator pinned")
    allowed: dict[str, list[str]] = Field({}, description="The values that a parameter takes")
    missing: list[str] = Field([], description="Optional parameters that cannot be carried")
    warnings: list[str] = []
    blocked: list[str] = Field([], description="Why it cannot be called; empty where it can")


class DifferenceOut(BaseModel):
    """A difference of a contract from the accepted one."""

    severity: str = Field(description="error, warning or info")
    function: str | None
    operation: str | None
    path: str | None
    what: str
    old: str | None
    new: str | None


class PendingOut(BaseModel):
    """A contract that is not followed until an operator accepts it."""

    fingerprint: str
    read_at: datetime
    differences: list[DifferenceOut]


class ContractOut(BaseModel):
    """A provider's contract: the accepted one, and one that waits."""

    provider: str
    state: str
    why: str | None = Field(description="Why there is no contract at hand")
    fingerprint: str | None = Field(description="Of the accepted contract")
    read_at: datetime | None
    functions: list[FunctionOut]
    pending: PendingOut | None
