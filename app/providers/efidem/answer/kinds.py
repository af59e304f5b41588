"""The closed set of what an answer may be."""

import re
from dataclasses import dataclass
from typing import Final

# "GUID simplifié": 32 hexadecimal digits; dashes and braces are tolerated.
IDENTIFIER: Final = re.compile(
    r"(\{)?(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?(1)\})",
    re.ASCII,
)
CODE: Final = re.compile(r"-?[0-9]{1,6}", re.ASCII)


@dataclass(slots=True)  # not frozen: that costs more than to make one
class Identifier:
    """The provider's id of a message, as it wrote it."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A number, as text."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusObject:
    """An object STATUTS (chapter "Objets")."""

    code: str
    date: str | None
    label: str | None


@dataclass(frozen=True, slots=True)
class Text:
    """Any other text: a description, a longer number, true or false, perhaps a document."""

    whole: str  # as XML hands it over, with the blanks around it

    @property
    def text(self) -> str:
        """It without the blanks around it; never empty."""
        return self.whole.strip()


@dataclass(frozen=True, slots=True)
class Document:
    """A file."""

    content: bytes
    name: str | None = None  # as the provider wrote it: not fit for a path or a header


@dataclass(frozen=True, slots=True)
class Fault:
    """A SOAP fault."""

    sender: bool  # the provider says that the request, not the provider, is at fault
    code: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Anything else."""

    why: str


Read = Identifier | Code | StatusObject | Text | Document | Fault | Unreadable
