"""Answers and statuses that a test asks for, by recipient: PUT /outcomes/{recipient}."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.providers.efidem.simulator.recipients import comparable

_TYPES: Mapping[str, type] = {"answer": str, "accepted": bool, "status": str}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a recipient's messages meet."""

    answer: str | None = None  # raw text, in place of the answer to a valid request
    accepted: bool = False  # whether the message is in the ledger in spite of that answer
    status: str | None = None  # what STATUT_* answers for the recipient's messages


def outcome_from(asked: object) -> Outcome | None:
    """Return the outcome in a JSON value, or nothing if it is not one."""
    if not isinstance(asked, dict) or not all(
        name in _TYPES and isinstance(value, _TYPES[name]) for name, value in asked.items()
    ):
        return None
    return Outcome(**asked)


class Outcomes:
    """The outcomes that are in force."""

    def __init__(self) -> None:
        self._by_recipient: dict[str, Outcome] = {}

    def put(self, recipient: str, outcome: Outcome) -> None:
        """Let every message to `recipient` meet `outcome` from now on."""
        self._by_recipient[comparable(recipient)] = outcome

    def of(self, recipient: str) -> Outcome:
        """Return what messages to `recipient` meet."""
        return self._by_recipient.get(comparable(recipient), Outcome())

    def clear(self) -> None:
        """Forget every outcome."""
        self._by_recipient.clear()
