"""The grammar of Efidem's answers: what fits it is read, and nothing ever raises."""

import base64
import resource

import pytest
from hypothesis import given, settings
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
from tests.providers.efidem.envelopes import SOAP_11, SOAP_12, envelope, result

HEX = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
DASHED = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
NIL = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil'
KINDS = (Identifier, Code, StatusObject, Text, Document, Fault, Unreadable)


def status(fields: str) -> bytes:
    return envelope(f"<R><RResult>{fields}</RResult></R>")


@pytest.mark.parametrize(
    "text",
    [
        HEX,
        HEX.upper(),
        DASHED,
        DASHED.upper(),
        f"{{{DASHED}}}",
        f"{{{HEX}}}",
        "12345678901234567890123456789012",
        "00000000000000000000000000000000",
    ],
)
def test_an_identifier_is_kept_as_it_was_written(text: str) -> None:
    assert read(result(text)) == Identifier(text)


@pytest.mark.parametrize(
    "text",
    [
        HEX[:-1],
        HEX + "0",
        "g" + HEX[1:],
        f"{{{DASHED}",
        f"{DASHED}}}",
        f"{{{{{DASHED}}}}}",
        DASHED.replace("-", "", 1),
        DASHED.replace("-", " "),
        f"{HEX} {HEX}",
        "0x" + HEX,
        "\N{ARABIC-INDIC DIGIT ONE}" * 32,
        f"OK {HEX}",
        "1234567",
        "-1234567",
        "+6",
        "--6",
        "- 6",
        "6.0",
        "1e3",
        "\N{MINUS SIGN}6",
        "\N{ARABIC-INDIC DIGIT SIX}",
        "true",
        "None",
    ],
)
def test_what_is_nearly_an_identifier_or_a_code_is_a_text(text: str) -> None:
    assert read(result(text)) == Text(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("-6", "-6"),
        ("-6 ", "-6"),
        ("\n\t  -99\r\n ", "-99"),
        ("\N{NO-BREAK SPACE}501", "501"),
        ("0", "0"),
        ("506", "506"),
        ("-06", "-06"),
        ("<![CDATA[-9]]>", "-9"),
        ("&#45;9", "-9"),
        ("-9<!-- cut -->9", "-99"),
        ("-9<?cut here?>9", "-99"),
    ],
)
def test_a_code_is_read_without_the_space_around_it(text: str, code: str) -> None:
    assert read(result(text)) == Code(code)


def test_a_comment_does_not_cut_an_identifier() -> None:
    assert read(result(f"<!-- a -->{HEX[:5]}<!-- b -->{HEX[5:]}")) == Identifier(HEX)


@pytest.mark.parametrize(
    "inside",
    [
        f"<R>{HEX}</R>",
        f"<a><b><c><d>{HEX}</d></c></b></a>",
        f'<x:R xmlns:x="urn:other"><x:y>{HEX}</x:y></x:R>',
        f'<R xmlns=""><result type="string">{HEX}</result></R>',
    ],
)
def test_a_result_is_found_however_it_is_wrapped_and_named(inside: str) -> None:
    assert read(envelope(inside)) == Identifier(HEX)


