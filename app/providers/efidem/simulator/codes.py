"""Chapter "Liste des codes erreurs": each served function's own list, in the document's order.

Codes are tried from top to bottom, and the first that applies is the answer.
"""

from typing import NamedTuple

from app.providers.efidem.simulator.call import Call
from app.providers.efidem.simulator.conditions import (
    Condition,
    all_empty,
    empty,
    forbidden,
    given_not_email,
    never,
    no_files,
    not_email,
    number_too_long,
    number_too_short,
    repeated_digit,
    unknown_account,
    unknown_account_or_empty,
    wrong_postcode,
)


class Code(NamedTuple):
    """One line of the document's table, and when the simulator answers it."""

    code: str
    words: str
    applies: Condition


def first_code(codes: tuple[Code, ...], call: Call) -> Code | None:
    """Return the first of `codes` that applies to `call`."""
    return next((code for code in codes if code.applies(call)), None)


COMPTE_SOUMIS_CODE_FACTURATION = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "Code de facturation vide", empty("CODE_FACTURATION")),
    Code("-6", "Informations d'authentification incorrectes", unknown_account),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
)

ENVOYER_EMAIL = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    # Blank in the document; VERIFIER_ADRESSE_EMAIL and ENVOYER_SMS have "destinataire vide" here.
    Code("-4", "", empty("DESTINATION")),
    Code("-5", "Adresse émettrice vide", empty("EMETTEUR")),
    # The document has no code for a wrong trio here. Every other function's is -6: so is this one's.
    Code("-6", "Le champ sujet n'est pas renseigné", unknown_account_or_empty("SUJET")),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
    Code(
        "-8",
        "Les champs TEXTE et/ou HTML ne sont pas renseignés. "
        "L'un de ces champs doit être différent de vide",
        all_empty("TEXTE", "HTML"),
    ),
    Code("-9", "Format de l'adresse de destination incorrect", not_email("DESTINATION")),
    Code("-10", "Format de l'adresse émettrice incorrect", not_email("EMETTEUR")),
    Code(
        "-11",
        "Format de l'adresse de réponse (REPLY-TO) incorrect",
        given_not_email("REPONDRE_A"),
    ),
)

STATUT_EMAIL = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "MESSAGEID vide", empty("MESSAGEID")),
    Code("-5", "", never),  # blank in the document
    Code("-6", "Informations d'authentification incorrectes", unknown_account),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
    Code("-99", "Aucun statut", never),  # known only after a look at the message: statuses.py
)

VERIFIER_ADRESSE_EMAIL = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "Adresse email vide", empty("DESTINATAIRE")),
    Code("-5", "", never),  # blank in the document
    Code("-6", "Informations d'authentification incorrectes", unknown_account),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
    Code("-99", "Format de l'adresse email invalide", not_email("DESTINATAIRE")),
)

ENVOYER_SMS = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "Numéro de destinataire vide", empty("DESTINATION")),
    Code("-5", "Texte du SMS vide", empty("TEXTE")),
    Code("-6", "Informations d'authentification incorrectes", unknown_account),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
    Code(
        "-8",
        "Numéro de destination trop court",
        number_too_short("DESTINATION"),
    ),
    Code(
        "-9",
        "Numéro de destination trop long",
        number_too_long("DESTINATION"),
    ),
    Code(
        "-10",
        "Numéro de destination de test (suite d'un même chiffre)",
        repeated_digit("DESTINATION"),
    ),
)

# STATUT_COMPLET_SMS has no list, but "reprend la même structure" (its chapter).
STATUT_SMS = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "MESSAGEID vide", empty("MESSAGEID")),
    Code("-5", "Aucun statut", never),  # known only after a look at the message: statuses.py
    Code("-6", "Informations d'authentification incorrectes", unknown_account),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
    Code("-8", "Aucun statut", never),  # the same
)

TRANSFORMER_NUMERO = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "Numéro vide", empty("NUMERO")),
    Code("-6", "Informations d'authentification incorrectes", unknown_account),
)

COURRIER_ENVOYER = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    # Not in the document, which has no code for a wrong trio here; every other function's is -6.
    Code("-6", "", unknown_account),
    # "Numéro" seems to be copied from the fax; a letter's addressee is this block.
    Code(
        "500",
        "Numéro de destinataire vide",
        all_empty(
            "Destinataires/CIVILITE",
            "Destinataires/NOM",
            "Destinataires/PRENOM",
            "Destinataires/RAISON_SOCIALE",
        ),
    ),
    Code("501", "Le champ « Nom » est vide", empty("Destinataires/NOM")),
    Code("502", "Le champ « Prénom » est vide", empty("Destinataires/PRENOM")),
    Code("503", "Le champ « Adresse 1 » est vide", empty("Adresse_postale/ADRESSE_1")),
    Code("504", "Le champ « Ville » est vide", empty("Adresse_postale/VILLE")),
    Code("505", "Le champ « Code postal » n'a pas la bonne longueur", wrong_postcode),
    Code("506", "La liste des fichiers à joindre est vide", no_files("Liste_Fichier")),
)

# The list "Courrier postal" covers the whole chapter, but nothing beyond -3 fits a status: the
# rest is STATUT_EMAIL's.
COURRIER_STATUT = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "", empty("MESSAGEID")),
    Code("-6", "", unknown_account),
    Code("-99", "", never),  # known only after a look at the message: statuses.py
)
