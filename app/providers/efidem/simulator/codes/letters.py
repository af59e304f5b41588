"""Chapter "Courrier postal" of the codes."""

from app.providers.efidem.simulator.codes.code import Code
from app.providers.efidem.simulator.conditions import (
    all_empty,
    empty,
    never,
    no_files,
    unknown_account,
    wrong_postcode,
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
