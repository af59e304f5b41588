"""What a person says of messages: the shapes of requests and answers."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from app.api.fields import BatchId, BillingCode, Line, Time, line
from app.api.schemas import Strict
from app.api.shapes import BatchOut
from app.delivery.verdicts import Verdict
from app.domain.message import Channel

Reason = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(line)]
Outcome = Literal["assume_sent", "not_sent", "retry", "abandon"]
_OUTCOME = (
    "assume_sent: it left, and is followed from now on. not_sent: somebody saw that it did not"
    " leave; it is sent. retry: nobody knows, and it is sent all the same. abandon: it fails."
)
_RISK = "Say true for retry: it may be sent twice. Not needed where its absence was proven"


class ResolveIn(Strict):
    """What is said of one message."""

    outcome: Outcome = Field(description=_OUTCOME)
    reason: Reason = Field(description="How you know; kept in the message's events")
    provider_message_id: Annotated[Line, Field(max_length=100)] | None = Field(
        None, description="Of assume_sent: the provider's id of it, so that it can be followed"
    )
    accept_duplicate_risk: bool = Field(False, description=_RISK)


class SelectionIn(Strict):
    """Which messages."""

    channel: Literal["email", "sms", "letter", "fax"]
    status: Literal["uncertain", "held"] = "uncertain"
    provider: Annotated[Line, Field(max_length=32)] | None = None
    billing_code: BillingCode | None = None
    batch_id: BatchId | None = None
    why: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(line)] | None = Field(
        None, description="Why nobody knows what came of the last attempt, such as lease_expired"
    )
    created_after: Time | None = Field(None, description="At or after this time")
    created_before: Time | None = Field(None, description="Before this time")


class ResolveBatchIn(Strict):
    """What is said of many messages."""

    filter: SelectionIn
    outcome: Outcome = Field(description=_OUTCOME)
    reason: Reason = Field(description="How you know; kept in each message's events")
    accept_duplicate_risk: bool = Field(False, description="Say true for retry")
    dry_run: bool = Field(True, description="Count only, and answer the confirmation")
    confirmation: Annotated[Line, Field(max_length=100)] | None = Field(
        None, description="What the dry run of the same filter and outcome answered"
    )


class ResolutionOut(BaseModel):
    """What a filter counts, or what became of it."""

    object: str
    dry_run: bool
    channel: Channel
    outcome: Verdict
    count: int
    message_ids: list[str] = Field(description="The first of them")
    confirmation: str | None = Field(description="For the real run")
    resolved: int | None
    skipped: int | None = Field(description="Moved by themselves meanwhile")


class BatchCancelledOut(BatchOut):
    """A batch, and how many of its messages were cancelled by this request."""

    cancelled: int
