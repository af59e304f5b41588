"""What several functions share: the chapters "Authentification" and "Objets", and short names."""

from typing import Final

from app.domain.message import Content, File, Submission, Submitted
from app.providers.manual import FileContent, Meaning, Parameter, unused

REFUSED: Final = Meaning.REFUSED
BLOCKED: Final = Meaning.BLOCKED
NO_STATUS: Final = Meaning.NO_STATUS
OUR_FAULT: Final = Meaning.OUR_FAULT
CREDENTIALS: Final = "provider_credentials"


def files_of(submission: Submission[Content], files: tuple[File, ...]) -> tuple[FileContent, ...]:
    """Return files with their bytes."""
    return tuple(FileContent(name=one.name, content=submission.files[one.sha256]) for one in files)


def _message_id(submitted: Submitted) -> str:
    return submitted.provider_message_id


# fmt: off
# Chapter "Objets": "Le nom de la pièce jointe", "Le contenu encodé en binaire".
FILE_FIELDS: Final = (
    Parameter("NOM", unused, "Le nom de la pièce jointe", required=True,
              spellings=("NOM_FICHIER", "NOMFICHIER", "FICHIER", "FILENAME", "NAME")),
    Parameter("CONTENU", unused, "Le contenu encodé en binaire", required=True,
              spellings=("CONTENU_FICHIER", "DONNEES", "DATA", "BINAIRE", "CONTENT", "BASE64")),
)

# Chapter "Authentification": "Ce trio de données doit être transféré à chaque requête".
TRIO: Final = (
    Parameter("UTILISATEUR", unused, "Nom d'utilisateur / Identifiant", required=True),
    Parameter("MOT_DE_PASSE", unused, "Mot de passe utilisateur", required=True),
    Parameter("AppID", unused, "Identifiant unique d'application", required=True, spellings=("ApplID",)),
)

MESSAGEID: Final = Parameter("MESSAGEID", _message_id, "Numéro de message unique Efidem", required=True)
# fmt: on
