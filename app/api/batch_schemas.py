"""What a client sends to have many messages kept at once."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from app.api.schemas import Strict

MOST_MESSAGES: Final = 1000


class BatchIn(Strict):
    """Many messages at once: all are kept, or none."""

    mode: Literal["individual", "provider_multi"] = Field(
        "individual",
        description="individual makes one call for each message; provider_multi makes one call for"
        " all: then they may differ in recipient, variables, reference, tags and metadata only",
    )
    defaults: dict[str, Any] = Field({}, description="Fields of every message that lacks them")
    messages: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_MESSAGES)]