@pytest.mark.parametrize("namespace", [SOAP_11, SOAP_12])
def test_both_versions_of_soap_are_read(namespace: str) -> None:
    assert read(envelope("<R>-7</R>", namespace)) == Code("-7")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "the answer is empty"),
        (b" \r\n\t ", "the answer is empty"),
        (result(""), "the result is empty"),
        (result("   "), "the result is empty"),
        (result("<!-- only a comment -->"), "the result is empty"),
        (envelope("<R/>"), "the result is empty"),
        (envelope(f'<R {NIL}="true"/>'), "the result is empty"),
        (envelope(f'<R {NIL}="1"/>'), "the result is empty"),
        (envelope(f'<R><S {NIL}="true">{HEX}</S></R>'), "the result is empty"),
        (envelope(""), "the SOAP body holds 0 elements"),
        (envelope(f"<R>{HEX}</R><R>{HEX}</R>"), "the SOAP body holds 2 elements"),
        (
            envelope(f"<R><A>{HEX}</A><B>{HEX}</B></R>"),
            "the result is an object without a status code",
        ),
        (
            envelope(f"<R><A>{HEX}</A><A>{HEX}</A></R>"),
            "the result names a field twice",
        ),
        (b"<html><body>Service unavailable</body></html>", "the answer is not a SOAP envelope"),
        (b"<!DOCTYPE html><html><body>Oops</body></html>", "the answer holds a DTD"),
        (b"<html><body><br></body></html>", "the answer is not XML"),
        (b"113-ABC", "the answer is not XML"),
        (b'{"id": 1}', "the answer is not XML"),
        (b"\x00\x01\x02", "the answer is not XML"),
        (result(HEX)[:-1], "the answer is not XML"),
        (result(HEX)[: result(HEX).index(b"</RResult>")], "the answer is not XML"),
        (result(HEX) + result(HEX), "the answer is not XML"),
        (
            result(HEX).replace(SOAP_11.encode(), b"urn:not-soap"),
            "the answer is not a SOAP envelope",
        ),
        (f'<s:Envelope xmlns:s="{SOAP_11}"/>'.encode(), "the SOAP body holds 0 elements"),
    ],
)
def test_an_answer_outside_the_grammar_is_unreadable(body: bytes, why: str) -> None:
    assert read(body) == Unreadable(why)


def test_a_truncated_answer_is_never_taken_for_a_whole_one() -> None:
    whole = result(HEX)

    read_alike = {read(whole[:length]) for length in range(len(whole))}

    assert {type(one) for one in read_alike} == {Unreadable}


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbf" + result("-6"),
        b"\r\n\n" + result("-6"),
        result("-6") + b"\r\n\r\n",
        result("-6").replace(b'<?xml version="1.0" encoding="utf-8"?>', b""),
        result("-6").decode().replace("utf-8", "utf-16").encode("utf-16"),
        result("-6").replace(b"utf-8", b"US-ASCII"),
    ],
    ids=["bom", "lines before", "lines after", "no declaration", "utf-16", "ascii"],
)
def test_an_answer_is_read_in_the_encoding_that_it_states(body: bytes) -> None:
    assert read(body) == Code("-6")


def test_latin_1_is_read_where_it_is_declared() -> None:
    text = status(
        "<CODE_STATUT>3</CODE_STATUT><DESCRIPTION_STATUT>Délivré</DESCRIPTION_STATUT>"
    ).decode()

    body = text.replace("utf-8", "iso-8859-1").encode("latin-1")

    assert read(body) == StatusObject(code="3", date=None, label="Délivré")


@pytest.mark.parametrize("declared", ["utf-8", "us-ascii", "x-klingon", "utf-32"])
def test_bytes_that_are_not_in_the_declared_encoding_are_unreadable(declared: str) -> None:
    text = status("<CODE_STATUT>3</CODE_STATUT><DESCRIPTION_STATUT>é</DESCRIPTION_STATUT>")

    body = text.decode().replace("utf-8", declared).encode("latin-1")

    assert isinstance(read(body), Unreadable)


BOMB = "".join(
    f'<!ENTITY e{level} "{f"&e{level - 1};" * 10}">' if level else '<!ENTITY e0 "lol">'
    for level in range(10)
)
DTDS = [
    "<!DOCTYPE x>",
    '<!DOCTYPE x [<!ENTITY e "-6">]>',
    '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>',
    f"<!DOCTYPE x [{BOMB}]>",
]


