"""Small WSDLs written for one test each: document/literal, with the elements that the test names."""

from collections.abc import Mapping

TRIO = "".join(
    f'<xs:element name="{name}" type="xs:string"/>'
    for name in ("UTILISATEUR", "MOT_DE_PASSE", "AppID")
)

_WHOLE = """<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions name="Small" targetNamespace="urn:small"
    xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:xs="http://www.w3.org/2001/XMLSchema"
    xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:t="urn:small">
  <wsdl:types><xs:schema targetNamespace="urn:small" elementFormDefault="qualified">
    {imports}{types}{elements}
  </xs:schema></wsdl:types>
  {messages}
  <wsdl:portType name="Small">{abstract}</wsdl:portType>
  <wsdl:binding name="Small" type="t:Small">
    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>{concrete}
  </wsdl:binding>
  <wsdl:service name="Small"><wsdl:port name="Small" binding="t:Small">
    <soap:address location="{address}"/>
  </wsdl:port></wsdl:service>
</wsdl:definitions>"""


def element(name: str, kind: str = "xs:string", **attributes: object) -> str:
    """Return one element's declaration."""
    more = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f'<xs:element name="{name}" type="{kind}"{more}/>'


def struct(name: str, inside: str) -> str:
    """Return an element that holds others."""
    return f'<xs:element name="{name}">{_complex(inside)}</xs:element>'


def named(name: str, inside: str) -> str:
    """Return a named type that holds elements."""
    return _complex(inside).replace("<xs:complexType>", f'<xs:complexType name="{name}">')


def enumeration(name: str, *values: str) -> str:
    """Return a named type with these values only."""
    inside = "".join(f'<xs:enumeration value="{one}"/>' for one in values)
    return f'<xs:simpleType name="{name}"><xs:restriction base="xs:string">{inside}</xs:restriction></xs:simpleType>'


def wsdl(
    operations: Mapping[str, str],
    types: str = "",
    imports: str = "",
    address: str = "http://127.0.0.1:9/soap",
) -> bytes:
    """Return a WSDL whose operations have requests with these elements."""
    return _WHOLE.format(
        imports=imports,
        types=types,
        address=address,
        elements="".join(struct(name, inside) for name, inside in operations.items()),
        messages="".join(
            f'<wsdl:message name="{name}"><wsdl:part name="parameters" element="t:{name}"/></wsdl:message>'
            for name in operations
        ),
        abstract="".join(
            f'<wsdl:operation name="{name}"><wsdl:input message="t:{name}"/></wsdl:operation>'
            for name in operations
        ),
        concrete="".join(
            f'<wsdl:operation name="{name}"><soap:operation soapAction="{name}"/>'
            '<wsdl:input><soap:body use="literal"/></wsdl:input></wsdl:operation>'
            for name in operations
        ),
    ).encode()


def _complex(inside: str) -> str:
    return f"<xs:complexType><xs:sequence>{inside}</xs:sequence></xs:complexType>"
