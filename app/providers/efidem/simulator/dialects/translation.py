"""From a dialect's request to the document's own terms, in which the functions are played."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lxml import etree

from app.providers.efidem.simulator.catalogue import TRIO, Field
from app.providers.efidem.simulator.contract import Contract, qualified
from app.providers.efidem.simulator.dialects.spelling import Spelling
from app.providers.efidem.simulator.envelope import Unreadable

_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


@dataclass(frozen=True, slots=True)
class Translation:
    """The shape of one dialect's requests. Whatever it does not know is refused."""

    contract: Contract
    spelling: Spelling
    parameters_in: str | None  # namespace of a function's parameters
    fields_in: str | None  # namespace of what is inside objects and arrays
    arrays_repeat: bool = False  # an array is its parameter, several times
    items_have_any_name: bool = False  # SOAP-ENC: it is the place that counts
    addresses: frozenset[str] = frozenset()  # arrays of texts in place of DESTINATAIRE objects

    def request(
        self, function: str, parameters: etree._Element, trio: etree._Element | None = None
    ) -> etree._Element:
        """Return the call of `function`; the trio is among `parameters` unless it is given."""
        request = etree.Element(qualified(function))
        fields = self.contract.catalogue.functions[function].parameters
        if trio is not None:
            self._fill(request, function, fields[: len(TRIO)], trio, self.fields_in)
            fields = fields[len(TRIO) :]
        self._fill(request, function, fields, parameters, self.parameters_in)
        if fault := self.contract.rules_for_any_date.fault_of(request):
            raise Unreadable(f"the request is not valid by this WSDL: {fault}")
        return request

    def _fill(
        self,
        target: etree._Element,
        owner: str,
        fields: Iterable[Field],
        source: etree._Element,
        namespace: str | None,
    ) -> None:
        names = {_tag(namespace, self.spelling.name(owner, one.name)): one for one in fields}
        found = self._sorted(source, names)
        for tag, one in names.items():
            given = [child for child in found[tag] if child.get(_NIL) not in {"true", "1"}]
            if given or one.mandatory:
                self._set(etree.SubElement(target, qualified(one.name)), one, given)

    def _sorted(
        self, source: etree._Element, names: Mapping[str, Field]
    ) -> dict[str, list[etree._Element]]:
        found: dict[str, list[etree._Element]] = {tag: [] for tag in names}
        for child in source:
            if child.tag not in found:
                raise Unreadable("the request holds a name that is not in this WSDL")
            found[child.tag].append(child)
        for tag, children in found.items():
            array = self.contract.catalogue.item_of(names[tag].type)
            if len(children) > 1 and not (array and self.arrays_repeat):
                raise Unreadable("the request holds a parameter twice")
        return found

    def _set(self, target: etree._Element, one: Field, given: list[etree._Element]) -> None:
        item = self.contract.catalogue.item_of(one.type)
        if one.name in self.addresses:
            for element in (element for array in given for element in array):
                recipient = etree.SubElement(target, qualified("DESTINATAIRE"))
                etree.SubElement(recipient, qualified("DESTINATION")).text = element.text
        elif item is not None:
            for element in given if self.arrays_repeat else self._items(item, given):
                self._set(etree.SubElement(target, qualified(item.name)), item, [element])
        elif one.type in self.contract.catalogue.structs:
            fields = self.contract.catalogue.structs[one.type]
            source = given[0] if given else etree.Element("absent")
            self._fill(target, one.type, fields, source, self.fields_in)
        elif given:
            if len(given[0]):
                raise Unreadable("the request holds elements where a text should be")
            target.text = given[0].text

    def _items(self, item: Field, given: list[etree._Element]) -> Iterable[etree._Element]:
        known = _tag(self.fields_in, self.spelling.name("array", item.name))
        for element in (element for array in given for element in array):
            if not self.items_have_any_name and element.tag != known:
                raise Unreadable("an array holds a name that is not in this WSDL")
            if element.get(_NIL) not in {"true", "1"}:
                yield element


def _tag(namespace: str | None, name: str) -> str:
    return f"{{{namespace}}}{name}" if namespace else name
