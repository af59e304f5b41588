"""Chapter "Codes ESMTP": the document's table, its words as they stand there."""

# X is 4, a temporary problem, or 5, a permanent error.
_TABLE = {
    "1.0": "Otheraddressstatus",
    "1.1": "Bad destination mailboxaddress",
    "1.2": "Bad destination system address",  # the first of two X.2.0 in the document
    "1.3": "Bad destination mailboxaddresssyntax",
    "1.4": "Destination mailboxaddressambiguous",
    "1.5": "Destination mailboxaddressvalid",
    "1.6": "Mailbox has moved",
    "1.7": "Bad sender'smailboxaddresssyntax",
    "1.8": "Bad sender's system address",
    "2.0": "Other or undefinedmailboxstatus",
    "2.1": "Mailboxdisabled, not accepting messages",
    "2.2": "Mailbox full",
    "2.3": "Message lengthexceeds administrative limit.",
    "2.4": "Mailing list expansion problem",
    "3.0": "Other or undefined mail system status",
    "3.1": "Mail system full",
    "3.2": "System not accepting network messages",
    "3.3": "System not capable of selectedfeatures",
    "3.4": "Message too big for system",
    "4.0": "Other or undefined network or routingstatus",
    "4.1": "No answerfrom host",
    "4.2": "Bad connection",
    "4.3": "Routing server failure",
    "4.4": "Unable to route",
    "4.5": "Network congestion",
    "4.6": "Routingloopdetected",
    "4.7": "Delivery time expired",
    "5.0": "Other or undefinedprotocolstatus",
    "5.1": "Invalid command",
    "5.2": "Syntaxerror",
    "5.3": "Toomanyrecipients",
    "5.4": "Invalid command arguments",
    "5.5": "Wrongprotocol version",
    "6.0": "Other or undefined media error",
    "6.1": "Media not supported",
    "6.2": "Conversion required and prohibited",
    "6.3": "Conversion required but not supported",
    "6.4": "Conversion with loss performed",
    "6.5": "Conversion failed",
    "7.0": "Other or undefined security status",
    "7.1": "Delivery not authorized, message refused",
    "7.2": "Mailing list expansion prohibited",
    "7.3": "Security conversion required but not possible",
    "7.4": "Security features not supported",
    "7.5": "Cryptographic failure",
    "7.6": "Cryptographic algorithm not supported",
    "7.7": "Message integrity failure",
}
_CLASSES = {"4", "5"}


def description_of(code: str) -> str | None:
    """Return the description of a code such as 5.1.1, or nothing if the table has none."""
    kind, _, detail = code.partition(".")
    return _TABLE.get(detail) if kind in _CLASSES else None
