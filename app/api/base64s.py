"""Bytes from base 64, as strict as RFC 4648, section 4."""

import binascii
import hashlib
from dataclasses import dataclass

import pybase64


@dataclass(frozen=True, slots=True)
class Decoded:
    """Bytes, and their SHA-256 in hexadecimal."""

    content: bytes
    sha256: str


def decoded(text: bytes | memoryview) -> Decoded | None:
    """Return what a text stands for, None where it is not base 64."""
    try:
        content = pybase64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        # The standard library takes thirty times as long, and some texts with more padding.
        try:
            content = binascii.a2b_base64(text, strict_mode=True)
        except (binascii.Error, ValueError):
            return None
    return Decoded(content, hashlib.sha256(content).hexdigest())
