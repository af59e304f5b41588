"""What an explanation is made of: sentences in each of our languages."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Language(StrEnum):
    """A language that messages are explained in."""

    ENGLISH = "en"
    FRENCH = "fr"


@dataclass(frozen=True, slots=True)
class Words:
    """One sentence or two, in each language."""

    en: str
    fr: str

    def in_(self, language: Language) -> str:
        """Return them in one language."""
        match language:
            case Language.ENGLISH:
                return self.en
            case Language.FRENCH:
                return self.fr


@dataclass(frozen=True, slots=True)
class Lines:
    """What something means, what comes next, and what the reader can do."""

    means: Words
    follows: Words
    advice: Words


# What several tables say alike.
NOTHING: Final = Words("You need not do anything.", "Vous n'avez rien à faire.")
NO_MORE: Final = Words("Nothing more happens to it.", "Il ne se passera plus rien.")
CANCEL: Final = Words(
    "You can still cancel it: POST /v1/messages/{id}/cancel.",
    "Vous pouvez encore l'annuler : POST /v1/messages/{id}/cancel.",
)
ASKED: Final = Words(
    "The gateway keeps asking the provider, less and less often.",
    "La passerelle continue d'interroger le prestataire, de moins en moins souvent.",
)
ANEW: Final = Words(
    "If it is still needed, send it as a new message, with a new Idempotency-Key.",
    "S'il est toujours utile, envoyez-le comme un nouveau message, avec une nouvelle"
    " Idempotency-Key.",
)
NOT_ANEW: Final = Words(
    "Do not send it again: it might arrive twice.",
    "Ne le renvoyez pas : il pourrait arriver deux fois.",
)
