"""Why a message failed: what each reason means, and what its sender can do."""

from collections.abc import Mapping
from typing import Final

from app.domain.explain.words import Words

_CHECK_ADDRESS: Final = Words(
    "Check the recipient, correct it, and send a new message.",
    "Vérifiez le destinataire, corrigez-le, puis envoyez un nouveau message.",
)
_TRY_LATER: Final = Words(
    "It may succeed later: send a new message, with a new Idempotency-Key.",
    "Un nouvel essai peut réussir : envoyez un nouveau message, avec une nouvelle Idempotency-Key.",
)
_COMPLETE: Final = Words(
    "Complete the request, and send a new message.",
    "Complétez la demande, puis envoyez un nouveau message.",
)
_CORRECT: Final = Words(
    "Correct the request, and send a new message.",
    "Corrigez la demande, puis envoyez un nouveau message.",
)
_DOCUMENT: Final = Words(
    "Check the document, make it anew if need be, and send a new message.",
    "Vérifiez le document, refaites-le au besoin, puis envoyez un nouveau message.",
)
_OTHER_WAY: Final = Words(
    "Reach the recipient by another channel.",
    "Joignez le destinataire par un autre canal.",
)
_ASK_FIRST: Final = Words(
    "Ask the recipient before you send it again: it might arrive twice.",
    "Interrogez le destinataire avant de le renvoyer : il pourrait arriver deux fois.",
)
_OPERATORS: Final = Words(
    "Tell the operators of the gateway.", "Prévenez les exploitants de la passerelle."
)


def _row(en: str, fr: str, advice: Words) -> tuple[Words, Words]:
    return Words(en, fr), advice


