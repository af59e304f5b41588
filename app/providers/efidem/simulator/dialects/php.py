"""Dialect `php`: rpc/encoded with SOAP-ENC arrays and SOAP 1.1, as nusoap and ext-soap have it.

WSDL and answers are ISO-8859-1. PHP takes the parts in any order, by their names, with or without
xsi:type, and a part that does not come is null. Files are base64 in an xsd:string.
"""

from collections.abc import Mapping

from lxml import etree

from app.providers.efidem.simulator.contract import Contract
from app.providers.efidem.simulator.dialects import php_wsdl
from app.providers.efidem.simulator.dialects.dialect import Answer, Dialect, text_of
from app.providers.efidem.simulator.dialects.php_wsdl import ENCODING_STYLE, NAMESPACE, SPELLING
from app.providers.efidem.simulator.dialects.translation import Translation
from app.providers.efidem.simulator.envelope import SOAP_11, Opened, Unreadable

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_PREFIXES = {
    "ns1": NAMESPACE,
    "xsd": "http://www.w3.org/2001/XMLSchema",
    "xsi": _XSI,
    "SOAP-ENC": ENCODING_STYLE,
}


class Php(Dialect):
    """A PHP script behind nusoap."""

    versions = (SOAP_11,)
    encoding = "ISO-8859-1"

    def __init__(self, contract: Contract) -> None:
        super().__init__(contract)
        self._translation = Translation(
            contract, SPELLING, parameters_in=None, fields_in=None, items_have_any_name=True
        )
        self._functions = {SPELLING.function(name): name for name in self.catalogue.functions}

    def wsdl(self, host: str) -> bytes:
        """Return the WSDL, in ISO-8859-1."""
        return php_wsdl.wsdl(self.catalogue, host).encode("iso-8859-1")

    def request(self, opened: Opened, action: str | None) -> etree._Element:  # noqa: ARG002
        """Return the call that the Body's element is named for."""
        name = etree.QName(opened.content)
        function = self._functions.get(name.localname)
        if function is None or name.namespace != NAMESPACE:
            raise Unreadable("the Body holds no function of this WSDL")
        return self._translation.request(function, opened.content)

    def response(self, function: str, answer: Answer) -> etree._Element:
        """Write `<Function>Response/return`, every value with its type."""
        name = SPELLING.function(function)
        response = etree.Element(f"{{{NAMESPACE}}}{name}Response", nsmap=_PREFIXES)
        kind = self.catalogue.functions[function].result
        result = etree.SubElement(response, "return")
        result.set(f"{{{_XSI}}}type", SPELLING.type(kind, "ns1"))
        if isinstance(answer, bytes):
            result.text = text_of(answer, "xs:base64Binary")
        elif isinstance(answer, str):
            result.text = answer
        else:
            self._object(result, kind, answer)
        return response

    def _object(self, result: etree._Element, kind: str, answer: Mapping[str, str]) -> None:
        for one in self.catalogue.structs[kind]:
            element = etree.SubElement(result, one.name)
            text = answer.get(one.name)
            if text is None:
                element.set(f"{{{_XSI}}}nil", "true")
            else:
                element.set(f"{{{_XSI}}}type", SPELLING.type(one.type, "ns1"))
                # PHP's date("Y-m-d H:i:s")
                element.text = text.replace("T", " ") if one.type == "xs:dateTime" else text
