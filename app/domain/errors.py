"""What a caller can do wrong, and what we may have to tell a caller.

One class, one sentence, one stable code each; `api/problems.py` gives each its HTTP status.
The class's docstring is the default detail, so that each explanation is written once.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: where (RFC 6901), why, and how to mend it."""

    pointer: str
    code: str
    detail: str


class Fault(Exception):
    """The request cannot be done."""

    code = "fault"
    retry_after: int | None = None  # seconds

    def __init__(self, detail: str | None = None, errors: tuple[FieldError, ...] = ()) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip()
        self.errors = errors
        super().__init__(self.code)


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


class ApiKeyInvalid(Fault):
    """Send a valid key as `Authorization: Bearer gw_...`."""

    code = "api_key_invalid"


class ScopeMissing(Fault):
    """The key lacks the scope for this."""

    code = "scope_missing"


class ChannelNotAllowed(Fault):
    """The key's mode cannot send here."""

    code = "channel_not_allowed"


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
    """The Idempotency-Key was used with another body; use a new key for a new message."""

    code = "idempotency_key_reused"


class DocumentInvalid(Fault):
    """The document cannot be sent."""

    code = "document_invalid"


class ProviderContract(Fault):
    """The provider's contract does not offer this function."""

    code = "provider_contract"
    retry_after = 300


class StoreUnavailable(Fault):
    """The store cannot be reached; nothing was kept. Send the same request again."""

    code = "store_unavailable"
    retry_after = 5
