"""Say who carries a message: its provider, or for a test key's message that provider's twin.

A test message never reaches a provider, whoever asks: who takes it in asks here, and the worker
asks again before it calls. Providers and twins are worked for in lanes of their own.
"""

from typing import Final

from app.delivery.gateway import Gateway
from app.domain.message import Mode
from app.domain.twins import is_twin, twin_of

_TEST: Final = Mode.TEST.value  # asked about each call: a member takes longer to find


def carrier(gateway: Gateway, provider: str, mode: str) -> str | None:
    """Return who carries a provider's messages of a mode; None where nobody may."""
    name = known_as(gateway, provider, mode)
    return name if may_carry(gateway, name, mode) else None


def known_as(gateway: Gateway, provider: str, mode: str) -> str:
    """Return the name under which messages of a mode are kept that show a provider's."""
    twin = twin_of(provider)
    return twin if mode == _TEST and twin in gateway.providers else provider


def may_carry(gateway: Gateway, name: str, mode: str) -> bool:
    """Say whether a provider, or a twin, may be called for a message of a mode."""
    if is_twin(name):
        return mode == _TEST
    # A provider on this machine can only be a simulator, as on a laptop; in production, nobody's is.
    return mode != _TEST or (not gateway.production and gateway.providers[name].is_local)


def names(gateway: Gateway, *, twins: bool) -> frozenset[str]:
    """Return the names of the providers, or of their twins."""
    return frozenset(name for name in gateway.providers if is_twin(name) is twins)


def has_twins(gateway: Gateway) -> bool:
    """Say whether test messages have simulators of their own here."""
    return bool(names(gateway, twins=True))


def address_for(gateway: Gateway, name: str) -> str:
    """Return the address at which a provider, or a twin, reaches us."""
    return gateway.twin_url or gateway.public_url if is_twin(name) else gateway.public_url
