"""A report's rows by our names, as an operator says how the file is written."""

import re
from pathlib import Path

import pytest

from app.providers.efidem.report_columns import ReportFormat, rows
from app.providers.efidem.statuses import SIMULATOR, read_bindings

SAID = ReportFormat(
    encoding="iso-8859-1",
    delimiter=";",
    header=True,
    columns={"reference": "reference", "recipient": "destinataire", "status": "statut"},
)
FILE = (
    "messageid;destinataire;reference;statut\r\n"
    'a1;"Durand; Marie";R1;Délivré\r\n'
    "a2;33639980001;R2;Envoyé\r\n"
).encode("iso-8859-1")


def test_rows_have_our_names_in_the_files_order() -> None:
    assert rows(SAID, FILE) == [
        {"reference": "R1", "recipient": "Durand; Marie", "status": "Délivré"},
        {"reference": "R2", "recipient": "33639980001", "status": "Envoyé"},
    ]


def test_columns_of_a_file_without_a_header_are_numbered_from_one() -> None:
    said = ReportFormat(encoding="utf-8", delimiter=",", header=False, columns={"recipient": 2})

    assert rows(said, b"a,b,c\nd,e,f\n\n") == [{"recipient": "b"}, {"recipient": "e"}]


def test_a_mark_of_utf_8_is_no_part_of_the_first_title() -> None:
    said = ReportFormat(columns={"reference": "reference"})

    assert rows(said, "\ufeffreference;x\n1;2\n".encode()) == [{"reference": "1"}]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "its header does not name once: reference, destinataire, statut"),
        (b"reference;statut\r\n", "its header does not name once: destinataire"),
        (
            b"reference;statut;destinataire;statut\r\n",
            "its header does not name once: statut",
        ),
        (FILE + b"a3;33639980002\r\n", "row 4 has 2 columns, and 4 are needed"),
        (FILE + b'a3;"' + b"x" * 200_000, "line 4 is no CSV"),
    ],
)
def test_a_file_that_is_not_as_was_said_is_refused_without_its_contents(
    content: bytes, why: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        rows(SAID, content)


def test_a_file_in_another_encoding_is_refused_without_its_contents() -> None:
    said = ReportFormat(columns={"status": "statut"})

    with pytest.raises(ValueError, match=r"^it is not encoded in utf-8$"):
        rows(said, FILE)


def test_the_simulators_columns_are_written_down() -> None:
    report = read_bindings(SIMULATOR).report

    assert report is not None
    assert report.columns["provider_message_id"] == "messageid"


@pytest.mark.parametrize(
    "wrong",
    [
        'encoding = "klingon"\n[report.columns]\nstatus = "s"',
        'encoding = "base64"\n[report.columns]\nstatus = "s"',
        'delimiter = ";;"\n[report.columns]\nstatus = "s"',
        "header = false\n[report.columns]\nstatus = 's'",
        "[report.columns]\nstatus = 3",
        "[report.columns]\ncolour = 'c'",
        "[report.columns]",
        "colour = 1\n[report.columns]\nstatus = 's'",
    ],
)
def test_a_wrong_entry_stops_the_start_and_is_named(wrong: str, tmp_path: Path) -> None:
    path = tmp_path / "bindings.toml"
    path.write_text(f"[report]\n{wrong}\n")

    with pytest.raises(ValueError, match=r"has wrong entries: report"):
        read_bindings(path)
