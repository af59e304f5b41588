"""Ask a provider while the client waits, for what neither sends nor follows a message."""

from collections.abc import Mapping
from typing import Final

import structlog

from app.api.access import Caller
from app.api.edge import Edge
from app.domain.errors import (
    Fault,
    ProviderContract,
    ProviderCredentials,
    ProviderProtocolError,
    ProviderRejected,
    ProviderUnavailable,
)
from app.domain.outcome import Blocked, Denied, Told, Unclear, Unreached, Wrong

log = structlog.get_logger()

DESK: Final = "efidem"  # the one provider that has such functions
_CREDENTIALS: Final = "provider_credentials"


def may_consult(edge: Edge, caller: Caller, scope: str) -> str:
    """Return whom a caller has asked: the provider, or its simulated twin; raise where nobody."""
    caller.may(scope)
    return edge.access.carrier(caller, DESK)


async def consult(
    edge: Edge, desk: str, function: str, values: Mapping[str, object]
) -> Told | Denied:
    """Call a documented function once; raises what kept it from telling anything.

    `desk` is what `may_consult` returned.
    """
    consulted = await edge.gateway.desks[desk].consult(function, values)
    log.info(
        "consulted",
        provider=desk,
        function=function,
        outcome=type(consulted).__name__.casefold(),
        code=getattr(consulted, "code", None),
        why=getattr(consulted, "why", None),
    )
    if isinstance(consulted, Told | Denied):
        return consulted
    raise fault_of(function, consulted)


def said(function: str, code: str | None, label: str | None) -> dict[str, str | None]:
    """Return what a provider was called for, and said."""
    return {"name": DESK, "function": function, "code": code or None, "label": label or None}


def fault_of(function: str, consulted: Wrong | Unreached | Blocked | Unclear) -> Fault:
    """Return the fault of a call that told nothing."""
    match consulted:
        case Wrong(code, words):
            return ProviderRejected(provider=said(function, code, words))
        case Unreached():
            return ProviderUnavailable(provider=said(function, None, None))
        case Blocked(reason=reason, code=code, words=words) if reason == _CREDENTIALS:
            return ProviderCredentials(provider=said(function, code, words))
        case Blocked(why=why, code=code, words=words, shown=shown):
            detail = f"The provider's function cannot be called: {shown or why}."
            return ProviderContract(detail, provider=said(function, code, words))
        case Unclear(raw=raw):
            return ProviderProtocolError(provider=said(function, raw, None))
