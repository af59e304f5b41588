"""What zeep may load: the WSDL itself, what it imports from the same place, and what we bundle.

Nothing is fetched from the Internet to read a WSDL: SOAP's encoding schema stands beside this.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from zeep.transports import Transport

from app.providers.efidem.binding.leaves import CannotBind

_WEB: Final = frozenset({"http", "https"})
_HERE: Final = Path(__file__).parents[1]
_BUNDLED: Final = {
    "http://schemas.xmlsoap.org/soap/encoding/": "soap_encoding.xsd",
    "http://www.w3.org/2001/xml.xsd": "xml_namespace.xsd",
    "https://www.w3.org/2001/xml.xsd": "xml_namespace.xsd",
    "http://www.w3.org/XML/1998/namespace": "xml_namespace.xsd",
}
# Named for the attribute wsdl:arrayType, which zeep reads without their schema.
_EMPTY: Final = frozenset({"http://schemas.xmlsoap.org/wsdl/"})


class Documents(Transport):
    """The documents of one WSDL, kept as they came."""

    def __init__(
        self,
        location: str,
        fetch: Callable[[str], bytes],
        kept: Mapping[str, bytes] | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.documents: Final[dict[str, bytes]] = {}
        self._location = urlsplit(location)
        self._fetch = fetch
        self._kept = kept  # where they are given, nothing is read from anywhere else
        self._root: str | None = None  # as zeep names the location

    def load(self, url: str) -> bytes:
        """Return a document's bytes; raises CannotBind for one from elsewhere."""
        if url in _BUNDLED:
            return (_HERE / _BUNDLED[url]).read_bytes()
        if url in _EMPTY:
            schema = f'<schema xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="{url}"/>'
            return schema.encode()
        if self._root is None:
            self._root = url
        if url not in self.documents:
            self.documents[url] = self._read(url)
        return self.documents[url]

    def to_keep(self) -> dict[str, bytes]:
        """Return the documents by names that hold neither a secret of the location nor a folder."""
        return {self._name(url): content for url, content in self.documents.items()}

    def _name(self, url: str) -> str:
        root = self._root or ""
        if url == root:
            return ""
        folder = root.partition("?")[0].rpartition("/")[0] + "/"
        parts = urlsplit(url)
        beside = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], *parts[2:]))
        return url.removeprefix(folder) if url.startswith(folder) else beside

    def _read(self, url: str) -> bytes:
        if self._kept is not None:
            content = self._kept.get(self._name(url))
            if content is None:
                raise CannotBind("the contract was kept without a document that it imports")
            return content
        parts, own = urlsplit(url), self._location
        where = parts.hostname or "this machine"
        if own.scheme in _WEB:
            if parts[:2] == own[:2]:
                return self._fetch(url)
            if parts.scheme in _WEB and parts.scheme != own.scheme and where == own.hostname:
                # Behind a proxy that ends TLS, a service writes its own addresses as http.
                return self._fetch(urlunsplit((own.scheme, own.netloc, *parts[2:])))
        elif parts.scheme not in _WEB:
            return self._from_folder(_path(url))
        raise CannotBind(f"the WSDL imports a document from {where}")

    def _from_folder(self, path: Path) -> bytes:
        folder = _path(urlunsplit(self._location)).resolve().parent
        if not path.resolve().is_relative_to(folder):
            raise CannotBind(f"the WSDL imports a document from outside its folder: {path.name}")
        return path.read_bytes()


def _path(url: str) -> Path:
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else Path(url)


def without_query(url: str) -> str:
    """Return an address that may be shown: a query or a user part could hold a secret."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if host else parts.path


def named(location: str) -> str:
    """Return what a location may be known by: two of them are the same only if this is."""
    shown = without_query(location)
    if shown == location:
        return location
    return f"{shown} ({hashlib.sha256(location.encode()).hexdigest()[:16]})"
