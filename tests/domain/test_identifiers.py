import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.domain.identifiers import ALPHABET, EVENT, MESSAGE, REQUEST, Identifiers, read, shown

MOMENT = datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC)


def identifiers() -> Identifiers:
    return Identifiers(lambda: MOMENT, random.Random(1).randbytes)


def test_an_identifier_is_a_uuid_of_version_7_with_the_time_in_front() -> None:
    made = identifiers().new()

    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == int(MOMENT.timestamp() * 1000)


def test_identifiers_rise_even_within_one_microsecond() -> None:
    ids = identifiers()

    made = [ids.new() for _ in range(1000)]

    assert made == sorted(made)
    assert len(set(made)) == 1000
    assert [shown(MESSAGE, one) for one in made] == sorted(shown(MESSAGE, one) for one in made)


def test_many_made_at_once_go_on_where_the_last_one_was_and_let_the_next_follow() -> None:
    ids = identifiers()

    made = [ids.new(), *ids.many(10_000), ids.new(), *ids.many(300)]

    assert made == sorted(set(made))
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
    # Ten thousand are made from a clock that stands: two and a half milliseconds of it.
    assert made[-1].int >> 80 <= int(MOMENT.timestamp() * 1000) + 3


def test_requests_get_identifiers_that_rise_and_tell_the_time() -> None:
    moments = [MOMENT + timedelta(microseconds=40 * place) for place in range(60)]
    clock = iter([*moments, *[moments[-1]] * 2500, moments[0]])
    ids = Identifiers(lambda: next(clock), random.Random(1).randbytes)

    made = [ids.request() for _ in range(2561)]

    assert made == sorted(set(made))
    found = [read(REQUEST, one) for one in made]
    times = [one.int >> 80 for one in found if one is not None]
    assert {one.version for one in found if one is not None} == {7}
    assert len(times) == len(made)
    late = [int(at.timestamp() * 1000) - time for at, time in zip(moments, times[:60], strict=True)]
    assert {0} <= set(late) <= {0, 1}


@given(st.uuids())
def test_what_is_shown_can_be_read_back(identifier: UUID) -> None:
    assert read(MESSAGE, shown(MESSAGE, identifier)) == identifier
    assert read(EVENT, shown(MESSAGE, identifier)) is None


@given(st.text(max_size=40))
def test_any_other_text_is_no_identifier(text: str) -> None:
    found = read(MESSAGE, f"msg_{text}")
    assert found is None or shown(MESSAGE, found) == f"msg_{text}"


def test_references_and_tokens_are_plain_letters_and_never_repeat() -> None:
    ids = identifiers()

    references = {ids.reference() for _ in range(1000)}
    tokens = {ids.token() for _ in range(1000)}

    assert (len(references), len(tokens)) == (1000, 1000)
    assert {len(one) for one in references} == {16}
    assert {len(one) for one in tokens} == {52}
    assert set("".join(references | tokens)) <= set(ALPHABET)
