"""Where a WSDL's types take any text, no message of texts alone is looked at value by value."""

from pathlib import Path

import pytest

from app.domain.message import Content, Email, Sms
from app.providers.efidem.binding import Bound
from app.providers.efidem.carrying import wrong_values
from app.providers.efidem.soap import Soap
from tests.providers.efidem.test_binding_dialects import (
    DIALECTS,
    FOLDER,
    FUNCTIONS,
    NoWire,
    contract_of,
    file,
    submission,
)

pytestmark = pytest.mark.anyio

TEXTS = ["1", "x" * 5_000, "<&>]]>", "é漢🙂", "2026-11-22", "true", "-1", "\n", " "]
NUMBER = 'name="DESTINATION" type="xs:string"', 'name="DESTINATION" type="xs:long"'


def contents(text: str) -> list[tuple[str, Content]]:
    return [
        ("ENVOYER_SMS", Sms(to=text, text=text, sender=text)),
        ("ENVOYER_EMAIL", Email(to_address=text, to_name=text, from_address=text, subject=text,
                                text=text, html=text, reply_to=text)),
        ("ENVOYER_EMAIL", Email(to_address=text, from_address=text, subject=text, text=text,
                                html=text)),
    ]  # fmt: skip


async def bound_of(wsdl: str, folder: Path) -> Bound:
    path = folder / "changed.wsdl"
    path.write_text(wsdl)
    contract = await Soap(NoWire(), FUNCTIONS).load(str(path), None)
    return contract.bound["ENVOYER_SMS"]


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_type_that_takes_any_text_refuses_none(dialect: str) -> None:
    contract = await contract_of(dialect)

    for text in TEXTS:
        for function, content in contents(text):
            bound = contract.bound[function]
            assert bound.takes_any_text
            assert wrong_values(bound, submission(content, billing_code=text)) == []


async def test_a_number_and_a_list_of_values_do_not_take_any_text(tmp_path: Path) -> None:
    bare = (FOLDER / "bare.wsdl").read_text()

    plain = await bound_of(bare, tmp_path)
    number = await bound_of(bare.replace(*NUMBER), tmp_path)

    assert plain.takes_any_text
    assert not number.takes_any_text
    wrong = Sms(to="not a number", text="x")
    assert wrong_values(plain, submission(wrong)) == []
    (error,) = wrong_values(number, submission(wrong))
    assert error.code == "not_carried"


async def test_files_and_variables_are_looked_at_all_the_same() -> None:
    bound = (await contract_of("bare")).bound["ENVOYER_EMAIL"]
    many = Email(
        to_address="a@b.fr", from_address="a@b.fr", subject="x", text="x", html="x",
        variables=("x",) * 99, files=(file("a.pdf"),),
    )  # fmt: skip

    assert bound.takes_any_text
    assert [one.code for one in wrong_values(bound, submission(many))] == ["not_carried"]
