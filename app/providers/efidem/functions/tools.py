"""Efidem's tools, chapter "Fonctions annexes": Globales, EMAIL and SMS.

Each is handed its values by their documented names. The chapter describes functions, not
parameters: these have no words. What the document leaves blank or silent is marked `assumed`.
"""

from operator import itemgetter
from typing import Final

from app.providers.efidem.functions.objects import (
    BLOCKED,
    CREDENTIALS,
    NEGATIVE,
    OUR_FAULT,
    REFUSED,
)
from app.providers.manual import Answer, Function, Parameter, Shape

_CHAPTER: Final = "Fonctions annexes"

# fmt: off
# "Cette fonction renvoie un fichier de rapport d'envois au format CSV pour les plages de dates
# passées en paramètres." No list: the rows
# of the other function under "Globales" are assumed.
RAPPORT: Final = Function(
    name="RAPPORT",
    chapter=_CHAPTER,
    parameters=(
        Parameter("DATE_DEBUT", itemgetter("DATE_DEBUT"), "", required=True, shape=Shape.DATE),
        Parameter("DATE_FIN", itemgetter("DATE_FIN"), "", required=True, shape=Shape.DATE),
    ),
    answers=(
        Answer("-1", BLOCKED, "Nom d'utilisateur vide", CREDENTIALS, assumed=True),
        Answer("-2", BLOCKED, "Mot de passe vide", CREDENTIALS, assumed=True),
        Answer("-3", BLOCKED, "AppID vide", CREDENTIALS, assumed=True),
        Answer("-6", BLOCKED, "Informations d'authentification incorrectes", CREDENTIALS, assumed=True),
        Answer("-7", REFUSED, "Séquence de caractères non autorisée", "forbidden_characters", assumed=True),
    ),
)

# "Cette fonction renvoie un entier correspondant au nombre de message soumis": the count and the
# errors are one number, and an error is negative.
COMPTE_SOUMIS_CODE_FACTURATION: Final = Function(
    name="COMPTE_SOUMIS_CODE_FACTURATION",
    chapter=_CHAPTER,
    parameters=(
        Parameter("CODE_FACTURATION", itemgetter("CODE_FACTURATION"), "", required=True, spellings=("Facturation",)),
    ),
    answers=(
        Answer("-1", BLOCKED, "Nom d'utilisateur vide", CREDENTIALS),
        Answer("-2", BLOCKED, "Mot de passe vide", CREDENTIALS),
        Answer("-3", BLOCKED, "AppID vide", CREDENTIALS),
        Answer("-4", REFUSED, "Code de facturation vide", "billing_code_missing"),
        Answer("-6", BLOCKED, "Informations d'authentification incorrectes", CREDENTIALS),
        Answer("-7", REFUSED, "Séquence de caractères non autorisée", "forbidden_characters"),
    ),
)

# "Permet de vérifier la syntaxe d'une adresse email pour en valider sa conformité".
VERIFIER_ADRESSE_EMAIL: Final = Function(
    name="VERIFIER_ADRESSE_EMAIL",
    chapter=_CHAPTER,
    parameters=(
        Parameter("DESTINATAIRE", itemgetter("DESTINATAIRE"), "", required=True,
                  spellings=("DESTINATION", "ADRESSE_EMAIL", "EMAIL")),
    ),
    answers=(
        Answer("-1",  BLOCKED,   "Nom d'utilisateur vide", CREDENTIALS),
        Answer("-2",  BLOCKED,   "Mot de passe vide", CREDENTIALS),
        Answer("-3",  BLOCKED,   "AppID vide", CREDENTIALS),
        Answer("-4",  REFUSED,   "Adresse email vide", "recipient_missing"),
        Answer("-5",  OUR_FAULT, "", assumed=True),
        Answer("-6",  BLOCKED,   "Informations d'authentification incorrectes", CREDENTIALS),
        Answer("-7",  REFUSED,   "Séquence de caractères non autorisée", "forbidden_characters"),
        Answer("-99", NEGATIVE,  "Format de l'adresse email invalide", "address_invalid"),
    ),
)

# "Permet d'obtenir la description d'un code ESMTP".
OBTENIR_CODE_ESMTP: Final = Function(
    name="OBTENIR_CODE_ESMTP",
    chapter=_CHAPTER,
    parameters=(
        Parameter("CODE_ESMTP", itemgetter("CODE_ESMTP"), "", required=True),
    ),
    # The words of -4 and -99 are COMPTE_SOUMIS_CODE_FACTURATION's, copied in the document.
    answers=(
        Answer("-1",  BLOCKED,   "Nom d'utilisateur vide", CREDENTIALS),
        Answer("-2",  BLOCKED,   "Mot de passe vide", CREDENTIALS),
        Answer("-3",  BLOCKED,   "AppID vide", CREDENTIALS),
        Answer("-4",  REFUSED,   "Code de facturation vide", "code_missing"),
        Answer("-5",  OUR_FAULT, "", assumed=True),
        Answer("-6",  BLOCKED,   "Informations d'authentifications incorrectes", CREDENTIALS),
        Answer("-7",  REFUSED,   "Séquence de caractères non autorisée", "forbidden_characters"),
        Answer("-99", NEGATIVE,  "Aucune donnée pour ce code de facturation", "code_unknown"),
    ),
)

# "La valeur +33(0)6.01.02.03.04 deviendra : 33601020304".
TRANSFORMER_NUMERO: Final = Function(
    name="TRANSFORMER_NUMERO",
    chapter=_CHAPTER,
    spellings=("TRANSFORMER_NUEMRO",),
    parameters=(
        Parameter("NUMERO", itemgetter("NUMERO"), "", required=True),
    ),
    answers=(
        Answer("-1", BLOCKED, "Nom d'utilisateur vide", CREDENTIALS),
        Answer("-2", BLOCKED, "Mot de passe vide", CREDENTIALS),
        Answer("-3", BLOCKED, "AppID vide", CREDENTIALS),
        Answer("-4", REFUSED, "Numéro vide", "number_missing"),
        Answer("-6", BLOCKED, "Informations d'authentification incorrectes", CREDENTIALS),
    ),
)
# fmt: on
