"""Chapter "SMS" of the codes."""

from app.providers.efidem.simulator.codes.code import Code
from app.providers.efidem.simulator.conditions import (
    empty,
    forbidden,
    never,
    no_items,
    number_too_long,
    number_too_short,
    of_any,
    repeated_digit,
    unknown_account,
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

MULTI_ENVOYER_SMS = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "Numéro de destinataire vide (parmi la liste)", no_items("DESTINATAIRE")),
    Code(
        "-4",
        "Numéro de destinataire vide (parmi la liste)",
        of_any("DESTINATAIRE", condition=empty("DESTINATION")),
    ),
    Code("-5", "Texte du SMS vide", empty("TEXTE")),
    Code("-6", "Informations d'authentification incorrectes", unknown_account),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
    # The other way round than in ENVOYER_SMS, by the document.
    Code(
        "-8",
        "Numéro de destination trop long",
        of_any("DESTINATAIRE", condition=number_too_long("DESTINATION")),
    ),
    Code(
        "-9",
        "Numéro de destination trop court",
        of_any("DESTINATAIRE", condition=number_too_short("DESTINATION")),
    ),
    Code(
        "-10",
        "Numéro de destination de test (suite d'un même chiffre)",
        of_any("DESTINATAIRE", condition=repeated_digit("DESTINATION")),
    ),
    Code("-50", "Impossible d'enregistrer la campagne", never),  # what a rejected number meets
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
