"""Addresses and numbers as the provider checks, cleans and compares them."""

import re
import string

_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>.]+(?:\.[^@\s,;<>.]+)+")
_FRENCH_DIGITS = 10  # 06 01 02 03 04
_FRENCH_MOBILE_DIGITS = 8  # what follows 336 or 337


def is_email(address: str) -> bool:
    """Say whether `address` is a bare e-mail address by its form."""
    return _EMAIL.fullmatch(address) is not None


def clean_number(number: str) -> str:
    """Return `number` as 336xxxxxxx; any other country's as country code and digits.

    Chapter "Fonctions annexes": +33(0)6.01.02.03.04 becomes 33601020304. Chapter ENVOYER_SMS says
    that DESTINATION is cleaned in the same way.
    """
    digits = "".join(sign for sign in number.replace("(0)", "") if sign in string.digits)
    if len(digits) == _FRENCH_DIGITS and digits.startswith("0"):
        return f"33{digits[1:]}"
    digits = digits.removeprefix("00")
    if len(digits) == _FRENCH_DIGITS + 2 and digits.startswith("330"):
        return f"33{digits[3:]}"
    return digits


def is_repeated_digit(number: str) -> bool:
    """Say whether `number` is "une suite d'un même chiffre", whatever stands before it."""
    return len(set(number[-_FRENCH_MOBILE_DIGITS:])) == 1


def comparable(recipient: str) -> str:
    """Return one spelling for an e-mail address, a number or a postcode."""
    if any(sign.isalpha() or sign == "@" for sign in recipient):
        return recipient.strip().casefold()
    return clean_number(recipient)
