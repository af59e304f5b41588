"""Where a message can stand, as its reader sees it: each status, and what sets it apart."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from app.domain.explain.words import (
    ANEW,
    ASKED,
    CANCEL,
    NO_MORE,
    NOT_ANEW,
    NOTHING,
    Lines,
    Words,
)


class Situation(StrEnum):
    """A status, or one of the ways in which a message comes to it."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    QUEUED_AGAIN = "queued_again"  # after an attempt that did not get it through
    HELD = "held"
    SUBMITTING = "submitting"
    UNCERTAIN = "uncertain"
    ABSENCE_PROVEN = "absence_proven"  # uncertain, and it is known that nothing was sent
    SUBMITTED = "submitted"
    ACK_OVERDUE = "ack_overdue"  # submitted, and the provider should have told by now
    UNMAPPED = "unmapped"  # submitted, and the provider told what nobody has given a meaning to
    SENT = "sent"
    DELIVERED = "delivered"
    PARTIALLY_DELIVERED = "partially_delivered"
    FAILED = "failed"
    RETURNED = "returned"
    CANCELLED = "cancelled"
    EXPIRED_UNSENT = "expired_unsent"  # its time was over before it left
    EXPIRED_UNKNOWN = "expired_unknown"  # it may have left, and nobody said what became of it


