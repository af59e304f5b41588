"""Efidem's e-mail functions, chapter "Envoyer et suivre des emails": names, order and words.

What the document leaves blank or silent is marked `assumed`.
"""

from typing import Final

from app.domain.message import Email, Submission
from app.providers.efidem.functions.objects import (
    BLOCKED,
    CREDENTIALS,
    FILE_FIELDS,
    MESSAGEID,
    NO_STATUS,
    OUR_FAULT,
    REFUSED,
    files_of,
)
from app.providers.manual import Answer, FileContent, Function, Parameter, Shape, unused


def _email_files(submission: Submission[Email]) -> tuple[FileContent, ...] | None:
    return files_of(submission, submission.content.files) or None


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
                  spellings=("REF_CLIENT", "Reference_client")),
        Parameter("LISTE_FICHIERS", _email_files, "Liste des pièces jointes à envoyer", shape=Shape.FILES,
                  fields=FILE_FIELDS, spellings=("LISTE_FICHIER",), pointer="/attachments"),
        Parameter("CODE_FACTURATION", lambda s: s.billing_code, "Code permettant la ventilation des factures par département, services, BU...",
                  spellings=("Facturation",), pointer="/billing_code"),
        Parameter("VARIABLEX", unused, "Champs variable destiné à la personnalisation du message. Voir chapitre dédié."),  # there is none
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
# fmt: on
