"""Documents in answers: a text may be one, in base64 or as it is."""

import base64
import re
from typing import Final

from app.providers.efidem.answer.kinds import (
    CODE,
    Code,
    Document,
    Fault,
    Identifier,
    Read,
    StatusObject,
    Text,
    Unreadable,
)

_CODE: Final = re.compile(CODE.pattern.encode())
# What a table has and a word has not: "true" and "Aucun" would be base64 too, or a text.
_OF_A_TABLE: Final = re.compile(rb"[;,\t\r\n]")


def document_in(text: str) -> bytes | None:
    """Return what a text holds in base64 (RFC 4648, 4; blanks between are left out), or None."""
    written = "".join(text.split())
    if len(written) % 4:
        return None  # Python takes padding that pads nothing
    try:
        content = base64.b64decode(written, validate=True)
    except ValueError:  # no ASCII, no base64, or cut short
        return None
    return content or None


def document_of(said: Read) -> Document | Code | None:
    """Return the document or the code that a function of documents answered, None for neither.

    A service that declares its result as binary writes its error codes in base64 too. A table may
    also come as a text: its bytes are the text's in UTF-8 then, with XML's line ends (XML 1.0,
    2.11: a bare line feed, unless the service escaped the carriage return).
    """
    match said:
        case Code():
            return said
        case Document(content):
            return _code(content) or said
        case Text(whole):
            decoded = document_in(whole)
            if decoded is not None:
                code = _code(decoded)
                if code is not None or _OF_A_TABLE.search(decoded):
                    return code or Document(decoded)
            elif _OF_A_TABLE.search(plain := whole.encode()):
                return Document(plain)
            return None
        case Identifier() | StatusObject() | Fault() | Unreadable():
            return None


def _code(content: bytes) -> Code | None:
    text = content.strip()
    return Code(text.decode("ascii")) if _CODE.fullmatch(text) else None
