"""Tell a client whose message a reference is already, where its references must be unique."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from app.delivery.arrival import Arrival
from app.domain.errors import DuplicateReference, FieldError
from app.domain.identifiers import MESSAGE, shown

MOST_ERRORS: Final = 1_000  # in one answer


def duplicate_in(arrival: Arrival, taken: Mapping[str, UUID]) -> DuplicateReference:
    """Return what an arrival is refused with whose references are taken."""
    pointer = "/reference" if arrival.batch is None else "/messages/{}/reference"
    repeated = {
        pointer.format(place): taken[row["reference"]]
        for place, row in enumerate(arrival.messages)
        if row["reference"] in taken
    }
    return duplicate_reference(repeated)


def duplicate_reference(repeated: Mapping[str, UUID | str]) -> DuplicateReference:
    """Return the fault of references that stand already.

    `repeated` says of each pointer whose it is: a message's id, or the pointer to it in the batch.
    """
    found = {
        at: shown(MESSAGE, one) if isinstance(one, UUID) else one for at, one in repeated.items()
    }
    kept = [one for at, one in found.items() if isinstance(repeated[at], UUID)]
    wrong = [
        FieldError(at, "duplicate_reference", f"{one} has this reference; give another.")
        for at, one in found.items()
    ]
    return DuplicateReference(
        errors=tuple(wrong[:MOST_ERRORS]), message_id=kept[0] if kept else None
    )
