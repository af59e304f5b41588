"""Keyed hashes (HMAC-SHA-256): without the key, nobody can tell what one is of."""

import hashlib
import hmac


def keyed(key: bytes, begun: bytes = b"") -> hmac.HMAC:
    """Return the hash of what `begun` says, to be copied for each text that goes on from there."""
    made = hmac.new(key, begun, hashlib.sha256)
    # What OpenSSL made, without Python's methods around it: they cost half as much again.
    found: hmac.HMAC = getattr(made, "_hmac", None) or made
    return found
