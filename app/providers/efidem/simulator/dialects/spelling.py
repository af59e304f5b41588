"""How a dialect writes the document's names and types."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Spelling:
    """A dialect's own names; what is not in a table is written as in efidem.wsdl."""

    functions: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)  # "NAME", or "FUNCTION/NAME" for one
    types: Mapping[str, str] = field(default_factory=dict)

    def function(self, name: str) -> str:
        """Return the name of an operation."""
        return self.functions.get(name, name)

    def name(self, owner: str, name: str) -> str:
        """Return the name of a parameter of function `owner`, or of a field of such an object."""
        return self.names.get(f"{owner}/{name}") or self.names.get(name, name)

    def type(self, kind: str, prefix: str = "tns") -> str:
        """Return the name of a type, with the prefix of the document's own types."""
        written = self.types.get(kind, kind)
        return written if ":" in written else f"{prefix}:{written}"
