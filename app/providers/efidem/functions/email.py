"""Efidem's e-mail functions, chapter "Envoyer et suivre des emails": names, order and words.

What the document leaves blank or silent is marked `assumed`.
"""

from operator import itemgetter
from typing import Final

from app.domain.message import Campaign, Email, Submission
from app.providers.efidem.functions.objects import (
    ADDRESS_NAMES,
    BLOCKED,
    CREDENTIALS,
    FILE_FIELDS,
    MESSAGEID,
    NO_STATUS,
    OUR_FAULT,
    REFERENCE_NAMES,
    REFUSED,
    files_of,
    taken_over,
)
from app.providers.efidem.functions.sms import MULTI_ENVOYER_SMS
from app.providers.manual import Answer, Fields, FileContent, Function, Parameter, Shape, unused


def email_files(submission: Submission[Email]) -> tuple[FileContent, ...] | None:
    """Return an e-mail's attachments with their bytes."""
    return files_of(submission, submission.content.files) or None


def _recipients(campaign: Campaign[Email]) -> tuple[Fields, ...]:
    return tuple(
        {
            "DESTINATION": one.content.to_address,
            "NOM_DESTINATAIRE": one.content.to_name,
            "REFCLIENT": one.reference,
            "VARIABLEX": one.content.variables or None,
        }
        for one in campaign.members
    )


# fmt: off
ENVOYER_EMAIL: Final = Function(
    name="ENVOYER_EMAIL",
    chapter="Envoyer et suivre des emails",
    parameters=(
        Parameter("DESTINATION", lambda s: s.content.to_address, "Adresse email du destinataire.", required=True),
        Parameter("NOM_DESTINATAIRE", lambda s: s.content.to_name, "Nom du destinataire", pointer="/to/0/name"),
        Parameter("TEXTE", lambda s: s.content.text, "Texte de votre email", required=True),
        Parameter("HTML", lambda s: s.content.html, "Texte HTML de votre message email", required=True),
        Parameter("EMETTEUR", lambda s: s.content.from_address, "Adresse email d'émission", required=True),
        Parameter("REPONDRE_A", lambda s: s.content.reply_to, "Adresse email de réponse", pointer="/reply_to"),
        Parameter("REFCLIENT", lambda s: s.reference, "Référence client (si besoin d'identifier un message)",
                  spellings=REFERENCE_NAMES),
        Parameter("LISTE_FICHIERS", email_files, "Liste des pièces jointes à envoyer", shape=Shape.FILES,
                  fields=FILE_FIELDS, spellings=("LISTE_FICHIER",), pointer="/attachments"),
        Parameter("CODE_FACTURATION", lambda s: s.billing_code, "Code permettant la ventilation des factures par département, services, BU...",
                  spellings=("Facturation",), pointer="/billing_code"),
        # There is no such chapter: X is taken to stand for 1, 2, 3 and so on.
        Parameter("VARIABLEX", lambda s: s.content.variables or None, "Champs variable destiné à la personnalisation du message. Voir chapitre dédié.",
                  shape=Shape.VARIABLES, pointer="/variables"),
        # Not in the table, and yet answer -6 is "Le champ sujet n'est pas renseigné".
        Parameter("SUJET", lambda s: s.content.subject, "the document's table has no subject",
                  spellings=("SUBJECT", "OBJET", "TITRE")),
    ),
    answers=(
        Answer("-1",  BLOCKED, "Nom d'utilisateur vide", CREDENTIALS),
        Answer("-2",  BLOCKED, "Mot de passe vide", CREDENTIALS),
        Answer("-3",  BLOCKED, "AppID vide", CREDENTIALS),
        Answer("-4",  REFUSED, "", "recipient_missing", assumed=True),
        Answer("-5",  REFUSED, "Adresse émettrice vide", "sender_missing"),
        # A subject is never empty here, and -6 means bad credentials in every other function:
        # so it is no message's fault.
        Answer("-6",  BLOCKED, "Le champ sujet n'est pas renseigné", "provider_contract"),
        Answer("-7",  REFUSED, "Séquence de caractères non autorisée", "forbidden_characters"),
        Answer("-8",  REFUSED, "Les champs TEXTE et/ou HTML ne sont pas renseignés. L'un de ces champs doit être différent de vide", "content_missing"),
        Answer("-9",  REFUSED, "Format de l'adresse de destination incorrect", "invalid_recipient"),
        Answer("-10", REFUSED, "Format de l'adresse émettrice incorrect", "sender_invalid"),
        Answer("-11", REFUSED, "Format de l'adresse de réponse (REPLY-TO) incorrect", "reply_to_invalid"),
    ),
)