@pytest.mark.parametrize("dtd", DTDS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_a_dtd_is_refused_in_any_encoding_and_takes_no_memory(dtd: str, encoding: str) -> None:
    plain = result("&e9;" if "e9" in dtd else "-6").decode()
    declaration, _, rest = plain.partition("?>")
    body = f"{declaration.replace('utf-8', encoding)}?>{dtd}{rest}".encode(encoding)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = read(body)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    assert isinstance(said, Unreadable)
    assert said.why in {"the answer holds a DTD", "the answer is not XML"}
    assert grown < 50_000  # kB; expanded, the bomb is 30 GB


def test_a_dtd_after_a_long_comment_is_refused() -> None:
    body = b"<!--" + b"-x" * 50_000 + b"--><!DOCTYPE x>" + result("-6").partition(b"?>")[2]

    assert read(body) == Unreadable("the answer holds a DTD")


def test_a_tree_without_end_is_unreadable() -> None:
    deep, deeper = ("<a>" * depth + "-6" + "</a>" * depth for depth in (5_000, 50_000))

    assert read(envelope(deep)) == Unreadable("the answer is not XML")
    assert read(envelope(deeper)) == Unreadable(TOO_MANY)


@pytest.mark.parametrize(
    ("inside", "namespace", "expected"),
    [
        ("<faultcode>s:Client</faultcode>", SOAP_11, Fault(sender=True, code="Client")),
        ("<faultcode>s:Server</faultcode>", SOAP_11, Fault(sender=False, code="Server")),
        ("<faultcode>Client</faultcode>", SOAP_11, Fault(sender=True, code="Client")),
        ("<faultcode> \n s:Client </faultcode>", SOAP_11, Fault(sender=True, code="Client")),
        (
            "<faultcode>Client.Authentication</faultcode>",
            SOAP_11,
            Fault(sender=False, code="Client.Authentication"),
        ),
        ("<faultcode>MustUnderstand</faultcode>", SOAP_11, Fault(False, "MustUnderstand")),
        ("<faultstring>no code</faultstring>", SOAP_11, Fault(sender=False, code="")),
        ("", SOAP_11, Fault(sender=False, code="")),
        (
            "<s:Code><s:Value>s:Sender</s:Value></s:Code>",
            SOAP_12,
            Fault(sender=True, code="Sender"),
        ),
        (
            (
                "<s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>x:Sender</s:Value>"
                "</s:Subcode></s:Code>"
            ),
            SOAP_12,
            Fault(sender=False, code="Receiver"),
        ),
        (
            (
                f"<faultcode>s:Server</faultcode><faultstring>{HEX}</faultstring>"
                f"<detail><id>{HEX}</id></detail>"
            ),
            SOAP_11,
            Fault(sender=False, code="Server"),
        ),
        (f"<faultcode>{HEX}</faultcode>", SOAP_11, Fault(sender=False, code="")),
        ("<faultcode>s:s3cret for bob@x.fr</faultcode>", SOAP_11, Fault(False, "")),
        (f"<faultcode>{'C' * 41}</faultcode>", SOAP_11, Fault(sender=False, code="")),
    ],
)
def test_a_fault_tells_whose_fault_it_is_and_nothing_else(
    inside: str, namespace: str, expected: Fault
) -> None:
    assert read(envelope(f"<s:Fault>{inside}</s:Fault>", namespace)) == expected


def test_a_fault_beside_a_result_is_neither() -> None:
    body = envelope(f"<R>{HEX}</R><s:Fault><faultcode>s:Client</faultcode></s:Fault>")

    assert read(body) == Unreadable("the SOAP body holds 2 elements")


TOO_MANY = "the answer holds too many elements or attributes"
EMPTY = "the result is empty"
CODE, DATE = "<CODE_STATUT>30</CODE_STATUT>", "<DATE_STATUT>01/02/2026</DATE_STATUT>"
LABEL, ID = "<DESCRIPTION_STATUT>Reçu</DESCRIPTION_STATUT>", f"<MESSAGEID>{HEX}</MESSAGEID>"


@pytest.mark.parametrize(
    "fields",
    [
        CODE + DATE + LABEL + ID,
        ID + LABEL + DATE + CODE,
        f"<STATUT_SMS>{DATE}{CODE}{ID}{LABEL}</STATUT_SMS>",
        f"{LABEL}<AUTRE>-6</AUTRE>{CODE}{DATE}",
        (CODE + DATE + LABEL).replace("CODE_STATUT", "CodeStatut").replace("DATE_", "date_"),
    ],
)
def test_a_status_object_is_read_in_any_order_and_spelling(fields: str) -> None:
    assert read(status(fields)) == StatusObject(code="30", date="01/02/2026", label="Reçu")


def test_a_status_object_of_a_code_alone_is_one() -> None:
    assert read(status(CODE)) == StatusObject(code="30", date=None, label=None)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (CODE + CODE, "the result names a field twice"),
        (CODE + "<code_statut>31</code_statut>", "the result names a field twice"),
        (CODE + DATE + DATE, "the result names a field twice"),
        (DATE + LABEL, "the result is an object without a status code"),
        ("<CODE_STATUT/>" + DATE, "the result is an object without a status code"),
        ("<CODE_STATUT>ok</CODE_STATUT>" + DATE, "the result is an object without a status code"),
        (
            f"<S>{CODE}{DATE}</S><S>{CODE}{DATE}</S>",
            "the result names a field twice",
        ),
    ],
)
def test_a_status_object_that_says_two_things_or_nothing_is_unreadable(
    fields: str, why: str
) -> None:
    assert read(status(fields)) == Unreadable(why)