# What it means, and what can be done about it.
FAILURES: Final[Mapping[str, tuple[Words, Words]]] = {
    # The recipient.
    "invalid_recipient": _row(
        "The recipient does not exist.", "Le destinataire n'existe pas.", _CHECK_ADDRESS
    ),
    "recipient_missing": _row(
        "The recipient is missing.", "Le destinataire manque.", _CHECK_ADDRESS
    ),
    "address_invalid": _row(
        "The e-mail address is not valid.",
        "L'adresse électronique n'est pas valable.",
        _CHECK_ADDRESS,
    ),
    "number_missing": _row("The number is missing.", "Le numéro manque.", _CHECK_ADDRESS),
    "number_too_short": _row(
        "The number is too short.", "Le numéro est trop court.", _CHECK_ADDRESS
    ),
    "number_too_long": _row("The number is too long.", "Le numéro est trop long.", _CHECK_ADDRESS),
    "test_number": _row(
        "The provider takes the number for a test, such as one digit repeated.",
        "Le prestataire prend ce numéro pour un essai, par exemple un même chiffre répété.",
        _CHECK_ADDRESS,
    ),
    "last_name_missing": _row(
        "The recipient's last name is missing.", "Le nom du destinataire manque.", _COMPLETE
    ),
    "first_name_missing": _row(
        "The recipient's first name is missing.", "Le prénom du destinataire manque.", _COMPLETE
    ),
    "address_line1_missing": _row(
        "The first line of the postal address is missing.",
        "La première ligne de l'adresse postale manque.",
        _COMPLETE,
    ),
    "city_missing": _row(
        "The city of the postal address is missing.",
        "La ville de l'adresse postale manque.",
        _COMPLETE,
    ),
    "postal_code_length": _row(
        "The postal code has a wrong length.",
        "La longueur du code postal n'est pas correcte.",
        _CHECK_ADDRESS,
    ),
    "blocked_by_recipient": _row(
        "The recipient does not take such messages.",
        "Le destinataire refuse ce genre d'envoi.",
        _OTHER_WAY,
    ),
    "mailbox_full": _row(
        "The recipient's mailbox is full.", "La boîte du destinataire est pleine.", _TRY_LATER
    ),
    # The line.
    "busy": _row("The line was busy.", "La ligne était occupée.", _TRY_LATER),
    "no_answer": _row("Nobody answered the call.", "L'appel est resté sans réponse.", _TRY_LATER),
    "unreachable": _row(
        "The recipient could not be reached.", "Le destinataire n'a pas pu être joint.", _TRY_LATER
    ),
    "transmission_error": _row(
        "The transmission broke off; some pages may have arrived.",
        "La transmission a été interrompue ; des pages sont peut-être arrivées.",
        _ASK_FIRST,
    ),
    # What was sent.
    "content_missing": _row("The message has no content.", "Le message est vide.", _COMPLETE),
    "content_refused": _row("The content was refused.", "Le contenu a été refusé.", _CORRECT),
    "forbidden_characters": _row(
        "The provider does not take a character or a sequence of the message.",
        "Le prestataire refuse un caractère ou une séquence du message.",
        _CORRECT,
    ),
    "sender_missing": _row("The sender is missing.", "L'émetteur manque.", _COMPLETE),
    "sender_invalid": _row("The sender is not valid.", "L'émetteur n'est pas valable.", _CORRECT),
    "reply_to_invalid": _row(
        "The address for replies is not valid.",
        "L'adresse de réponse n'est pas valable.",
        _CORRECT,
    ),
    "billing_code_missing": _row(
        "The billing code is missing.", "Le code de facturation manque.", _COMPLETE
    ),
    "documents_missing": _row(
        "The documents of the letter are missing.", "Les documents du courrier manquent.", _COMPLETE
    ),
    "document_invalid": _row(
        "The provider could not use the document.",
        "Le prestataire n'a pas pu utiliser le document.",
        _DOCUMENT,
    ),
    "document_too_large": _row(
        "The document is too large for the provider.",
        "Le document est trop volumineux pour le prestataire.",
        Words(
            "Make the document smaller, and send a new message.",
            "Réduisez la taille du document, puis envoyez un nouveau message.",
        ),
    ),
    "document_unreachable": _row(
        "The provider could not fetch the document from the gateway.",
        "Le prestataire n'a pas pu télécharger le document depuis la passerelle.",
        _OPERATORS,
    ),
    # The provider, and us.
    "provider_unavailable": _row(
        "The provider could not be reached in all the attempts; nothing was sent.",
        "Le prestataire est resté injoignable à chaque tentative ; rien n'a été envoyé.",
        _TRY_LATER,
    ),
    "campaign_not_recorded": _row(
        "The provider could not record the sending; nothing was sent.",
        "Le prestataire n'a pas pu enregistrer l'envoi ; rien n'a été envoyé.",
        _TRY_LATER,
    ),
    "provider_contract": _row(
        "The provider refused the form of the request.",
        "Le prestataire a refusé la forme de la demande.",
        _OPERATORS,
    ),
    "provider_credentials": _row(
        "The provider refused the gateway's account.",
        "Le prestataire a refusé le compte de la passerelle.",
        _OPERATORS,
    ),
    "provider_credit": _row(
        "The gateway's account at the provider has no credit left.",
        "Le compte de la passerelle chez le prestataire n'a plus de crédit.",
        _OPERATORS,
    ),
    "policy": _row(
        "The provider refused the message by a rule of its own.",
        "Le prestataire a refusé le message selon ses propres règles.",
        _OPERATORS,
    ),
    "unmapped": _row(
        "The provider told a failure by a code to which nobody has given a meaning yet.",
        "Le prestataire a signalé un échec par un code dont personne n'a encore défini le sens.",
        _OPERATORS,
    ),
    "resolved_abandoned": _row(
        "Nobody knew whether it was sent, and a person gave it up.",
        "Personne ne savait s'il était parti, et une personne l'a abandonné.",
        _ASK_FIRST,
    ),
}

# A reason that an operator's file gives: it has no sentence of ours.
OTHER: Final = _row(
    "The provider refused the message; the reason is {reason}.",
    "Le prestataire a refusé le message ; le motif est {reason}.",
    Words(
        "Ask the operators of the gateway what the reason stands for.",
        "Demandez aux exploitants de la passerelle ce que signifie ce motif.",
    ),
)
AGAIN: Final = Words(
    "The same message may succeed another time.", "Le même message peut réussir une autre fois."
)
