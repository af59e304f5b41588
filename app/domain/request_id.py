"""Whose request a task works for: what its lines in the log have in common."""

from contextvars import ContextVar
from typing import Final

# One variable, where structlog's own way keeps one for each name and looks through all there are.
REQUEST_ID: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)
