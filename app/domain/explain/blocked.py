"""Why a message waits besides its turn: what each reason means, what comes next, what to do."""

from collections.abc import Mapping
from typing import Final

from app.domain.explain.words import NOTHING, Lines, Words

_OPERATORS: Final = Words(
    "An operator of the gateway must act; nothing is lost meanwhile.",
    "Un exploitant de la passerelle doit intervenir ; rien n'est perdu d'ici là.",
)
_BY_ITSELF: Final = Words(
    "It leaves by itself as soon as that is put right.",
    "Il partira tout seul dès que ce sera réglé.",
)

BLOCKED: Final[Mapping[str, Lines]] = {
    "provider_credentials": Lines(
        Words(
            "The provider refuses the gateway's account; nothing leaves on this channel.",
            "Le prestataire refuse le compte de la passerelle ; rien ne part sur ce canal.",
        ),
        _BY_ITSELF,
        _OPERATORS,
    ),
    "provider_credit": Lines(
        Words(
            "The gateway's account at the provider has no credit left.",
            "Le compte de la passerelle chez le prestataire n'a plus de crédit.",
        ),
        _BY_ITSELF,
        _OPERATORS,
    ),
    "provider_contract": Lines(
        Words(
            "The provider does not offer the function as the gateway knows it.",
            "Le prestataire n'offre pas la fonction telle que la passerelle la connaît.",
        ),
        _BY_ITSELF,
        _OPERATORS,
    ),
    "provider_settings": Lines(
        Words(
            "The gateway lacks settings for this provider.",
            "Il manque à la passerelle des réglages pour ce prestataire.",
        ),
        _BY_ITSELF,
        _OPERATORS,
    ),
    "document_unreachable": Lines(
        Words(
            "The provider could not fetch the document from the gateway.",
            "Le prestataire n'a pas pu télécharger le document depuis la passerelle.",
        ),
        _BY_ITSELF,
        _OPERATORS,
    ),
    "provider_unavailable": Lines(
        Words(
            "The provider does not answer at the moment.",
            "Le prestataire ne répond pas pour le moment.",
        ),
        Words(
            "The gateway tries again by itself; the message leaves when the provider is back.",
            "La passerelle réessaie d'elle-même ; le message partira au retour du prestataire.",
        ),
        NOTHING,
    ),
    "uncertain_brake": Lines(
        Words(
            "Too many messages of this channel ended unclear, so that the gateway sends no more for"
            " now.",
            "Trop de messages de ce canal ont eu une issue incertaine ; la passerelle suspend les"
            " envois.",
        ),
        Words(
            "Messages leave again when enough of them are settled.",
            "Les envois reprendront quand assez d'entre eux seront élucidés.",
        ),
        _OPERATORS,
    ),
    "mode_not_allowed": Lines(
        Words(
            "The message was taken in with a test key, and only a provider of real messages was"
            " there to carry it.",
            "Le message a été accepté avec une clé de test, et seul un prestataire réel pouvait le"
            " transporter.",
        ),
        Words(
            "It waits, and never reaches a real recipient.",
            "Il attend, et n'atteindra jamais un vrai destinataire.",
        ),
        _OPERATORS,
    ),
    "restore": Lines(
        Words(
            "The gateway's store was restored from a backup; nothing leaves before an operator has"
            " looked at it.",
            "La base de la passerelle a été restaurée d'une sauvegarde ; rien ne part avant qu'un"
            " exploitant l'ait vérifiée.",
        ),
        _BY_ITSELF,
        _OPERATORS,
    ),
    "poison": Lines(
        Words(
            "The gateway broke down more than once while it sent this message.",
            "La passerelle est tombée plus d'une fois en envoyant ce message.",
        ),
        Words(
            "A person decides whether it is sent again.",
            "Une personne décidera de le renvoyer ou non.",
        ),
        _OPERATORS,
    ),
    "absence_proven": Lines(
        Words("It is proven that nothing was sent.", "Il est prouvé que rien n'a été envoyé."),
        Words(
            "A person decides whether it is sent again.",
            "Une personne décidera de le renvoyer ou non.",
        ),
        _OPERATORS,
    ),
}

# A reason that an operator's file gives: it has no sentence of ours.
OTHER: Final = Lines(
    Words(
        "The message cannot leave at the moment; the reason is {reason}.",
        "Le message ne peut pas partir pour le moment ; le motif est {reason}.",
    ),
    _BY_ITSELF,
    _OPERATORS,
)
