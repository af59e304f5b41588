"""Enhanced mail system status codes, compared with both readings of the provider's table."""

import pytest

from app.domain import esmtp
from app.domain.esmtp import CLASSES, read
from app.providers.efidem.simulator.esmtp import description_of

# How many details RFC 3463, 3.2 to 3.8, enumerates for each subject, .0 included.
ENUMERATED = {"0": 1, "1": 9, "2": 5, "3": 6, "4": 8, "5": 6, "6": 6, "7": 8}


def test_every_code_of_the_rfc_is_in_the_table() -> None:
    found = {
        subject: sum(
            1
            for detail in range(100)
            if (known := read(f"5.{subject}.{detail}")) is not None
            and known.registered_in == "RFC 3463"
        )
        for subject in ENUMERATED
    }

    assert found == ENUMERATED
    assert set(esmtp.SUBJECTS) == set(ENUMERATED)


def test_every_code_of_the_providers_table_is_in_ours() -> None:
    theirs = [
        f"5.{subject}.{detail}"
        for subject in range(10)
        for detail in range(100)
        if description_of(f"5.{subject}.{detail}")
    ]

    assert len(theirs) == 47
    for code in theirs:
        known = read(code)
        assert known is not None
        assert known.description


def test_the_class_says_whether_it_may_arrive_later() -> None:
    assert {
        one: bool(found and found.is_temporary) for one in CLASSES for found in [read(f"{one}.2.2")]
    } == {
        "2": False,
        "4": True,
        "5": False,
    }


def test_a_code_of_another_rfc_names_it() -> None:
    known = read("5.7.26")

    assert known is not None
    assert (known.description, known.registered_in) == (
        "Multiple authentication checks failed",
        "RFC 7372",
    )


def test_a_well_formed_code_may_be_in_no_table() -> None:
    known = read("5.9.999")

    assert known is not None
    assert (known.subject, known.description) == ("9", None)


@pytest.mark.parametrize(
    "text",
    [
        *("", "5", "5.1", "5.1.1.1", "1.1.1", "3.1.1", "X.1.1"),
        *("5.01.1", "5.1.01", "5.1.1000", "5.1.1 ", "5.1.\u0661", "-5.1.1"),
    ],
)
def test_what_is_no_code_is_not_read(text: str) -> None:
    assert read(text) is None
