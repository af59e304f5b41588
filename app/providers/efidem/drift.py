"""What can differ between two contracts, and how much it matters to who calls by the old one."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """What a difference means for calls by the contract that was accepted."""

    ERROR = "error"  # they may be refused, or go elsewhere
    WARNING = "warning"  # they may be understood otherwise
    INFO = "info"


class What(StrEnum):
    """What is different."""

    ADDRESS = "address"
    SOAP = "soap version"
    SERVICE = "service"
    PORT = "port"
    OPERATION_GONE = "operation gone"
    OPERATION_RENAMED = "operation renamed"
    OPERATION_NEW = "operation new"
    STYLE = "style"
    ACTION = "soap action"
    ELEMENT = "element of the body"
    GONE = "gone"
    RENAMED = "renamed"
    NEW_MANDATORY = "new and mandatory"
    NEW = "new"
    NOW_MANDATORY = "now mandatory"
    NOW_OPTIONAL = "now optional"
    TYPE = "type"
    OCCURS = "how often"
    NAMESPACE = "namespace"
    ORDER = "order"
    RESULT = "result"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference."""

    severity: Severity
    what: What
    function: str | None = None  # that is bound to the operation
    operation: str | None = None
    path: str | None = None
    old: str | None = None
    new: str | None = None

    def shown(self) -> dict[str, str | None]:
        """Return it as JSON has it."""
        names = ("severity", "function", "operation", "path", "what", "old", "new")
        return {name: None if (one := getattr(self, name)) is None else str(one) for name in names}


def told(one: Mapping[str, str | None]) -> str:
    """Return a difference, as `shown` gives it and the store keeps it, as one line."""
    where = " ".join(filter(None, (one["operation"], one["path"])))
    change = " -> ".join(filter(None, (one["old"], one["new"])))
    return f"{one['severity']:9}{where or 'service':50}{one['what']}: {change or '-'}"


def counted(differences: Iterable[Mapping[str, str | None]]) -> str:
    """Return how many differences there are of each severity, the gravest first."""
    times = Counter(one["severity"] for one in differences)
    return ", ".join(f"{times[one]} {one}" for one in Severity if times[one])


@dataclass(frozen=True, slots=True)
class Use:
    """What a bound function uses of its operation."""

    function: str
    paths: AbstractSet[str] = field(default_factory=frozenset)


Row = Mapping[str, Any]
Shape = Mapping[str, Any]


def canonical(shape: Shape) -> str:
    """Return a shape as the one text that stands for it."""
    return json.dumps(shape, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def fingerprint(shape: Shape) -> str:
    """Return the SHA-256 of a shape, hexadecimal."""
    return hashlib.sha256(canonical(shape).encode()).hexdigest()
