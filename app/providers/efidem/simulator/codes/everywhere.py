"""Chapter "Global" of the codes, and the annexes that have no list of their own."""

from app.providers.efidem.simulator.codes.code import Code
from app.providers.efidem.simulator.conditions import (
    empty,
    forbidden,
    never,
    not_a_day,
    unknown_account,
)

COMPTE_SOUMIS_CODE_FACTURATION = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "Code de facturation vide", empty("CODE_FACTURATION")),
    Code("-6", "Informations d'authentification incorrectes", unknown_account),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
)

# No list in the document: that of the other function of chapter "Globales".
RAPPORT = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "", not_a_day("DATE_DEBUT")),
    Code("-4", "", not_a_day("DATE_FIN")),
    Code("-6", "Informations d'authentification incorrectes", unknown_account),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
)

# Chapter "Compte" has no lists either: VERIFIER_ADRESSE_EMAIL's, whose -5 is blank.
AJOUTER_UTILISATEUR = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "", empty("NOM_UTILISATEUR")),
    Code("-5", "", empty("MOT_DE_PASSE_UTILISATEUR")),
    Code("-6", "Informations d'authentification incorrectes", unknown_account),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
    Code("-99", "", never),  # the user is there already: users.py
)

ENLEVER_UTILISATEUR = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "", empty("NOM_UTILISATEUR")),
    Code("-6", "Informations d'authentification incorrectes", unknown_account),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
    Code("-99", "", never),  # there is no such user: users.py
)
