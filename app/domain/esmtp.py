"""Enhanced mail system status codes: RFC 3463, and what was registered after it (RFC 5248).

A code is class.subject.detail, such as 5.1.1. The class says how it ended, and any of the three may
stand before a subject and detail. Efidem's document prints the table of RFC 3463 with faults: its
first X.2.0 is X.1.2, and X.0.0 is missing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# RFC 3463, 2: three digits at most, and no leading zeros.
_CODE: Final = re.compile(r"([245])\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})", re.ASCII)
TEMPORARY: Final = "4"

# RFC 3463, 3.1.
CLASSES: Final[Mapping[str, str]] = {
    "2": "Success",
    "4": "Persistent Transient Failure",
    "5": "Permanent Failure",
}

# RFC 3463, 3.2 to 3.8, by the titles of section 4.
SUBJECTS: Final[Mapping[str, str]] = {
    "0": "Other or Undefined Status",
    "1": "Addressing Status",
    "2": "Mailbox Status",
    "3": "Mail System Status",
    "4": "Network and Routing Status",
    "5": "Mail Delivery Protocol Status",
    "6": "Message Content or Media Status",
    "7": "Security or Policy Status",
}

_FIRST: Final = "RFC 3463"
# subject.detail: (words, where it is registered)
_DETAILS: Final[Mapping[str, tuple[str, str]]] = {
    "0.0": ("Other undefined status", _FIRST),
    "1.0": ("Other address status", _FIRST),
    "1.1": ("Bad destination mailbox address", _FIRST),
    "1.2": ("Bad destination system address", _FIRST),
    "1.3": ("Bad destination mailbox address syntax", _FIRST),
    "1.4": ("Destination mailbox address ambiguous", _FIRST),
    "1.5": ("Destination address valid", _FIRST),
    "1.6": ("Destination mailbox has moved, no forwarding address", _FIRST),
    "1.7": ("Bad sender's mailbox address syntax", _FIRST),
    "1.8": ("Bad sender's system address", _FIRST),
    "1.9": ("Message relayed to non-compliant mailer", "RFC 3886"),
    "1.10": ("Recipient address has null MX", "RFC 7505"),
    "2.0": ("Other or undefined mailbox status", _FIRST),
    "2.1": ("Mailbox disabled, not accepting messages", _FIRST),
    "2.2": ("Mailbox full", _FIRST),
    "2.3": ("Message length exceeds administrative limit", _FIRST),
    "2.4": ("Mailing list expansion problem", _FIRST),
    "3.0": ("Other or undefined mail system status", _FIRST),
    "3.1": ("Mail system full", _FIRST),
    "3.2": ("System not accepting network messages", _FIRST),
    "3.3": ("System not capable of selected features", _FIRST),
    "3.4": ("Message too big for system", _FIRST),
    "3.5": ("System incorrectly configured", _FIRST),
    "3.6": ("Requested priority was changed", "RFC 6710"),
    "4.0": ("Other or undefined network or routing status", _FIRST),
    "4.1": ("No answer from host", _FIRST),
    "4.2": ("Bad connection", _FIRST),
    "4.3": ("Directory server failure", _FIRST),
    "4.4": ("Unable to route", _FIRST),
    "4.5": ("Mail system congestion", _FIRST),
    "4.6": ("Routing loop detected", _FIRST),
    "4.7": ("Delivery time expired", _FIRST),
    "5.0": ("Other or undefined protocol status", _FIRST),
    "5.1": ("Invalid command", _FIRST),
    "5.2": ("Syntax error", _FIRST),
    "5.3": ("Too many recipients", _FIRST),
    "5.4": ("Invalid command arguments", _FIRST),
    "5.5": ("Wrong protocol version", _FIRST),
    "5.6": ("Authentication Exchange line is too long", "RFC 4954"),
    "6.0": ("Other or undefined media error", _FIRST),
    "6.1": ("Media not supported", _FIRST),
    "6.2": ("Conversion required and prohibited", _FIRST),
    "6.3": ("Conversion required but not supported", _FIRST),
    "6.4": ("Conversion with loss performed", _FIRST),
    "6.5": ("Conversion failed", _FIRST),
    "6.6": ("Message content not available", "RFC 4468"),
    "6.7": ("Non-ASCII addresses not permitted for that sender/recipient", "RFC 6531"),
    "6.8": ("UTF-8 string reply is required, but not permitted by the SMTP client", "RFC 6531"),
    "6.9": (
        "UTF-8 header message cannot be transferred to one or more recipients, so the message must be rejected",
        "RFC 6531",
    ),
    "7.0": ("Other or undefined security status", _FIRST),
    "7.1": ("Delivery not authorized, message refused", _FIRST),
    "7.2": ("Mailing list expansion prohibited", _FIRST),
    "7.3": ("Security conversion required but not possible", _FIRST),
    "7.4": ("Security features not supported", _FIRST),
    "7.5": ("Cryptographic failure", _FIRST),
    "7.6": ("Cryptographic algorithm not supported", _FIRST),
    "7.7": ("Message integrity failure", _FIRST),
    "7.8": ("Authentication credentials invalid", "RFC 4954"),
    "7.9": ("Authentication mechanism is too weak", "RFC 4954"),
    "7.10": ("Encryption Needed", "RFC 5248"),
    "7.11": ("Encryption required for requested authentication mechanism", "RFC 4954"),
    "7.12": ("A password transition is needed", "RFC 4954"),
    "7.13": ("User Account Disabled", "RFC 5248"),
    "7.14": ("Trust relationship required", "RFC 5248"),
    "7.15": ("Priority Level is too low", "RFC 6710"),
    "7.16": ("Message is too big for the specified priority", "RFC 6710"),
    "7.17": ("Mailbox owner has changed", "RFC 7293"),
    "7.18": ("Domain owner has changed", "RFC 7293"),
    "7.19": ("RRVS test cannot be completed", "RFC 7293"),
    "7.20": ("No passing DKIM signature found", "RFC 7372"),
    "7.21": ("No acceptable DKIM signature found", "RFC 7372"),
    "7.22": ("No valid author-matched DKIM signature found", "RFC 7372"),
    "7.23": ("SPF validation failed", "RFC 7372"),
    "7.24": ("SPF validation error", "RFC 7372"),
    "7.25": ("Reverse DNS validation failed", "RFC 7372"),
    "7.26": ("Multiple authentication checks failed", "RFC 7372"),
    "7.27": ("Sender address has null MX", "RFC 7505"),
    "7.29": ("ARC validation failure", "RFC 8617"),
    "7.30": ("REQUIRETLS support required", "RFC 8689"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusCode:
    """A well-formed code, and what the table says of it."""

    text: str
    code_class: str
    subject: str
    description: str | None  # None: no such subject and detail is in the table
    registered_in: str | None

    @property
    def is_temporary(self) -> bool:
        """Whether the same message may arrive later."""
        return self.code_class == TEMPORARY


def read(text: str) -> StatusCode | None:
    """Return a code such as 5.1.1 with its meaning, None where the text is no such code."""
    found = _CODE.fullmatch(text)
    if found is None:
        return None
    words, source = _DETAILS.get(f"{found[2]}.{found[3]}", (None, None))
    return StatusCode(
        text=text,
        code_class=found[1],
        subject=found[2],
        description=words,
        registered_in=source,
    )
