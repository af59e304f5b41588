"""Efidem's answers: whatever comes is one of a closed set, and what is said is what is read."""

import base64
import string
from xml.sax.saxutils import escape

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.providers.efidem.answer import (
    Code,
    Document,
    Fault,
    Identifier,
    Read,
    StatusObject,
    Text,
    Unreadable,
    document_in,
    document_of,
    read,
)
from tests.providers.efidem.envelopes import SOAP_11, SOAP_12

HEX = st.text(string.digits + "abcdef", min_size=32, max_size=32)
IDENTIFIERS = st.tuples(
    HEX, st.sampled_from([str, str.upper]), st.sampled_from(["{}", "{{{}}}"]), st.booleans()
).map(lambda four: four[2].format(dashed(four[1](four[0])) if four[3] else four[1](four[0])))
CODES = st.from_regex(r"-?[0-9]{1,6}", fullmatch=True)
# What XML 1.0 can carry in an element, less the carriage return that it normalises.
WRITABLE = st.characters(
    codec="utf-8",
    exclude_categories=["Cs", "Cc"],
    exclude_characters="\ufffe\uffff",
    include_characters="\n\t",
)
TEXTS = st.text(WRITABLE, max_size=60)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,11}", fullmatch=True).filter(
    lambda name: not name.lower().startswith("xml") and "statut" not in name.lower()
)
BLANKS = st.sampled_from(["", " ", "\n", "\t\n  ", "\N{NO-BREAK SPACE}"])
KINDS = (Identifier, Code, StatusObject, Text, Document, Fault, Unreadable)


def dashed(text: str) -> str:
    return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])


@st.composite
def envelopes(draw: st.DrawFn, inside: str) -> bytes:
    """Wrap a result as services do: names, depth, version, blanks and encoding vary."""
    soap, xsd = draw(st.sampled_from([SOAP_11, SOAP_12])), "http://www.w3.org/2001/XMLSchema"
    encoding = draw(st.sampled_from(["utf-8", "UTF-8", "utf-16", None]))
    for name in draw(st.lists(NAMES, min_size=1, max_size=4)):
        opening, blank = draw(
            st.sampled_from(
                [
                    (f"<{name}>", ""),
                    (f'<{name} xmlns="http://tempuri.org/">', "\n  "),
                    (f'<n:{name} xmlns:n="urn:x" n:type="x">', " "),
                    (f'<{name} xmlns:xsd="{xsd}" type="xsd:string">', ""),
                ]
            )
        )
        closing = f"</n:{name}>" if opening.startswith("<n:") else f"</{name}>"
        inside = f"{opening}{inside}{closing}{blank}"
    header = draw(st.sampled_from(["", "<s:Header/>", "<s:Header><a>-6</a></s:Header>\n"]))
    text = f'<s:Envelope xmlns:s="{soap}">{header}<s:Body>{inside}</s:Body></s:Envelope>'
    if encoding is not None:
        text = f'<?xml version="1.0" encoding="{encoding}"?>{draw(BLANKS).strip()}{text}'
    return text.encode(encoding or "utf-8")


def written(text: str) -> st.SearchStrategy[str]:
    """Return the manners of writing one text in XML."""
    return st.sampled_from(
        [
            escape(text),
            f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>",
            "".join(f"&#{ord(letter)};" for letter in text),
            f"{escape(text[:2])}<!-- - -->{escape(text[2:])}",
        ]
    )


@given(st.data(), IDENTIFIERS | CODES, BLANKS, BLANKS)
@settings(max_examples=400, deadline=None)
def test_an_identifier_or_a_code_is_read_back_from_any_envelope(
    data: st.DataObject, text: str, before: str, after: str
) -> None:
    inside = before + data.draw(written(text)) + after

    said = read(data.draw(envelopes(inside)))

    assert said == (Code(text) if len(text) <= 7 else Identifier(text))


@given(st.data(), CODES, TEXTS, TEXTS)
@settings(max_examples=300, deadline=None)
def test_a_status_is_read_back_from_any_envelope_and_any_order(
    data: st.DataObject, code: str, date: str, label: str
) -> None:
    values = {
        "CODE_STATUT": code,
        "DATE_STATUT": date,
        "DESCRIPTION_STATUT": label,
        "MESSAGEID": "x",
    }
    fields = data.draw(st.permutations(list(values)))
    inside = "".join(f"<{one}>{data.draw(written(values[one]))}</{one}>" for one in fields)

    said = read(data.draw(envelopes(f"<STATUT>{inside}</STATUT>")))

    assert said == StatusObject(code=code, date=date.strip() or None, label=label.strip() or None)


