"""Who acts on a message, as its events say it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A client, by one of its keys."""

    client_id: UUID
    mode: str
    name: str
    key_id: str  # the visible part of the key
    acts_for_all: bool = False  # an operator: on every client's messages of its mode

    @property
    def reach(self) -> UUID | None:
        """The client whose messages it acts on; None: every client's."""
        return None if self.acts_for_all else self.client_id

    @property
    def shown(self) -> Mapping[str, str]:
        """What an event keeps."""
        return {"client": self.name, "key": self.key_id}
