"""Which port of a WSDL is called, and at which address."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from zeep import Client
from zeep.wsdl.bindings.soap import Soap11Binding, SoapBinding

from app.providers.efidem.binding.leaves import CannotBind
from app.providers.efidem.binding.names import operations_of
from app.providers.efidem.pins import Pinned
from app.providers.manual import Function

_SETTING: Final = "set MULTICANAL_EFIDEM_ADDRESS to the one that is right"


def chosen(
    client: Client, functions: Sequence[Function], pinned: Pinned
) -> tuple[str, str, SoapBinding]:
    """Return the port with the most documented functions, of SOAP 1.1 where two have as many.

    zeep would take the first of all: a service may offer plain GET and POST before SOAP.
    """
    ports = [
        (service.name, port.name, port.binding)
        for service in client.wsdl.services.values()
        for port in service.ports.values()
        if isinstance(port.binding, SoapBinding)
    ]
    if not ports:
        raise CannotBind("the WSDL offers no SOAP port")

    def worth(port: tuple[str, str, SoapBinding]) -> tuple[int, bool]:
        found = operations_of(port[2].all(), functions, pinned.functions).values()
        covered = sum(one.operation is not None for one in found)
        return covered, isinstance(port[2], Soap11Binding)

    return max(ports, key=worth)


def warnings(location: str, configured: str | None, declared: str) -> tuple[str, ...]:
    """Return what is odd about the address: the credentials travel there."""
    where, there = urlsplit(location), urlsplit(declared)
    if configured is not None or where.hostname is None:
        return ()
    if where.hostname != there.hostname:
        return (f"the WSDL of {where.hostname} names a service at {there.hostname}: {_SETTING}",)
    if where.scheme == "https" and there.scheme != "https":
        return (f"the WSDL came by https and names a service by {there.scheme}: {_SETTING}",)
    return ()
