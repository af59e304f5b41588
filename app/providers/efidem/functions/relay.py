"""Efidem's e-mail relay, chapter "Envoyer et suivre des emails via le Relais SMTP".

The document gives neither function a list of answers: their siblings' are assumed.
"""

from typing import Final

from app.domain.message import Email, Submission
from app.providers.efidem.functions.email import ENVOYER_EMAIL, STATUT_EMAIL, email_files
from app.providers.efidem.functions.objects import (
    DESTINATAIRE_ADDRESS,
    FILE_FIELDS,
    MESSAGEID,
    REFERENCE_NAMES,
    taken_over,
)
from app.providers.manual import Function, Parameter, Shape


def _to(submission: Submission[Email]) -> tuple[str, ...]:
    return (submission.content.to_address, *submission.content.also_to)


# fmt: off
ENVOYER_EMAIL_RELAIS: Final = Function(
    name="ENVOYER_EMAIL_RELAIS",
    chapter="Envoyer et suivre des emails via le Relais SMTP",
    parameters=(
        Parameter("DESTINATIONS_A", _to, "Tableau de destinataires pour le champ TO", required=True,
                  shape=Shape.TEXTS, fields=DESTINATAIRE_ADDRESS),
        Parameter("DESTINATIONS_CC", lambda s: s.content.cc or None, "Tableau de destinataires pour le champ CC",
                  shape=Shape.TEXTS, fields=DESTINATAIRE_ADDRESS, pointer="/cc"),
        Parameter("TEXTE", lambda s: s.content.text, "Texte de votre message email", required=True),
        Parameter("HTML", lambda s: s.content.html, "Texte HTML de votre message email", required=True),
        Parameter("EMETTEUR", lambda s: s.content.from_address, "Adresse email d'émission", required=True),
        Parameter("REPONDRE_A", lambda s: s.content.reply_to, "Adresse email de réponse", pointer="/reply_to"),
        Parameter("REFCLIENT", lambda s: s.reference, "Référence client (si besoin d'identifier un message)",
                  spellings=REFERENCE_NAMES),
        Parameter("ERREURS_VERS", lambda s: s.content.errors_to, "Adresse email de retour des erreurs", pointer="/errors_to"),
        # What was not asked for is sent as false: whether the provider tracks by itself is not said.
        Parameter("OUVERTURE", lambda s: s.content.track_opens, "Champ booléen permettant le tracking des ouvertures",
                  shape=Shape.BOOLEAN, spellings=("OUVERTURES",), pointer="/track/opens"),
        Parameter("CLICS", lambda s: s.content.track_clicks, "Champ booléen permettant le tracking des clics",
                  shape=Shape.BOOLEAN, spellings=("CLIC",), pointer="/track/clicks"),
        Parameter("LISTE_FICHIERS_RELAY", email_files, "Liste des pièces jointes à envoyer", shape=Shape.FILES,
                  fields=FILE_FIELDS, spellings=("LISTE_FICHIERS_RELAIS", "LISTE_FICHIERS", "LISTE_FICHIER"), pointer="/attachments"),
        Parameter("CODE_FACTURATION", lambda s: s.billing_code, "Code permettant la ventilation des factures par département, services, BU...",
                  spellings=("Facturation",), pointer="/billing_code"),
        # Not in the table, as in no e-mail function's: ENVOYER_EMAIL's answer -6 asks for it.
        Parameter("SUJET", lambda s: s.content.subject, "the document's table has no subject",
                  spellings=("SUBJECT", "OBJET", "TITRE")),
    ),
    answers=taken_over(ENVOYER_EMAIL.answers),
)

SUIVRE_EMAIL_RELAIS: Final = Function(
    name="SUIVRE_EMAIL_RELAIS",
    chapter="Envoyer et suivre des emails via le Relais SMTP",
    spellings=("STATUT_EMAIL_RELAIS",),
    parameters=(
        MESSAGEID,
        Parameter("DESTINATION", lambda s: s.recipient, "Adresse email du destinataire", required=True, spellings=("DESTINATAIRE",)),
    ),
    answers=taken_over(STATUT_EMAIL.answers),
)
# fmt: on
