"""Pieces of XML Schema that more than one dialect's WSDL is made of."""

from app.providers.efidem.simulator.catalogue import Catalogue

NAMESPACE = "http://www.w3.org/2001/XMLSchema"


def element(name: str, kind: str, *, mandatory: bool = True, repeated: bool = False) -> str:
    """Return the declaration of a child."""
    least = "" if mandatory else ' minOccurs="0"'
    most = ' maxOccurs="unbounded"' if repeated else ""
    return f'<xs:element name="{name}" type="{kind}"{least}{most}/>'


def struct(name: str, content: str) -> str:
    """Return a type that is a sequence of `content`."""
    return f'<xs:complexType name="{name}"><xs:sequence>{content}</xs:sequence></xs:complexType>'


def enumerations(catalogue: Catalogue) -> str:
    """Return the document's closed sets of texts."""
    return "".join(
        f'<xs:simpleType name="{name}"><xs:restriction base="xs:string">'
        + "".join(f'<xs:enumeration value="{value}"/>' for value in values)
        + "</xs:restriction></xs:simpleType>"
        for name, values in catalogue.enumerations.items()
    )
