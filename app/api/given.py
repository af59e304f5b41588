"""A request's headers as they came, without building a mapping of them for each look."""

from starlette.types import Scope


def given(scope: Scope, name: bytes) -> list[str]:
    """Return every value of a header, whose name is in lower case; none: an empty list."""
    return [value.decode("latin-1") for one, value in scope["headers"] if one == name]


def first(scope: Scope, name: bytes, otherwise: str) -> str:
    """Return a header's first value, or something else where there is none."""
    for one, value in scope["headers"]:
        if one == name:
            text: str = value.decode("latin-1")
            return text
    return otherwise
