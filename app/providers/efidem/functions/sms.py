"""Efidem's SMS functions, chapter "Envoyer et suivre des SMS": names, order and words.

What the document leaves blank or silent is marked `assumed`.
"""

from typing import Final

from app.providers.efidem.functions.objects import (
    BLOCKED,
    CREDENTIALS,
    MESSAGEID,
    NO_STATUS,
    OUR_FAULT,
    REFUSED,
)
from app.providers.manual import Answer, Function, Parameter

# fmt: off
ENVOYER_SMS: Final = Function(
    name="ENVOYER_SMS",
    chapter="Envoyer et suivre des SMS",
    parameters=(
        # The chapter asks for the international format, code pays + numéro, without a plus sign.
        Parameter("DESTINATION", lambda s: s.content.to.removeprefix("+"), "Numéro de destinataire", required=True),
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
    answers=tuple(
        Answer(row.code, row.meaning, row.words, row.reason, assumed=True)
        for row in STATUT_SMS.answers
    ),
)
# fmt: on
