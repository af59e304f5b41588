"""What is wrong with a field is said in our words, with what to send instead."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.api.schemas import LetterIn, SmsIn
from app.api.wrong_fields import field_error

SMS = {"to": "+33639980001", "text": "Bonjour"}
LETTER = {
    "to": {
        "last_name": "Durand",
        "first_name": "Marie",
        "address": {"line1": "1 RUE", "postal_code": "75011", "city": "PARIS"},
    },
    "documents": [{"document_id": "doc_1"}],
}


@pytest.mark.parametrize(
    ("model", "given", "pointer", "code", "detail"),
    [
        (SmsIn, SMS | {"text": 1}, "/text", "wrong_type", "Send a string here, in double quotes."),
        (SmsIn, SMS | {"tags": "x"}, "/tags", "wrong_type", "Send a list here."),
        (SmsIn, SMS | {"metadata": []}, "/metadata", "wrong_type", "Send a JSON object here."),
        (SmsIn, [], "", "wrong_type", "Send a JSON object here."),
        (
            SmsIn, SMS | {"on_uncertain": "x"}, "/on_uncertain", "not_allowed",
            "Send one of these: 'hold' or 'retry'.",
        ),
        (
            SmsIn, SMS | {"max_segments": 99}, "/max_segments", "invalid",
            "This is too large: send at most 10.",
        ),
        (
            SmsIn, SMS | {"max_segments": 1.5}, "/max_segments", "wrong_type",
            "Send a whole number here.",
        ),
        (LetterIn, LETTER | {"color": "yes"}, "/color", "wrong_type", "Send true or false here."),
    ],
)  # fmt: skip
def test_a_wrong_field_is_explained(
    model: Any, given: Any, pointer: str, code: str, detail: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(given)

    (found,) = [field_error(one) for one in caught.value.errors()]
    assert (found.pointer, found.code, found.detail) == (pointer, code, detail)


def test_what_nobody_thought_of_is_not_told_in_the_librarys_words() -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(Decimal).validate_python("x")

    (error,) = caught.value.errors()
    found = field_error(error)
    assert found.code == "invalid"
    assert error["msg"] not in found.detail
    assert found.detail == "This value is not taken; see the API's description."
