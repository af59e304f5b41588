"""Sign a webhook: HMAC-SHA256 over its id, the time of the try and its body (Standard Webhooks)."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
SECRET_SIZE: Final = 32  # bytes; the specification wants 24 to 64


def new_secret(random_bytes: Callable[[int], bytes]) -> str:
    """Return a signing secret as its receiver writes it down."""
    return PREFIX + base64.b64encode(random_bytes(SECRET_SIZE)).decode()


def headers(webhook_id: str, at: datetime, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Return the headers that prove a webhook; one signature for each secret, the newest first."""
    seconds = str(int(at.timestamp()))
    signed = b".".join((webhook_id.encode(), seconds.encode(), body))
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
