"""Envelopes of calls that carry texts alone: byte for byte what is rendered with all that zeep has."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from app.domain.message import Channel, Content, Email, Sms, Submission, Submitted
from app.providers.efidem import functions as efidem
from app.providers.efidem.binding import CannotBind
from app.providers.efidem.binding.texts import LARGEST
from app.providers.efidem.soap import Contract
from tests.providers.efidem.test_template import DIALECTS, HOSTILE, WRONG, contract

TRIO: Mapping[str, str] = {"UTILISATEUR": "us&r", "MOT_DE_PASSE": "p<ss", "AppID": "app"}
SMS = Sms(to="+33639980001", text="Bonjour")
EMAIL = Email(
    to_address="a@example.com", from_address="b@example.com", subject="s", text="t", html="<p>"
)


def sent(content: Content, **more: Any) -> Submission[Content]:
    return Submission(
        message_id=UUID(int=1),
        content=content,
        reference="REF",
        billing_code=None,
        files={},
        **more,
    )


def asked(provider_id: str) -> Submitted:
    return Submitted(
        message_id=UUID(int=1), channel=Channel.SMS, provider_message_id=provider_id,
        function="ENVOYER_SMS", reference="REF", recipients=("a@example.com",),
        recipient="a@example.com",
    )  # fmt: skip


# What a text may stand in: how each function is handed one.
HANDED: dict[str, Callable[[str], object]] = {
    "ENVOYER_SMS": lambda text: sent(replace(SMS, text=text)),
    "ENVOYER_EMAIL": lambda text: sent(replace(EMAIL, subject=text, html=f"<p>{text}", to_name=text)),
    "STATUT_EMAIL": asked,
    "STATUT_SMS": asked,
    "STATUT_COMPLET_SMS": asked,
    "STATUT_FAX": asked,
    "COURRIER_STATUT": asked,
    "TRANSFORMER_NUMERO": lambda text: {"NUMERO": text},
    "VERIFIER_ADRESSE_EMAIL": lambda text: {"DESTINATAIRE": text},
    "COMPTE_SOUMIS_CODE_FACTURATION": lambda text: {"CODE_FACTURATION": text},
    "OBTENIR_CODE_ESMTP": lambda text: {"CODE_ESMTP": text},
    "RAPPORT": lambda text: {"DATE_DEBUT": text, "DATE_FIN": text},
}  # fmt: skip
DAYS = ["2026-11-22", "20261122", "22/11/2026", "1", "true"]  # that a type may write otherwise


def written(way: Callable[[], bytes | None]) -> bytes | str | None:
    """What comes of it: bytes, or the fault."""
    try:
        return way()
    except (ValueError, CannotBind) as fault:
        return "ValueError" if isinstance(fault, ValueError) else fault.why


def both(by: Contract, name: str, handed: object) -> tuple[object, object]:
    bound = by.bound[name]
    return (
        written(lambda: by.texts.envelope(bound, handed, TRIO)),
        written(lambda: by._rendered(bound, bound.arguments(handed, TRIO))),
    )


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", HANDED)
def test_a_filled_envelope_is_the_one_that_zeep_renders(dialect: str, name: str) -> None:
    by = contract(dialect)
    if by.bound[name].blocked:
        pytest.skip("this WSDL does not offer it")

    for text in ["first", *HOSTILE, *(f"front {one} back" for one in HOSTILE), *WRONG, *DAYS, ""]:
        filled, rendered = both(by, name, HANDED[name](text))
        # None: it is for the templates.
        assert filled in (rendered, None)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("content", [SMS, replace(SMS, sender="Moi"), EMAIL])
def test_a_plain_message_is_filled_where_the_wsdl_takes_any_text(
    dialect: str, content: Content
) -> None:
    by = contract(dialect)
    name = "ENVOYER_SMS" if isinstance(content, Sms) else "ENVOYER_EMAIL"
    if not by.bound[name].takes_any_text or by.bound[name].blocked:
        pytest.skip("this WSDL does not")

    filled, rendered = both(by, name, sent(content))

    assert filled == rendered
    assert isinstance(filled, bytes)


def test_which_values_there_are_decides_the_form() -> None:
    by = contract("asmx")

    for sender in (None, "", "Moi", "Moi & Toi"):
        for code in (None, "", "-1", "<b>"):
            for text in ("a", "b"):
                handed = replace(sent(replace(SMS, sender=sender, text=text)), billing_code=code)
                filled, rendered = both(by, "ENVOYER_SMS", handed)
                assert filled == rendered


def test_each_account_has_envelopes_of_its_own() -> None:
    by = contract("asmx")
    bound = by.bound["ENVOYER_SMS"]
    other = {**TRIO, "MOT_DE_PASSE": "another"}

    for credentials in (TRIO, other, TRIO):
        filled = by.texts.envelope(bound, sent(SMS), credentials)
        assert filled == by._rendered(bound, bound.arguments(sent(SMS), credentials))


@pytest.mark.parametrize(
    "content",
    [
        replace(SMS, text="x" * (LARGEST + 1)),
        replace(EMAIL, variables=("a", "b")),
    ],
    ids=["long", "variables"],
)
def test_what_is_more_than_short_texts_is_not_filled(content: Content) -> None:
    by = contract("asmx")
    name = "ENVOYER_SMS" if isinstance(content, Sms) else "ENVOYER_EMAIL"

    assert by.texts.envelope(by.bound[name], sent(content), TRIO) is None


def test_every_function_without_files_is_tried() -> None:
    assert set(HANDED) <= {one.name for one in efidem.FUNCTIONS}
