"""When a code applies: the conditions that the tables in codes.py are made of."""

from collections.abc import Callable

from app.providers.efidem.simulator.call import Call
from app.providers.efidem.simulator.days import day_of
from app.providers.efidem.simulator.recipients import clean_number, is_email, is_repeated_digit

Condition = Callable[[Call], bool]

# The document does not say which "séquence de caractères" it forbids: here it is the currency sign.
FORBIDDEN = "\u00a4"
# Neither does it give lengths. Nine digits reach a French territory (508 and six digits); more
# than fifteen are no number by E.164.
SHORTEST_NUMBER = 9
LONGEST_NUMBER = 15
# "La bonne longueur" is known for France only.
_FRANCE = frozenset({"", "fr", "fra", "france"})
_FRENCH_POSTCODE = range(5, 6)
_FOREIGN_POSTCODE = range(3, 11)


def empty(parameter: str) -> Condition:
    """Apply if `parameter` is absent, empty or blank."""
    return lambda call: not call.text(parameter)


def all_empty(*parameters: str) -> Condition:
    """Apply if none of `parameters` holds anything."""
    return lambda call: not any(call.text(parameter) for parameter in parameters)


def unknown_account(call: Call) -> bool:
    """Apply if the trio is not that of an account."""
    return not call.authenticated


def unknown_account_or_empty(parameter: str) -> Condition:
    """Apply for either reason: the document uses one code twice."""
    return lambda call: not call.authenticated or not call.text(parameter)


def forbidden(call: Call) -> bool:
    """Apply if any parameter holds the forbidden sequence."""
    return call.contains(FORBIDDEN)


def not_email(parameter: str) -> Condition:
    """Apply if `parameter` is no e-mail address."""
    return lambda call: not is_email(call.text(parameter))


def given_not_email(parameter: str) -> Condition:
    """Apply if `parameter` is given and is no e-mail address."""
    return lambda call: bool(call.text(parameter)) and not is_email(call.text(parameter))


def number_too_short(parameter: str) -> Condition:
    """Apply if the cleaned number has too few digits."""
    return lambda call: len(clean_number(call.text(parameter))) < SHORTEST_NUMBER


def number_too_long(parameter: str) -> Condition:
    """Apply if the cleaned number has too many digits."""
    return lambda call: len(clean_number(call.text(parameter))) > LONGEST_NUMBER


def repeated_digit(parameter: str) -> Condition:
    """Apply if the cleaned number repeats one digit."""
    return lambda call: is_repeated_digit(clean_number(call.text(parameter)))


def wrong_postcode(call: Call) -> bool:
    """Apply if a letter's postcode has a wrong length for its country."""
    country = call.text("Adresse_postale/PAYS").casefold()
    lengths = _FRENCH_POSTCODE if country in _FRANCE else _FOREIGN_POSTCODE
    return len(call.text("Adresse_postale/CODE_POSTAL")) not in lengths


def no_files(parameter: str) -> Condition:
    """Apply if the array `parameter` is empty."""
    return lambda call: not call.has_files(parameter)


def no_items(array: str) -> Condition:
    """Apply if the array of recipients is empty."""
    return lambda call: not call.recipients(array)


def of_any(*arrays: str, condition: Condition) -> Condition:
    """Apply if `condition` does to any recipient in `arrays`."""
    return lambda call: any(condition(one) for array in arrays for one in call.recipients(array))


def not_a_day(parameter: str) -> Condition:
    """Apply if `parameter` is empty or no date."""
    return lambda call: day_of(call.text(parameter)) is None


def never(_call: Call) -> bool:
    """Never apply: the document leaves the code blank, or the request alone cannot tell."""
    return False
