"""The manners in which the real service might be published: nobody here has seen its WSDL."""

from collections.abc import Mapping

from app.providers.efidem.simulator.dialects.asmx import Asmx
from app.providers.efidem.simulator.dialects.bare import Bare
from app.providers.efidem.simulator.dialects.dialect import Dialect
from app.providers.efidem.simulator.dialects.document import Document
from app.providers.efidem.simulator.dialects.php import Php
from app.providers.efidem.simulator.dialects.rpc12 import Rpc12

DIALECTS: Mapping[str, type[Dialect]] = {
    "document": Document,
    "asmx": Asmx,
    "php": Php,
    "rpc12": Rpc12,
    "bare": Bare,
}