@given(st.data(), TEXTS)
@settings(max_examples=300, deadline=None)
def test_a_text_is_read_back_whole_from_any_envelope(data: st.DataObject, text: str) -> None:
    said = read(data.draw(envelopes(data.draw(written(text)))))

    match said:
        case Text(whole):
            assert whole == text
        case Identifier(short) | Code(short):
            assert short == text.strip()
        case _:
            assert said == Unreadable("the result is empty")
            assert text.strip() == ""


@given(st.data(), st.binary(min_size=1, max_size=200), st.integers(4, 80))
@settings(max_examples=300, deadline=None)
def test_a_document_is_read_back_byte_for_byte(
    data: st.DataObject, content: bytes, length: int
) -> None:
    text = base64.b64encode(content).decode()
    text = "\r\n".join(text[at : at + length] for at in range(0, len(text), length))
    file = f"<NOM>rapport.csv</NOM><CONTENU>{text}</CONTENU>"

    said = document_of(read(data.draw(envelopes(f"<F>{file}</F>"))))

    assert document_in(text) == content
    bare = content.strip().removeprefix(b"-")
    if bare.isdigit() and len(bare) <= 6:
        assert said == Code(content.strip().decode())
    else:
        assert said == Document(content, "rapport.csv")


@given(st.data(), CODES, st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=3))
@settings(max_examples=500, deadline=None)
def test_no_mutation_of_a_code_makes_an_identifier(
    data: st.DataObject, code: str, changes: list[tuple[int, int]]
) -> None:
    body = bytearray(data.draw(envelopes(code)))
    for at, value in changes:
        body[at % len(body)] = value

    assert not isinstance(read(bytes(body)), Identifier)


@given(st.data(), HEX, st.integers(0, 600))
@settings(max_examples=300, deadline=None)
def test_no_cut_answer_is_an_identifier_or_a_code(
    data: st.DataObject, text: str, length: int
) -> None:
    body = data.draw(envelopes(text))

    assert isinstance(read(body[: length % len(body.rstrip())]), Unreadable)


MARKUP = st.sampled_from(
    [
        *(b"<", b">", b"</", b"/>", b"&", b";", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?xml ?>"),
        *(b"<!DOCTYPE x [", b"<!ENTITY e 'x'>", b"]>", b"&e;", b"\0", b"\xff\xfe", b"\xef\xbb\xbf"),
        *(b"<s:Body>", b"</s:Body>", b"<s:Fault>", b" xmlns:s='", b"<CODE_STATUT>", b"-6", b"QUI="),
        *(b'<?xml version="1.0" encoding="', b'"?>', b"utf-7", b"cp037", b"utf-16", b"a='", b"'"),
        f"<s:Envelope xmlns:s='{SOAP_11}'>".encode(),
    ]
)


@given(st.lists(MARKUP | st.binary(max_size=6), max_size=20).map(b"".join))
@settings(max_examples=1000, deadline=None)
@example(b'<?xml version="1.0" encoding="utf-16"?>\xff\xfe')
@example(b"\xff\xfe\0")
def test_any_bytes_are_one_of_a_closed_set_and_nothing_is_raised(body: bytes) -> None:
    said: Read = read(body)

    assert isinstance(said, KINDS)
    assert document_of(said) is None or isinstance(document_of(said), Document | Code)


@given(st.data(), st.lists(st.tuples(st.integers(0, 400), MARKUP), min_size=1, max_size=4))
@settings(max_examples=500, deadline=None)
def test_an_answer_into_which_markup_is_put_says_what_it_said_or_nothing_definite(
    data: st.DataObject, changes: list[tuple[int, bytes]]
) -> None:
    identifier = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
    body = data.draw(envelopes(identifier))
    for at, piece in changes:
        before = at % len(body)
        body = body[:before] + piece + body[before:]

    said = read(body)

    assert isinstance(said, KINDS)
    assert not isinstance(said, Identifier) or said == Identifier(identifier)


@given(
    st.text(max_size=60) | st.text(string.ascii_letters + string.digits + "+/= \r\n", max_size=60)
)
@settings(max_examples=500, deadline=None)
def test_base64_is_read_only_if_it_could_be_written_so(text: str) -> None:
    content = document_in(text)

    if content is not None:
        bare = "".join(text.split())
        assert len(bare) == len(base64.b64encode(content))
        assert base64.b64encode(content).decode().rstrip("=")[:-1] == bare.rstrip("=")[:-1]
