"""The hostile answers: what is written on the socket, and what must come of it.

`sending` is what a call of ENVOYER_EMAIL (or of `function`) comes to, `status` what one of
STATUT_EMAIL comes to. No case may be Accepted but those whose answer is whole and says so.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat

from app.domain.outcome import (
    Accepted,
    Blocked,
    Failure,
    Finding,
    NoAnswer,
    NoStatus,
    Outcome,
    Refused,
    Report,
    Unclear,
)
from tests.providers.efidem.envelopes import SOAP_11, envelope, result
from tests.providers.efidem.hostile import bombs
from tests.providers.sockets import Pieces

IDENTIFIER = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
SECRET = "s3cret-of-the-account"  # the password that every request of this corpus carries
TEXT = "the result is neither an identifier nor a code"
NOT_XML = "the answer is not XML"
DTD = "the answer holds a DTD"
ENCODING = "the answer is in an encoding that we do not read"
TOO_MANY = "the answer holds too many elements or attributes"
TOO_LARGE = "the answer is larger than 1 MiB"
EMPTY = "the answer is empty"
NOTHING = "the result is empty"
NO_STATUS_CODE = "the result is an object without a status code"
HTML = b"<html><head><title>Erreur</title></head><body>Service indisponible</body></html>"
HTML_5 = b"<!DOCTYPE html><html><body><p>Service indisponible<br></body></html>"
HEAD = "ClientResponseError"  # aiohttp's, for an answer whose headers it refuses
A_DOCUMENT = "the result is a document"
XML_TYPE = "Content-Type: text/xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Case:
    """One hostile answer."""

    name: str
    pieces: Callable[[], Pieces]
    sending: Outcome
    status: Finding
    function: str = "ENVOYER_EMAIL"
    patience: float = 20.0  # seconds that the client gives the exchange


def shown(outcome: Outcome | Finding) -> str:
    """Write an outcome as it is compared: where an unknown code is counted is not judged here."""
    if hasattr(outcome, "unmapped_in"):
        outcome = replace(outcome, unmapped_in=None)
    return repr(outcome)


def http(body: bytes, *headers: str, status: int = 200, length: int | None = None) -> bytes:
    head = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body) if length is None else length}"]
    return "\r\n".join([*head, *(headers or (XML_TYPE,)), "", ""]).encode() + body


def chunked(pieces: Pieces, *headers: str) -> Iterator[bytes | float]:
    yield "\r\n".join(
        ["HTTP/1.1 200 x", "Transfer-Encoding: chunked", *(headers or (XML_TYPE,)), "", ""]
    ).encode()
    for one in pieces:
        yield f"{len(one):x}\r\n".encode() + one + b"\r\n" if isinstance(one, bytes) else one
    yield b"0\r\n\r\n"


def told(name: str, raw: bytes, sending: Outcome, status: Finding, function: str = "") -> Case:
    """Make a case of an answer that is written at once."""
    return Case(name, lambda: [raw], sending, status, function or "ENVOYER_EMAIL")


def unreadable(name: str, body: bytes, why: str, *headers: str, status: int = 200) -> Case:
    """Make a case of a whole answer that says nothing."""
    asked = NoAnswer(why if status == 200 else f"the provider answered HTTP {status}")
    raw = http(body, *headers, status=status)
    return told(name, raw, Unclear(f"HTTP {status}: {why}"), asked)


def broken(
    name: str, raw: bytes | Callable[[], Pieces], why: str, *, patience: float = 20.0
) -> Case:
    """Make a case of an answer that never comes whole."""
    pieces = (lambda: [raw]) if isinstance(raw, bytes) else raw
    return Case(name, pieces, Unclear(why), NoAnswer(why), patience=patience)


def accepted(name: str, raw: bytes) -> Case:
    """Make a case of an odd answer that is whole all the same."""
    asked = NoAnswer("an identifier came instead of a status")
    return told(name, raw, Accepted(IDENTIFIER), asked)


def refused(code: str, reason: str, words: str) -> Refused:
    return Refused(
        Failure(type="permanent", reason=reason, retryable=False, provider_code=code, label=words)
    )


WHOLE = result(IDENTIFIER)
CUTS = {
    "the declaration": 20,
    "the envelope's tag": WHOLE.index(b"xmlns:s") + 5,
    "the identifier": WHOLE.index(IDENTIFIER.encode()) + 16,
    "front of the closing tags": WHOLE.index(b"</RResult>"),
    "a closing tag": WHOLE.index(b"</s:Body>") + 4,
    "the last byte": len(WHOLE) - 1,
}


def truncated() -> Iterator[Case]:
    whole = http(WHOLE)
    head = whole.index(b"\r\n\r\n")
    for name, at in (("status line", 9), ("headers", 40), ("blank line", head + 2)):
        # The server hangs up: what came is no answer at all.
        yield broken(f"cut in the {name}", whole[:at], "ServerDisconnectedError")
    yield broken("cut after the headers", whole[: head + 4], "ClientPayloadError")
    for name, at in CUTS.items():
        yield broken(f"cut in {name}", whole[: head + 4 + at], "ClientPayloadError")
        yield unreadable(f"cut in {name}, length to match", WHOLE[:at], NOT_XML)
        closing = b"HTTP/1.1 200 x\r\nConnection: close\r\n\r\n" + WHOLE[:at]
        asked = NoAnswer(NOT_XML)
        yield told(f"cut in {name}, no length", closing, Unclear(f"HTTP 200: {NOT_XML}"), asked)
        piece = [WHOLE[:at]]
        yield broken(
            f"cut in {name}, chunked without an end",
            lambda piece=piece: [*chunked(piece)][:-1],
            "ClientPayloadError",
        )


LAUGHS = "".join(
    f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' if level else '<!ENTITY e0 "lol">'
    for level in range(10)
)
DTDS = {
    "billion laughs": (f"<!DOCTYPE x [{LAUGHS}]>", "&e9;"),
    "quadratic entity": (f'<!DOCTYPE x [<!ENTITY e "{"A" * 50_000}">]>', "&e;" * 20_000),
    "laughs in an attribute": (f"<!DOCTYPE x [{LAUGHS}]>", '<a b="&e9;"/>'),
    "default attribute": ('<!DOCTYPE x [<!ATTLIST RResult a CDATA "b">]>', IDENTIFIER),
    "external entity": ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>', "&e;"),
    "external DTD": ('<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">', IDENTIFIER),
    "parameter entities": (
        '<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:1/x.dtd"> %a;]>',
        IDENTIFIER,
    ),
    "identifier in an entity": (f'<!DOCTYPE x [<!ENTITY e "{IDENTIFIER}">]>', "&e;"),
}


def with_dtd(dtd: str, inside: str, encoding: str) -> str:
    declaration, _, rest = result(inside).decode().partition("?>")
    return f"{declaration.replace('utf-8', encoding)}?>{dtd}{rest}"


def in_utf_7(text: str) -> bytes:
    """Write an XML declaration as it is, and the signs that give a DTD away in base64."""
    declaration, _, rest = text.partition("?>")
    return declaration.encode() + b"?>" + rest.replace("<!", "+ADwAIQ-").encode("ascii")


def entities() -> Iterator[Case]:
    for name, (dtd, inside) in DTDS.items():
        yield unreadable(name, with_dtd(dtd, inside, "utf-8").encode(), DTD)
        for codec in ("utf-16", "utf-16-be", "utf-16-le"):
            body = with_dtd(dtd, inside, codec).encode(codec)
            yield unreadable(f"{name} in {codec}", body, DTD)
        utf_7 = in_utf_7(with_dtd(dtd, inside, "utf-7"))
        yield unreadable(f"{name} in utf-7", utf_7, ENCODING)
        ebcdic = with_dtd(dtd, inside, "ibm037").encode("cp037")
        yield unreadable(f"{name} in EBCDIC", ebcdic, NOT_XML)
        utf_32 = with_dtd(dtd, inside, "utf-32").encode("utf-32")
        yield unreadable(f"{name} in utf-32", utf_32, NOT_XML)


def packed() -> Iterator[Case]:
    def unpacking(coding: str, pieces: Callable[[], Pieces]) -> Callable[[], Pieces]:
        return lambda: chunked(pieces(), XML_TYPE, f"Content-Encoding: {coding}")

    for name, coding, wbits in (
        ("gzip", "gzip", 31),
        ("zlib", "deflate", 15),
        ("bare deflate", "deflate", -15),
    ):
        bomb = unpacking(coding, lambda wbits=wbits: bombs.deflated(wbits))
        yield broken(f"{name} bomb, 1 MB to 1 GB", bomb, TOO_LARGE)
    yield broken("gzip bomb of members", unpacking("gzip", bombs.members), TOO_LARGE)
    for name, coding, bomb in (("br", "br", bombs.brotli()), ("zstd", "zstd", bombs.zstandard())):
        raw = http(bomb, XML_TYPE, f"Content-Encoding: {coding}")
        yield broken(f"{name} bomb", raw, HEAD)
    gzip = bombs.gzip.compress
    coded = (XML_TYPE, "Content-Encoding: gzip")
    yield accepted("gzip that nobody asked for", http(gzip(WHOLE), *coded))
    yield unreadable("gzip in gzip", gzip(gzip(WHOLE)), NOT_XML, *coded)
    nested = gzip(gzip(bytes(100 * bombs.MEBIBYTE), 9), 9)
    yield unreadable("gzip bomb in gzip", nested, NOT_XML, *coded)
    yield unreadable("gzip that is not declared", gzip(WHOLE), NOT_XML)
    yield broken("declared gzip that is none", http(WHOLE, *coded), "ClientPayloadError")
    yield unreadable("gzip cut short", gzip(WHOLE)[:-60], NOT_XML, *coded)


def pages() -> Iterator[Case]:
    for status in (200, 500, 502, 504):
        yield unreadable(f"HTML {status}", HTML, "the answer is not a SOAP envelope", status=status)
        yield unreadable(f"HTML 5 {status}", HTML_5, DTD, "Content-Type: text/html", status=status)
    for status in (403, 404):
        why = f"the provider answered HTTP {status}"
        raw = http(HTML, status=status)
        yield told(f"HTML {status}", raw, Blocked("provider_contract", why), NoAnswer(why))
    yield unreadable("JSON", b'{"id": "' + IDENTIFIER.encode() + b'"}', NOT_XML)
    yield unreadable("an identifier alone", IDENTIFIER.encode(), NOT_XML)


def encodings() -> Iterator[Case]:
    text = envelope(
        "<R><CODE_STATUT>30</CODE_STATUT><DESCRIPTION_STATUT>Délivré</DESCRIPTION_STATUT></R>"
    ).decode()
    latin = text.encode("latin-1")
    declared = latin.replace(b"utf-8", b"iso-8859-1")
    came = Unclear("a status came instead of an identifier", "30")
    report = Report(code="30", status=None, label="Délivré")
    yield unreadable("Latin-1 declared as UTF-8", latin, NOT_XML)
    yield unreadable("Latin-1 declared nowhere", latin.partition(b"?>")[2], NOT_XML)
    yield told("Latin-1 that HTTP calls UTF-8", http(declared), came, report)
    yield unreadable("an encoding of nobody", text.replace("utf-8", "x-klingon").encode(), ENCODING)
    plain = WHOLE.partition(b"?>")[2]
    yield accepted("no charset anywhere", http(plain, "Content-Type: text/xml"))
    yield accepted("no type", b"HTTP/1.1 200 x\r\nContent-Length: %d\r\n\r\n" % len(WHOLE) + WHOLE)
    yield accepted("UTF-8 with a mark", http(b"\xef\xbb\xbf" + WHOLE))
    yield accepted("UTF-8 with two marks", http(b"\xef\xbb\xbf" * 2 + WHOLE))
    for codec in ("utf-16", "utf-16-le", "utf-16-be"):
        sixteen = WHOLE.decode().replace("utf-8", codec).encode(codec)
        yield accepted(f"{codec} as declared", http(sixteen))
    yield unreadable("UTF-32 with a mark", WHOLE.decode().encode("utf-32"), NOT_XML)
    yield accepted("lines before the declaration", http(b"\r\n \n" + WHOLE))
    yield accepted("a mark, and lines before", http(b"\xef\xbb\xbf\r\n" + WHOLE))
    half = IDENTIFIER.encode()[:9]
    misread = "the answer is not in the encoding that it states"
    yield unreadable("NUL before the answer", b"\0" + WHOLE, misread)
    for name, body in (
        ("NUL in the identifier", WHOLE.replace(half, half + b"\0")),
        ("NUL after the answer", WHOLE + b"\0"),
        ("a mebibyte of NUL", bytes(bombs.MEBIBYTE)),
        ("a lone surrogate", WHOLE.replace(half, half + b"\xed\xa0\x80")),
        ("an overlong slash", WHOLE.replace(half, half + b"\xc0\xaf")),
    ):
        yield unreadable(name, body, NOT_XML)


def envelopes() -> Iterator[Case]:
    opening = f'<s:Envelope xmlns:s="{SOAP_11}">'
    body = f"<s:Body><R>{IDENTIFIER}</R></s:Body>"
    two = "the SOAP body holds 2 elements"
    none = "the SOAP body holds 0 elements"
    for name, content, why in (
        ("two results", envelope(f"<R>{IDENTIFIER}</R><R>-6</R>"), two),
        (
            "two results in one answer",
            envelope(f"<R><S>{IDENTIFIER}</S><S>-6</S></R>"),
            "the result names a field twice",
        ),
        ("two answers", WHOLE + WHOLE, NOT_XML),
        (
            "two bodies",
            f"{opening}{body}{body}</s:Envelope>".encode(),
            "the SOAP envelope holds 2 bodies",
        ),
        ("no body", f"{opening}<R>{IDENTIFIER}</R></s:Envelope>".encode(), none),
        ("body in the header", f"{opening}<s:Header>{body}</s:Header></s:Envelope>".encode(), none),
        ("empty body", envelope(""), none),
        ("empty result", envelope("<R/>"), NOTHING),
        ("empty answer", b"", EMPTY),
        ("an answer of blanks", b" \r\n" * 9, EMPTY),
        (
            "an envelope of nobody",
            WHOLE.replace(SOAP_11.encode(), b"urn:x"),
            "the answer is not a SOAP envelope",
        ),
        (
            "an envelope in an envelope",
            envelope(WHOLE.decode().partition("?>")[2]),
            None,
        ),
        (
            "nil that holds an identifier",
            envelope(
                '<R xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true">'
                f"<S>{IDENTIFIER}</S></R>"
            ),
            NOTHING,
        ),
        ("a file", envelope("<R><NOM>a.csv</NOM><CONTENU>QTtCCg==</CONTENU></R>"), A_DOCUMENT),
        (
            "a list of integers",
            envelope("<R><int>-6</int><int>-7</int></R>"),
            "the result names a field twice",
        ),
        (
            "a list of identifiers",
            envelope(f"<R><string>{IDENTIFIER}</string><string>{IDENTIFIER}</string></R>"),
            "the result names a field twice",
        ),
    ):
        if why is not None:
            yield unreadable(name, content, why)
    multipart = b"--x\r\nContent-Type: application/xop+xml\r\n\r\n" + WHOLE + b"\r\n--x--\r\n"
    yield unreadable("MTOM", multipart, NOT_XML, 'Content-Type: multipart/related; boundary="x"')
    yield told(
        "no content at all",
        b"HTTP/1.1 204 x\r\n\r\n",
        Unclear(f"HTTP 204: {EMPTY}"),
        NoAnswer("the provider answered HTTP 204"),
    )
    # Names are the WSDL's, and any wrapping is read: what was asked for cannot be told by them.
    other = envelope(f"<STATUT_SMSResponse><X>{IDENTIFIER}</X></STATUT_SMSResponse>")
    yield accepted("the answer of another function", http(other))


def faults() -> Iterator[Case]:
    def fault(code: str, text: str) -> bytes:
        inside = f"<faultcode>{code}</faultcode><faultstring>{text}</faultstring>"
        return envelope(f"<s:Fault>{inside}<detail><id>{text}</id></detail></s:Fault>")

    echoed = f"AppID inconnu pour UTILISATEUR=moi MOT_DE_PASSE={SECRET}"
    client = refused("Client", "provider_contract", "the provider refused the request's form")
    server = Unclear("a SOAP fault Server, perhaps after the provider had sent")
    nameless = Unclear("a SOAP fault , perhaps after the provider had sent")
    for text, holding in ((IDENTIFIER, "an identifier"), (echoed, "our password")):
        for status in (200, 500):
            asked = f"the provider answered HTTP {status}" if status != 200 else "a SOAP fault {}"
            for code, outcome in (("s:Client", client), ("s:Server", server), (text, nameless)):
                short = code.removeprefix("s:") if code != text else ""
                name = f"fault {short or 'of a text'} with {holding}, HTTP {status}"
                raw = http(fault(code, text), status=status)
                yield told(name, raw, outcome, NoAnswer(asked.format(short)))
    beside = envelope(f"<R>{IDENTIFIER}</R><s:Fault><faultcode>s:Client</faultcode></s:Fault>")
    yield unreadable("a fault beside an identifier", beside, "the SOAP body holds 2 elements")
    nested = envelope(f"<R><s:Fault><faultstring>{IDENTIFIER} no</faultstring></s:Fault></R>")
    yield unreadable("a fault inside a result", nested, TEXT)
    text = result(f"identifiants {SECRET} refusés")
    yield unreadable("a text with our password", text, TEXT)
    for status in (201, 202, 500, 503):
        asked = NoAnswer(f"the provider answered HTTP {status}")
        sending = Unclear(f"HTTP {status} with an identifier", IDENTIFIER)
        yield told(f"an identifier in HTTP {status}", http(WHOLE, status=status), sending, asked)
    page = HTML.replace(b"Service", IDENTIFIER.encode())
    why = "the answer is not a SOAP envelope"
    yield unreadable("a page of HTTP 500 with an identifier", page, why, status=500)


def numbers() -> Iterator[Case]:
    unlisted = "a code that the document does not list"
    for name, text in (
        ("an integer too large", "9" * 30),
        ("a negative integer too large", "-" + "9" * 30),
        ("an integer of a hundred thousand digits", "1" * 100_000),
        ("Arabic digits", "-\N{ARABIC-INDIC DIGIT SIX}"),
        ("full-width digits", "-\N{FULLWIDTH DIGIT SIX}"),
        ("an identifier of full-width digits", "\N{FULLWIDTH DIGIT SIX}" * 32),
        ("a minus sign", "\N{MINUS SIGN}6"),
        ("a soft hyphen", "\N{SOFT HYPHEN}6"),
        ("a zero-width space in it", "-\N{ZERO WIDTH SPACE}6"),
        ("a decimal", "-6.0"),
        ("a hexadecimal", "0x6"),
        ("true", "true"),
        ("two identifiers", f"{IDENTIFIER} {IDENTIFIER}"),
        ("an identifier and a word", f"OK {IDENTIFIER}"),
        ("an identifier in XML in a text", f"&lt;id&gt;{IDENTIFIER}&lt;/id&gt;"),
    ):
        yield unreadable(name, result(text), TEXT)
    nine = "Format de l'adresse de destination incorrect"
    no = NoAnswer("the provider answered -7 (Séquence de caractères non autorisée)")
    cut = http(result("-9<!-- and -->9"))
    yield told("a comment in the number", cut, Unclear(unlisted, "-99"), NoStatus("-99"))
    instruction = http(result("-9<?and?>9"))
    yield told("an instruction in it", instruction, Unclear(unlisted, "-99"), NoStatus("-99"))
    cdata = http(result("<![CDATA[-]]>9"))
    unmapped = Report(code="-9", status=None)
    yield told("CDATA in it", cdata, refused("-9", "invalid_recipient", nine), unmapped)
    characters = "Séquence de caractères non autorisée"
    seven = refused("-7", "forbidden_characters", characters)
    yield told("a code of references", http(result("&#45;&#x37;")), seven, no)
    city = "Le champ « Nom » est vide"
    letter = refused("501", "last_name_missing", city)
    yield told(
        "a letter's code with blanks",
        http(result("501 \N{NO-BREAK SPACE}\n")),
        letter,
        Report(code="501", status=None),
        "COURRIER_ENVOYER",
    )


def sizes() -> Iterator[Case]:
    large = "x" * 900_000
    attribute = f'<R a="{large}">{IDENTIFIER}</R>'
    yield accepted("an attribute of 900 KB", http(envelope(attribute)))
    many = " ".join(f'a{n}=""' for n in range(80_000))
    yield unreadable("80,000 attributes", envelope(f"<R {many}>{IDENTIFIER}</R>"), TOO_MANY)
    spaces = " ".join(f'xmlns:a{n}="u:{n}"' for n in range(40_000))
    yield unreadable("40,000 namespaces", envelope(f"<R {spaces}>{IDENTIFIER}</R>"), TOO_MANY)
    name = "n" * 900_000
    yield accepted("a name of 450 KB", http(envelope(f"<{name[::2]}>{IDENTIFIER}</{name[::2]}>")))
    yield unreadable("a text of 900 KB", result(large), TEXT)
    yield unreadable("an opened CDATA", result("<![CDATA[" + large), NOT_XML)
    yield unreadable("an opened comment", result("<!--" + large), NOT_XML)
    yield broken(
        "a million siblings", http(envelope("<R>" + "<a/>" * 1_000_000 + "</R>")), TOO_LARGE
    )
    yield unreadable(
        "a quarter of a million siblings", envelope("<R>" + "<a/>" * 250_000 + "</R>"), TOO_MANY
    )
    deep = "<a>" * 100_000 + IDENTIFIER + "</a>" * 100_000
    yield unreadable("a depth of a hundred thousand", envelope(deep), TOO_MANY)
    deep = "<a>" * 9_000 + IDENTIFIER + "</a>" * 9_000
    yield unreadable("a depth of nine thousand", envelope(deep), NOT_XML)
    yield unreadable("comments without number", envelope("<!---->" * 140_000), TOO_MANY)


def transport() -> Iterator[Case]:
    payload = "ClientPayloadError"
    yield broken("chunked without end", lambda: chunked(repeat(b"x" * 65_536)), TOO_LARGE)
    yield broken(
        "one byte a chunk",
        lambda: [next(chunked([])), *repeat(b"1\r\nx\r\n" * 65_536, 20)],
        TOO_LARGE,
    )
    yield broken("a slow drip", lambda: chunked(drip()), "TimeoutError", patience=1.5)
    yield broken("silence", lambda: [60.0], "TimeoutError", patience=1.5)
    yield broken(
        "silence after the headers",
        lambda: [http(b"", length=9), 60.0],
        "TimeoutError",
        patience=1.5,
    )
    yield broken("a length too long", http(WHOLE, length=len(WHOLE) + 1), payload)
    yield broken("a length too short", http(WHOLE, length=len(WHOLE) - 9), HEAD)
    yield broken("a negative length", http(WHOLE, length=-1), HEAD)
    yield broken("a length of a petabyte", http(WHOLE, length=10**15), payload)
    yield broken("a length of a hundred digits", http(WHOLE, length=10**100), HEAD)
    doubled = http(WHOLE, XML_TYPE, "Content-Length: 1")
    yield broken("two lengths", doubled, HEAD)
    both = http(WHOLE, XML_TYPE, "Transfer-Encoding: chunked")
    yield broken("a length and chunks", both, HEAD)
    for name, chunk in (
        ("a chunk of a wrong size", b"zz\r\n"),
        ("a chunk of a size beyond all", b"f" * 40 + b"\r\n"),
        ("a trailer of 1 MB", b"0\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n"),
    ):
        yield broken(name, lambda chunk=chunk: [next(chunked([])), chunk], HEAD)
    extended = b"1;" + b"x" * 1_000_000 + b"\r\n"
    yield broken("a chunk's extension of 1 MB", lambda: [next(chunked([])), extended], payload)
    yield broken(
        "100 without end",
        lambda: repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 100, 100_000),
        "TimeoutError",
        patience=1.5,
    )
    head = b"HTTP/1.1 200 x\r\n"
    yield broken("a header of 1 MB", head + b"X: " + b"x" * 1_000_000 + b"\r\n\r\n", HEAD)
    yield broken("headers of 1 MB", head + b"X: xxxx\r\n" * 110_000 + b"\r\n" + WHOLE, HEAD)
    yield broken("headers without end", lambda: chain([head], repeat(b"X: xxxx\r\n" * 100)), HEAD)
    yield broken("a reason of 1 MB", b"HTTP/1.1 200 " + b"x" * 1_000_000 + b"\r\n\r\n", HEAD)
    going_on = b"HTTP/1.1 100 Continue\r\n\r\n"
    yield accepted("100 before the answer", going_on + http(WHOLE))
    yield broken("a protocol of nobody", b"SSH-2.0-OpenSSH_9.6\r\n", HEAD)
    yield broken("HTTP/0.9", WHOLE, HEAD)
    yield broken("a status of nobody", b"HTTP/1.1 20x x\r\n\r\n", HEAD)
    for status in (301, 302, 307, 308):
        moved = http(b"", "Location: http://provider.invalid/", status=status)
        asked = NoAnswer(f"the provider answered HTTP {status}")
        yield told(f"a redirect {status}", moved, Unclear(f"HTTP {status}: {EMPTY}"), asked)


def drip() -> Iterator[bytes | float]:
    for letter in WHOLE:
        yield bytes([letter])
        yield 0.2


def every() -> Sequence[Case]:
    return [
        *truncated(),
        *entities(),
        *packed(),
        *pages(),
        *encodings(),
        *envelopes(),
        *faults(),
        *numbers(),
        *sizes(),
        *transport(),
    ]
