"""Compare two contracts' shapes: what went, came or changed, by operation and element."""

from collections.abc import Iterator, Mapping
from typing import Final

from app.providers.efidem.drift import Difference, Row, Severity, Shape, Use, What

_NOTHING: Final = frozenset[str]()


def compare(old: Shape, new: Shape, uses: Mapping[str, Use]) -> list[Difference]:
    """Return what differs; `uses` says, by operation, what is called by the old contract."""
    found = [*_port(old, new), *_operations(old["operations"], new["operations"], uses)]
    return sorted(found, key=lambda one: [*Severity].index(one.severity))


_OF_PORT: Final = (
    ("address", What.ADDRESS, Severity.ERROR),
    ("soap", What.SOAP, Severity.ERROR),
    ("service", What.SERVICE, Severity.INFO),
    ("port", What.PORT, Severity.INFO),
)
_OF_OPERATION: Final = (
    ("style", What.STYLE, Severity.ERROR),
    ("soapaction", What.ACTION, Severity.ERROR),
    ("element", What.ELEMENT, Severity.ERROR),
)


def _port(old: Shape, new: Shape) -> Iterator[Difference]:
    for name, what, severity in _OF_PORT:
        if old[name] != new[name]:
            yield Difference(severity=severity, what=what, old=old[name], new=new[name])


def _operations(old: Shape, new: Shape, uses: Mapping[str, Use]) -> Iterator[Difference]:
    gone = [name for name in old if name not in new]
    came = [name for name in new if name not in old]
    for name in gone:
        used = uses.get(name)
        about = {"function": used.function if used else None, "operation": name}
        alike = [one for one in came if _inputs(new[one]) == _inputs(old[name])]
        if len(alike) == 1:
            came.remove(alike[0])
            yield Difference(
                severity=Severity.ERROR,
                what=What.OPERATION_RENAMED,
                old=name,
                new=alike[0],
                **about,
            )
        else:
            yield Difference(severity=Severity.ERROR, what=What.OPERATION_GONE, old=name, **about)
    for name in came:
        yield Difference(severity=Severity.INFO, what=What.OPERATION_NEW, operation=name, new=name)
    for name in old:
        if name in new:
            yield from _Operation(name, uses.get(name)).differences(old[name], new[name])


def _inputs(operation: Shape) -> list[Row]:
    return [row for row in operation["paths"] if row["place"] == "in"]


