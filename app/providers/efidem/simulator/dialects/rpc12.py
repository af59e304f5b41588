"""Dialect `rpc12`: rpc/literal and SOAP 1.2 only, with the trio in a SOAP header.

The WSDL imports its types from an XSD on the same host. Every part of a message must come, and in
the WSDL's order; one may be nil.
"""

from lxml import etree

from app.providers.efidem.simulator.catalogue import TRIO
from app.providers.efidem.simulator.contract import Contract
from app.providers.efidem.simulator.dialects import rpc12_wsdl
from app.providers.efidem.simulator.dialects.dialect import Answer, Dialect, text_of
from app.providers.efidem.simulator.dialects.rpc12_wsdl import (
    HEADER,
    NAMESPACE,
    RESULT,
    SPELLING,
    TYPES,
)
from app.providers.efidem.simulator.dialects.translation import Translation
from app.providers.efidem.simulator.envelope import SOAP_12, Opened, Unreadable


class Rpc12(Dialect):
    """A service that somebody made as modern as rpc allows."""

    versions = (SOAP_12,)

    def __init__(self, contract: Contract) -> None:
        super().__init__(contract)
        self._translation = Translation(contract, SPELLING, parameters_in=None, fields_in=TYPES)
        self._functions = {SPELLING.function(name): name for name in self.catalogue.functions}

    def wsdl(self, host: str) -> bytes:
        """Return the WSDL, which imports `schema` from `host`."""
        return rpc12_wsdl.wsdl(self.catalogue, host)

    def schema(self) -> bytes | None:
        """Return the types."""
        return rpc12_wsdl.schema(self.catalogue)

    def request(self, opened: Opened, action: str | None) -> etree._Element:  # noqa: ARG002
        """Return the call that the Body's element is named for, with the header's trio."""
        name = etree.QName(opened.content)
        function = self._functions.get(name.localname)
        if function is None or name.namespace != NAMESPACE:
            raise Unreadable("the Body holds no function of this WSDL")
        expected = [
            SPELLING.name(function, one.name)
            for one in self.catalogue.functions[function].parameters[len(TRIO) :]
        ]
        if [child.tag for child in opened.content] != expected:
            raise Unreadable("the parts are not those of the WSDL, in its order")
        trio = None if opened.header is None else opened.header.find(f"{{{TYPES}}}{HEADER}")
        absent = etree.Element("absent")  # its codes -1 to -3 are the functions' to answer
        return self._translation.request(function, opened.content, absent if trio is None else trio)

    def response(self, function: str, answer: Answer) -> etree._Element:
        """Write `<Function>Response` with one part; what is inside an object is qualified."""
        name = f"{{{NAMESPACE}}}{SPELLING.function(function)}Response"
        response = etree.Element(name, nsmap={"rpc": NAMESPACE, "t": TYPES})
        result = etree.SubElement(response, RESULT)
        if isinstance(answer, (str, bytes)):
            kind = rpc12_wsdl.result_type(self.catalogue.functions[function])
            result.text = text_of(answer, kind)
        else:
            for field, text in answer.items():
                etree.SubElement(result, f"{{{TYPES}}}{field}").text = text
        return response