SITUATIONS: Final[Mapping[Situation, Lines]] = {
    Situation.SCHEDULED: Lines(
        Words(
            "The message is kept and waits for the time at which it is to leave.",
            "Le message est enregistré et attend l'heure prévue pour son départ.",
        ),
        Words("It then leaves by itself.", "Il partira alors tout seul."),
        CANCEL,
    ),
    Situation.QUEUED: Lines(
        Words(
            "The message is kept safely and waits for its turn to be sent.",
            "Le message est enregistré de façon sûre et attend son tour pour être envoyé.",
        ),
        Words(
            "A worker hands it to the provider as soon as one is free.",
            "Il sera remis au prestataire dès que possible.",
        ),
        CANCEL,
    ),
    Situation.QUEUED_AGAIN: Lines(
        Words(
            "An attempt did not get the message through; it waits to be sent again.",
            "Une tentative d'envoi n'a pas abouti ; le message attend d'être renvoyé.",
        ),
        Words(
            "The gateway sends it again by itself.",
            "La passerelle le renverra d'elle-même.",
        ),
        CANCEL,
    ),
    Situation.HELD: Lines(
        Words(
            "The message is held back and does not leave until a person decides.",
            "Le message est retenu et ne partira pas avant la décision d'une personne.",
        ),
        Words(
            "An operator of the gateway releases it or gives it up.",
            "Un exploitant de la passerelle le libérera ou l'abandonnera.",
        ),
        Words(
            "Ask the operators if it is urgent, or cancel it: POST /v1/messages/{id}/cancel.",
            "Si c'est urgent, adressez-vous aux exploitants, ou annulez-le :"
            " POST /v1/messages/{id}/cancel.",
        ),
    ),
    Situation.SUBMITTING: Lines(
        Words(
            "The message is being handed to the provider at this moment.",
            "Le message est en cours de remise au prestataire.",
        ),
        Words(
            "Its status changes as soon as the provider has answered.",
            "Son statut changera dès que le prestataire aura répondu.",
        ),
        Words(
            "Wait a moment; it can no longer be cancelled.",
            "Patientez un instant ; il ne peut plus être annulé.",
        ),
    ),
    Situation.UNCERTAIN: Lines(
        Words(
            "The provider was called and its answer never came or says nothing: the message may"
            " have been sent, or not.",
            "Le prestataire a été appelé, mais sa réponse n'est pas parvenue ou ne dit rien : le"
            " message est peut-être parti, peut-être pas.",
        ),
        Words(
            "The gateway looks for evidence at the provider; it sends nothing again without it.",
            "La passerelle cherche des preuves auprès du prestataire ; sans preuve, elle ne renvoie"
            " rien.",
        ),
        NOT_ANEW,
    ),
    Situation.ABSENCE_PROVEN: Lines(
        Words(
            "The provider's answer never came, and it is proven since that it sent nothing.",
            "La réponse du prestataire n'est pas parvenue, et il est prouvé depuis que rien n'a été"
            " envoyé.",
        ),
        Words(
            "A person decides whether it is sent again; otherwise it expires.",
            "Une personne décidera de le renvoyer ou non ; sinon, il expirera.",
        ),
        Words(
            "Ask an operator to resolve it: POST /v1/messages/{id}/resolve.",
            "Demandez à un exploitant de trancher : POST /v1/messages/{id}/resolve.",
        ),
    ),
    Situation.SUBMITTED: Lines(
        Words(
            "The provider has accepted the message; it has not said yet what became of it.",
            "Le prestataire a accepté le message ; il n'a pas encore dit ce qu'il est devenu.",
        ),
        ASKED,
        NOTHING,
    ),
    Situation.ACK_OVERDUE: Lines(
        Words(
            "The provider has accepted the message, and its acknowledgement is late.",
            "Le prestataire a accepté le message, mais son accusé tarde à venir.",
        ),
        Words(
            "The acknowledgement still counts when it comes; without it, the message expires.",
            "L'accusé sera pris en compte s'il arrive ; sans lui, le message expirera.",
        ),
        NOT_ANEW,
    ),
    Situation.UNMAPPED: Lines(
        Words(
            "The provider told a status by a code to which nobody has given a meaning yet.",
            "Le prestataire a donné un statut par un code dont personne n'a encore défini le sens.",
        ),
        Words(
            "When an operator writes down what the code means, the status is corrected by itself.",
            "Dès qu'un exploitant aura noté le sens de ce code, le statut sera corrigé tout seul.",
        ),
        Words(
            "Ask the operators to give the code a meaning.",
            "Demandez aux exploitants de définir le sens de ce code.",
        ),
    ),
    Situation.SENT: Lines(
        Words(
            "The provider has handed the message to the network or to the post.",
            "Le prestataire a remis le message au réseau ou à la poste.",
        ),
        ASKED,
        NOTHING,
    ),
    Situation.DELIVERED: Lines(
        Words(
            "The provider says that the message arrived.",
            "Le prestataire indique que le message est arrivé.",
        ),
        Words(
            "Nothing more happens to it; only a letter may still come back.",
            "Il ne se passera plus rien ; seul un courrier peut encore revenir.",
        ),
        NOTHING,
    ),
    Situation.PARTIALLY_DELIVERED: Lines(
        Words(
            "A part of the message arrived: some pages or some recipients are missing.",
            "Une partie du message est arrivée : il manque des pages ou des destinataires.",
        ),
        NO_MORE,
        Words(
            "See what is missing under /v1/messages/{id}/recipients, and send that part alone.",
            "Voyez ce qui manque sous /v1/messages/{id}/recipients, et n'envoyez que cette partie.",
        ),
    ),
    Situation.FAILED: Lines(
        Words("The message did not arrive.", "Le message n'est pas arrivé."),
        Words(
            "The gateway does not send it again; should the provider report later that it did"
            " arrive, its status is corrected.",
            "La passerelle ne le renverra pas ; si le prestataire signale plus tard qu'il est"
            " arrivé, son statut sera corrigé.",
        ),
        ANEW,
    ),
    Situation.RETURNED: Lines(
        Words("The letter came back.", "Le courrier est revenu à l'expéditeur."),
        NO_MORE,
        Words(
            "Check the postal address before you send it again.",
            "Vérifiez l'adresse postale avant de le renvoyer.",
        ),
    ),
    Situation.CANCELLED: Lines(
        Words(
            "The message was cancelled before it left; nothing was sent.",
            "Le message a été annulé avant son départ ; rien n'a été envoyé.",
        ),
        NO_MORE,
        ANEW,
    ),
    Situation.EXPIRED_UNSENT: Lines(
        Words(
            "The time given for the message was over before it could leave; nothing was sent.",
            "Le délai fixé pour le message s'est écoulé avant son départ ; rien n'a été envoyé.",
        ),
        NO_MORE,
        ANEW,
    ),
    Situation.EXPIRED_UNKNOWN: Lines(
        Words(
            "The message may have arrived or not: in all the time allowed, nobody said what became"
            " of it.",
            "Le message est peut-être arrivé, peut-être pas : dans le délai prévu, personne n'a dit"
            " ce qu'il est devenu.",
        ),
        Words(
            "The gateway asks no more; a late report of the provider still corrects the status.",
            "La passerelle ne pose plus la question ; un avis tardif du prestataire corrigera encore"
            " le statut.",
        ),
        Words(
            "Ask the recipient before you send it again: it might arrive twice.",
            "Interrogez le destinataire avant de le renvoyer : il pourrait arriver deux fois.",
        ),
    ),
}