class _Operation:
    """Compares one operation's elements."""

    def __init__(self, name: str, used: Use | None) -> None:
        self._used = used.paths if used else _NOTHING
        self._about = {"function": used.function if used else None, "operation": name}

    def differences(self, old: Shape, new: Shape) -> Iterator[Difference]:
        for name, what, severity in _OF_OPERATION:
            if old[name] != new[name]:
                yield self._said(severity, what, old=old[name], new=new[name])
        yield from self._results(_by_path(old, "out"), _by_path(new, "out"))
        before, after = _by_path(old, "in"), _by_path(new, "in")
        yield from self._moved(before, after)
        for path, row in before.items():
            if path in after:
                yield from self._changed(path, row, after[path])

    def _moved(self, old: Mapping[str, Row], new: Mapping[str, Row]) -> Iterator[Difference]:
        """Tell what went and came: the topmost elements only, whose contents went along."""
        gone, came = _topmost(old, new), _topmost(new, old)
        for path in gone:
            row = old[path]
            alike = [one for one in came if _place_of(one, new, old) == _place_of(path, old, new)]
            renamed = [one for one in alike if new[one]["type"] == row["type"]]
            if len(renamed) == 1:
                came.remove(renamed[0])
                severity = self._if_used(path)
                yield self._said(severity, What.RENAMED, path, old=path, new=renamed[0])
                if _is_mandatory(new[renamed[0]]) and not _is_mandatory(row):
                    yield self._said(Severity.ERROR, What.NOW_MANDATORY, renamed[0])
            else:
                yield self._said(self._if_used(path), What.GONE, path, old=_told(row))
        for path in came:
            mandatory = _is_mandatory(new[path])
            what = What.NEW_MANDATORY if mandatory else What.NEW
            severity = Severity.ERROR if mandatory else Severity.INFO
            yield self._said(severity, what, path, new=_told(new[path]))
        kept_before = [path for path in old if path in new]
        kept_after = [path for path in new if path in old]
        if kept_before != kept_after:
            moved = next(a for a, b in zip(kept_before, kept_after, strict=True) if a != b)
            yield self._said(Severity.WARNING, What.ORDER, moved)

    def _changed(self, path: str, old: Row, new: Row) -> Iterator[Difference]:
        if _is_mandatory(new) != _is_mandatory(old):
            if _is_mandatory(new):
                yield self._said(Severity.ERROR, What.NOW_MANDATORY, path)
            else:
                yield self._said(Severity.INFO, What.NOW_OPTIONAL, path)
        elif (old["min"], old["nillable"]) != (new["min"], new["nillable"]):
            yield self._said(Severity.INFO, What.OCCURS, path, old=_told(old), new=_told(new))
        if old["max"] != new["max"]:
            yield self._said(
                Severity.WARNING, What.OCCURS, path, old=str(old["max"]), new=str(new["max"])
            )
        if old["namespace"] != new["namespace"]:
            yield self._said(
                Severity.ERROR, What.NAMESPACE, path, old=old["namespace"], new=new["namespace"]
            )
        if (old["type"], old["allowed"]) != (new["type"], new["allowed"]):
            yield self._said(
                Severity.WARNING, What.TYPE, path, old=_type_of(old), new=_type_of(new)
            )

    def _results(self, old: Mapping[str, Row], new: Mapping[str, Row]) -> Iterator[Difference]:
        for path in dict.fromkeys((*old, *new)):
            before, after = old.get(path), new.get(path)
            if before != after:
                yield self._said(
                    Severity.WARNING,
                    What.RESULT,
                    path,
                    old=None if before is None else _told(before),
                    new=None if after is None else _told(after),
                )

    def _if_used(self, path: str) -> Severity:
        used = any(_holds(path, one) or _holds(one, path) for one in self._used)
        return Severity.ERROR if used else Severity.INFO

    def _said(
        self, severity: Severity, what: What, path: str | None = None, **values: str | None
    ) -> Difference:
        return Difference(severity=severity, what=what, path=path, **self._about, **values)


def _by_path(operation: Shape, place: str) -> dict[str, Row]:
    return {row["path"]: row for row in operation["paths"] if row["place"] == place}


def _topmost(these: Mapping[str, Row], others: Mapping[str, Row]) -> list[str]:
    lone = [path for path in these if path not in others]
    return [path for path in lone if not any(path.startswith(f"{one}/") for one in lone)]


def _place_of(path: str, these: Mapping[str, Row], others: Mapping[str, Row]) -> object:
    """Return where an element stands: under what, after which known one, and how far."""
    above = path.rpartition("/")[0]
    siblings = [one for one in these if one.rpartition("/")[0] == above]
    before = siblings[: siblings.index(path)]
    known = [one for one in before if one in others]
    return above, known[-1] if known else None, len(before) - len(known)


def _holds(above: str, path: str) -> bool:
    return path == above or path.startswith(f"{above}/")


def _is_mandatory(row: Row) -> bool:
    return bool(row["min"] > 0 and not row["nillable"])


def _type_of(row: Row) -> str:
    allowed = row["allowed"]
    return f"{row['type']}: {', '.join(allowed)}" if allowed else str(row["type"])


def _told(row: Row) -> str:
    nillable = " nillable" if row["nillable"] else ""
    return f"{_type_of(row)}, {row['min']} to {row['max']}{nillable}"
