"""What an operator may say of 123-fax's codes, and what it then means."""

import tomllib
from pathlib import Path

import pytest

from app.delivery.inspect import Inspector
from app.domain.acknowledgement import Acknowledgement
from app.domain.outcome import Accepted, Deferred, Refused, Report
from app.domain.status import Status
from app.providers.fax123.acknowledgement import CODES, NAME, Code
from app.providers.fax123.bindings import Bindings, followed, read_bindings, remedy
from app.providers.fax123.functions import HTTP_PHP
from app.providers.fax123.provider import Fax123
from app.providers.fax123.settings import Fax123Settings
from app.providers.manual import Answer

MAP = """
[acknowledgements]
"31099" = { status = "failed", type = "temporary", reason = "busy", label = "occupé" }
"40000" = { status = "delivered" }

[answers]
"114" = { meaning = "refused", reason = "invalid_recipient" }
"115" = { meaning = "accepted" }
"116" = { meaning = "deferred" }
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "bindings.toml"
    path.write_text(text)
    return path


@pytest.fixture
def fax(tmp_path: Path) -> Fax123:
    settings = Fax123Settings(_env_file=None, bindings=written(tmp_path, MAP))
    return Fax123(settings, Inspector(), followed(settings.bindings))


def brought(code: str, pages: int | None = None) -> Acknowledgement:
    return Acknowledgement(
        reference="R", code=code, number="0199000001", pages=pages, provider_time="10h"
    )


def test_an_acknowledgement_means_what_the_operator_says(fax: Fax123) -> None:
    report = fax.learn(brought("31099", 0), 3)

    assert report.failure is not None
    assert (report.status, report.failure.reason, report.failure.retryable) == (
        Status.FAILED,
        "busy",
        True,
    )
    assert (report.label, report.occurred, report.pages_sent) == ("occupé", "10h", 0)
    assert report.unmapped_in is None


@pytest.mark.parametrize(
    ("pages", "status"), [(3, Status.DELIVERED), (2, Status.PARTIALLY_DELIVERED)]
)
def test_what_is_delivered_is_complete_with_all_its_pages_only(
    fax: Fax123, pages: int, status: Status
) -> None:
    assert fax.learn(brought("40000", pages), 3).status is status


def test_another_code_is_unmapped(fax: Fax123) -> None:
    report = fax.learn(brought("31100"), 3)

    assert (report.status, report.unmapped_in) == (Status.FAILED, NAME)
    assert report.failure is not None
    assert report.failure.reason == "unmapped"
    assert fax.meaning_of(NAME, "31100") is None


def test_what_was_kept_raw_has_its_meaning_now(fax: Fax123) -> None:
    told = fax.meaning_of(NAME, "31099")
    assert isinstance(told, Report)
    assert told.status is Status.FAILED
    assert isinstance(fax.meaning_of("http.php", "114"), Refused)
    assert isinstance(fax.meaning_of("http.php", "115"), Accepted)
    assert isinstance(fax.meaning_of("http.php", "116"), Deferred)
    assert fax.meaning_of("http.php", "117") is None
    assert fax.meaning_of("other", "114") is None


@pytest.mark.parametrize("row", CODES, ids=lambda row: row.code)
def test_a_documented_acknowledgement_stands(tmp_path: Path, row: Code) -> None:
    text = f'[acknowledgements]\n"{row.code}" = {{ status = "failed" }}\n'

    with pytest.raises(ValueError, match=f"acknowledgements.{row.code} "):
        read_bindings(written(tmp_path, text))


@pytest.mark.parametrize("row", HTTP_PHP.answers, ids=lambda row: row.code)
def test_a_documented_answer_stands(tmp_path: Path, row: Answer) -> None:
    text = f'[answers]\n"{row.code}" = {{ meaning = "refused" }}\n'

    with pytest.raises(ValueError, match=f"answers.{row.code} "):
        read_bindings(written(tmp_path, text))


def test_every_wrong_place_is_named_at_once(tmp_path: Path) -> None:
    text = (
        '[acknowledgements]\n"031" = { status = "failed" }\n"x" = { status = "failed" }\n'
        '[answers]\n"1" = { meaning = "refused" }\n'
    )

    with pytest.raises(ValueError, match="has wrong entries") as caught:
        read_bindings(written(tmp_path, text))

    places = ("acknowledgements.031", "acknowledgements.x", "answers.1")
    assert [place for place in places if place not in str(caught.value)] == []


@pytest.mark.parametrize(
    "text",
    [
        '[acknowledgements]\n"31099" = { status = "returned" }',
        '[answers]\n"114" = { meaning = "no_status" }',
        '[statuses]\n"114" = { status = "failed" }',
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ValueError, match="has wrong entries"):
        read_bindings(written(tmp_path, text))


@pytest.mark.parametrize(("function", "code"), [(NAME, "31099"), ("http.php", "114")])
def test_the_remedys_lines_are_refused_until_they_are_completed(
    tmp_path: Path, function: str, code: str
) -> None:
    lines = remedy(function, code)
    assert tomllib.loads(lines)

    with pytest.raises(ValueError, match=code):
        read_bindings(written(tmp_path, lines))

    said = "failed" if function == NAME else "refused"
    assert read_bindings(written(tmp_path, lines.replace('"?"', f'"{said}"'))) != Bindings()
