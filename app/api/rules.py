"""What a request must keep to besides its schema: what a route or a provider carries."""

from app.api import contents
from app.api.edge import Edge
from app.api.gather import Gathered
from app.api.schemas import EmailIn, FaxIn, SmsIn
from app.domain.message import Channel


def email_rules(body: EmailIn, edge: Edge, gathered: Gathered) -> None:
    """Check that the route carries what the e-mail asks for."""
    needs = contents.needs_relay(body)
    if body.route == "transactional" or (body.route == "auto" and not edge.relay_automatic):
        for pointer in needs:
            detail = "Only the relay carries this: send it with route relay."
            gathered.refuse(pointer, "needs_relay", detail)
    elif body.variables and (needs or body.route == "relay"):
        detail = "The relay has no variables: send one message to each recipient."
        gathered.refuse("/variables", "not_with_relay", detail)
    seen = set()
    given = {f"/to/{place}/address": one.address for place, one in enumerate(body.to)}
    given |= {f"/cc/{place}/address": one.address for place, one in enumerate(body.cc)}
    for pointer, address in given.items():
        if address.casefold() in seen:
            gathered.refuse(pointer, "repeated", "This recipient is named before; name it once.")
        seen.add(address.casefold())


def text_alone(body: SmsIn, gathered: Gathered) -> None:
    """Refuse what only the function for many recipients has."""
    if body.variables:
        detail = "Only a batch in mode provider_multi has variables: write them into the text."
        gathered.refuse("/variables", "needs_provider_multi", detail)


def fax_rules(body: FaxIn, edge: Edge, gathered: Gathered) -> None:
    """Check that the provider has cover pages where one is asked for."""
    provider = edge.gateway.routes[Channel.FAX] if body.provider == "auto" else body.provider
    if body.retry is not None and provider == "efidem":
        gathered.warnings.append("not_carried:/retry")  # it acknowledges nothing to go by
    if body.cover is not None and provider == "fax123":
        detail = "123-fax has no cover pages: send it with provider efidem, or without cover."
        gathered.refuse("/cover", "not_supported", detail)
