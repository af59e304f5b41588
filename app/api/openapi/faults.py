"""Which faults each operation answers with: by what it takes, and by what it does.

A fault that an operation cannot have does not stand in its description; the tests of the API
compare every answer that they get with it.
"""

from collections.abc import Mapping
from typing import Any, Final

from app.api.openapi.headers import referred
from app.api.problems import MEDIA_TYPE, TABLE
from app.domain import errors
from app.domain.errors import Fault

Operation = dict[str, Any]
Faults = tuple[type[Fault], ...]

_KEY: Final[Faults] = (
    errors.MalformedRequest,  # two Authorization headers
    errors.ApiKeyInvalid,
    errors.TokenInvalid,
    errors.NetworkNotAllowed,
    errors.ClientUnknown,
    errors.RateLimited,
    errors.IssuerUnavailable,
    errors.StoreUnavailable,
)
_BODY: Final[Faults] = (
    errors.TooBusy,
    errors.MalformedJson,
    errors.PayloadTooLarge,
    errors.UnsupportedMediaType,
    errors.ValidationFailed,
)
_IDEMPOTENT: Final[Faults] = (
    errors.IdempotencyKeyRequired,
    errors.IdempotencyKeyInvalid,
    errors.IdempotencyInProgress,
    errors.IdempotencyKeyReused,
)
_CONSULTING: Final[Faults] = (
    errors.ChannelNotAllowed,
    errors.ProviderRejected,
    errors.ProviderProtocolError,
    errors.ProviderUnavailable,
    errors.ProviderCredentials,
    errors.ProviderContract,
)
_SENDING: Final[Faults] = (
    errors.ChannelNotAllowed,
    errors.RecipientNotInTeamList,
    errors.DuplicateReference,
    errors.QuotaExceeded,
    errors.DailyQuotaExceeded,
    errors.ProviderContract,
    errors.QueueFull,
    errors.StorageLow,
)
_VERDICT: Final[Faults] = (
    errors.NotUncertain,
    errors.AlreadyFinal,
    errors.AlreadySubmitted,
)

# What an operation does, beyond what can be seen of it.
OWN: Final[Mapping[str, Faults]] = {
    "sendEmail": _SENDING,
    "sendSms": _SENDING,
    "sendLetter": _SENDING,
    "sendFax": _SENDING,
    "sendEmailBatch": _SENDING,
    "sendSmsBatch": _SENDING,
    "estimateMessage": (errors.ChannelNotAllowed, errors.ProviderContract),
    "searchMessages": (errors.CursorInvalid,),  # of the body: the recipient stands in no address
    "uploadDocument": (
        errors.MalformedRequest,
        errors.PayloadTooLarge,
        errors.UnsupportedMediaType,
        errors.DocumentInvalid,
        errors.ValidationFailed,
        errors.TooBusy,
        errors.StorageLow,
    ),
    "cancelMessage": (errors.AlreadyFinal, errors.AlreadySubmitted),
    "refreshMessage": (
        errors.AlreadyFinal,
        errors.NotSubmitted,
        errors.StatusQueryNotSupported,
    ),
    "resolveMessage": _VERDICT,
    "resolveMessages": (errors.SelectionChanged,),
    "createReport": (errors.ChannelNotAllowed, errors.StorageLow),
    "getReportFile": (errors.ReportNotReady, errors.ReportFailed),
    "listReportRows": (errors.ReportNotReady, errors.ReportFailed, errors.ReportUnreadable),
    "getEsmtpCode": (errors.ValidationFailed,),
    "createWebhookEndpoint": (errors.WebhookEndpointsExhausted,),
    "pingWebhookEndpoint": (errors.WebhookEndpointDisabled,),
    "recoverWebhookEndpoint": (errors.WebhookEndpointDisabled,),
    "resendWebhookDelivery": (errors.WebhookEndpointDisabled,),
    "createClient": (errors.ModeNotAllowed, errors.ClientExists),
    "changeClient": (errors.ModeNotAllowed,),
    "getTeamRecipients": (errors.ModeNotAllowed,),
    "replaceTeamRecipients": (errors.ModeNotAllowed,),
    "removeTeamRecipients": (errors.ModeNotAllowed,),
    "createKey": (errors.ModeNotAllowed,),
    "probeProvider": (errors.ModeNotAllowed,),
    "rotateKey": (errors.KeyNotActive,),
    "addProviderUser": (errors.OutcomeUnknown,),
}
# What needs a key, and no scope of it.
UNSCOPED: Final = frozenset({"listProviders", "getMe"})
# What is found by a path that every value fits.
_FITTING: Final = frozenset(
    {"message_id", "batch_id", "document_id", "report_id", "name", "endpoint_id", "delivery_id"}
    | {"client_id", "key_id"}
)

