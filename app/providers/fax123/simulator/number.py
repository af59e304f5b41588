"""`fax`, "n° de fax du destinataire": the document gives no format, so this is a reading of it."""

import re

NATIONAL = re.compile(r"0[1-9][0-9]{8}")  # 0145678901
FOREIGN = re.compile(r"00[1-9][0-9]{5,12}")  # 00, country and number: 8 to 15 digits in all


def read_number(fax: str) -> str:
    """Return the digits of a number as dialled from France, none if it is not one."""
    digits = re.sub(r"[ .]", "", fax)
    valid = NATIONAL.fullmatch(digits) or FOREIGN.fullmatch(digits)
    return digits if valid else ""
