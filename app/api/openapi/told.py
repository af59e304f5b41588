"""What we send to clients by ourselves: webhooks, by the Standard Webhooks specification."""

from typing import Any, Final

from app.api.openapi.body import REFERENCE

_TEXT: Final = {"type": "string"}
_HEADERS: Final = {
    "webhook-id": "Names the event: a repeat has the same one, and is to be taken once",
    "webhook-timestamp": "When this try was made, in seconds since 1970; refuse what is old",
    "webhook-signature": "`v1,` and the HMAC-SHA256 of `id.timestamp.body` in base 64; several,"
    " with blanks between them, while a secret is being rotated",
}
WEBHOOKS: Final[dict[str, Any]] = {
    "event": {
        "post": {
            "tags": ["webhooks"],
            "operationId": "receiveEvent",
            "summary": "An event, at your own address",
            "description": "Sent to each webhook endpoint that wants events of this type, at least"
            " once, in no promised order: `sequence` orders those of one message. It holds nothing"
            " personal; read the message for more. Verify the signature before you believe it.",
            "security": [],
            "parameters": [
                {"name": name, "in": "header", "required": True, "description": words}
                | {"schema": _TEXT}
                for name, words in _HEADERS.items()
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": {"$ref": REFERENCE.format(model="ToldOut")}}
                },
            },
            "responses": {
                "204": {"description": "Any 2xx within 15 seconds: it was taken"},
                "410": {"description": "Nothing is wanted here any more: the endpoint is disabled"},
                "500": {
                    "description": "Anything else: it is sent again, from 5 s up to 24 h later"
                },
            },
        }
    }
}
