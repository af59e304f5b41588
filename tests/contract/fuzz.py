"""What schemathesis is told of this API: it runs in an environment of its own, and loads this."""

import base64
import os
from itertools import count
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.openapi import format as register_format

NUMBERS = count(1)
# Our own key and client: a run that revokes or changes them ends itself.
OWN = {os.environ.get("MULTICANAL_OWN_KEY"), os.environ.get("MULTICANAL_OWN_CLIENT")}
PDF = base64.b64decode(os.environ.get("MULTICANAL_PDF", ""))

# What a schema can say. Whoever keeps to the schema and is refused for one of these was misled by
# it; every other code says what no schema can (no such number, no such cursor, the past).
SAYABLE = {
    *("missing", "unknown_field", "wrong_type", "too_long", "too_short", "not_allowed", "invalid"),
    *("malformed_request", "unsupported_media_type", "payload_too_large"),
}
# Where such a code says more than a schema could.
BEYOND = {
    "POST /v1/sms/batch": {"missing"},  # neither in a message nor in `defaults`
    "POST /v1/emails/batch": {"missing"},
    "POST /v1/messages/resolve-batch": {"missing"},  # `confirmation`, of the real run
    "GET /v1/events": {"not_allowed"},  # a list in one text
    "POST /v1/reports": {"too_long"},  # days
}

register_format("phone-number", st.sampled_from(["+33639980001", "06 39 98 00 02", "+33199000001"]))
register_format("email", st.sampled_from(["marie.durand@exemple.fr", "delivered@sim.test"]))
for kind in ("application/pdf", "image/png", "image/jpeg", "image/tiff"):
    schemathesis.openapi.media_type(kind, st.just(PDF))
schemathesis.openapi.media_type("text/plain", st.just(b"Bonjour Madame Durand."))


@schemathesis.hook
def before_call(ctx: Any, case: Any, kwargs: Any) -> None:
    """Keep what would end the run or let it wait, and make each request another one."""
    for name, value in (case.path_parameters or {}).items():
        if any(own and own in str(value) for own in OWN):
            case.path_parameters[name] = f"{value}X"
    headers = case.headers or {}
    if "Idempotency-Key" in headers and len(str(headers["Idempotency-Key"])) < 200:
        headers["Idempotency-Key"] = f"{headers['Idempotency-Key']}{next(NUMBERS)}"
    if str(headers.get("Prefer", "")).startswith("wait="):
        headers["Prefer"] = "wait=1"
    if isinstance(case.body, dict | list):
        case.body = whole(case.body)


def whole(value: Any) -> Any:
    """Return 19.0 as 19: to JSON Schema they are one number, to this API two types."""
    if isinstance(value, dict):
        return {name: whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@schemathesis.check
def refused_as_no_schema_can(ctx: Any, response: Any, case: Any) -> None:
    """Whoever keeps to the schema is refused for what a schema cannot say, and nothing else."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if response.status_code not in {400, 413, 415, 422}:
        return
    problem = response.json()
    codes = {one["code"] for one in problem["errors"]} or {problem["code"]}
    misled = codes & (SAYABLE - BEYOND.get(case.operation.label, set()))
    assert not misled, f"{case.operation.label} refuses a schema-valid request: {sorted(misled)}"
