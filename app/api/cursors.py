"""Cursors of lists: the last object shown, sealed, so that nobody can make one."""

import base64
import binascii
import hashlib
import hmac
from typing import Final
from uuid import UUID

from app.api.edge import Edge
from app.domain.errors import CursorInvalid

_SEAL: Final = 8  # bytes of a cursor that show that it is ours


def sealed(edge: Edge, identifier: UUID) -> str:
    """Return the cursor that continues after an object."""
    seal = hmac.new(edge.secret, identifier.bytes, hashlib.sha256).digest()[:_SEAL]
    return base64.urlsafe_b64encode(identifier.bytes + seal).decode().rstrip("=")


def opened(edge: Edge, cursor: str) -> UUID:
    """Return the object that a cursor continues after; raises CursorInvalid."""
    try:
        content = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4))
    except (binascii.Error, ValueError):
        raise CursorInvalid from None
    if len(content) != 16 + _SEAL:
        raise CursorInvalid
    identifier = UUID(bytes=content[:16])
    if not hmac.compare_digest(sealed(edge, identifier).encode(), cursor.encode()):
        raise CursorInvalid
    return identifier
