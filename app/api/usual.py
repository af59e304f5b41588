"""Recipients as almost all are written, known without asking the libraries, at a thirtieth of the price.

What is returned is what the libraries would say; None says nothing, but that they must be asked.
"""

import re
from functools import lru_cache
from typing import Final

from email_validator import EmailNotValidError, ValidatedEmail, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES
from phonenumbers import PhoneMetadata

HOME: Final = "FR"  # where a number without a country code is dialled
_CODE: Final = "+33"
_PREFIX: Final = "0"  # in place of the country's code, within France
# The kinds of numbers that there are, as the library's metadata name them.
_KINDS: Final = (
    "mobile", "fixed_line", "premium_rate", "toll_free", "shared_cost", "voip", "personal_number",
    "pager", "uan", "voicemail",
)  # fmt: skip
_NATIONAL: Final = 9  # digits of a French number, without its prefix
_ATOM: Final = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++"  # RFC 5322, 3.2.3
_ADDRESS: Final = re.compile(rf"({_ATOM}(?:\.{_ATOM})*+)@([A-Za-z0-9.-]++)")
_LONGEST_LOCAL: Final = 64  # RFC 5321, 4.5.3.1.1
_LONGEST: Final = 254  # RFC 5321, 4.5.3.1.3
_LOWERED: Final = frozenset(CASE_INSENSITIVE_MAILBOX_NAMES)
_MOST_DOMAINS: Final = 4096


def number(text: str, home: str) -> str | None:
    """Return a valid French number in E.164, None where the text may be anything else."""
    if text.startswith(_CODE):
        return text if _french().fullmatch(text, len(_CODE)) else None
    if text.startswith(_PREFIX) and home == HOME and _french().fullmatch(text, len(_PREFIX)):
        return _CODE + text[len(_PREFIX) :]
    return None


@lru_cache(maxsize=1)
def _french() -> "re.Pattern[str]":
    """Return what the installed library takes for a valid number; its plan changes over the years."""
    plan = PhoneMetadata.metadata_for_region(HOME)
    assert plan is not None
    kinds = [getattr(plan, kind) for kind in _KINDS]
    # Digits of other scripts are left to the library.
    patterns = [
        one.national_number_pattern.replace("\\d", "[0-9]")
        for one in kinds
        if one is not None and one.national_number_pattern and _is_long(one.possible_length)
    ]
    general = plan.general_desc
    assert general is not None
    assert general.national_number_pattern is not None
    every = general.national_number_pattern.replace("\\d", "[0-9]")
    length = f"(?=[1-9][0-9]{{{_NATIONAL - 1}}}\\Z)"
    return re.compile(f"{length}(?=(?:{every})\\Z)(?:{'|'.join(patterns)})")


def _is_long(lengths: tuple[int, ...]) -> bool:
    return not lengths or _NATIONAL in lengths


def address(text: str) -> str | None:
    """Return a valid address as it is kept, None where the text may be anything else."""
    found = _ADDRESS.fullmatch(text)
    if found is None or len(text) > _LONGEST:
        return None
    local, domain = found.groups()
    if len(local) > _LONGEST_LOCAL or local.lower() in _LOWERED:
        return None
    known = _domain(domain)
    return f"{local}@{known}" if known is not None else None


@lru_cache(maxsize=_MOST_DOMAINS)
def _domain(text: str) -> str | None:
    """Return a domain as it is kept, None where it is not valid or has two spellings."""
    if "xn--" in text.lower():
        return None
    try:
        found = validated(f"a@{text}")
    except EmailNotValidError:
        return None
    return found.ascii_domain


def validated(text: str) -> ValidatedEmail:
    """Return an address as the library reads it; nothing is looked up. Raises EmailNotValidError."""
    # `.test` (RFC 6761) is for our simulators; no mail leaves for it.
    return validate_email(
        text,
        check_deliverability=False,
        strict=True,
        test_environment=text.casefold().endswith(".test"),
    )
