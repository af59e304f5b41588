"""Why somebody is not let in, or may not do this: faults of `errors.py`, kept beside it."""

from app.domain.fault import Fault


class ApiKeyInvalid(Fault):
    """The key is mistyped, revoked or out of date; send one as `Authorization: Bearer gw_...`."""

    code = "api_key_invalid"


class TokenInvalid(Fault):
    """The bearer token is not a valid one of the issuer that this gateway trusts."""

    code = "token_invalid"


class ScopeMissing(Fault):
    """The key lacks the scope for this."""

    code = "scope_missing"


class ChannelNotAllowed(Fault):
    """The key's mode cannot send here."""

    code = "channel_not_allowed"


class NetworkNotAllowed(Fault):
    """The key is not taken from this network; call from one that it is made for."""

    code = "network_not_allowed"


class ModeNotAllowed(Fault):
    """A key administers its own mode; what concerns every mode takes a live key."""

    code = "mode_not_allowed"


class ClientUnknown(Fault):
    """The token is valid, and names no client of this gateway; an operator makes one of its name."""

    code = "client_unknown"


class ClientExists(Fault):
    """There is a client of this name; change it, or make keys for it."""

    code = "client_exists"


class KeyNotActive(Fault):
    """The key is revoked or has expired; make a new one."""

    code = "key_not_active"


class WebhookEndpointDisabled(Fault):
    """The endpoint is disabled; enable it first."""

    code = "webhook_endpoint_disabled"


class WebhookEndpointsExhausted(Fault):
    """You have as many webhook endpoints as a client may have; delete one first."""

    code = "webhook_endpoints_exhausted"


class TooBusy(Fault):
    """Too many large requests are being read just now; nothing was kept. Send the same again."""

    code = "too_busy"
    retry_after = 2


class IssuerUnavailable(Fault):
    """The token's issuer does not answer, so that its key is not known. Send the same again."""

    code = "issuer_unavailable"
    retry_after = 10
