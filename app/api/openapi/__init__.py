"""The OpenAPI document, and what a route says for it."""

from typing import Any, Final

from app.api.openapi.assemble import document, operation_id, operations
from app.api.openapi.body import takes

__all__ = ["ASKS_PROVIDER", "document", "operation_id", "operations", "takes"]

# Of endpoints that ask a provider while the client waits: it marks them for `faults.py`.
ASKS_PROVIDER: Final[dict[int | str, dict[str, Any]]] = {502: {"description": "The provider"}}
