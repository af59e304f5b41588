"""How often and when a fax is sent once more, as its client says."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.api.fields import fault

Seconds = Annotated[int, Field(ge=0, le=86_400)]


class RetryIn(BaseModel):
    """When a fax is sent once more of which 123-fax acknowledges that nothing arrived."""

    model_config = ConfigDict(extra="forbid", strict=True)

    on: Annotated[list[Literal["busy", "no_answer", "unreachable"]], Field(max_length=3)] = Field(
        ["busy"], description="After which failures; an empty list: never"
    )
    max_attempts: Annotated[int, Field(ge=1, le=10)] | None = Field(
        None, description="Transmissions in all; left out: one more than there are delays"
    )
    delays_seconds: Annotated[list[Seconds], Field(max_length=10)] | None = Field(
        None, description="Before each further one, the last repeats; left out: the operator's"
    )

    @model_validator(mode="after")
    def _knows_when(self) -> Self:
        if self.delays_seconds == [] and (self.max_attempts or 1) > 1:
            raise fault("delays_missing", "Give delays_seconds for further attempts, or 1 attempt.")
        return self

    def options(self) -> dict[str, Any]:
        """Return the fields of a `Fax` that it means."""
        return {
            "retry_on": tuple(dict.fromkeys(self.on)),
            "retry_delays": None if self.delays_seconds is None else tuple(self.delays_seconds),
            "retry_attempts": self.max_attempts,
        }
