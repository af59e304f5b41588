"""Parameters of addresses and headers: what FastAPI does not know of them."""

from typing import Any, Final

Parameter = dict[str, Any]

_ID: Final = "01KQHB8Q0ZF8Z8P4AFDMN91HZ5"


def _id(kind: str, words: str) -> Parameter:
    schema = {"type": "string", "maxLength": 40, "examples": [f"{kind}_{_ID}"]}
    return {"description": words, "schema": schema}


# By name; an endpoint's own description stays where it has one.
KNOWN: Final[dict[str, Parameter]] = {
    "message_id": _id("msg", "The message's `id`"),
    "batch_id": _id("bat", "The batch's `id`"),
    "document_id": _id("doc", "The document's `id`"),
    "report_id": _id("rep", "The report's `id`"),
    "client_id": _id("cli", "The client's `id`"),
    "endpoint_id": _id("whe", "The webhook endpoint's `id`"),
    "delivery_id": _id("whd", "The delivery's `id`"),
    "key_id": {
        "description": "The visible part of a key",
        "schema": {"type": "string", "maxLength": 80, "examples": ["gw_live_0N938QZ1CV"]},
    },
    "Idempotency-Key": {
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": "^[!-~]+$",
            "examples": ["order-2026-0042-confirmation"],
        },
    },
    "Prefer": {"schema": {"type": "string", "examples": ["wait=5"]}},
    "name": {"description": "A provider: `efidem` or `fax123`", "examples": ["efidem"]},
    "code": {"description": "The code to look for"},
    "username": {
        "description": "The user's name in the provider's console",
        "examples": ["m.durand"],
    },
    "channel": {"description": "Only messages of this channel"},
    "status": {"description": "Only messages that have this status now"},
    "reference": {"description": "Only messages with this reference of yours"},
    "billing_code": {"description": "Only messages with this billing code"},
    "provider_message_id": {"description": "Only the message that the provider calls so"},
    "mapped": {"description": "Those without a meaning, those that got one since, or all"},
    "limit": {"description": "How many at most"},
    "state": {"description": "Only those that stand so"},
    "cursor": {"description": "`next_cursor` of the page before; left out: the first page"},
}


def complete(parameter: Parameter) -> None:
    """Write down of a parameter what FastAPI does not know."""
    known = KNOWN.get(parameter["name"], {})
    schema = _without_null(parameter["schema"])
    if parameter["in"] == "header" and schema.get("type") == "array":
        schema = {"type": "string"}  # repeated or with commas: to a client it is one text
    if parameter["in"] != "query":  # those are checked, and their schemas say how
        shown = {"examples": known["examples"]} if "examples" in known else {}
        schema = known.get("schema", schema | shown)
    parameter["schema"] = schema
    parameter.setdefault("description", known.get("description", ""))


def _without_null(schema: Parameter) -> Parameter:
    """Return a parameter's schema without null: addresses and headers have none."""
    found = {
        name: value
        for name, value in schema.items()
        if name not in {"anyOf", "title", "description"}
    }
    choices = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if not choices:
        return found
    return {**found, **choices[0]} if len(choices) == 1 else {**found, "anyOf": choices}
