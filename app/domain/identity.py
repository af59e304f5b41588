"""By what a recipient is known again, in one spelling: what a search compares."""

import unicodedata

from app.domain.addresses import normalised
from app.domain.message import Content, Email, Fax, Letter, Sms


def identity_of(content: Content) -> str:
    """Return the identity of the recipient that a message is shown under."""
    match content:
        case Email():
            return of_address(content.to_address)
        case Sms() | Fax():
            return of_address(content.to)
        case Letter():
            return of_addressee(content.last_name, content.postal_code)


def of_address(address: str) -> str:
    """Return the identity behind an e-mail address, or a number in E.164."""
    return normalised(address)


def of_addressee(last_name: str, postal_code: str) -> str:
    """Return the identity behind a letter's name and postal code; case and accents do not count.

    The street does not either: it is written in too many ways to be compared.
    """
    return f"{_letters(last_name)}\n{_letters(postal_code)}"


def _letters(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if letter.isalnum())
