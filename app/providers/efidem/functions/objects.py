"""What several functions share: the chapters "Authentification" and "Objets", and short names."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from app.domain.message import Content, File, Submission, Submitted
from app.providers.manual import Answer, FileContent, Meaning, Parameter, Shape, unused

ACCEPTED: Final = Meaning.ACCEPTED
REFUSED: Final = Meaning.REFUSED
BLOCKED: Final = Meaning.BLOCKED
NO_STATUS: Final = Meaning.NO_STATUS
OUR_FAULT: Final = Meaning.OUR_FAULT
NEGATIVE: Final = Meaning.NEGATIVE
DEFERRED: Final = Meaning.DEFERRED
CREDENTIALS: Final = "provider_credentials"


def taken_over(answers: Iterable[Answer], *codes: str) -> tuple[Answer, ...]:
    """Return a sibling's answers for a function that has no list: all of them, or those named."""
    return tuple(replace(row, assumed=True) for row in answers if not codes or row.code in codes)


def files_of(submission: Submission[Content], files: tuple[File, ...]) -> tuple[FileContent, ...]:
    """Return files with their bytes."""
    return tuple(FileContent(name=one.name, content=submission.files[one.sha256]) for one in files)


def _message_id(submitted: Submitted) -> str:
    return submitted.provider_message_id


REFERENCE_NAMES: Final = ("REF_CLIENT", "Reference_client")

# fmt: off
# Chapter "Objets": "Le nom de la pièce jointe", "Le contenu encodé en binaire".
FILE_FIELDS: Final = (
    Parameter("NOM", unused, "Le nom de la pièce jointe", required=True,
              spellings=("NOM_FICHIER", "NOMFICHIER", "FICHIER", "FILENAME", "NAME")),
    Parameter("CONTENU", unused, "Le contenu encodé en binaire", required=True,
              spellings=("CONTENU_FICHIER", "DONNEES", "DATA", "BINAIRE", "CONTENT", "BASE64")),
)

# Chapter "Objets": "Il permet de définir, pour un destinataire, tous les paramètres correspondants."
# Its fields are not listed. Where only an address is given, the others stand here to be left empty.
ADDRESS_NAMES: Final = ("EMAIL", "ADRESSE_EMAIL", "ADRESSE", "MAIL", "DESTINATAIRE")
DESTINATAIRE_ADDRESS: Final = (
    Parameter("DESTINATION", unused, "Adresse email du destinataire.", required=True, spellings=ADDRESS_NAMES),
    Parameter("NOM_DESTINATAIRE", unused, "Nom du destinataire", spellings=("NOM",)),
    Parameter("REFCLIENT", unused, "Référence client (si besoin d'identifier un message)", spellings=REFERENCE_NAMES),
    Parameter("VARIABLEX", unused, "Champs variable destiné à la personnalisation du message. Voir chapitre dédié.",
              shape=Shape.VARIABLES),
)

# Chapter "Authentification": "Ce trio de données doit être transféré à chaque requête".
TRIO: Final = (
    Parameter("UTILISATEUR", unused, "Nom d'utilisateur / Identifiant", required=True),
    Parameter("MOT_DE_PASSE", unused, "Mot de passe utilisateur", required=True),
    Parameter("AppID", unused, "Identifiant unique d'application", required=True, spellings=("ApplID",)),
)

MESSAGEID: Final = Parameter("MESSAGEID", _message_id, "Numéro de message unique Efidem", required=True)
# fmt: on
