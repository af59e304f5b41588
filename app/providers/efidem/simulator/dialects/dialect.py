"""What every dialect of the service has: its WSDL, how it reads a call and how it answers one."""

import base64
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

from lxml import etree

from app.providers.efidem.simulator.contract import Contract
from app.providers.efidem.simulator.envelope import Opened, Version

Answer = str | bytes | Mapping[str, str]  # a text, a file, or an object's fields in order


class Served(NamedTuple):
    """A document that describes the service."""

    content: bytes
    media_type: str


class Dialect(ABC):
    """One manner of publishing the same functions."""

    versions: tuple[Version, ...]
    encoding = "UTF-8"

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.catalogue = contract.catalogue

    @abstractmethod
    def wsdl(self, host: str) -> bytes:
        """Return the WSDL of a service at `host`, scheme included."""

    def schema(self) -> bytes | None:
        """Return the XSD that the WSDL imports from the same host, if it does."""
        return None

    @abstractmethod
    def request(self, opened: Opened, action: str | None) -> etree._Element:
        """Return the call in the document's own terms, or raise Unreadable."""

    @abstractmethod
    def response(self, function: str, answer: Answer) -> etree._Element:
        """Write what `function` answers."""


def text_of(answer: str | bytes, wire_type: str) -> str:
    """Write a text or a file as a value of `wire_type`."""
    if wire_type.endswith("base64Binary"):
        content = answer if isinstance(answer, bytes) else answer.encode()
        return base64.b64encode(content).decode()
    return answer if isinstance(answer, str) else answer.decode("iso-8859-1")
