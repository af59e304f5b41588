"""Look at a telephone number by our own rules, without asking anybody."""

from dataclasses import dataclass
from typing import Final, Literal

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from pydantic_core import PydanticCustomError

from app.api.fields import FICTION, e164

NumberType = Literal["mobile", "fixed", "fixed_or_mobile", "other"]
_TYPES: Final[dict[int, NumberType]] = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
}
# Numbers for fiction are in no network's plan: what they stand for is in their beginning.
_FICTION: Final[dict[str, NumberType]] = dict(zip(FICTION, ("mobile", "fixed"), strict=True))
# What TRANSFORMER_NUMERO says that it gives: 336xxxxxxx or 337xxxxxxx.
FRENCH_MOBILES: Final = ("+336", "+337")
_FITTING: Final = {
    "mobile": ("mobile", "fixed_or_mobile"),
    "fax": ("fixed", "fixed_or_mobile", "other"),
    "any": ("mobile", "fixed", "fixed_or_mobile", "other"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What we know of a number."""

    normalised: str | None = None
    national: str | None = None
    type: NumberType | None = None
    region: str | None = None
    reason: str | None = None  # why it is not valid, or not for what it is meant

    @property
    def is_french_mobile(self) -> bool:
        """Whether the provider's function is made for it."""
        return self.normalised is not None and self.normalised.startswith(FRENCH_MOBILES)


def look(text: str, *, region: str, kind: str) -> Looked:
    """Return what we know of a number that is dialled in a region, for a kind of use."""
    try:
        normalised = e164(text, home=region)
    except PydanticCustomError as why:
        return Looked(reason=why.message())
    parsed = phonenumbers.parse(normalised)
    found = next((kind for begin, kind in _FICTION.items() if normalised.startswith(begin)), None)
    number_type = found or _TYPES.get(phonenumbers.number_type(parsed), "other")
    reason = None
    if number_type not in _FITTING[kind]:
        reason = f"The number is {number_type}, and takes no {_CARRIED[kind]}."
    return Looked(
        normalised=normalised,
        national=phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL),
        type=number_type,
        region=phonenumbers.region_code_for_number(parsed) or region,
        reason=reason,
    )


_CARRIED: Final = {"mobile": "text message", "fax": "fax"}
