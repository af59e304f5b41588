"""One call of a function, as the provider sees it."""

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

from app.providers.efidem.simulator.contract import qualified

# With no account set, the one password that is not an account's.
_REFUSED = "wrong"

_qualified = lru_cache(maxsize=128)(qualified)


class Trio(NamedTuple):
    """What authenticates each call (chapter "Authentification")."""

    user: str
    password: str
    app_id: str


@dataclass(frozen=True, slots=True)
class File:
    """One LISTE_FICHIER (chapter "Objets"): in spite of its name it is a single file."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is valid by the WSDL; every parameter may still be empty."""

    element: etree._Element
    account: Trio | None  # None: any trio is an account's, but for the password "wrong"

    @property
    def function(self) -> str:
        """Return the provider's name of the function."""
        return etree.QName(self.element).localname

    @property
    def authenticated(self) -> bool:
        """Say whether the trio is that of an account."""
        trio = Trio(self.text("UTILISATEUR"), self.text("MOT_DE_PASSE"), self.text("AppID"))
        if self.account is not None:
            return trio == self.account
        return all(trio) and trio.password != _REFUSED

    def text(self, path: str) -> str:
        """Return the parameter at `path`, trimmed; empty if it is absent."""
        return self.exact(path).strip()

    def exact(self, path: str) -> str:
        """Return the parameter at `path` to the last blank; empty if it is absent."""
        return self.element.findtext(_qualified(path)) or ""

    def contains(self, sequence: str) -> bool:
        """Say whether any parameter holds `sequence`."""
        return any(sequence in str(text) for text in self.element.itertext())

    def recipients(self, array: str) -> tuple["Call", ...]:
        """Return the recipients in `array`, each with its own parameters."""
        found = self.element.iterfind(_qualified(f"{array}/DESTINATAIRE"))
        return tuple(Call(element, self.account) for element in found)

    def has_files(self, path: str) -> bool:
        """Say whether the array at `path` holds a file."""
        return self.element.find(_qualified(f"{path}/LISTE_FICHIER")) is not None

    def files(self, path: str) -> tuple[File, ...]:
        """Return the files of the array at `path`."""
        found = self.element.iterfind(_qualified(f"{path}/LISTE_FICHIER"))
        return tuple(_file(element) for element in found)


def _file(element: etree._Element) -> File:
    content = base64.b64decode(element.findtext(_qualified("CONTENU")) or "")
    return File(
        name=element.findtext(_qualified("NOM")) or "",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )
