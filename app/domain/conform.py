"""Bring an address into the form of NF Z10-011: capitals, no punctuation, words shortened to fit.

Nothing is cut off: what does not fit with every word shortened stays as long as it is, and is told.
Names keep their letters; they are shortened only where their line is too long.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from app.domain.abbreviations import COMPANIES, PLACES, TITLES, shortened
from app.domain.fault import FieldError
from app.domain.postal import LONGEST, Address, folded, too_long

_CEDEX: Final = re.compile(r"\bCEDEX ?([0-9]{1,2})\b")


@dataclass(frozen=True, slots=True)
class Conformed:
    """An address in the norm's form."""

    address: Address
    errors: tuple[FieldError, ...]  # what cannot be brought into it


def conformed(address: Address) -> Conformed:
    """Return an address in the norm's form; it is its own form."""
    changed = replace(
        address,
        title=_squeezed(address.title),
        first_name=_squeezed(address.first_name),
        last_name=_squeezed(address.last_name),
        company=_company(address.company),
        postal_code=_plain(address.postal_code),
    )
    changed = _named(changed)
    if changed.is_french:
        line2 = changed.line2 and (_line(changed.line2) or None)
        changed = replace(changed, line1=_line(changed.line1), line2=line2, city=_town(changed))
    else:
        changed = replace(
            changed,
            line1=_plain(changed.line1),
            line2=_squeezed(changed.line2),
            city=_plain(changed.city),
        )
    return Conformed(changed, (*_emptied(changed), *too_long(changed)))


def _plain(text: str) -> str:
    return " ".join(text.split())


def _squeezed(text: str | None) -> str | None:
    return (_plain(text) or None) if text else None


def _line(text: str) -> str:
    return shortened(folded(text), PLACES, LONGEST)


def _town(address: Address) -> str:
    """Return a town without the postal code that stands before it already."""
    town = folded(address.city)
    while town.startswith(f"{address.postal_code} "):
        town = town.removeprefix(f"{address.postal_code} ")
    town = _CEDEX.sub(r"CEDEX \1", town)
    return shortened(town, PLACES, LONGEST - len(address.postal_code) - 1)


def _company(name: str | None) -> str | None:
    plain = _squeezed(name)
    if plain is None or len(plain) <= LONGEST:
        return plain
    return shortened(folded(plain) or plain, COMPANIES, LONGEST)


def _named(address: Address) -> Address:
    """Shorten the title, then the first name to its initials, where the line is too long."""
    if len(address.person) > LONGEST and address.title:
        address = replace(address, title=shortened(address.title, TITLES, 0))
    if len(address.person) > LONGEST and address.first_name:
        initials = " ".join(one[0] for one in re.split(r"[\s.-]+", address.first_name) if one)
        address = replace(address, first_name=initials or address.first_name)
    return address


def _emptied(changed: Address) -> list[FieldError]:
    detail = "Nothing is left of it without punctuation."
    fields = {"line1": changed.line1, "city": changed.city}
    return [
        FieldError(f"/address/{name}", "emptied", detail)
        for name, text in fields.items()
        if not text
    ]
