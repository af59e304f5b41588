"""Every place where a message can stand has its sentences, in both languages."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.domain.acknowledgement import Acknowledgement
from app.domain.explain import Facts, Language, Situation, explain, situation_of
from app.domain.explain.blocked import BLOCKED
from app.domain.explain.blocked import OTHER as OTHER_BLOCKED
from app.domain.explain.failures import FAILURES
from app.domain.explain.failures import OTHER as OTHER_FAILURE
from app.domain.explain.situations import SITUATIONS
from app.domain.explain.words import Words
from app.domain.outcome import Accepted, Blocked, Deferred, Failure, Refused, Unclear
from app.domain.status import WAITING, Status
from app.providers.efidem import functions as efidem
from app.providers.fax123 import acknowledgement, functions
from app.providers.manual import Answer, Meaning, outcome_of

APP = Path(__file__).parents[2] / "app"
LANGUAGES = list(Language)
SENDS_OR_TELLS = re.compile(r"(MULTI_)?ENVOYER|COURRIER_ENVOYER|STATUT|SUIVRE|COURRIER_STATUT")


def answers() -> Iterator[Answer]:
    """Every answer of a function that sends, or tells a status."""
    for function in efidem.FUNCTIONS:
        if SENDS_OR_TELLS.match(function.name):
            yield from function.answers
    yield from functions.HTTP_PHP.answers


def named_in_the_code(kind: str) -> set[str]:
    """The reasons that stand in the code itself, such as `Blocked("provider_settings", ...)`."""
    found = set()
    for module in APP.rglob("*.py"):
        if "simulator" not in module.parts and "api" not in module.parts:
            found |= set(re.findall(kind, module.read_text()))
    return found


def words() -> Iterator[Words]:
    for lines in (*SITUATIONS.values(), *BLOCKED.values(), OTHER_BLOCKED):
        yield from (lines.means, lines.follows, lines.advice)
    for pair in (*FAILURES.values(), OTHER_FAILURE):
        yield from pair


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("status", list(Status))
def test_every_status_is_explained(status: Status, language: Language) -> None:
    told = explain(Facts(status=status), language)

    assert all(text.endswith(".") for text in (told.means, told.follows))
    assert told.advice


def test_every_situation_can_be_had_and_is_explained() -> None:
    found = {
        situation_of(
            Facts(
                status=status,
                attempts=attempts,
                may_have_left=left,
                blocked_reason=reason,
                ack_overdue=overdue,
                unmapped_code=unmapped,
            )
        )
        for status in Status
        for attempts in (0, 1)
        for left in (False, True)
        for reason in (None, "absence_proven")
        for overdue in (False, True)
        for unmapped in (None, "77")
    }

    assert found == set(Situation) == set(SITUATIONS)


def test_every_reason_of_a_failure_is_explained() -> None:
    refused = {Meaning.REFUSED, Meaning.REFUSED_IF_FETCHED}
    reasons = {one.reason or "policy" for one in answers() if one.meaning in refused}
    reasons |= {row.reason for row in acknowledgement.CODES if row.reason}
    reasons |= named_in_the_code(r'Failure\(\s*type="\w+",\s*reason="(\w+)"')
    reasons |= named_in_the_code(r'_refused\("(\w+)"')

    assert len(reasons) > 25
    assert reasons - set(FAILURES) == set()


def test_every_reason_to_wait_is_explained() -> None:
    reasons = {
        one.reason or "provider_contract" for one in answers() if one.meaning is Meaning.BLOCKED
    }
    reasons |= named_in_the_code(r'Blocked\(\s*"(\w+)"')
    reasons |= named_in_the_code(r'"blocked_reason": "(\w+)"')
    reasons |= named_in_the_code(r'(?:REASON|PROVEN|AWAY|CREDIT): Final = "(\w+)"')

    assert {"restore", "poison", "uncertain_brake", "provider_unavailable"} <= reasons
    assert reasons - set(BLOCKED) == set()


def told_by(answer: Answer) -> Facts:
    """How a message stands after an answer to the call that sent it."""
    match outcome_of(answer):
        case Refused(failure):
            return Facts(status=Status.FAILED, failure=failure)
        case Blocked(reason):
            return Facts(status=Status.QUEUED, attempts=1, blocked_reason=reason)
        case Unclear():
            return Facts(status=Status.UNCERTAIN)
        case Accepted():
            return Facts(status=Status.SUBMITTED)
        case Deferred():
            return Facts(status=Status.QUEUED, attempts=1)


def acknowledged(code: str) -> Facts:
    """How a fax of three pages stands after 123-fax acknowledged one with a code."""
    came = Acknowledgement(reference="R", code=code, number="", pages=1, provider_time=None)
    report = acknowledgement.learn(came, 3)
    assert report.status is not None
    return Facts(status=report.status, failure=report.failure)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_of_both_providers_is_explained_in_words_of_its_own(language: Language) -> None:
    unknown = [OTHER_FAILURE[0], OTHER_BLOCKED.means]
    vague = [one.in_(language).partition(";")[0] for one in unknown]
    sent = [(one.code, told_by(one)) for one in answers()]
    faxed = [(row.code, acknowledged(row.code)) for row in acknowledgement.CODES]

    for code, facts in [*sent, *faxed, ("99999", acknowledged("99999"))]:
        told = explain(facts, language)
        assert not any(one in told.means for one in vague), code
        if facts.status is Status.FAILED:
            assert f" {code}." in told.means
    assert len(sent) > 60
    assert len(faxed) == 30


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_without_a_meaning_is_named(language: Language) -> None:
    told = explain(Facts(status=Status.SUBMITTED, unmapped_code="77"), language)

    assert (told.situation, " 77." in told.means) == (Situation.UNMAPPED, True)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", sorted(FAILURES))
def test_a_failure_says_its_own_reason(reason: str, language: Language) -> None:
    failure = Failure(type="permanent", reason=reason, retryable=False)

    told = explain(Facts(status=Status.FAILED, failure=failure), language)

    means, advice = FAILURES[reason]
    assert means.in_(language) in told.means
    assert told.advice == advice.in_(language)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", sorted(BLOCKED))
@pytest.mark.parametrize("status", [*sorted(WAITING), Status.HELD])
def test_what_waits_says_what_for(status: Status, reason: str, language: Language) -> None:
    told = explain(Facts(status=status, blocked_reason=reason), language)

    lines = BLOCKED[reason]
    assert lines.means.in_(language) in told.means
    assert lines.follows.in_(language) in told.follows
    assert told.advice == lines.advice.in_(language)


def test_a_reason_of_the_operators_is_named() -> None:
    failure = Failure(type="permanent", reason="quota_of_the_branch", retryable=True)

    told = explain(Facts(status=Status.FAILED, failure=failure), Language.FRENCH)
    waiting = explain(Facts(status=Status.QUEUED, blocked_reason="night"), Language.ENGLISH)

    assert "quota_of_the_branch" in told.means
    assert "Le même message peut réussir une autre fois." in told.means
    assert "night" in waiting.means


def test_the_next_step_has_its_time() -> None:
    at = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
    facts = Facts(status=Status.SUBMITTED, next_at=at)

    assert "2026-11-22 at 14:05:00 UTC" in explain(facts, Language.ENGLISH).follows
    assert "22/11/2026 à 14:05:00 UTC" in explain(facts, Language.FRENCH).follows
    scheduled = explain(Facts(status=Status.SCHEDULED, next_at=at), Language.FRENCH)
    assert "Il partira le 22/11/2026" in scheduled.follows


def test_no_sentence_is_missing_in_a_language() -> None:
    for one in words():
        assert one.en != one.fr
        for text in (one.en, one.fr):
            assert re.fullmatch(r"[A-ZÀ-Ý][^\n]*\.|[A-Z].* POST /v1/[a-z{}/]+\.", text), text
            assert "  " not in text


def test_french_is_written_as_french() -> None:
    """Accents, and a blank before a colon and a semicolon."""
    french = " ".join(one.fr for one in words())

    assert re.findall(r"\w[:;](?!/)", french) == []
    for bare in ("deja", "prevu", "etre", "numero", "reponse", "echec", "adresse electronique"):
        assert bare not in french.casefold()
    assert set("éèàêç") <= set(french)
