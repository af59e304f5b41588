"""Recipients as the store knows them: a keyed hash, by which they are found and never read."""

import hmac
from typing import Final

from app.domain.identity import identity_of
from app.domain.keyed import keyed
from app.domain.message import Content

# Another key than that of any other hash under the same secret.
_PURPOSE: Final = b"multicanal recipient 1"


class Recognise:
    """Return the keyed hash (HMAC-SHA-256, hexadecimal) of a recipient's identity.

    With another secret, older messages are not found any more.
    """

    def __init__(self, secret: bytes) -> None:
        key = hmac.digest(secret, _PURPOSE, "sha256")
        self._keyed = keyed(key)

    def content(self, content: Content) -> str:
        """Return the hash of the recipient that a content is shown under."""
        return self(identity_of(content))

    def __call__(self, identity: str) -> str:
        """Return the hash of one identity."""
        # hmac.digest lets go of the interpreter's lock each time: see Identifiers.
        made = self._keyed.copy()
        made.update(identity.encode())
        return made.hexdigest()
