"""Every row of the benchmarks works: done tiny, judged by what was done, never by how fast."""

import pytest

from bench.__main__ import ROWS
from bench.asked import Asked


@pytest.mark.parametrize("row", ROWS)
def test_a_row_works(row: str, asked: Asked) -> None:
    found = [(one.works, str(one)) for one in ROWS[row](asked)]

    assert found
    assert [told for works, told in found if not works] == []
