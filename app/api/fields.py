"""Fields that are normalised as they are read: numbers, addresses, single lines, times."""

import re
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Final

import phonenumbers
from email_validator import EmailNotValidError
from phonenumbers import NumberParseException, ValidationResult
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import InitErrorDetails, PydanticCustomError, ValidationError

from app.api import usual
from app.api.usual import HOME

# Overseas departments: their numbers are written like French ones and belong to another region.
OVERSEAS: Final = ("RE", "GP", "MQ", "GF", "YT")
# Blocks that the French regulator keeps for fiction; our simulators decide by them.
FICTION: Final = ("+3363998", "+3319900")

_IMPOSSIBLE: Final = {
    ValidationResult.TOO_SHORT: ("number_too_short", "The number is too short."),
    ValidationResult.TOO_LONG: ("number_too_long", "The number is too long."),
}
# A number and what people write into it; no extension, no second number, no name.
_DIALLED: Final = re.compile(r" *\(?\+?[0-9(][0-9() ./\u00a0\u202f-]*", re.ASCII)
_RFC_3339: Final = re.compile(r"[0-9]{4,5}-[0-9]{2}-[0-9]{2}(?:[Tt ].*)?", re.ASCII)
# What XML 1.0 (2.2) cannot carry; NUL is what PostgreSQL cannot keep either.
FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FRENCH: Final = len("+33601020304")
_LONGEST_ADDRESS: Final = 254  # RFC 5321, 4.5.3.1.3
_LINE_BREAKS: Final = frozenset("\r\n\t\v\f\x1c\x1d\x1e\x85\u2028\u2029")


def fault(code: str, detail: str) -> PydanticCustomError:
    """Return an error with a stable code of ours."""
    return PydanticCustomError(f"gateway:{code}", "{detail}", {"detail": detail})


def fault_at(field: str, code: str, detail: str) -> ValidationError:
    """Return an error as what a model's validator raises about one of its fields."""
    wrong = InitErrorDetails(type=fault(code, detail), loc=(field,), input=None)
    return ValidationError.from_exception_data(field, [wrong])


def e164(text: str, *, home: str = HOME) -> str:
    """Return a number as +33601020304; those of `home` may come without their country code."""
    if (known := usual.number(text, home)) is not None:
        return known
    if not _DIALLED.fullmatch(text):
        # The library would drop in silence an extension, a second number, or what stands before
        # the first, and read letters as digits.
        raise fault("number_invalid", "Give one number, of digits alone, such as +33601020304.")
    number = _parsed(text, home)
    shown = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    is_fiction = shown.startswith(FICTION) and len(shown) == _FRENCH
    if is_fiction or phonenumbers.is_valid_number(number):
        return shown
    for region in (
        OVERSEAS if number.country_code == phonenumbers.country_code_for_region(HOME) else ()
    ):
        other = phonenumbers.parse(text.replace("\u202f", " "), region)
        if phonenumbers.is_valid_number(other):
            return phonenumbers.format_number(other, phonenumbers.PhoneNumberFormat.E164)
    reason = phonenumbers.is_possible_number_with_reason(number)
    code, detail = _IMPOSSIBLE.get(
        reason, ("number_invalid", "No network has such a number; check its digits.")
    )
    raise fault(code, detail)


def _parsed(text: str, home: str) -> phonenumbers.PhoneNumber:
    try:
        return phonenumbers.parse(text.replace("\u202f", " "), home)
    except NumberParseException:
        detail = "This is no telephone number; write it as +33601020304."
        raise fault("number_invalid", detail) from None


def email_address(text: str) -> str:
    """Return one address, its domain in lower case; nothing is looked up."""
    return usual.address(text) or _unusual(text)


@lru_cache(maxsize=256)  # every message of a batch comes from the same one
def _unusual(text: str) -> str:
    try:
        found = usual.validated(text)
    except EmailNotValidError as why:
        raise fault("address_invalid", f"This is no e-mail address: {_reason(why)}") from None
    if len(found.normalized) > _LONGEST_ADDRESS:
        raise fault("address_invalid", f"An address has at most {_LONGEST_ADDRESS} characters.")
    return found.ascii_email or found.normalized


def _reason(why: EmailNotValidError) -> str:
    # After a colon or in brackets the library's sentence may quote the address.
    return re.split(r"[:(\"']", str(why))[0].strip(" .") + "."


def single_line(text: str) -> str:
    """Refuse line breaks: in a name or a subject they would begin another header."""
    if not text.isprintable() and _LINE_BREAKS.intersection(text):
        raise fault("line_break", "Write this on a single line, without tabs.")
    return text


def filled(text: str) -> str:
    """Refuse a text that holds nothing but blanks."""
    if not text.strip():
        raise fault("too_short", "This may not be blank.")
    return text


def line(text: str) -> str:
    """Refuse what is not one line with something on it."""
    return filled(single_line(text))


def sender(text: str) -> str:
    """Return an SMS sender: 11 alphanumeric characters at most (Efidem, ENVOYER_SMS, DA)."""
    if len(text) > 11:  # noqa: PLR2004 -- the document's number
        raise fault("sender_too_long", "A sender has 11 alphanumeric characters at most.")
    if not (text.isascii() and text.isalnum()):
        raise fault("sender_invalid", "A sender has letters without accents and digits only.")
    return text


def in_range(value: datetime) -> datetime:
    """Refuse times that the store or a reader cannot hold."""
    if not 1970 < value.year < 9999:  # noqa: PLR2004 -- years
        raise fault("time_out_of_range", "Give a time between 1971 and 9998.")
    return value


def written(value: object) -> object:
    """Refuse numbers, and texts of a number: pydantic would take them as seconds since 1970."""
    if isinstance(value, str) and not _RFC_3339.fullmatch(value):
        raise fault("invalid", "Write a time with its zone, such as 2026-11-21T10:00:00+01:00.")
    if not isinstance(value, str | datetime):
        raise fault("wrong_type", "Write a time as text, such as 2026-11-21T10:00:00+01:00.")
    return value


def writable(text: str) -> str:
    """Refuse characters that XML or PostgreSQL cannot carry."""
    if FORBIDDEN.search(text):
        raise fault("forbidden_characters", "The value holds a character that cannot be kept.")
    return text


PhoneNumber = Annotated[
    str, Field(max_length=40, json_schema_extra={"format": "phone-number"}), AfterValidator(e164)
]
EmailAddress = Annotated[
    str, Field(max_length=320, json_schema_extra={"format": "email"}), AfterValidator(email_address)
]
Time = Annotated[
    AwareDatetime, Field(strict=False), BeforeValidator(written), AfterValidator(in_range)
]
SearchText = Annotated[str, AfterValidator(writable)]
# 26 letters hold 130 bits, an id 128: the first has but three.
BatchId = Annotated[
    SearchText, Field(json_schema_extra={"pattern": "^bat_[0-7][0-9A-HJKMNP-TV-Z]{25}$"})
]
Sender = Annotated[str, Field(min_length=1), AfterValidator(sender)]


Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(single_line)]
# A longer line is an annotation of its own: a field that widened this one would have two limits.
Line = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(line)]
Subject = Annotated[str, Field(min_length=1, max_length=250), AfterValidator(line)]
Reference = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(single_line)]
BillingCode = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(single_line)]
Body = Annotated[str, Field(min_length=1, max_length=1_000_000), AfterValidator(filled)]
