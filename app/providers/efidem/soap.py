"""The one door to Efidem: zeep reads the WSDL and renders requests, aiohttp carries them.

zeep's own transports are not used: it would block, retry nothing and log everything.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from lxml import etree
from zeep import Client, Settings
from zeep.exceptions import Error as ZeepError
from zeep.transports import Transport
from zeep.wsdl.bindings.soap import Soap12Binding, SoapBinding

from app.providers.efidem.binding import Bound, bind
from app.providers.manual import Function
from app.providers.wire import Answered, Exchange, Wire

LARGE: Final = 262_144  # bytes of attachments above which rendering leaves the event loop
_WEB: Final = frozenset({"http", "https"})
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


class CannotBind(Exception):
    """The WSDL cannot be had or read; `why` says what to do, without secrets."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


class Contract:
    """A WSDL that was read: the documented functions bound to its operations."""

    def __init__(self, client: Client, address: str | None, functions: Iterable[Function]) -> None:
        service, port, binding = _soap_port(client)
        self.service_name: Final = str(service)
        self.bound: Final[Mapping[str, Bound]] = bind(binding, functions)
        self._client = client
        self._binding = binding
        self._proxy = client.bind(service, port)
        self.address: Final = address or self._proxy._binding_options["address"]  # noqa: SLF001 -- no other way

    def render(self, bound: Bound, arguments: Mapping[str, Any]) -> bytes:
        """Return the envelope of one call; raises CannotBind if the WSDL's types do not fit."""
        try:
            envelope = self._client.create_message(self._proxy, bound.operation, **arguments)
        except (ZeepError, TypeError) as fault:
            name = bound.function.name
            raise CannotBind(f"{name} cannot be rendered: {type(fault).__name__}") from None
        return etree.tostring(envelope, xml_declaration=True, encoding="utf-8")

    def headers(self, bound: Bound) -> dict[str, str]:
        """Return the HTTP headers of one call (SOAP 1.1, 6.1; SOAP 1.2 part 2, 7.1)."""
        action = self._binding.get(bound.operation).soapaction or ""
        if isinstance(self._binding, Soap12Binding):
            kind = f'application/soap+xml; charset=utf-8; action="{action}"'
            return {"Content-Type": kind}
        return {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}


class Soap:
    """Loads a contract, and makes calls by it."""

    def __init__(self, wire: Wire, functions: Iterable[Function]) -> None:
        self._wire = wire
        self._functions = tuple(functions)

    async def load(self, location: str, address: str | None) -> Contract:
        """Read the WSDL at an address or path; raises CannotBind."""
        loop = asyncio.get_running_loop()

        def fetch(url: str) -> bytes:
            """Fetch one document, asked for by zeep from the thread that it blocks."""
            return asyncio.run_coroutine_threadsafe(self._fetch(url), loop).result(_FETCH_WITHIN)

        def read() -> Contract:
            transport = _Documents(location, fetch)
            client = Client(location, transport=transport, settings=Settings(forbid_dtd=True))
            return Contract(client, address, self._functions)

        try:
            return await asyncio.to_thread(read)
        except _UNREADABLE as fault:
            why = f"the WSDL at {_without_query(location)} cannot be read: {type(fault).__name__}"
            raise CannotBind(why) from None

    async def call(self, contract: Contract, bound: Bound, arguments: dict[str, Any]) -> Exchange:
        """Make one call.

        Raises ValueError for what XML cannot carry, and CannotBind for what the WSDL's types
        cannot; nothing was sent then.
        """
        if _weight(arguments) > LARGE:
            body = await asyncio.to_thread(contract.render, bound, arguments)
        else:
            body = contract.render(bound, arguments)
        return await self._wire.post(contract.address, body, contract.headers(bound))

    async def _fetch(self, url: str) -> bytes:
        match await self._wire.get(url):
            case Answered(status, body) if status == _OK:
                return body
            case Answered(status):
                raise CannotBind(f"{_without_query(url)} answered HTTP {status}")
            case broken:
                raise CannotBind(f"{_without_query(url)} cannot be reached: {broken.why}")


class _Documents(Transport):
    """What zeep may load: the WSDL itself, and what it imports from the same place."""

    def __init__(self, location: str, fetch: Callable[[str], bytes]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._allowed = urlsplit(location)[:2]
        self._fetch = fetch

    def load(self, url: str) -> bytes:
        """Return a document's bytes."""
        parts = urlsplit(url)
        if parts[:2] != self._allowed and _WEB & {parts.scheme, self._allowed[0]}:
            where = parts.hostname or "this machine"
            raise CannotBind(f"the WSDL imports a document from {where}")
        if parts.scheme in _WEB:
            return self._fetch(url)
        return Path(parts.path or url).read_bytes()


def _soap_port(client: Client) -> tuple[str, str, SoapBinding]:
    """Return the first port that speaks SOAP: a service may offer plain GET and POST as well."""
    for service in client.wsdl.services.values():
        for port in service.ports.values():
            if isinstance(port.binding, SoapBinding):
                return service.name, port.name, port.binding
    raise CannotBind("the WSDL offers no SOAP port")


def _weight(value: object) -> int:
    """Return roughly how many bytes of files the arguments hold."""
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, Mapping):
        return sum(_weight(one) for one in value.values())
    if isinstance(value, list):
        return sum(_weight(one) for one in value)
    return 0


def _without_query(url: str) -> str:
    """Return an address that may be shown: a query or a user part could hold a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}" if parts.hostname else parts.path
