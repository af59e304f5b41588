"""Answers that a client may have already (RFC 9110, 8.8.3 and 13.1.2): ETag, If-None-Match, 304."""

import hashlib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import Header, Request, Response
from pydantic_core import to_json

_TAG: Final = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
# Kept by the client alone, and asked for again each time: a status may change at any moment.
CACHE: Final = "private, no-cache"

IfNoneMatchHeader = Annotated[
    list[str] | None,
    Header(
        alias="If-None-Match",
        description="The `ETag` of an earlier answer: where nothing changed since, 304 without a"
        " body",
    ),
]
NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "Nothing changed since the answer that If-None-Match names"}
}


def answer(request: Request, content: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return a content as JSON with its ETag, or 304 where the client has it."""
    body, tag = tagged(content)
    said = {**(headers or {}), "ETag": tag, "Cache-Control": CACHE}
    if names(",".join(request.headers.getlist("If-None-Match")), tag):
        return Response(status_code=304, headers=said)
    return Response(body, headers=said, media_type="application/json")


def tagged(content: object) -> tuple[bytes, str]:
    """Return a content as JSON, and its ETag.

    The tag is a hash of the very bytes: whatever changes them changes it.
    """
    body = to_json(content)
    return body, f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'


def names(given: str, tag: str) -> bool:
    """Say whether If-None-Match names a tag; it compares weakly (RFC 9110, 13.1.2)."""
    return given.strip() == "*" or tag in _TAG.findall(given)
