"""Headers of answers, each described once."""

from typing import Any, Final

_COUNT: Final = {"type": "integer", "minimum": 0}

# Headers of answers, as components.
HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-Id": {
        "description": "Names this request in our log: the caller's own, or one that was made",
        "required": True,
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "Where the new object is",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Idempotency-Replayed": {
        "description": "`true` where this is the first answer again: nothing was done twice",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Preference-Applied": {
        "description": "What was done of the Prefer header (RFC 7240)",
        "schema": {"type": "string", "examples": ["wait=5"]},
    },
    "Retry-After": {
        "description": "Seconds to wait before the same request may succeed",
        "schema": _COUNT,
    },
    "WWW-Authenticate": {
        "description": "How to show who calls",
        "required": True,
        "schema": {"type": "string", "examples": ["Bearer"]},
    },
    "ETag": {
        "description": "Names this state, for If-None-Match (RFC 9110, 8.8.3)",
        "required": True,
        "schema": {"type": "string"},
    },
    "RateLimit": {
        "description": "What is left of each limit, and the seconds until it is whole again"
        " (draft-ietf-httpapi-ratelimit-headers); missing where none holds",
        "schema": {"type": "string", "examples": ['"requests";r=49;t=1']},
    },
    "RateLimit-Policy": {
        "description": "The limits that hold for this client; missing where none holds",
        "schema": {"type": "string", "examples": ['"requests";q=50;w=1']},
    },
    "Link": {
        "description": 'The next page, `rel="next"`; missing on the last (RFC 8288)',
        "schema": {"type": "string"},
    },
}

# What answers carry because of a parameter that the operation takes.
BY_PARAMETER: Final[dict[str, tuple[str, ...]]] = {
    "Idempotency-Key": ("Idempotency-Replayed",),
    "Prefer": ("Preference-Applied",),
    "If-None-Match": ("ETag",),
}
# What single operations carry: status, headers.
BY_OPERATION: Final[dict[str, tuple[str, str]]] = {
    "sendEmail": ("201 202", "Location"),
    "sendSms": ("201 202", "Location"),
    "sendLetter": ("201 202", "Location"),
    "sendFax": ("201 202", "Location"),
    "sendEmailBatch": ("202", "Location"),
    "sendSmsBatch": ("202", "Location"),
    "uploadDocument": ("201", "Location"),
    "createReport": ("202", "Location"),
    "createClient": ("201", "Location"),
    "createWebhookEndpoint": ("201", "Location"),
    "pingWebhookEndpoint": ("202", "Location"),
    "refreshMessage": ("202", "Retry-After"),
    "listMessages": ("200", "Link"),
    "listUncertain": ("200", "Link"),
    "listBatchMessages": ("200", "Link"),
    "listClients": ("200", "Link"),
    "listWebhookDeliveries": ("200", "Link"),
    "listUnmatchedAcknowledgements": ("200", "Link"),
}
RATE: Final = ("RateLimit", "RateLimit-Policy")


def of_answer(operation: dict[str, Any], status: str, *, secured: bool) -> dict[str, Any]:
    """Return the headers that one of an operation's successes carries, as references."""
    named = ["X-Request-Id"]
    statuses, header = BY_OPERATION.get(operation["operationId"], ("", ""))
    if status in statuses.split():
        named.append(header)
    for parameter in operation.get("parameters", ()):
        named += BY_PARAMETER.get(parameter["name"], ())
    return referred([*named, *(RATE if secured else ())])


def referred(names: list[str]) -> dict[str, dict[str, str]]:
    """Return headers as references to their components."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
