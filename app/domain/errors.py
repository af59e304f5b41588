"""What a caller can do wrong, and what we may have to tell a caller.

One class, one sentence, one stable code each; `api/problems.py` gives each its HTTP status.
The class's docstring is the default detail, so that each explanation is written once.
"""

from app.domain.fault import Fault, FieldError
from app.domain.limits import DailyQuotaExceeded, RateLimited, RecipientNotInTeamList
from app.domain.refusals import (
    ApiKeyInvalid,
    ChannelNotAllowed,
    ClientExists,
    ClientUnknown,
    IssuerUnavailable,
    KeyNotActive,
    ModeNotAllowed,
    NetworkNotAllowed,
    ScopeMissing,
    TokenInvalid,
    TooBusy,
    WebhookEndpointDisabled,
    WebhookEndpointsExhausted,
)

__all__ = [  # besides what stands here
    "ApiKeyInvalid",
    "ChannelNotAllowed",
    "ClientExists",
    "ClientUnknown",
    "DailyQuotaExceeded",
    "Fault",
    "FieldError",
    "IssuerUnavailable",
    "KeyNotActive",
    "ModeNotAllowed",
    "NetworkNotAllowed",
    "RateLimited",
    "RecipientNotInTeamList",
    "ScopeMissing",
    "TokenInvalid",
    "TooBusy",
    "WebhookEndpointDisabled",
    "WebhookEndpointsExhausted",
]


class MalformedJson(Fault):
    """The body is not a JSON document that this API reads."""

    code = "malformed_json"


class MalformedRequest(Fault):
    """The request's form is wrong."""

    code = "malformed_request"


class IdempotencyKeyRequired(Fault):
    """Send an Idempotency-Key header of 1 to 255 characters, one for each message."""

    code = "idempotency_key_required"


class IdempotencyKeyInvalid(Fault):
    """The Idempotency-Key header takes 1 to 255 visible ASCII characters."""

    code = "idempotency_key_invalid"


class CursorInvalid(Fault):
    """The cursor is not one that this list gave; begin again without it."""

    code = "cursor_invalid"


class NotFound(Fault):
    """There is nothing here, or nothing of yours."""

    code = "not_found"


class MethodNotAllowed(Fault):
    """The address does not take this method."""

    code = "method_not_allowed"


class IdempotencyInProgress(Fault):
    """The first request with this Idempotency-Key is still being answered; ask again shortly."""

    code = "idempotency_in_progress"
    retry_after = 1


class DuplicateReference(Fault):
    """An earlier message of yours has this reference; your references are unique."""

    code = "duplicate_reference"


class OutcomeUnknown(Fault):
    """The first request with this Idempotency-Key has no known outcome; it is not repeated."""

    code = "outcome_unknown"


class AlreadySubmitted(Fault):
    """It was handed to its provider, and no provider takes anything back."""

    code = "already_submitted"


class AlreadyFinal(Fault):
    """Its status is final."""

    code = "already_final"


class NotSubmitted(Fault):
    """Its provider has not accepted it: there is nothing to ask."""

    code = "not_submitted"


class NotUncertain(Fault):
    """Only a message that is uncertain, or held, is resolved."""

    code = "not_uncertain"


class StatusQueryNotSupported(Fault):
    """Its provider has no function that tells this message's status."""

    code = "status_query_not_supported"


class SelectionChanged(Fault):
    """Other messages match than those that the dry run counted; make a new dry run."""

    code = "selection_changed"


class ReportNotReady(Fault):
    """The provider has not made the report yet; ask again shortly."""

    code = "report_not_ready"
    retry_after = 5


class ReportFailed(Fault):
    """There is no file: the report failed. Ask for a new one."""

    code = "report_failed"


class PayloadTooLarge(Fault):
    """The body is larger than this address takes."""

    code = "payload_too_large"


class UnsupportedMediaType(Fault):
    """The address does not take this Content-Type."""

    code = "unsupported_media_type"


class ValidationFailed(Fault):
    """Some fields are wrong."""

    code = "validation_failed"


class IdempotencyKeyReused(Fault):
    """The Idempotency-Key was used with another body or address; use a new one for a new message."""

    code = "idempotency_key_reused"


class DocumentInvalid(Fault):
    """The document cannot be sent."""

    code = "document_invalid"


class ReportUnreadable(Fault):
    """The report's rows cannot be read; its file can be had as it is."""

    code = "report_unreadable"


class ProviderRejected(Fault):
    """The provider does not take this value."""

    code = "provider_rejected"


class ProviderProtocolError(Fault):
    """The provider's answer says nothing that we can rely on."""

    code = "provider_protocol_error"


class ProviderUnavailable(Fault):
    """The provider cannot be reached; nothing was done. Send the same request again."""

    code = "provider_unavailable"
    retry_after = 30


class ProviderCredentials(Fault):
    """The provider does not take our account's credentials; nothing was done."""

    code = "provider_credentials"
    retry_after = 300


class ProviderContract(Fault):
    """The provider's contract does not offer this function."""

    code = "provider_contract"
    retry_after = 300


class QuotaExceeded(Fault):
    """Too many of your messages wait to be sent; nothing was kept. Send it again later."""

    code = "quota_exceeded"


class QueueFull(Fault):
    """Too many messages wait to be sent; nothing was kept. Send it again later."""

    code = "queue_full"


class StorageLow(Fault):
    """The store's disk is nearly full; nothing was kept. Send it again later."""

    code = "storage_low"


class StoreUnavailable(Fault):
    """The store cannot be reached; nothing was kept. Send the same request again."""

    code = "store_unavailable"
    retry_after = 5
