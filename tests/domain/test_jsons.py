"""JSON is written as the standard library writes it."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.domain.jsons import writer

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner)
)


@given(VALUES)
def test_a_value_is_written_as_json_dumps_writes_it(value: Any) -> None:
    assert writer()(value) == json.dumps(value)
    assert writer(separators=(",", ":"))(value) == json.dumps(value, separators=(",", ":"))


@given(st.dictionaries(st.text(), SCALARS))
def test_names_are_sorted_where_that_is_asked_for(value: dict[str, Any]) -> None:
    assert writer(sort_keys=True)(value) == json.dumps(value, sort_keys=True)


def test_what_json_lacks_is_written_by_who_knows_it() -> None:
    assert writer(default=repr)({"a": {1}}) == json.dumps({"a": {1}}, default=repr)
