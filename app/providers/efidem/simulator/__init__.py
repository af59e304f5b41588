"""Efidem as its document describes it, played over a real socket: nothing is ever sent.

This package is a second, independent reading of "Webservice SOAP Multicanal": it imports nothing
of the gateway, or an error in one reading would be confirmed by the other.
"""

from app.providers.efidem.simulator.application import create_app
from app.providers.efidem.simulator.dialects import DIALECTS

__all__ = ["DIALECTS", "create_app"]
