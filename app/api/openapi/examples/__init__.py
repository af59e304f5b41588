"""Examples: of every body, by its model; of the main answers, by theirs. A test validates each."""

from app.api.openapi.examples.answers import answers
from app.api.openapi.examples.bodies import BODIES, OF_OPERATION

__all__ = ["BODIES", "OF_OPERATION", "answers"]
