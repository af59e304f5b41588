"""The one door to Efidem: zeep reads the WSDL and renders requests, aiohttp carries them.

zeep's own transports are not used: it would block, retry nothing and log everything.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from lxml import etree
from zeep import Client, Settings
from zeep.exceptions import Error as ZeepError
from zeep.wsdl.bindings.soap import Soap12Binding

from app.domain.message import MayBegin
from app.providers.efidem.binding import Bound, CannotBind, bind, ports
from app.providers.efidem.binding.declared import Declared
from app.providers.efidem.binding.documents import Documents, without_query
from app.providers.efidem.binding.encoding import declare, encode
from app.providers.efidem.binding.selftest import proven
from app.providers.efidem.binding.shape import shape_of
from app.providers.efidem.binding.template import Templates
from app.providers.efidem.binding.texts import Credentials, Texts
from app.providers.efidem.binding.weight import LARGE, LITTLE, weight
from app.providers.efidem.drift import Use, fingerprint
from app.providers.efidem.pins import Pinned
from app.providers.manual import Function
from app.providers.pieces import Body
from app.providers.wire import LARGEST_ANSWER, Answered, Exchange, Wire

__all__ = ["CannotBind", "Contract", "Soap"]

_FETCH_WITHIN: Final = 30.0  # seconds for one document of the WSDL
_OK: Final = 200
# What zeep raises for a WSDL that is none: it expects one, and stumbles over anything else.
_UNREADABLE: Final = (
    ZeepError,
    etree.LxmlError,
    OSError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    AssertionError,
)


class Contract:
    """A WSDL that was read: the documented functions bound to its operations."""

    def __init__(
        self,
        client: Client,
        location: str,
        address: str | None,
        functions: Iterable[Function],
        pinned: Pinned,
    ) -> None:
        functions = tuple(functions)
        service, port, binding = ports.chosen(client, functions, pinned)
        documents: Documents = client.transport
        self.documents: Final[Mapping[str, bytes]] = documents.documents
        self.to_keep: Final = documents.to_keep()
        self.service_name: Final = str(service)
        self.port_name: Final = str(port)
        declared_address = client.bind(service, port)._binding_options["address"]  # noqa: SLF001 -- no other way
        self.address: Final = address or declared_address
        self.warnings: Final = ports.warnings(location, address, declared_address)
        self._binding = binding
        self._declared = Declared(self.documents.values())
        if self._declared.has_encoded:
            declare(client)
        bound = bind(binding, functions, self._declared, pinned)
        self.bound: Final[Mapping[str, Bound]] = {
            name: proven(one, self._rendered) for name, one in bound.items()
        }
        self._templates: Final = Templates(self._rendered)
        self.texts: Final = Texts(self._rendered)
        self._headers: Final[dict[str, dict[str, str]]] = {}
        self.shape: Final = shape_of(
            binding,
            self._declared,
            service=self.service_name,
            port=self.port_name,
            address=declared_address,
        )
        self.fingerprint: Final = fingerprint(self.shape)

    def render(self, bound: Bound, arguments: Mapping[str, Any]) -> Body:
        """Return the envelope of one call.

        Raises CannotBind if the WSDL's types do not fit, and ValueError for what XML cannot carry.
        """
        return self._templates.render(bound, arguments)

    def _rendered(self, bound: Bound, arguments: Mapping[str, Any]) -> bytes:
        """Return the same from zeep itself."""
        operation = self._binding.get(bound.operation)
        try:
            envelope = operation.create(**arguments).content
        except (ZeepError, TypeError) as fault:
            name = bound.function.name
            raise CannotBind(f"{name} cannot be rendered: {type(fault).__name__}") from None
        if self._declared.is_encoded(operation):
            encode(envelope, operation)
        return etree.tostring(envelope, xml_declaration=True, encoding="utf-8")

    def headers(self, bound: Bound) -> dict[str, str]:
        """Return the HTTP headers of one call (SOAP 1.1, 6.1; SOAP 1.2 part 2, 7.1)."""
        found = self._headers.get(bound.function.name)
        if found is None:
            found = self._headers[bound.function.name] = self._headers_of(bound)
        return found

    def _headers_of(self, bound: Bound) -> dict[str, str]:
        action = self._binding.get(bound.operation).soapaction or ""
        if isinstance(self._binding, Soap12Binding):
            kind = "application/soap+xml; charset=utf-8"
            return {"Content-Type": f'{kind}; action="{action}"' if action else kind}
        return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}

    def report(self) -> list[dict[str, object]]:
        """Return, per documented function, how the WSDL offers it, and where it is called."""
        about = {
            "service": self.service_name,
            "port": self.port_name,
            "soap": "1.2" if isinstance(self._binding, Soap12Binding) else "1.1",
            "address": without_query(self.address),
        }
        return [
            self._reported(one) | about | {"style": self._style(one)} for one in self.bound.values()
        ]

    def uses(self) -> Mapping[str, Use]:
        """Return, by operation, what is called by this contract."""
        return {
            one.operation: Use(one.function.name, frozenset(one.paths()))
            for one in self.bound.values()
            if one.operation is not None
        }

    def _reported(self, bound: Bound) -> dict[str, object]:
        said = bound.report()
        return said | {
            "to_confirm": bound.to_confirm,
            "fields": dict(bound.fields),
            "trio": dict(bound.trio),
            "trio_place": bound.trio_place,
            "constants": dict(bound.constants),
            "allowed": {name: list(values) for name, values in bound.allowed.items()},
            "missing": [one.name for one in bound.missing],
            "warnings": [*self.warnings, *cast("list[str]", said["warnings"])],
        }

    def _style(self, bound: Bound) -> str | None:
        """Return the manner of one operation, such as document/literal."""
        if bound.operation is None:
            return None
        operation = self._binding.get(bound.operation)
        return (
            f"{operation.style}/{'encoded' if self._declared.is_encoded(operation) else 'literal'}"
        )


class Soap:
    """Loads a contract, and makes calls by it."""

    def __init__(
        self, wire: Wire, functions: Iterable[Function], pinned: Pinned | None = None
    ) -> None:
        self._wire = wire
        self._functions = tuple(functions)
        self._pinned = pinned or Pinned()
        self._rendering = asyncio.Lock()

    async def load(
        self, location: str, address: str | None, kept: Mapping[str, bytes] | None = None
    ) -> Contract:
        """Read the WSDL at an address or path, or from kept documents alone; raises CannotBind."""
        loop = asyncio.get_running_loop()

        def fetch(url: str) -> bytes:
            """Fetch one document, asked for by zeep from the thread that it blocks."""
            return asyncio.run_coroutine_threadsafe(self._fetch(url), loop).result(_FETCH_WITHIN)

        def read() -> Contract:
            documents = Documents(location, fetch, kept)
            # zeep would make https of file: too; where documents may come from is ours to say.
            settings = Settings(forbid_dtd=True, force_https=False)
            client = Client(location, transport=documents, settings=settings)
            return Contract(client, location, address, self._functions, self._pinned)

        try:
            return await asyncio.to_thread(read)
        except _UNREADABLE as fault:
            why = f"the WSDL at {without_query(location)} cannot be read: {type(fault).__name__}"
            raise CannotBind(why) from None

    async def call(
        self,
        contract: Contract,
        bound: Bound,
        handed: object,
        credentials: Credentials,
        *,
        largest: int = LARGEST_ANSWER,
        may_begin: MayBegin | None = None,
    ) -> Exchange:
        """Make one call with what its parameters are taken from.

        Its answer has at most so many bytes. Raises ValueError for what XML cannot carry, and
        CannotBind for what the WSDL's types cannot; nothing was sent then.
        """
        body = contract.texts.envelope(bound, handed, credentials)
        if body is None:
            body = await self._rendered(contract, bound, bound.arguments(handed, credentials))
        headers = contract.headers(bound)
        return await self._wire.post(
            contract.address, body, headers, largest=largest, may_begin=may_begin
        )

    async def _rendered(
        self, contract: Contract, bound: Bound, arguments: Mapping[str, Any]
    ) -> Body:
        work = weight(arguments)
        if work <= LITTLE:
            return contract.render(bound, arguments)
        async with self._rendering:  # several, or several threads, would hold the loop up together
            if work > LARGE:
                return await asyncio.to_thread(contract.render, bound, arguments)
            await asyncio.sleep(0)
            return contract.render(bound, arguments)

    async def _fetch(self, url: str) -> bytes:
        match await self._wire.get(url):
            case Answered(status, body) if status == _OK:
                return body
            case Answered(status):
                raise CannotBind(f"{without_query(url)} answered HTTP {status}")
            case broken:
                raise CannotBind(f"{without_query(url)} cannot be reached: {broken.why}")
