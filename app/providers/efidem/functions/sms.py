"""Efidem's SMS functions, chapter "Envoyer et suivre des SMS": names, order and words.

What the document leaves blank or silent is marked `assumed`.
"""

from operator import itemgetter
from typing import Final

from app.domain.message import Campaign, Sms
from app.providers.efidem.functions.objects import (
    BLOCKED,
    CREDENTIALS,
    DEFERRED,
    MESSAGEID,
    NO_STATUS,
    OUR_FAULT,
    REFERENCE_NAMES,
    REFUSED,
    taken_over,
)
from app.providers.manual import Answer, Fields, Function, Parameter, Shape, unused


def _number(number: str) -> str:
    """Return a number as the chapter asks for it: code pays + numéro, without a plus sign."""
    return number.removeprefix("+")


def _recipients(campaign: Campaign[Sms]) -> tuple[Fields, ...]:
    return tuple(
        {"DESTINATION": _number(one.content.to), "VARIABLEX": one.content.variables or None}
        for one in campaign.members
    )


# fmt: off
ENVOYER_SMS: Final = Function(
    name="ENVOYER_SMS",
    chapter="Envoyer et suivre des SMS",
    parameters=(
        Parameter("DESTINATION", lambda s: _number(s.content.to), "Numéro de destinataire", required=True),
        Parameter("TEXTE", lambda s: s.content.text, "Texte de votre message SMS", required=True),
        Parameter("DA", lambda s: s.content.sender, "Nom d'émetteur personnalisé (11 caractères alphanumériques maximum)",
                  spellings=("EMETTEUR",), pointer="/sender"),
        Parameter("CODE_FACTURATION", lambda s: s.billing_code, "Code permettant la ventilation des factures par département, services, BU...",
                  spellings=("Facturation",), pointer="/billing_code"),
    ),
    answers=(
        Answer("-1",  BLOCKED, "Nom d'utilisateur vide", CREDENTIALS),
        Answer("-2",  BLOCKED, "Mot de passe vide", CREDENTIALS),
        Answer("-3",  BLOCKED, "AppID vide", CREDENTIALS),
        Answer("-4",  REFUSED, "Numéro de destinataire vide", "recipient_missing"),
        Answer("-5",  REFUSED, "Texte du SMS vide", "content_missing"),
        Answer("-6",  BLOCKED, "Informations d'authentification incorrectes", CREDENTIALS),
        Answer("-7",  REFUSED, "Séquence de caractères non autorisée", "forbidden_characters"),
        Answer("-8",  REFUSED, "Numéro de destination trop court", "number_too_short"),
        Answer("-9",  REFUSED, "Numéro de destination trop long", "number_too_long"),
        Answer("-10", REFUSED, "Numéro de destination de test (suite d'un même chiffre)", "test_number"),
    ),
)

# Chapter "Objets" has one object for both campaigns, and lists no fields: what an e-mail's has beside
# stays empty.
DESTINATAIRE: Final = (
    Parameter("DESTINATION", itemgetter("DESTINATION"), "Numéro de destinataire", required=True,
              spellings=("NUMERO", "TELEPHONE", "MOBILE", "SMS", "DESTINATAIRE")),
    Parameter("NOM_DESTINATAIRE", unused, "Nom du destinataire", spellings=("NOM",)),
    Parameter("REFCLIENT", unused, "Référence client", spellings=REFERENCE_NAMES),
    Parameter("VARIABLEX", itemgetter("VARIABLEX"), "Champs variable destiné à la personnalisation du message.",
              shape=Shape.VARIABLES, pointer="/variables"),
)

MULTI_ENVOYER_SMS: Final = Function(
    name="MULTI_ENVOYER_SMS",
    chapter="Envoyer et suivre des SMS",
    parameters=(
        # The chapter's prose calls it DESTINATION.
        Parameter("DESTINATAIRE", _recipients, "Collection de destinataires", required=True, shape=Shape.OBJECTS,
                  fields=DESTINATAIRE, spellings=("DESTINATION", "DESTINATAIRES", "DESTINATIONS")),
        Parameter("TEXTE", lambda c: c.first.content.text, "Texte de votre message SMS", required=True),
        Parameter("EMETTEUR", lambda c: c.first.content.sender, "Nom d'émetteur personnalisé (11 caractères alphanumériques maximum)",
                  spellings=("DA",), pointer="/sender"),
        Parameter("CODE_FACTURATION", lambda c: c.first.billing_code, "Code permettant la ventilation des factures par département, services, BU...",
                  spellings=("Facturation",), pointer="/billing_code"),
    ),
    answers=(
        Answer("-1",  BLOCKED, "Nom d'utilisateur vide", CREDENTIALS),
        Answer("-2",  BLOCKED, "Mot de passe vide", CREDENTIALS),
        Answer("-3",  BLOCKED, "AppID vide", CREDENTIALS),
        Answer("-4",  REFUSED, "Numéro de destinataire vide (parmi la liste)", "recipient_missing"),
        Answer("-5",  REFUSED, "Texte du SMS vide", "content_missing"),
        Answer("-6",  BLOCKED, "Informations d'authentification incorrectes", CREDENTIALS),
        Answer("-7",  REFUSED, "Séquence de caractères non autorisée", "forbidden_characters"),
        # -8 and -9 are the other way round than in ENVOYER_SMS.
        Answer("-8",  REFUSED, "Numéro de destination trop long", "number_too_long"),
        Answer("-9",  REFUSED, "Numéro de destination trop court", "number_too_short"),
        Answer("-10", REFUSED, "Numéro de destination de test (suite d'un même chiffre)", "test_number"),
        # Nothing was taken, and nobody's number is at fault: it is worth another try.
        Answer("-50", DEFERRED, "Impossible d'enregistrer la campagne", "campaign_not_recorded"),
    ),
)

STATUT_SMS: Final = Function(
    name="STATUT_SMS",
    chapter="Envoyer et suivre des SMS",
    parameters=(MESSAGEID,),
    answers=(
        Answer("-1", BLOCKED,   "Nom d'utilisateur vide", CREDENTIALS),
        Answer("-2", BLOCKED,   "Mot de passe vide", CREDENTIALS),
        Answer("-3", BLOCKED,   "AppID vide", CREDENTIALS),
        Answer("-4", OUR_FAULT, "MESSAGEID vide"),
        Answer("-5", NO_STATUS, "Aucun statut"),
        Answer("-6", BLOCKED,   "Informations d'authentification incorrectes", CREDENTIALS),
        Answer("-7", OUR_FAULT, "Séquence de caractères non autorisée"),
        Answer("-8", NO_STATUS, "Aucun statut"),
    ),
)

# The document gives this function no list: STATUT_SMS's is taken over.
STATUT_COMPLET_SMS: Final = Function(
    name="STATUT_COMPLET_SMS",
    chapter="Envoyer et suivre des SMS",
    parameters=(MESSAGEID,),
    answers=taken_over(STATUT_SMS.answers),
)
# fmt: on
