"""A field that is wrong, in our words: where it stands, a stable code, and how to mend it."""

from typing import Any, Final

from app.domain.errors import FieldError

_LONGEST_POINTER: Final = 300

# pydantic's kinds of errors, and our stable codes; its other kinds are `invalid`.
_CODES: Final = {
    "missing": "missing",
    "extra_forbidden": "unknown_field",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "string_too_short": "too_short",
    "too_short": "too_short",
    "literal_error": "not_allowed",
    "enum": "not_allowed",
    "timezone_aware": "time_without_zone",
}
_DETAILS: Final = {
    "missing": "This field is required.",
    "extra_forbidden": "There is no such field; check its spelling.",
    "timezone_aware": "Give the time with its zone, such as 2026-11-21T10:00:00+01:00.",
    "model_type": "Send a JSON object here.",
    "dict_type": "Send a JSON object here.",
    "list_type": "Send a list here.",
    "string_type": "Send a string here, in double quotes.",
    "int_type": "Send a whole number here.",
    "int_parsing": "Send a whole number here.",
    "int_from_float": "Send a whole number here.",
    "bool_type": "Send true or false here.",
    "bool_parsing": "Send true or false here.",
    "literal_error": "Send one of these: {expected}.",
    "enum": "Send one of these: {expected}.",
    "greater_than_equal": "This is too small: send at least {ge}.",
    "less_than_equal": "This is too large: send at most {le}.",
    "string_pattern_mismatch": "This must match {pattern}.",
    "none_required": "Leave this field out.",
    "string_too_long": "This is too long: send at most {max_length} characters.",
    "string_too_short": "This is too short: send at least {min_length} characters.",
    "too_long": "This is too long: send at most {max_length}.",
    "too_short": "This is too short: send at least {min_length}.",
}
_NO_TIME: Final = "This is no date or time; write it as 2026-11-21 or 2026-11-21T10:00:00+01:00."


def pointer(parts: tuple[int | str, ...]) -> str:
    """Return a JSON pointer (RFC 6901); to what holds it, where a name is overlong."""
    # pydantic's mark of an error in a name: the pointer to its value is the nearest there is.
    named = parts[:-1] if parts[-1:] == ("[key]",) else parts
    found = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in named)
    return found if len(found) <= _LONGEST_POINTER else pointer(named[:-1])


def field_error(error: Any) -> FieldError:  # noqa: ANN401 -- pydantic's own
    """Return an error of pydantic as ours, without the value that caused it."""
    kind: str = error["type"]
    ours = kind.startswith("gateway:")
    code = kind.removeprefix("gateway:") if ours else _CODES.get(kind, _type_code(kind))
    return FieldError(pointer(error["loc"]), code, _detail(kind, error))


def _detail(kind: str, error: Any) -> str:  # noqa: ANN401 -- pydantic's own
    limits = error.get("ctx") or {}
    if kind.startswith("gateway:"):
        return str(error["msg"])
    if kind.startswith(("datetime", "date_", "time_")):
        return _NO_TIME
    return _DETAILS.get(kind, "This value is not taken; see the API's description.").format(
        **limits
    )


def _type_code(kind: str) -> str:
    return "wrong_type" if kind.endswith("_type") else "invalid"
