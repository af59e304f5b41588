"""Simulated twins: for each provider, one that the messages of test keys go to in its place.

A twin is a provider of its own name: it has rows, channels and a pace of its own, so that whatever
becomes of a simulator stops nothing that is live. Clients see the name of the provider it stands
for: what they read is the same in every mode.
"""

from typing import Final

_MARK: Final = "_test"


def twin_of(provider: str) -> str:
    """Return the name of a provider's simulated twin."""
    return provider + _MARK


def is_twin(provider: str) -> bool:
    """Say whether a name is that of a simulated twin."""
    return provider.endswith(_MARK)


def public_name(provider: str) -> str:
    """Return the name that clients see: a twin's is that of the provider it stands for."""
    return provider.removesuffix(_MARK)
