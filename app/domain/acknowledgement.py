"""What a provider's callback says of a message: read, and not believed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """What a provider's callback says of a message, read but not believed."""

    reference: str
    code: str
    number: str
    pages: int | None
    provider_time: str | None


class UnreadableAcknowledgement(ValueError):
    """A callback that says too little, or two things at once; its text names the wrong field."""

    def __init__(self, why: str, readable: Acknowledgement) -> None:
        self.readable = readable  # empty texts stand for what is missing or wrong
        super().__init__(why)