# What tools and reports need.


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ("33601020304", "33601020304"),
        (" true ", "true"),
        ("Bad destination mailboxaddress", "Bad destination mailboxaddress"),
        ("Other or undefined&#10; mailbox <![CDATA[<status>]]>", None),
        ("\nligne 1;é\nligne 2\n", "ligne 1;é\nligne 2"),
    ],
)
def test_another_text_is_a_text_with_and_without_the_space_around_it(
    inside: str, text: str | None
) -> None:
    said = read(result(inside))

    assert isinstance(said, Text)
    assert said.text == (text or "Other or undefined\n mailbox <status>")
    assert said.text in said.whole


def test_two_bodies_are_not_one() -> None:
    body = result(HEX).replace(b"</s:Body>", b"</s:Body><s:Body><R>-6</R></s:Body>")

    assert read(body) == Unreadable("the SOAP envelope holds 2 bodies")


def test_what_is_declared_to_be_nothing_is_nothing_whatever_it_holds() -> None:
    assert read(envelope(f'<R {NIL}=" true "><S>{HEX}</S></R>')) == Unreadable(EMPTY)


CSV = "date;heure;destinataire\r\n21/11/2026;10:00:00;déjà@exemple.fr\r\n".encode("latin-1")
CSV64 = base64.b64encode(CSV).decode()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (f"<NOM>rapport.csv</NOM><CONTENU>{CSV64}</CONTENU>", Document(CSV, "rapport.csv")),
        (f"<CONTENU>{CSV64}</CONTENU><NOM>rapport1</NOM>", Document(CSV, "rapport1")),
        (f"<NOM/><CONTENU>{CSV64}</CONTENU>", Document(CSV)),
        (f"<F><FileName>a b</FileName><x:C xmlns:x='u'>{CSV64}</x:C></F>", Document(CSV, "a b")),
        (f"<A>rapport.csv</A><B>\n{CSV64[:9]}\n {CSV64[9:]}\n</B>", Document(CSV, "rapport.csv")),
        (f"<NOM>a.csv</NOM><SURNOM>{CSV64}</SURNOM>", Document(CSV, "a.csv")),
    ],
)
def test_a_file_of_a_name_and_a_content_is_a_document(fields: str, expected: Document) -> None:
    assert read(status(fields)) == expected


@pytest.mark.parametrize(
    "fields",
    [
        f"<A>rapport1</A><B>{CSV64}</B>",  # both could be the content
        f"<NOM>rapport.csv</NOM><CONTENU>{CSV64[:-1]}</CONTENU>",
        "<NOM>rapport.csv</NOM><CONTENU/>",
        f"<NOM>rapport.csv</NOM><CONTENU>{CSV64}</CONTENU><TAILLE>12</TAILLE>",
        f"<NOM>rapport.csv</NOM><CONTENU>{CSV64}<b/></CONTENU>",
        f"<NOM>rapport.csv</NOM><MESSAGEID>{HEX}</MESSAGEID>",
        f"<CODE_STATUT>ok</CODE_STATUT><CONTENU>{CSV64}</CONTENU>",
    ],
)
def test_an_object_that_is_not_surely_a_file_is_unreadable(fields: str) -> None:
    assert read(status(fields)) == Unreadable("the result is an object without a status code")


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (CSV64, CSV),
        (f"\r\n{CSV64[:76]}\r\n{CSV64[76:]}\r\n", CSV),
        ("AA==", b"\0"),
        ("", None),
        (" \n", None),
        ("AA=", None),
        ("AA", None),
        ("A===", None),
        ("AA==AA==", None),
        ("QUJD-_8=", None),
        ("QUJD.", None),
        ("QUJé", None),
        ("\ud800QUI", None),
    ],
)
def test_base64_is_read_strictly_and_blanks_are_left_out(text: str, content: bytes | None) -> None:
    assert document_in(text) == content


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        (CSV64, Document(CSV)),
        (f"<NOM>r.csv</NOM><CONTENU>{CSV64}</CONTENU>", Document(CSV, "r.csv")),
        # A text: the bytes are UTF-8, a bare carriage return is lost, an escaped one is not.
        ("a;é\r\n1;2\r\n", Document("a;é\n1;2\n".encode())),
        ("\na;é&#13;\n1;2&#13;\n", Document("\na;é\r\n1;2\r\n".encode())),
        ("-6", Code("-6")),
        ("LTY=", Code("-6")),
        ("LTk5", Code("-99")),
        ("LTYK", Code("-6")),
        ("<NOM>r.csv</NOM><CONTENU>LTY=</CONTENU>", Code("-6")),
        ("LTEyMzQ1Njc=", None),  # -1234567
        ("4oiSNg==", None),  # a minus sign that is no hyphen
        ("true", None),
        ("Aucun rapport", None),
        ("Erreur12", None),
        (HEX, None),
        ("", None),
        (CODE, None),
    ],
)
def test_a_report_is_read_in_each_of_its_manners(
    inside: str, expected: Document | Code | None
) -> None:
    assert document_of(read(status(inside))) == expected


