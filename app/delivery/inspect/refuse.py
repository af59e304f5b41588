"""Why a document is not taken: the code, the reason, and what its sender can do."""

from typing import Final

INVALID: Final = "document_invalid"
TOO_LARGE: Final = "document_too_large"

ENCRYPTED: Final = "The PDF is protected by a password; send it without one."
BROKEN: Final = "The file does not open as a PDF; write it anew and send it again."
EMPTY: Final = "The PDF has no page."
HOSTILE: Final = (
    "The document takes too much memory or time to read; write it anew in a simpler form."
)
NO_PICTURE: Final = "The picture is damaged or cut; save it anew and send it again."
MODE: Final = "The picture's pixels are of a kind that is not read; save it with 8 or 16 bits."
NO_TEXT: Final = (
    "The file is named as plain text and holds other bytes; send text in UTF-8 or Windows-1252."
)
BLANK: Final = "The text holds nothing to print."


class Refused(Exception):
    """A document is not taken."""

    def __init__(self, detail: str, code: str = INVALID) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
