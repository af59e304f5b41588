"""What a client sends to have many messages kept at once."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from app.api.bodies import validated
from app.api.schemas import Strict

MOST_MESSAGES: Final = 10_000
MOST_TOGETHER: Final = 1_000  # in one call: an uncertain outcome concerns all of them


class BatchIn(Strict):
    """Many messages at once: all are kept, or none."""

    mode: Literal["individual", "provider_multi"] = Field(
        "individual",
        description="individual makes one call for each message; provider_multi makes one call for"
        f" every {MOST_TOGETHER:,}: then they may differ in recipient, variables, reference, tags"
        " and metadata only",
    )
    defaults: dict[str, Any] = Field({}, description="Fields of every message that lacks them")
    messages: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_MESSAGES)]


def read_batch(value: Any) -> BatchIn:  # noqa: ANN401 -- any JSON
    """Return a JSON value as a batch, its messages as they came; raises ValidationFailed."""
    given = value.get("messages") if isinstance(value, dict) else None
    if not isinstance(given, list) or len(given) > MOST_MESSAGES or set(map(type, given)) != {dict}:
        return validated(BatchIn, value)
    # A copy of ten thousand messages would take long and much room.
    return validated(BatchIn, {**value, "messages": given[:1]}).model_copy(
        update={"messages": given}
    )
