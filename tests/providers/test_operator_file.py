"""An operator's file: followed while it is right, and kept as it was while it is not."""

import os
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from app.providers import operator_file
from app.providers.operator_file import OperatorFile, read_toml


class Said(BaseModel):
    model_config = ConfigDict(extra="forbid")

    codes: dict[str, int] = {}


def read(path: Path) -> Said:
    return read_toml(path, Said, lambda said: [f"codes.{one}" for one in said.codes if one == "0"])


@pytest.fixture(autouse=True)
def _look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operator_file, "LOOK", 0.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "bindings.toml"
    file.write_text("[codes]\n1 = 1\n")
    return file


def rewritten(path: Path, text: str) -> None:
    """Write a file anew beside it and put it in place, as editors and deployments do."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


def test_a_changed_file_is_read_again(path: Path) -> None:
    file = OperatorFile(path, read, Said())
    assert file.now().codes == {"1": 1}

    rewritten(path, "[codes]\n2 = 2\n")

    assert file.now().codes == {"2": 2}


def test_a_file_that_is_written_in_place_is_read_again(path: Path) -> None:
    file = OperatorFile(path, read, Said())

    path.write_text("[codes]\n1 = 2\n")  # as long as it was
    os.utime(path, ns=(1, 1))

    assert file.now().codes == {"1": 2}


@pytest.mark.parametrize(
    "wrong", ["[codes\n", "[codes]\n1 = 'x'\n", "other = 1\n", "[codes]\n0 = 1\n"]
)
def test_a_file_that_became_wrong_changes_nothing_and_is_told_once(
    path: Path, wrong: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = OperatorFile(path, read, Said())
    rewritten(path, wrong)

    said = [file.now().codes for _ in range(3)]

    assert said == [{"1": 1}] * 3
    assert capsys.readouterr().out.count("bindings_refused") == 1
    rewritten(path, "[codes]\n3 = 3\n")
    assert file.now().codes == {"3": 3}


def test_a_file_that_went_away_changes_nothing(path: Path) -> None:
    file = OperatorFile(path, read, Said())
    path.unlink()

    assert file.now().codes == {"1": 1}


def test_without_a_file_nothing_is_said() -> None:
    assert OperatorFile(None, read, Said()).now() == Said()


def test_a_wrong_file_is_refused_at_the_start_with_every_wrong_place(path: Path) -> None:
    path.write_text("other = 1\n[codes]\n1 = 'x'\n2 = 'secret'\n")

    with pytest.raises(ValueError, match="has wrong entries") as caught:
        OperatorFile(path, read, Said())

    text = str(caught.value)
    assert all(place in text for place in ("other", "codes.1", "codes.2"))
    assert "secret" not in text


def test_a_file_that_is_no_text_is_refused(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(ValueError, match="not UTF-8"):
        OperatorFile(path, read, Said())
