"""Every endpoint of the API, in the order in which addresses are matched."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter

from app.api import (
    attempts,
    batch_pages,
    batches,
    billing,
    cancel,
    clients,
    docs,
    documents,
    estimates,
    explain,
    feed,
    health,
    hooks,
    keys,
    me,
    messages,
    metrics,
    postal,
    provider_users,
    providers,
    reports,
    resolve,
    search,
    send,
    served,
    tools,
    uncertain,
    unmapped,
    unmatched,
    webhook_deliveries,
    webhooks,
)
from app.api.direct import AtOnce, Hot
from app.api.edge import Edge
from app.api.plain import Plain
from app.api.sending import EMAIL, FAX, LETTER, SMS
from app.api.showing import Showing

ROUTERS: Final[tuple[APIRouter, ...]] = (
    send.router,
    batches.router,
    estimates.router,
    batch_pages.router,
    uncertain.router,  # before messages/{message_id}
    messages.router,
    search.router,
    attempts.router,
    explain.router,
    documents.router,
    tools.router,
    postal.router,
    reports.router,
    billing.router,
    provider_users.router,
    feed.router,
    webhooks.router,
    webhook_deliveries.router,
    cancel.router,
    resolve.router,
    me.router,
    clients.router,
    keys.router,
    providers.router,
    unmatched.router,
    unmapped.router,
    hooks.router,
    served.router,
    health.router,
    metrics.router,
    docs.router,
)

# Answered before any of them is looked for: by method, and path with one name at most, the last.
HOT: Final[Hot] = {
    ("POST", "/v1/sms"): send.answering(SMS),
    ("POST", "/v1/emails"): send.answering(EMAIL),
    ("POST", "/v1/letters"): send.answering(LETTER),
    ("POST", "/v1/faxes"): send.answering(FAX),
    ("GET", "/v1/messages/{message_id}"): messages.show,
    ("GET", "/hooks/123fax/{secret}"): hooks.take,
}


def at_once(edge: Edge) -> Mapping[tuple[str, str], AtOnce]:
    """Return what answers the plainest requests of hot addresses, and hands on all others."""
    return {
        ("POST", "/v1/sms"): Plain(edge, SMS, "POST /v1/sms"),
        ("POST", "/v1/emails"): Plain(edge, EMAIL, "POST /v1/emails"),
        ("GET", "/v1/messages/{message_id}"): Showing(edge),
        ("GET", "/hooks/123fax/{secret}"): hooks.taking(edge),
    }