def test_a_fault_is_no_document() -> None:
    assert document_of(read(envelope("<s:Fault/>"))) is None


@pytest.mark.parametrize("line_end", ["", "\r\n"], ids=["one line", "lines"])
def test_a_report_of_any_size_is_read_whole(line_end: str) -> None:
    # libxml2 takes no more than ten million bytes into one text of a tree.
    content = b"21/11/2026;10:00;" * 700_000
    text = base64.b64encode(content).decode()
    lines = line_end.join(text[at : at + 76] for at in range(0, len(text), 76))

    assert document_of(read(result(lines))) == Document(content)


def test_an_answer_of_countless_elements_is_unreadable() -> None:
    assert read(envelope("<R>" + "<a/>" * 20_000 + "</R>")) == Unreadable(TOO_MANY)


@pytest.mark.parametrize("attribute", ['a{}="x"', "a{}\n=\n'>'", "xmlns:a{}='urn:x'", 'a{}=">"'])
def test_an_element_of_countless_attributes_is_unreadable(attribute: str) -> None:
    few, many = (" ".join(attribute.format(n) for n in range(most)) for most in (20, 60))

    assert read(envelope(f"<R {few}>-6</R>")) == Code("-6")
    assert read(envelope(f"<R {many}>-6</R>")) == Unreadable(TOO_MANY)


def test_a_table_of_countless_quotes_has_no_attributes() -> None:
    table = '"a";"b > c";\'d\'\n' * 1000

    assert read(result(table)) == Text(table)
    assert read(result(f"<![CDATA[{table}]]>")) == Text(table)


@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_raise(body: bytes) -> None:
    assert isinstance(read(body), KINDS)


PIECES = [
    "<s:Envelope>", f'<s:Envelope xmlns:s="{SOAP_11}">', "<s:Body>", "</s:Body>", "</s:Envelope>",
    "<R>", "</R>", "<a:b/>", "<s:Fault>", "</s:Fault>", "<faultcode>", "</faultcode>", "Client",
    CODE, DATE, HEX, "-6", "<!-- -->", "<![CDATA[", "]]>", "&lt;", "&e;", "&#0;", "<?pi?>",
    "<!DOCTYPE x [", "<!ENTITY e 'x'>", "]>", "\x00", "\ud7ff", "é", " ", '<?xml version="1.0"?>',
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=15), st.sampled_from(["utf-8", "utf-16"]))
@settings(max_examples=300)
def test_no_pieces_of_answers_make_the_reader_raise(pieces: list[str], encoding: str) -> None:
    alone: Read = read("".join(pieces).encode(encoding))
    within: Read = read(envelope("".join(pieces)))

    assert isinstance(alone, KINDS)
    assert isinstance(within, KINDS)


@given(st.text(st.characters(codec="utf-8", exclude_characters="<&\x00"), max_size=40))
def test_a_text_is_an_identifier_or_a_code_only_if_it_has_that_form(text: str) -> None:
    said = read(result(text))

    if isinstance(said, Identifier | Code):
        assert said.text == text.strip()
        assert all(letter in "0123456789abcdefABCDEF-{}" for letter in said.text)
    else:
        assert isinstance(said, Text | Unreadable)
