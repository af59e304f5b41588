"""Dialect `document`: document/literal wrapped and SOAP 1.1, by the committed efidem.wsdl."""

from lxml import etree

from app.providers.efidem.simulator.contract import NAMESPACE, qualified
from app.providers.efidem.simulator.dialects.dialect import Answer, Dialect, text_of
from app.providers.efidem.simulator.envelope import SOAP_11, Opened, Unreadable


class Document(Dialect):
    """The simulator's plainest manner, in which the document's names are the WSDL's."""

    versions = (SOAP_11,)

    def wsdl(self, host: str) -> bytes:
        """Return efidem.wsdl with this service's address."""
        return self.contract.wsdl(f"{host}/soap")

    def request(self, opened: Opened, action: str | None) -> etree._Element:  # noqa: ARG002
        """Return the Body's element, once it is valid by the schema."""
        name = etree.QName(opened.content)
        if name.namespace != NAMESPACE or name.localname not in self.catalogue.functions:
            raise Unreadable("the Body holds no function of this WSDL")
        if fault := self.contract.rules.fault_of(opened.content):
            raise Unreadable(f"the request is not valid by this WSDL: {fault}")
        return opened.content

    def response(self, function: str, answer: Answer) -> etree._Element:
        """Write `<Function>Response/<Function>Result`."""
        response = etree.Element(qualified(f"{function}Response"), nsmap={"efi": NAMESPACE})
        result = etree.SubElement(response, qualified(f"{function}Result"))
        if isinstance(answer, (str, bytes)):
            result.text = text_of(answer, self.catalogue.functions[function].result)
        else:
            for name, text in answer.items():
                etree.SubElement(result, qualified(name)).text = text
        return response
