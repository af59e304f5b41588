"""Look at a letter's address by NF Z10-011, and bring it into the norm's form where asked."""

from typing import Final

from app.api.gather import Gathered
from app.api.schemas import AddresseeIn
from app.domain.conform import conformed
from app.domain.postal import Address, findings

TO: Final = "/to"  # where a letter's body names its addressee
NORMALISED: Final = f"normalised:{TO}/address"  # a warning: the address was changed


def address_of(to: AddresseeIn) -> Address:
    """Return who a letter goes to, and where, as the norm looks at it."""
    place = to.address
    return Address(
        title=to.title,
        first_name=to.first_name,
        last_name=to.last_name,
        company=to.company,
        line1=place.line1,
        line2=place.line2,
        postal_code=place.postal_code,
        city=place.city,
        country=place.country,
    )


def addressed(to: AddresseeIn, gathered: Gathered) -> Address:
    """Return the address that is sent: as it is with warnings, or in the norm's form on request."""
    address = address_of(to)
    if to.address.normalise:
        made = conformed(address)
        for one in made.errors:
            remedy = "Shorten it, or send it as it is, without normalise."
            gathered.refuse(f"{TO}{one.pointer}", one.code, f"{one.detail} {remedy}")
        if made.errors:
            return address
        if made.address != address:
            gathered.warnings.append(NORMALISED)
        address = made.address
    seen = [f"{one.code}:{TO}{one.pointer}" for one in findings(address)]
    gathered.warnings += dict.fromkeys(seen)
    return address
