"""Seal the secrets that we must be able to read again: AES-GCM, under a key of the settings.

A copy of the store alone shows none of them. Each is bound to the row that it belongs to.
"""

import base64
import binascii
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Final
from uuid import UUID

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY: Final = 32  # bytes
_NONCE: Final = 12  # bytes (NIST SP 800-38D, 8.2)


class SealBroken(ValueError):
    """What was sealed cannot be read: under another key, of another row, or damaged."""


class Seal:
    """Seals and opens texts under a key that is derived from a secret (RFC 5869)."""

    def __init__(self, secret: bytes, purpose: str, random_bytes: Callable[[int], bytes]) -> None:
        self._secret = secret
        self._purpose = purpose.encode()
        self._random_bytes = random_bytes

    @cached_property
    def _cipher(self) -> "AESGCM":
        # Six megabytes of every process, and most processes never open a seal.
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

        derived = HKDF(algorithm=SHA256(), length=_KEY, salt=None, info=self._purpose)
        return AESGCM(derived.derive(self._secret))

    def seal(self, text: str, owner: UUID) -> str:
        """Return a text so that only `open` can read it, for the same owner."""
        nonce = self._random_bytes(_NONCE)
        sealed = self._cipher.encrypt(nonce, text.encode(), owner.bytes)
        return base64.b64encode(nonce + sealed).decode()

    def open(self, sealed: str, owner: UUID) -> str:
        """Return the text; raises SealBroken."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 -- as above

        try:
            content = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(content[:_NONCE], content[_NONCE:], owner.bytes).decode()
        except (InvalidTag, binascii.Error, ValueError):
            raise SealBroken from None

    def opens(self, sealed: str, owner: UUID) -> bool:
        """Say whether `open` would return a text."""
        try:
            self.open(sealed, owner)
        except SealBroken:
            return False
        return True
