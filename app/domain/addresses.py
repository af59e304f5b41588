"""Recipients as they are compared: one spelling for each."""

import unicodedata


def normalised(address: str) -> str:
    """Return the one spelling of an e-mail address or of a number in E.164.

    Case is ignored in the local part too: RFC 5321, 2.4 leaves it to the receiving host, and no
    host of note tells `Marie@` from `marie@`.
    """
    plain = address.strip()
    # Of ASCII, which almost all are, that is all there is to it.
    return plain.lower() if plain.isascii() else unicodedata.normalize("NFC", plain).casefold()
