"""Envelopes that are cut once and filled: byte for byte what zeep renders, whatever stands in them."""

import asyncio
import copy
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from zeep.xsd.valueobjects import CompoundValue

from app.providers.efidem.binding import Bound, CannotBind, template
from app.providers.efidem.binding.selftest import Marks
from app.providers.efidem.binding.template import Template, Templates
from app.providers.efidem.functions import FUNCTIONS, TRIO
from app.providers.efidem.soap import Contract, Soap
from app.providers.pieces import whole
from app.providers.wire import Wire

FOLDER = Path(__file__).parent / "wsdl"
OWN = Path(template.__file__).parents[1] / "efidem.wsdl"
DIALECTS = {one.stem: one for one in [*sorted(FOLDER.glob("*.wsdl")), OWN]}
HOSTILE = [
    "a",
    "l'été à « Noël » -- 3 € \U0001f600",
    "&amp; < > \" ' ]]> <!-- --> <![CDATA[x]]> <?x?> &#13;",
    " \t blanks \n and\r\nlines\r ",
    " ",
    "mUlTiCaNaL0zEeP",
    "{0} %s %(x)s \\1 $1",
    "\x7f\x80\x85\u2028\ufffd\ud7ff\ue000",
    "</UTILISATEUR></s:Body></s:Envelope>",
]
WRONG = ["\x00", "a\x01", "\x0b", "\x1f", "\ud800", "\udfff", "\ufffe", "\uffff"]
FORMS = [(dialect, one.name) for dialect in DIALECTS for one in FUNCTIONS]


class NoWire(Wire):
    def __init__(self) -> None:
        super().__init__(timeout=1.0, concurrency=1)


@cache
def contract(dialect: str) -> Contract:
    return asyncio.run(Soap(NoWire(), FUNCTIONS).load(str(DIALECTS[dialect]), None))


def arguments(bound: Bound) -> dict[str, Any]:
    """Everything that a call may hold."""
    marks = Marks()
    credentials = {one.name: marks.text(bound.credentials[one.name].form) for one in TRIO}
    given = {place.parameter.name: marks.value(place) for place in bound.places}
    return bound.filled(given, credentials)


def with_texts(value: Any, text: Callable[[], str]) -> Any:
    """The same with other texts; what is empty stays so."""
    match value:
        case "" | b"":
            return value
        case str():
            return text()
        case bytes():
            return text().encode(errors="replace")
        case dict():
            return {key: with_texts(one, text) for key, one in value.items()}
        case list():
            return [with_texts(one, text) for one in value]
        case CompoundValue():
            made = copy.deepcopy(value)
            made.__values__ = with_texts(dict(value.__values__), text)
            return made
        case _:
            return value


def rendered(render: Callable[[], bytes]) -> bytes | str:
    """What comes of it: bytes, or the fault."""
    try:
        return render()
    except (ValueError, CannotBind) as fault:
        return "ValueError" if isinstance(fault, ValueError) else fault.why


@pytest.mark.parametrize(("dialect", "name"), FORMS)
def test_a_filled_envelope_is_the_one_that_zeep_renders(dialect: str, name: str) -> None:
    by_zeep, bound = contract(dialect), contract(dialect).bound[name]
    if bound.blocked:
        pytest.skip("this WSDL does not offer it")
    whole = arguments(bound)
    by_zeep.render(bound, whole)  # cuts the template

    for text in [*HOSTILE, *(f"front {one} back" for one in HOSTILE), *WRONG]:
        given = with_texts(whole, lambda text=text: text)
        assert rendered(lambda given=given: by_zeep.render(bound, given)) == rendered(
            lambda given=given: by_zeep._rendered(bound, given)
        )


@pytest.mark.parametrize("size", [65_536, 65_537, 65_538, 65_539, 500_000])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_an_envelope_with_large_files_is_the_one_that_zeep_renders(dialect: str, size: int) -> None:
    by_zeep, bound = contract(dialect), contract(dialect).bound["ENVOYER_EMAIL"]
    if bound.blocked:
        pytest.skip("this WSDL does not offer it")
    given = with_files(
        arguments(bound), lambda: bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    )

    # A form that is new, and the same again.
    for templates in [Templates(by_zeep._rendered)] * 2:
        assert whole(templates.render(bound, given)) == by_zeep._rendered(bound, given)
        assert None not in templates._known.values()


def with_files(value: Any, content: Callable[[], bytes]) -> Any:
    """The same with other files."""
    match value:
        case bytes():
            return content()
        case dict():
            return {key: with_files(one, content) for key, one in value.items()}
        case list():
            return [with_files(one, content) for one in value]
        case CompoundValue():
            made = copy.deepcopy(value)
            made.__values__ = with_files(dict(value.__values__), content)
            return made
        case _:
            return value