# Chapter "Objets": "Les champs obligatoires sont les mêmes que pour les champs de destination dans la
# fonction ENVOYER_EMAIL". A campaign's member has its own reference, or its status cannot be asked.
DESTINATAIRE: Final = (
    Parameter("DESTINATION", itemgetter("DESTINATION"), "Adresse email du destinataire.", required=True, spellings=ADDRESS_NAMES),
    Parameter("NOM_DESTINATAIRE", itemgetter("NOM_DESTINATAIRE"), "Nom du destinataire", spellings=("NOM",), pointer="/to/0/name"),
    Parameter("REFCLIENT", itemgetter("REFCLIENT"), "Référence client (si besoin d'identifier un message)",
              spellings=REFERENCE_NAMES),
    Parameter("VARIABLEX", itemgetter("VARIABLEX"), "Champs variable destiné à la personnalisation du message. Voir chapitre dédié.",
              shape=Shape.VARIABLES, pointer="/variables"),
)

MULTI_ENVOYER_EMAIL: Final = Function(
    name="MULTI_ENVOYER_EMAIL",
    chapter="Envoyer et suivre des emails",
    parameters=(
        # "en lieu et place d'un destinataire unique : DESTINATION est chargée un tableau d'objet
        # contenant plusieurs emails : DESTINATAIRE". The table is ENVOYER_EMAIL's, unchanged: what
        # is one recipient's in it stands in the objects.
        Parameter("DESTINATION", _recipients, "Adresse email du destinataire.", required=True, shape=Shape.OBJECTS,
                  fields=DESTINATAIRE, spellings=("DESTINATAIRE", "DESTINATAIRES", "DESTINATIONS")),
        Parameter("NOM_DESTINATAIRE", unused, "Nom du destinataire"),
        Parameter("TEXTE", lambda c: c.first.content.text, "Texte de votre email", required=True),
        Parameter("HTML", lambda c: c.first.content.html, "Texte HTML de votre message email", required=True),
        Parameter("EMETTEUR", lambda c: c.first.content.from_address, "Adresse email d'émission", required=True),
        Parameter("REPONDRE_A", lambda c: c.first.content.reply_to, "Adresse email de réponse", pointer="/reply_to"),
        Parameter("REFCLIENT", unused, "Référence client (si besoin d'identifier un message)", spellings=REFERENCE_NAMES),
        Parameter("LISTE_FICHIERS", lambda c: email_files(c.first), "Liste des pièces jointes à envoyer", shape=Shape.FILES,
                  fields=FILE_FIELDS, spellings=("LISTE_FICHIER",), pointer="/attachments"),
        Parameter("CODE_FACTURATION", lambda c: c.first.billing_code, "Code permettant la ventilation des factures par département, services, BU...",
                  spellings=("Facturation",), pointer="/billing_code"),
        Parameter("VARIABLEX", unused, "Champs variable destiné à la personnalisation du message. Voir chapitre dédié.",
                  shape=Shape.VARIABLES),
        Parameter("SUJET", lambda c: c.first.content.subject, "the document's table has no subject",
                  spellings=("SUBJECT", "OBJET", "TITRE")),
    ),
    # No list: "suit le même principe de fonctionnement que la fonction ENVOYER_EMAIL", and -50 is
    # the other campaign's.
    answers=(*taken_over(ENVOYER_EMAIL.answers), *taken_over(MULTI_ENVOYER_SMS.answers, "-50")),
)

STATUT_EMAIL: Final = Function(
    name="STATUT_EMAIL",
    chapter="Envoyer et suivre des emails",
    parameters=(MESSAGEID,),
    answers=(
        Answer("-1",  BLOCKED,   "Nom d'utilisateur vide", CREDENTIALS),
        Answer("-2",  BLOCKED,   "Mot de passe vide", CREDENTIALS),
        Answer("-3",  BLOCKED,   "AppID vide", CREDENTIALS),
        Answer("-4",  OUR_FAULT, "MESSAGEID vide"),
        Answer("-5",  OUR_FAULT, "", assumed=True),
        Answer("-6",  BLOCKED,   "Informations d'authentification incorrectes", CREDENTIALS),
        Answer("-7",  OUR_FAULT, "Séquence de caractères non autorisée"),
        Answer("-99", NO_STATUS, "Aucun statut"),
    ),
)

STATUT_MULTI_EMAIL: Final = Function(
    name="STATUT_MULTI_EMAIL",
    chapter="Envoyer et suivre des emails",
    parameters=(
        MESSAGEID,
        Parameter("REFCLIENT", lambda s: s.reference, "Identifiant du destinataire", required=True, spellings=REFERENCE_NAMES),
    ),
    answers=(
        Answer("-1",  BLOCKED,   "Nom d'utilisateur vide", CREDENTIALS),
        Answer("-2",  BLOCKED,   "Mot de passe vide", CREDENTIALS),
        Answer("-3",  BLOCKED,   "AppID vide", CREDENTIALS),
        Answer("-4",  OUR_FAULT, "MESSAGEID vide"),
        Answer("-5",  OUR_FAULT, "", assumed=True),
        Answer("-6",  BLOCKED,   "Informations d'authentification incorrectes", CREDENTIALS),
        Answer("-7",  OUR_FAULT, "Séquence de caractères non autorisée"),
        Answer("-8",  OUR_FAULT, "Identifiant de destinataire vide"),
        Answer("-99", NO_STATUS, "Aucun statut"),
    ),
)
# fmt: on
