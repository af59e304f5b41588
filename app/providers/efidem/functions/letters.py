"""Efidem's letter functions, chapter "Envoyer et suivre des courriers": names, order and words.

What the document leaves blank or silent is marked `assumed`.
"""

from operator import itemgetter
from typing import Final

from app.domain.message import Letter, Submission
from app.providers.efidem.functions.email import STATUT_EMAIL
from app.providers.efidem.functions.objects import (
    BLOCKED,
    CREDENTIALS,
    FILE_FIELDS,
    MESSAGEID,
    REFUSED,
    files_of,
    taken_over,
)
from app.providers.manual import Answer, Function, Parameter, Shape, unused


def _name(submission: Submission[Letter]) -> dict[str, str | None]:
    letter = submission.content
    return {
        "CIVILITE": letter.title,
        "NOM": letter.last_name,
        "PRENOM": letter.first_name,
        "RAISON_SOCIALE": letter.company,
    }


def _address(submission: Submission[Letter]) -> dict[str, str | None]:
    letter = submission.content
    return {
        "ADRESSE_1": letter.line1,
        "ADRESSE_2": letter.line2,
        "CODE_POSTAL": letter.postal_code,
        "VILLE": letter.city,
        "PAYS": letter.country,
    }


# fmt: off
# "Ce bloc inclut, la civilité, le nom, le prénom et la raison sociale".
NAME_FIELDS: Final = (
    Parameter("CIVILITE", itemgetter("CIVILITE"), "la civilité", spellings=("TITRE",), pointer="/to/title"),
    Parameter("NOM", unused, "le nom", required=True),
    Parameter("PRENOM", unused, "le prénom", required=True),
    Parameter("RAISON_SOCIALE", itemgetter("RAISON_SOCIALE"), "la raison sociale", spellings=("SOCIETE",), pointer="/to/company"),
)

# The chapter "Objets" demands: adresse 1, code postal, ville et pays.
ADDRESS_FIELDS: Final = (
    Parameter("ADRESSE_1", unused, "l'adresse", required=True, spellings=("ADRESSE",)),
    Parameter("ADRESSE_2", itemgetter("ADRESSE_2"), "le complément d'adresse", pointer="/to/address/line2",
              spellings=("COMPLEMENT_ADRESSE", "COMPLEMENT", "COMPLEMENT_D_ADRESSE")),
    Parameter("CODE_POSTAL", unused, "le code postal", required=True, spellings=("CP",)),
    Parameter("VILLE", unused, "la ville", required=True),
    Parameter("PAYS", unused, "le pays", required=True),
)

COURRIER_ENVOYER: Final = Function(
    name="COURRIER_ENVOYER",
    chapter="Envoyer et suivre des courriers",
    spellings=("ENVOYER_COURRIER",),
    parameters=(
        Parameter("Destinataires", _name, "Objet du bloc nom du destinataire de type COURRIER_DESTINATAIRE_NOM",
                  required=True, shape=Shape.OBJECT, fields=NAME_FIELDS, spellings=("Destinataire",)),
        Parameter("Adresse_postale", _address, "Objet adresse postale de type COURRIER_DESTINATAIRE_ADRESSE",
                  required=True, shape=Shape.OBJECT, fields=ADDRESS_FIELDS, spellings=("Adresse",)),
        Parameter("Liste_Fichier", lambda s: files_of(s, s.content.files), "Est un tableau d'objet fichier. Ces fichiers sont utilisés pour les documents à poster",
                  required=True, shape=Shape.FILES, fields=FILE_FIELDS, spellings=("LISTE_FICHIERS",)),
        Parameter("Couleur", lambda s: s.content.color, "Valeur booléenne indiquant si la lettre doit être imprimée en couleur",
                  required=True, shape=Shape.BOOLEAN),
        Parameter("Type_lettre", lambda s: s.content.envelope, "Objet indiquant le type de pli (C6, C5)", required=True,
                  values=("C5", "C6")),
        Parameter("Reference_client", lambda s: s.reference, "Optionnel : votre référence client pour votre suivi",
                  spellings=("REFCLIENT",)),
        Parameter("Sujet", lambda s: s.content.subject, "Optionnel : sujet de votre envoi", pointer="/subject"),
        Parameter("Facturation", lambda s: s.billing_code, "Optionnel : code de facturation pour ventiler les factures",
                  spellings=("CODE_FACTURATION",), pointer="/billing_code"),
    ),
    # Positive codes, although the chapter says "un code erreur numérique négatif".
    answers=(
        Answer("-1",  BLOCKED, "Nom d'utilisateur vide", CREDENTIALS),
        Answer("-2",  BLOCKED, "Mot de passe vide", CREDENTIALS),
        Answer("-3",  BLOCKED, "AppID vide", CREDENTIALS),
        # Not in this list; in every list that names bad credentials it is this code.
        Answer("-6",  BLOCKED, "", CREDENTIALS, assumed=True),
        Answer("500", REFUSED, "Numéro de destinataire vide", "recipient_missing"),
        Answer("501", REFUSED, "Le champ « Nom » est vide", "last_name_missing"),
        Answer("502", REFUSED, "Le champ « Prénom » est vide", "first_name_missing"),
        Answer("503", REFUSED, "Le champ « Adresse 1 » est vide", "address_line1_missing"),
        Answer("504", REFUSED, "Le champ « Ville » est vide", "city_missing"),
        Answer("505", REFUSED, "Le champ « Code postal » n'a pas la bonne longueur", "postal_code_length"),
        Answer("506", REFUSED, "La liste des fichiers à joindre est vide", "documents_missing"),
    ),
)

# The document gives this function no list: the rows that all status functions share are assumed.
COURRIER_STATUT: Final = Function(
    name="COURRIER_STATUT",
    chapter="Envoyer et suivre des courriers",
    spellings=("COURRIER_SUIVRE",),
    parameters=(MESSAGEID,),
    answers=taken_over(STATUT_EMAIL.answers),
)
# fmt: on
