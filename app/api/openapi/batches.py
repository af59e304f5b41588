"""Batches: each message has the fields of its channel, and any of them may stand in `defaults`."""

import copy
from typing import Any, Final

Schemas = dict[str, Any]

_MODELS: Final = {"sendEmailBatch": "EmailIn", "sendSmsBatch": "SmsIn"}
_WORDS: Final = "Fields of one message; what is missing here is taken from `defaults`"


def narrow(operation: dict[str, Any], schemas: Schemas) -> None:
    """Give a batch's messages the fields of their channel: the endpoint merges, then checks."""
    single = _MODELS.get(operation["operationId"])
    if single is None:
        return
    channel = single.removesuffix("In")
    fields = copy.deepcopy(schemas[single])
    fields.pop("required")
    fields.pop("examples", None)
    schemas[f"{channel}FieldsIn"] = fields | {"description": _WORDS}
    whole = copy.deepcopy(schemas["BatchIn"])
    reference = {"$ref": f"#/components/schemas/{channel}FieldsIn"}
    whole["properties"]["messages"]["items"] = reference
    whole["properties"]["defaults"] = reference
    schemas[f"{channel}BatchIn"] = whole
    content = operation["requestBody"]["content"]["application/json"]
    content["schema"] = {"$ref": f"#/components/schemas/{channel}BatchIn"}
