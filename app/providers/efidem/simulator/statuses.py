"""How an accepted message goes on, and what each status function answers about it.

The document gives no code for a message that was sent: these are the simulator's own, different
by function, and simulator.toml declares them as an operator would.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from app.providers.efidem.simulator.behaviours import Behaviour
from app.providers.efidem.simulator.codes import (
    COURRIER_STATUT,
    STATUT_EMAIL,
    STATUT_FAX,
    STATUT_MULTI_EMAIL,
    STATUT_SMS,
    SUIVRE_EMAIL_RELAIS,
    Code,
)
from app.providers.efidem.simulator.ledger import Submission
from app.providers.efidem.simulator.recipients import comparable


class Stage(Enum):
    """How far a message has come."""

    SENT = auto()
    DELIVERED = auto()
    TEMPORARY_FAILURE = auto()
    PERMANENT_FAILURE = auto()
    RETURNED = auto()


class Step(NamedTuple):
    """A stage, and the seconds after acceptance at which it is reached."""

    after: float
    stage: Stage


_ORDINARY = (Step(0.5, Stage.SENT), Step(2, Stage.DELIVERED))
_STEPS: Mapping[Behaviour, tuple[Step, ...]] = {
    Behaviour.TEMPORARY_FAILURE: (Step(0.5, Stage.SENT), Step(2, Stage.TEMPORARY_FAILURE)),
    Behaviour.PERMANENT_FAILURE: (Step(0.5, Stage.SENT), Step(2, Stage.PERMANENT_FAILURE)),
    Behaviour.RETURNED: (*_ORDINARY, Step(4, Stage.RETURNED)),
}


class Status(NamedTuple):
    """A code and its words, as a status object carries them."""

    code: str
    words: str


@dataclass(frozen=True, slots=True)
class Following:
    """One status function: its own codes, and the functions whose messages it knows."""

    function: str
    sent_by: tuple[str, ...]
    codes: tuple[Code, ...]
    no_status: Status  # of a message without a status yet
    unknown: Status  # of an id that was never given
    stages: Mapping[Stage, Status]
    answers_object: bool = False
    recipient: str | None = None  # the parameter that says which recipient is meant, if any does
    is_recipient: Callable[[Submission, str], bool] = lambda _submission, _asked: True


def _has_reference(submission: Submission, asked: str) -> bool:
    return submission.reference == asked


def _has_address(submission: Submission, asked: str) -> bool:
    return comparable(submission.recipient) == comparable(asked)


FOLLOWINGS = (
    Following(
        function="STATUT_EMAIL",
        sent_by=("ENVOYER_EMAIL",),
        codes=STATUT_EMAIL,
        no_status=Status("-99", "Aucun statut"),
        unknown=Status("-99", "Aucun statut"),
        stages={
            Stage.SENT: Status("20", "Envoyé"),
            Stage.DELIVERED: Status("30", "Délivré"),
            Stage.PERMANENT_FAILURE: Status("41", "Adresse inexistante"),
            Stage.TEMPORARY_FAILURE: Status("42", "Boîte de réception pleine"),
        },
    ),
    Following(
        function="STATUT_MULTI_EMAIL",
        sent_by=("MULTI_ENVOYER_EMAIL",),
        codes=STATUT_MULTI_EMAIL,
        no_status=Status("-99", "Aucun statut"),
        unknown=Status("-99", "Aucun statut"),
        stages={
            Stage.SENT: Status("220", "Envoyé au destinataire"),
            Stage.DELIVERED: Status("230", "Délivré au destinataire"),
            Stage.PERMANENT_FAILURE: Status("241", "Adresse du destinataire inexistante"),
            Stage.TEMPORARY_FAILURE: Status("242", "Boîte du destinataire pleine"),
        },
        recipient="REFCLIENT",
        is_recipient=_has_reference,
    ),
    Following(
        function="SUIVRE_EMAIL_RELAIS",
        sent_by=("ENVOYER_EMAIL_RELAIS",),
        codes=SUIVRE_EMAIL_RELAIS,
        no_status=Status("-99", "Aucun statut"),
        unknown=Status("-99", "Aucun statut"),
        stages={
            Stage.SENT: Status("320", "Remis au relais"),
            Stage.DELIVERED: Status("330", "Accepté par le serveur distant"),
            Stage.PERMANENT_FAILURE: Status("341", "Rejet définitif (5.1.1)"),
            Stage.TEMPORARY_FAILURE: Status("342", "Rejet temporaire (4.2.2)"),
        },
        recipient="DESTINATION",
        is_recipient=_has_address,
    ),
    Following(
        function="STATUT_SMS",
        sent_by=("ENVOYER_SMS", "MULTI_ENVOYER_SMS"),
        codes=STATUT_SMS,
        # Both mean "Aucun statut" in the document; so that either can be met, each has its case.
        no_status=Status("-5", "Aucun statut"),
        unknown=Status("-8", "Aucun statut"),
        stages={
            Stage.SENT: Status("1", "Envoyé"),
            Stage.DELIVERED: Status("2", "Reçu"),
            Stage.PERMANENT_FAILURE: Status("11", "Numéro non attribué"),
            Stage.TEMPORARY_FAILURE: Status("12", "Mobile éteint ou hors réseau"),
        },
    ),
    Following(
        function="STATUT_COMPLET_SMS",
        sent_by=("ENVOYER_SMS", "MULTI_ENVOYER_SMS"),
        codes=STATUT_SMS,
        no_status=Status("-5", "Aucun statut"),
        unknown=Status("-8", "Aucun statut"),
        stages={
            Stage.SENT: Status("101", "Envoyé à l'opérateur"),
            Stage.DELIVERED: Status("102", "Reçu par le mobile"),
            Stage.PERMANENT_FAILURE: Status("111", "Numéro non attribué"),
            Stage.TEMPORARY_FAILURE: Status("112", "Mobile éteint ou hors réseau"),
        },
        answers_object=True,
    ),
    Following(
        function="COURRIER_STATUT",
        sent_by=("COURRIER_ENVOYER",),
        codes=COURRIER_STATUT,
        # The document has no "Aucun statut" for letters: this is the e-mail's.
        no_status=Status("-99", "Aucun statut"),
        unknown=Status("-99", "Aucun statut"),
        stages={
            Stage.SENT: Status("610", "Remis à La Poste"),
            Stage.DELIVERED: Status("620", "Distribué"),
            Stage.PERMANENT_FAILURE: Status("631", "Adresse inconnue"),
            Stage.TEMPORARY_FAILURE: Status("632", "Distribution suspendue"),
            Stage.RETURNED: Status("640", "Retourné à l'expéditeur"),
        },
        answers_object=True,
    ),
    Following(
        function="STATUT_FAX",
        sent_by=("ENVOYER_FAX",),
        codes=STATUT_FAX,
        no_status=Status("-99", "Aucun statut"),
        unknown=Status("-99", "Aucun statut"),
        stages={
            Stage.SENT: Status("810", "En cours d'émission"),
            Stage.DELIVERED: Status("820", "Fax transmis"),
            Stage.PERMANENT_FAILURE: Status("831", "Numéro de fax non attribué"),
            Stage.TEMPORARY_FAILURE: Status("832", "Pas de réponse"),
        },
    ),
)


def last_step(behaviour: Behaviour, age: float, pace: float) -> Step | None:
    """Return the last step that a message of `age` seconds has reached, or nothing so far."""
    steps = _STEPS.get(behaviour, _ORDINARY)
    return next((step for step in reversed(steps) if age >= step.after * pace), None)
