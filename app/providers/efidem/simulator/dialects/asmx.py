"""Dialect `asmx`: .NET ASMX's manner, SOAP 1.1 and 1.2, document/literal wrapped.

Its service begins with HttpGet and HttpPost ports, which nobody serves: as by .NET's default, they
are for the machine itself. SOAPAction decides, and value types are mandatory.
"""

from collections.abc import Mapping

from lxml import etree

from app.providers.efidem.simulator.contract import Contract, Rules
from app.providers.efidem.simulator.dialects import asmx_wsdl
from app.providers.efidem.simulator.dialects.asmx_wsdl import ADDRESSES, NAMESPACE, SPELLING
from app.providers.efidem.simulator.dialects.dialect import Answer, Dialect, text_of
from app.providers.efidem.simulator.dialects.translation import Translation
from app.providers.efidem.simulator.envelope import SOAP_11, SOAP_12, Opened, Unreadable

# A DateTime of .NET cannot be absent.
_NO_DATE = "0001-01-01T00:00:00"


class Asmx(Dialect):
    """What Visual Studio makes of a class with [WebMethod]s, tempuri.org included."""

    versions = (SOAP_11, SOAP_12)

    def __init__(self, contract: Contract) -> None:
        super().__init__(contract)
        self._translation = Translation(
            contract, SPELLING, parameters_in=NAMESPACE, fields_in=NAMESPACE, addresses=ADDRESSES
        )
        self._functions = {SPELLING.function(name): name for name in self.catalogue.functions}
        self._rules = Rules(etree.fromstring(asmx_wsdl.schema(self.catalogue)))

    def wsdl(self, host: str) -> bytes:
        """Return a WSDL as `?WSDL` of an .asmx file gives it."""
        return asmx_wsdl.wsdl(self.catalogue, host)

    def request(self, opened: Opened, action: str | None) -> etree._Element:
        """Return the call that SOAPAction names, once the Body is valid by the schema."""
        name = etree.QName(opened.content)
        function = self._functions.get(name.localname)
        expected = f"{NAMESPACE}{name.localname}"
        if action != expected and (opened.version is SOAP_11 or action is not None):
            raise Unreadable("Server did not recognize the value of HTTP Header SOAPAction.")
        if function is None or name.namespace != NAMESPACE:
            raise Unreadable("the Body holds no function of this WSDL")
        if fault := self._rules.fault_of(opened.content):
            raise Unreadable(f"the request is not valid by this WSDL: {fault}")
        return self._translation.request(function, opened.content)

    def response(self, function: str, answer: Answer) -> etree._Element:
        """Write `<Function>Response/<Function>Result`."""
        name = SPELLING.function(function)
        response = etree.Element(f"{{{NAMESPACE}}}{name}Response", nsmap={"m": NAMESPACE})
        result = etree.SubElement(response, f"{{{NAMESPACE}}}{name}Result")
        kind = self.catalogue.functions[function].result
        if isinstance(answer, (str, bytes)):
            result.text = text_of(answer, kind)
        else:
            self._object(result, kind, answer)
        return response

    def _object(self, result: etree._Element, kind: str, answer: Mapping[str, str]) -> None:
        for one in self.catalogue.structs[kind]:
            absent = _NO_DATE if one.type == "xs:dateTime" else None
            text = answer.get(one.name, absent)
            if text is not None:
                etree.SubElement(result, f"{{{NAMESPACE}}}{one.name}").text = text
