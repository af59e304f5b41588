"""What Efidem answered: an identifier, a code, a status, a text, a document, a fault, or nothing.

The grammar is closed: what does not fit it is unreadable, and never raises. Only the shape decides;
what a text means is said by the function that was asked.
"""

from functools import cache

from app.providers.efidem.answer.documents import document_in, document_of
from app.providers.efidem.answer.envelope import Malformed, in_body
from app.providers.efidem.answer.frames import Frames
from app.providers.efidem.answer.kinds import (
    Code,
    Document,
    Fault,
    Identifier,
    Read,
    StatusObject,
    Text,
    Unreadable,
)
from app.providers.efidem.answer.results import result_of

__all__ = [
    "Code",
    "Document",
    "Fault",
    "Identifier",
    "Read",
    "StatusObject",
    "Text",
    "Unreadable",
    "document_in",
    "document_of",
    "read",
]


def read(body: bytes) -> Read:
    """Return what an HTTP body says.

    Its memory is the body's texts and little more. It does not give way to other tasks: for an
    answer of megabytes, such as a report, call it in a thread.
    """
    return _frames().read(body)


@cache
def _frames() -> Frames:
    return Frames(_parsed)


def _parsed(body: bytes) -> Read:
    try:
        return result_of(in_body(body))
    except Malformed as fault:
        return Unreadable(fault.why)
