"""How an accepted message goes on, and what each status function answers about it.

The document gives no code for a message that was sent: these are the simulator's own, different
by function, and simulator.toml declares them as an operator would.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple
from zoneinfo import ZoneInfo

from app.providers.efidem.simulator.behaviours import Behaviour
from app.providers.efidem.simulator.codes import (
    COURRIER_STATUT,
    STATUT_EMAIL,
    STATUT_SMS,
    Code,
)

_PARIS = ZoneInfo("Europe/Paris")


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
    sent_by: str
    codes: tuple[Code, ...]
    no_status: Status  # of a message without a status yet
    unknown: Status  # of an id that was never given
    stages: Mapping[Stage, Status]
    answers_object: bool


FOLLOWINGS = (
    Following(
        function="STATUT_EMAIL",
        sent_by="ENVOYER_EMAIL",
        codes=STATUT_EMAIL,
        no_status=Status("-99", "Aucun statut"),
        unknown=Status("-99", "Aucun statut"),
        stages={
            Stage.SENT: Status("20", "Envoyé"),
            Stage.DELIVERED: Status("30", "Délivré"),
            Stage.PERMANENT_FAILURE: Status("41", "Adresse inexistante"),
            Stage.TEMPORARY_FAILURE: Status("42", "Boîte de réception pleine"),
        },
        answers_object=False,
    ),
    Following(
        function="STATUT_SMS",
        sent_by="ENVOYER_SMS",
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
        answers_object=False,
    ),
    Following(
        function="STATUT_COMPLET_SMS",
        sent_by="ENVOYER_SMS",
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
        sent_by="COURRIER_ENVOYER",
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
)


def last_step(behaviour: Behaviour, age: float, pace: float) -> Step | None:
    """Return the last step that a message of `age` seconds has reached, or nothing so far."""
    steps = _STEPS.get(behaviour, _ORDINARY)
    return next((step for step in reversed(steps) if age >= step.after * pace), None)


def paris_time(moment: float) -> str:
    """Write a moment as the provider does: Paris time, and no zone."""
    return datetime.fromtimestamp(moment, _PARIS).replace(tzinfo=None).isoformat(timespec="seconds")
