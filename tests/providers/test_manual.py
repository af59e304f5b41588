"""What each meaning of a provider's answer becomes."""

import pytest

from app.domain.outcome import Accepted, Blocked, Deferred, Failure, Outcome, Refused, Unclear
from app.providers.manual import Answer, Function, Meaning, outcome_of

FAILURE = Failure(type="permanent", reason="why", retryable=False, provider_code="7", label="words")
OUTCOMES: list[tuple[Meaning, Outcome]] = [
    (Meaning.ACCEPTED, Accepted("theirs", "7", "words")),
    (Meaning.REFUSED, Refused(FAILURE)),
    (Meaning.REFUSED_IF_FETCHED, Refused(FAILURE, only_if_fetched=True)),
    (Meaning.DEFERRED, Deferred("why", code="7", words="words")),
    (Meaning.BLOCKED, Blocked("why", "the provider answered 7 (words)", "7", "words")),
    (Meaning.NO_STATUS, Unclear("no_status is no answer to a call that sends", "7")),
    (Meaning.OUR_FAULT, Unclear("our_fault is no answer to a call that sends", "7")),
    (Meaning.NEGATIVE, Unclear("negative is no answer to a call that sends", "7")),
]


@pytest.mark.parametrize(("meaning", "outcome"), OUTCOMES)
def test_a_meaning_is_its_outcome(meaning: Meaning, outcome: Outcome) -> None:
    assert outcome_of(Answer("7", meaning, "words", "why"), "theirs") == outcome


def test_every_meaning_has_its_outcome_here() -> None:
    assert [meaning for meaning, _ in OUTCOMES] == list(Meaning)


@pytest.mark.parametrize(
    ("meaning", "reason"),
    [(Meaning.REFUSED, "policy"), (Meaning.BLOCKED, "provider_contract")],
)
def test_an_answer_without_a_reason_has_a_general_one(meaning: Meaning, reason: str) -> None:
    outcome = outcome_of(Answer("7", meaning, ""))

    assert isinstance(outcome, Refused | Blocked)
    stated = outcome.failure.reason if isinstance(outcome, Refused) else outcome.reason
    assert stated == reason


def test_a_code_that_stands_twice_is_refused() -> None:
    twice = (Answer("7", Meaning.REFUSED, "a"), Answer("7", Meaning.ACCEPTED, "b"))

    with pytest.raises(ValueError, match="F lists a code twice"):
        Function(name="F", chapter="C", parameters=(), answers=twice)
