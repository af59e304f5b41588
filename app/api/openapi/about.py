"""What the OpenAPI document says of the whole: who, where, with which keys, in which chapters."""

from typing import Any, Final

INTRODUCTION: Final = """\
One API to send and follow e-mails, text messages, postal letters and faxes.

**Send.** `POST /v1/sms` (or `/v1/emails`, `/v1/letters`, `/v1/faxes`) answers 202 once the message
is kept: from then on it is not lost, and not sent twice. Give each message an `Idempotency-Key`,
and repeat a request whose answer did not come: it gets the first answer, and sends nothing again.

**Follow.** `GET /v1/messages/{message_id}` tells the status from the gateway's own store, at any
rate that you like. A message of which nobody knows whether it was sent is `uncertain`; it is
settled by evidence, and never sent again blindly.

**Errors** are `application/problem+json` (RFC 9457) with a stable `code`, and a JSON pointer for
each wrong field. New fields, codes and statuses may come: take those that you do not know as
others of their kind.
"""
INFO: Final[dict[str, Any]] = {
    "summary": "Send and follow e-mails, text messages, letters and faxes",
    "description": INTRODUCTION,
    "contact": {"name": "The operators of this gateway"},
    "license": {"name": "Proprietary", "identifier": "LicenseRef-Proprietary"},
}
SERVERS: Final = [{"url": "/", "description": "The gateway that serves this document"}]

SECURITY_SCHEMES: Final[dict[str, dict[str, Any]]] = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key: `Authorization: Bearer gw_live_...`, or `gw_test_...`, which"
        " reaches simulated providers only",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of the issuer that this deployment trusts, where it"
        " trusts one",
    },
}
SECURITY: Final[list[dict[str, list[str]]]] = [{name: []} for name in SECURITY_SCHEMES]

# Every tag that a route has, in the order of the page.
TAGS: Final[dict[str, str]] = {
    "send": "Hand one message in; it is kept before the answer leaves.",
    "batches": "Many messages in one request: all are kept, or none.",
    "follow": "What became of messages, from the gateway's store.",
    "webhooks": "Be told of events at an address of yours, signed (Standard Webhooks).",
    "documents": "Files to print, fax or attach: uploaded once, named by their id.",
    "tools": "Look at an address, a number or a code; nothing is sent.",
    "reports": "What the provider counted and reports.",
    "resolve": "For people: settle what is uncertain or held.",
    "providers": "For operators: how the providers are, and what their contracts offer.",
    "provider users": "For operators: users of the provider's console.",
    "me": "What the key that asks may do, and what is left of it.",
    "clients": "For operators: the internal services that call, and their keys.",
    "health": "For machines: alive, and ready. No key is asked for.",
}


def tags(used: set[str]) -> list[dict[str, str]]:
    """Return the chapters that have an operation, described."""
    return [{"name": name, "description": words} for name, words in TAGS.items() if name in used]
