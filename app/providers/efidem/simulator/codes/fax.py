"""Chapter "Fax" of the codes, which is just a heading: its siblings' lists are taken."""

from app.providers.efidem.simulator.codes.code import Code
from app.providers.efidem.simulator.conditions import (
    empty,
    forbidden,
    never,
    no_files,
    number_too_long,
    number_too_short,
    repeated_digit,
    unknown_account,
)

# ENVOYER_SMS's, with -5 for a fax's mandatory content, which is its files.
ENVOYER_FAX = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "Numéro de destinataire vide", empty("DESTINATION")),
    Code("-5", "", no_files("LISTE_FICHIERS")),
    Code("-6", "Informations d'authentification incorrectes", unknown_account),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
    Code("-8", "Numéro de destination trop court", number_too_short("DESTINATION")),
    Code("-9", "Numéro de destination trop long", number_too_long("DESTINATION")),
    Code(
        "-10",
        "Numéro de destination de test (suite d'un même chiffre)",
        repeated_digit("DESTINATION"),
    ),
)

# STATUT_EMAIL's.
STATUT_FAX = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "MESSAGEID vide", empty("MESSAGEID")),
    Code("-6", "Informations d'authentification incorrectes", unknown_account),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
    Code("-99", "Aucun statut", never),  # known only after a look at the message: statuses.py
)
