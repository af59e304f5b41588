"""What a newer OpenAPI document breaks of an older one that clients were generated from.

What is added breaks nobody. What clients send may only be taken more widely; what they are told may
only become narrower, or get further fields.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Node = dict[str, Any]

# A bound: is it the new one that takes less?
BOUNDS = {
    **dict.fromkeys(("maxLength", "maxItems", "maximum", "exclusiveMaximum", "maxProperties"), -1),
    **dict.fromkeys(("minLength", "minItems", "minimum", "exclusiveMinimum", "minProperties"), 1),
}
FIXED = ("pattern", "format", "multipleOf", "uniqueItems")
# Schemas within a schema, besides its properties and its alternatives.
INNER = ("items", "additionalProperties", "propertyNames")
# Every keyword whose change is looked at, and those that promise nothing; the document has no other.
COMPARED = {
    *("$ref", "type", "enum", "const", "properties", "required", "anyOf", "oneOf", "default"),
    *(*BOUNDS, *FIXED, *INNER),
}
SILENT = {"description", "examples", "discriminator", "writeOnly"}


def breaks(old: Node, new: Node) -> list[str]:
    """Return every promise of `old` that `new` breaks, one sentence each."""
    return sorted(set(Comparison(old, new).everything()))


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two documents, and what their references mean."""

    old: Node
    new: Node

    def everything(self) -> Iterator[str]:
        for path, method, operation in operations(self.old.get("paths", {})):
            where = f"{method.upper()} {path}"
            now = self.new["paths"].get(path, {}).get(method)
            if now is None:
                yield f"{where}: the operation is gone"
            else:
                yield from self.operation(where, operation, now)
        for name, method, operation in operations(self.old.get("webhooks", {})):
            now = self.new.get("webhooks", {}).get(name, {}).get(method)
            if now is None:
                yield f"webhook {name}: it is gone"
                continue
            for key in parameters_of(operation).keys() - parameters_of(now).keys():
                yield f"webhook {name} parameter {key[1]}: it is gone"
            # What we send, clients read.
            yield from self.contents(f"webhook {name}", body_of(operation), body_of(now), told=True)
        codes = [set(one.get("components", {}).get("examples", {})) for one in (self.old, self.new)]
        yield from (f"error code {code}: it is gone" for code in codes[0] - codes[1])

    def operation(self, where: str, old: Node, new: Node) -> Iterator[str]:
        if old["operationId"] != new["operationId"]:
            yield f"{where}: operationId {old['operationId']} became {new['operationId']}"
        schemes = [
            {name for one in node.get("security", []) for name in one} for node in (old, new)
        ]
        if schemes[0] - schemes[1] or (schemes[1] and not schemes[0]):
            yield f"{where}: who called before cannot show who they are"
        yield from self.parameters(where, old, new)
        asked = f"{where} body"
        if new.get("requestBody", {}).get("required") and not old.get("requestBody", {}).get(
            "required"
        ):
            yield f"{asked}: it became required"
        yield from self.contents(asked, body_of(old), body_of(new), told=False)
        for status, answer in old["responses"].items():
            yield from self.answer(f"{where} {status}", status, answer, new["responses"])
        for status in new["responses"].keys() - old["responses"].keys():
            if status.startswith("2"):
                yield f"{where} {status}: a success that clients do not know"

    def parameters(self, where: str, old: Node, new: Node) -> Iterator[str]:
        were, are = parameters_of(old), parameters_of(new)
        for key in were.keys() - are.keys():
            yield f"{where} parameter {key[1]}: it is gone"
        for key, parameter in are.items():
            place = f"{where} parameter {key[1]}"
            if parameter.get("required") and not were.get(key, {}).get("required"):
                yield f"{place}: it became required"
            if key in were:
                schemas = were[key]["schema"], parameter["schema"]
                yield from self.schema(place, *schemas, told=False)

    def answer(self, where: str, status: str, old: Node, answers: Node) -> Iterator[str]:
        old, new = resolved(self.old, old), answers.get(status)
        if new is None:
            if status.startswith("2"):
                yield f"{where}: the answer is gone"
            return
        new = resolved(self.new, new)
        yield from self.contents(where, old.get("content", {}), new.get("content", {}), told=True)
        for name in old.get("headers", {}).keys() - new.get("headers", {}).keys():
            yield f"{where} header {name}: it is gone"

    def contents(self, where: str, old: Node, new: Node, *, told: bool) -> Iterator[str]:
        for kind in old.keys() - new.keys():
            yield f"{where}: {kind} is gone"
        if told:
            for kind in new.keys() - old.keys():
                yield f"{where}: {kind} is a type that clients do not know"
        for kind in old.keys() & new.keys():
            schemas = old[kind].get("schema", {}), new[kind].get("schema", {})
            yield from self.schema(where, *schemas, told=told)

    def schema(
        self, where: str, old: Node, new: Node, *, told: bool, seen: frozenset[object] = frozenset()
    ) -> Iterator[str]:
        """Compare what was promised with what is; `told`: clients read it, else they send it."""
        pair = (old.get("$ref"), new.get("$ref"))
        if any(pair) and pair in seen:
            return
        seen |= {pair}
        old, new = resolved(self.old, old), resolved(self.new, new)
        # Whoever is told gets `new` and knows `old`; whoever sends gives `old` and meets `new`.
        given, known = (new, old) if told else (old, new)
        yield from strange(where, given, known)
        if told:
            if old.get("format") != new.get("format"):
                yield f"{where}: clients read it as another type than before ({new.get('format')})"
        else:
            yield from tightened(where, old, new)
        yield from fields(where, old, new, told=told)
        for name, was in old.get("properties", {}).items():
            now = new.get("properties", {}).get(name)
            if now is not None:
                yield from self.schema(f"{where}/{name}", was, now, told=told, seen=seen)
        for inner in INNER:
            was, now = old.get(inner), new.get(inner)
            if isinstance(was, dict) and isinstance(now, dict):
                yield from self.schema(f"{where}/{inner}", was, now, told=told, seen=seen)
        yield from self.choices(where, (old, new), told=told, seen=seen)

    def choices(
        self, where: str, pair: tuple[Node, Node], *, told: bool, seen: frozenset[object]
    ) -> Iterator[str]:
        """Compare alternatives: each that is given must fit one that is known."""
        were, are = (alternatives(one) for one in pair)
        if were == [pair[0]] and are == [pair[1]]:
            return
        given, known = (are, were) if told else (were, are)
        for one in given:
            found = []
            for other in known:
                was, now = (other, one) if told else (one, other)
                found.append(list(self.schema(where, was, now, told=told, seen=seen)))
            if all(found):
                yield from min(found, key=len)