@pytest.mark.parametrize("dialect", DIALECTS)
def test_text_messages_and_e_mails_have_a_template_in_every_dialect(dialect: str) -> None:
    by_zeep = contract(dialect)

    for name in ("ENVOYER_SMS", "ENVOYER_EMAIL", "STATUT_COMPLET_SMS", "STATUT_EMAIL"):
        bound = by_zeep.bound[name]
        if not bound.blocked:
            by_zeep.render(bound, arguments(bound))
            known = {form[0]: one for form, one in by_zeep._templates._known.items()}
            assert isinstance(known[name], Template)


def test_each_text_stands_in_its_own_place() -> None:
    by_zeep = contract("asmx")
    bound = by_zeep.bound["ENVOYER_SMS"]
    whole = arguments(bound)

    def numbered(first: int) -> Mapping[str, Any]:
        numbers = iter(range(first, first + 50))
        return with_texts(whole, lambda: f"text {next(numbers)}")  # type: ignore[no-any-return]

    for first in (0, 100):
        given = numbered(first)
        assert by_zeep.render(bound, given) == by_zeep._rendered(bound, given)


def test_another_form_is_another_template() -> None:
    by_zeep = contract("asmx")
    bound = by_zeep.bound["ENVOYER_SMS"]
    whole = arguments(bound)

    for left_out in [None, *whole]:
        for empty in [None, *whole]:
            given = {key: "" if key == empty else one for key, one in whole.items()}
            given.pop(left_out, None)
            for _ in range(2):
                assert rendered(lambda given=given: by_zeep.render(bound, given)) == rendered(
                    lambda given=given: by_zeep._rendered(bound, given)
                )


def test_what_comes_back_changed_has_no_template() -> None:
    bound = contract("asmx").bound["ENVOYER_SMS"]

    def shouting(_: Bound, given: Mapping[str, Any]) -> bytes:
        return f"<a>{given['TEXTE'].upper()}</a>".encode()

    made = Templates(shouting)

    assert [made.render(bound, {"TEXTE": one}) for one in ("a", "b")] == [b"<a>A</a>", b"<a>B</a>"]


def test_a_form_is_found_though_another_thread_lets_go_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(template, "MOST_FORMS", 1)
    bound = contract("asmx").bound["ENVOYER_SMS"]

    def plainly(_: Bound, given: Mapping[str, Any]) -> bytes:
        return "".join([f"<{name}>{text}</{name}>" for name, text in given.items()]).encode()

    made = Templates(plainly)

    class Looked(dict[Any, Any]):
        def __contains__(self, form: object) -> bool:
            is_known = super().__contains__(form)
            if is_known:  # the other thread's turn
                made.render(bound, {"SUJET": "b"})
            return is_known

    made._known = Looked()

    assert [made.render(bound, {"TEXTE": one}) for one in ("a", "b")] == [
        b"<TEXTE>a</TEXTE>",
        b"<TEXTE>b</TEXTE>",
    ]


def test_a_text_that_stands_twice_has_no_template() -> None:
    bound = contract("asmx").bound["ENVOYER_SMS"]

    def twice(_: Bound, given: Mapping[str, Any]) -> bytes:
        return f"<a b='{given['TEXTE']}'>{given['TEXTE']}</a>".encode()

    made = Templates(twice)

    assert made.render(bound, {"TEXTE": "a"}) == b"<a b='a'>a</a>"
    assert made.render(bound, {"TEXTE": "b"}) == b"<a b='b'>b</a>"


def test_every_character_is_written_as_lxml_writes_it() -> None:
    element = etree.Element("a")
    surrogates = range(0xD800, 0xE000)
    for first in range(0, 0x110000, 0x100):
        wrong = []
        for point in range(first, first + 0x100):
            try:
                element.text = chr(point)
            except ValueError:
                wrong.append(point)
        for point in wrong:
            with pytest.raises(ValueError, match="character"):
                template._written(chr(point))
        text = "".join(chr(one) for one in range(first, first + 0x100) if one not in wrong)
        element.text = text
        whole = etree.tostring(element, encoding="utf-8", xml_declaration=True)
        inside = whole.partition(b"<a>")[2].removesuffix(b"</a>")
        assert template._written(text) == inside
        assert {*wrong} >= {one for one in range(first, first + 0x100) if one in surrogates}


def test_a_long_text_is_written_as_a_short_one() -> None:
    text = "a&é😀" * 200_000

    assert template._written(text) == text.replace("&", "&amp;").encode()
