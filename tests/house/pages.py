"""Read the pages of docs/ and README.md: their links, code blocks, commands and calls."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_INLINE = re.compile(r"`([^`\n]+)`")
_CURL = re.compile(r"""curl (?:\\\n|[^'"\n)|]|'[^']*'|"[^"]*")*""")
_WRAPPED = re.compile(r"\\\n\s*")


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of code, and where it stands."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True, slots=True)
class Call:
    """What one curl asks for."""

    method: str
    path: str
    content_type: str
    body: str | None


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> Iterator[Block]:
    text = text_of(page)
    for found in _FENCE.finditer(text):
        yield Block(page.name, text.count("\n", 0, found.start()) + 1, found[1], found[2])


def prose(page: Path) -> str:
    return _FENCE.sub("", text_of(page))


def links(page: Path) -> list[str]:
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """The names by which a page's headings can be linked to, as GitHub makes them."""
    titles = re.findall(r"(?m)^#+ (.+)$", prose(page))
    plain = [re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", one)).strip().lower() for one in titles]
    return {one.replace(" ", "-") for one in plain}


def code(page: Path) -> Iterator[str]:
    """Every piece of code of a page, inline or in a block."""
    for one in blocks(page):
        # What a console shows is code where somebody typed it.
        typed = re.findall(r"(?m)^\$ (.*)$", one.text) if one.language == "console" else [one.text]
        yield from typed
    yield from _INLINE.findall(prose(page))


def lines(page: Path) -> Iterator[str]:
    """Every line of code; what a backslash continues is one line."""
    for piece in code(page):
        yield from _WRAPPED.sub(" ", piece).splitlines()


def commands(page: Path) -> Iterator[Sequence[str]]:
    """The arguments of each `multicanal ...` in a page's code."""
    for line in lines(page):
        for found in re.finditer(r"(?:^|[\s(/`])multicanal ([^|)#&>]*)", line):
            yield found[1].split()


def calls(block: Block) -> Iterator[Call]:
    """Each curl of a block."""
    for command in _CURL.findall(block.text):
        yield _call(shlex.split(_WRAPPED.sub(" ", command)))


def _call(words: Sequence[str]) -> Call:
    url = next(one for one in words if "/v1" in one or one.startswith(("http", "$GATEWAY")))
    given: dict[str, list[str]] = {}
    for name, value in zip(words, [*words[1:], ""], strict=True):
        given.setdefault(name, []).append(value)
    headers = dict(one.split(": ", 1) for one in given.get("-H", []))
    body = next(iter(given.get("-d", []) + given.get("--data-binary", [])), None)
    method = given.get("-X", ["POST" if body is not None else "GET"])[0]
    path = re.sub(r"^(\$GATEWAY|https?://[^/]+)", "", url)
    return Call(method, path, headers.get("Content-Type", ""), body)


def like(shown: Any, found: Any) -> bool:
    """Say whether an answer is as a page shows it: `...` stands for anything, and fields may lack."""
    match shown:
        case dict():
            return isinstance(found, dict) and all(
                name in found and like(value, found[name]) for name, value in shown.items()
            )
        case list() if shown and shown[-1] == "...":
            given = shown[:-1]
            return isinstance(found, list) and all(
                like(one, other) for one, other in zip(given, found, strict=False)
            )
        case list():
            return (
                isinstance(found, list)
                and len(found) == len(shown)
                and all(map(like, shown, found))
            )
        case str() if "..." in shown:
            return bool(
                re.fullmatch(wild(shown), json.dumps(found) if shown == "..." else str(found))
            )
        case _:
            return bool(shown == found)


def wild(text: str) -> str:
    """Return the pattern of a text in which `...` stands for anything."""
    return ".*".join(re.escape(part) for part in text.split("..."))