def strange(where: str, given: Node, known: Node) -> Iterator[str]:
    """Say of which types and values the reader knows nothing."""
    types = types_of(given) - types_of(known) if types_of(known) else set()
    if types_of(known) and not types_of(given) and not choices_of(given):
        yield f"{where}: any type is possible, where only {named(types_of(known))} was known"
    if types - ({"integer"} if "number" in types_of(known) else set()):
        yield f"{where}: the type {named(types)} is not taken everywhere"
    values = values_of(given), values_of(known)
    if values[1] is not None and (values[0] is None or values[0] - values[1]):
        more = named(values[0] - values[1]) if values[0] is not None else "others"
        yield f"{where}: the value {more} is not known everywhere"


def tightened(where: str, old: Node, new: Node) -> Iterator[str]:
    """Say which bounds of what clients send have become narrower."""
    for name, way in BOUNDS.items():
        was, now = old.get(name), new.get(name)
        if now is not None and (was is None or (now - was) * way > 0):
            yield f"{where}: {name} became narrower ({was} to {now})"
    for name in FIXED:
        if new.get(name) is not None and new.get(name) != old.get(name):
            yield f"{where}: {name} changed"
    if "default" in old and new.get("default") != old["default"]:
        yield f"{where}: what is left out means something else"
    if "propertyNames" in new and "propertyNames" not in old:
        yield f"{where}: some names are refused"


def fields(where: str, old: Node, new: Node, *, told: bool) -> Iterator[str]:
    """Say which fields are gone, and of which it changed whether they must be there."""
    was, now = old.get("properties", {}), new.get("properties", {})
    must, must_now = set(old.get("required", ())), set(new.get("required", ()))
    yield from (f"{where}/{name}: the field is gone" for name in was.keys() - now.keys())
    if not told:
        yield from (f"{where}/{name}: it became required" for name in must_now - must)
        if (
            new.get("additionalProperties") is False
            and old.get("additionalProperties") is not False
        ):
            yield f"{where}: further fields are refused"
    else:
        gone = (must - must_now) & now.keys()
        yield from (f"{where}/{name}: it may be missing" for name in gone)


def operations(paths: Node) -> Iterator[tuple[str, str, Node]]:
    for path, item in paths.items():
        for method, operation in item.items():
            yield path, method, operation


def parameters_of(operation: Node) -> dict[tuple[str, str], Node]:
    return {(one["in"], one["name"]): one for one in operation.get("parameters", ())}


def body_of(operation: Node) -> Node:
    found: Node = operation.get("requestBody", {}).get("content", {})
    return found


def resolved(document: Node, schema: Node) -> Node:
    while "$ref" in schema:
        at: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            at = at[part]
        schema = at
    return schema


def choices_of(schema: Node) -> list[Node]:
    found: list[Node] = schema.get("anyOf") or schema.get("oneOf") or []
    return found


def alternatives(schema: Node) -> list[Node]:
    return choices_of(schema) or [schema]


def types_of(schema: Node) -> set[str]:
    found = schema.get("type", [])
    return {found} if isinstance(found, str) else set(found)


def values_of(schema: Node) -> set[Any] | None:
    if "const" in schema:
        return {schema["const"]}
    return set(schema["enum"]) if "enum" in schema else None


def named(values: Iterable[Any]) -> str:
    return ", ".join(sorted(map(str, values)))