_STATUS: Final = {kind: (status, title, retryable) for kind, status, title, retryable in TABLE}
_ORDER: Final = {kind: place for place, (kind, *_) in enumerate(TABLE)}
_INTERNAL: Final = "internal_error"
_MEANINGS: Final = {
    400: "The request's form is wrong",
    401: "Nobody is known by this key",
    403: "The key may not do this",
    404: "There is nothing here, or nothing of yours",
    409: "It cannot be done now, as things stand",
    413: "The body is too large",
    415: "The body's type is not taken",
    422: "What was asked for cannot be done as it stands",
    429: "Too much; come again after Retry-After",
    502: "The provider's answer says nothing that we can rely on",
    503: "Something that is needed for it is not available",
}


def faults_of(operation: Operation, *, secured: bool) -> list[type[Fault]]:
    """Return the faults that an operation answers with, in the order of the table."""
    name, parameters = operation["operationId"], operation.get("parameters", [])
    named = {one["name"] for one in parameters}
    paths = {one["name"] for one in parameters if one["in"] == "path"}
    body = operation.get("requestBody", {}).get("content", {})
    groups: dict[Faults, bool] = {
        _KEY: secured,
        (errors.ScopeMissing,): secured and name not in UNSCOPED,
        _BODY: "application/json" in body,
        _IDEMPOTENT: "Idempotency-Key" in named,
        _CONSULTING: "502" in operation["responses"],
        (errors.NotFound,): bool(paths),
        (errors.CursorInvalid,): any(
            one["name"] == "cursor" and "pattern" not in one["schema"] for one in parameters
        ),
        (errors.ValidationFailed,): bool(paths - _FITTING)
        or any(one["in"] == "query" for one in parameters),
    }
    found = {kind for group, applies in groups.items() if applies for kind in group}
    return sorted(found | {*OWN.get(name, ())}, key=_ORDER.__getitem__)


def describe(operation: Operation, *, secured: bool) -> None:
    """Write an operation's faults into its answers."""
    answers = operation["responses"]
    found = faults_of(operation, secured=secured)
    for replaced in ("422", "502"):  # FastAPI's own, and the mark of what asks a provider
        answers.pop(replaced, None)
    for status in sorted({_STATUS[kind][0] for kind in found}):
        kinds = [kind for kind in found if _STATUS[kind][0] == status]
        words = "\n".join(f"- `{kind.code}`: {_words(kind)}" for kind in kinds)
        answers[str(status)] = _answer(
            f"{_MEANINGS[status]}.\n\n{words}", [kind.code for kind in kinds], _headers(kinds)
        )
    if secured:
        answers["500"] = _answer(
            f"A fault of ours; it is logged under the request id.\n\n- `{_INTERNAL}`",
            [_INTERNAL],
            [],
        )


def examples() -> dict[str, dict[str, Any]]:
    """Return an example of each fault, by its code."""
    rows = [(kind.code, *_STATUS[kind], _words(kind)) for kind in _STATUS]
    rows.append((_INTERNAL, 500, "Internal error", True, "This is our fault; it was logged."))
    return {
        code: {
            "summary": title,
            "value": {
                "type": f"urn:multicanal:problem:{code}",
                "title": title,
                "status": status,
                "detail": detail,
                "instance": None,
                "code": code,
                "request_id": "req_01KQ6D4N1ZV5K8W3T9XH2M7RBE",
                "retryable": retryable,
                "message_id": None,
                "errors": _FIELDS if code == errors.ValidationFailed.code else [],
                "provider": None,
            },
        }
        for code, status, title, retryable, detail in rows
    }


_FIELDS: Final = [
    {
        "pointer": "/to",
        "code": "number_too_short",
        "detail": "The number is too short.",
    }
]


def _words(kind: type[Fault]) -> str:
    return " ".join((kind.__doc__ or "").split())


def _headers(kinds: list[type[Fault]]) -> list[str]:
    named = []
    if errors.ApiKeyInvalid in kinds:
        named.append("WWW-Authenticate")
    if any(_STATUS[kind][2] for kind in kinds):
        named.append("Retry-After")
    return named


def _answer(words: str, codes: list[str], headers: list[str]) -> dict[str, Any]:
    shown = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": words,
        "headers": referred(["X-Request-Id", *headers]),
        "content": {MEDIA_TYPE: {"schema": schema, "examples": shown}},
    }
