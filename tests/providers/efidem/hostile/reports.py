"""Large answers to RAPPORT, honest and hostile: what is read in them, and in how much memory."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.providers.efidem.envelopes import envelope, result
from tests.providers.efidem.hostile import bombs
from tests.providers.efidem.hostile.cases import NOT_XML, TOO_MANY, chunked, http
from tests.providers.sockets import Pieces

MEBIBYTE = bombs.MEBIBYTE
LINE = b"21/11/2026;10:00:00;EMAIL;a@exemple.fr;A7K2M9Q4X1;RH;;Remis\r\n"
LINES = 45 * MEBIBYTE // len(LINE)  # 60 MiB in base64
SIZE = LINES * len(LINE)
TOO_LARGE = "Broken(why='the answer is larger than 64 MiB')"


@dataclass(frozen=True, slots=True)
class Large:
    """One large answer."""

    name: str
    pieces: Callable[[], Pieces]
    read: str


def answered(name: str, body: Callable[[], bytes], read: str) -> Large:
    return Large(name, lambda: [http(body())], read)


def whole(name: str, body: Callable[[], bytes], size: int = SIZE) -> Large:
    return answered(name, body, f"{size} bytes")


def unreadable(name: str, inside: Callable[[], str], why: str) -> Large:
    return answered(name, lambda: envelope(inside()), f"Unreadable(why={why!r})")


def lines(text: str, length: int = 76) -> str:
    return "\r\n".join(text[at : at + length] for at in range(0, len(text), length))


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


def code(name: str, inside: Callable[[], str]) -> Large:
    return answered(name, lambda: envelope(inside()), "Code(text='-6')")


BIG = 60 * MEBIBYTE
EVERY: Sequence[Large] = (
    whole("a report of 45 MiB in base64", lambda: result(base64_of(LINE * LINES))),
    whole(
        "the same in lines", lambda: result(lines(base64_of(LINE * (LINES - 1)))), SIZE - len(LINE)
    ),
    whole(
        "the same in a file",
        lambda: result(f"<NOM>r.csv</NOM><CONTENU>{base64_of(LINE * LINES)}</CONTENU>"),
    ),
    # XML's line ends: a carriage return less in each line.
    whole(
        "the same as a text",
        lambda: result((LINE * LINES).decode()),
        SIZE - LINES,
    ),
    Large("a report of 64 MiB and more", lambda: [http(b"x" * (64 * MEBIBYTE + 1))], TOO_LARGE),
    Large(
        "a gzip bomb",
        lambda: chunked(bombs.deflated(31), "Content-Encoding: gzip"),
        TOO_LARGE,
    ),
    unreadable("fifteen million siblings", lambda: "<a/>" * (BIG // 4), TOO_MANY),
    unreadable("a depth of nine million", lambda: "<a>" * 9_000_000, TOO_MANY),
    unreadable(
        "five million attributes",
        lambda: "<R " + " ".join(f'a{n}=""' for n in range(5_000_000)) + "/>",
        TOO_MANY,
    ),
    unreadable(
        "as many attributes as are let through",
        lambda: ("<R " + " ".join(f'a{n}=""' for n in range(48)) + "/>") * 19_000,
        "the SOAP body holds 19000 elements",
    ),
    unreadable("tags that never close", lambda: '<a b="' * 19_000 + "x" * BIG, NOT_XML),
    unreadable("a quote that never closes", lambda: "<a b='" + "x" * BIG, NOT_XML),
    unreadable("quotes without number", lambda: "<a " + "b='" * (BIG // 3), TOO_MANY),
    code("an attribute of 60 MiB", lambda: f'<R a="{"x" * BIG}">-6</R>'),
    code("a comment of 60 MiB", lambda: f"<R>-<!--{'x' * BIG}-->6</R>"),
    code("an instruction of 60 MiB", lambda: f"<R>-<?a {'x' * BIG}?>6</R>"),
    code("a code after 60 MiB of blanks", lambda: f"<R>{' ' * BIG}-6</R>"),
    unreadable("a name of 30 MiB", lambda: f"<{'n' * BIG}>-6", NOT_XML),
    unreadable("a CDATA that never closes", lambda: f"<R><![CDATA[{'x' * BIG}", NOT_XML),
)
