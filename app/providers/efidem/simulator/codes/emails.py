"""Chapter "Email" of the codes, and the relay, which has none."""

from app.providers.efidem.simulator.codes.code import Code
from app.providers.efidem.simulator.conditions import (
    all_empty,
    empty,
    forbidden,
    given_not_email,
    never,
    no_items,
    not_email,
    of_any,
    unknown_account,
    unknown_account_or_empty,
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

# No list in the document, but "le même principe de fonctionnement": ENVOYER_EMAIL's.
MULTI_ENVOYER_EMAIL = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "", no_items("DESTINATION")),
    Code("-4", "", of_any("DESTINATION", condition=empty("DESTINATION"))),
    Code("-5", "Adresse émettrice vide", empty("EMETTEUR")),
    Code("-6", "Le champ sujet n'est pas renseigné", unknown_account_or_empty("SUJET")),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
    Code(
        "-8",
        "Les champs TEXTE et/ou HTML ne sont pas renseignés. "
        "L'un de ces champs doit être différent de vide",
        all_empty("TEXTE", "HTML"),
    ),
    Code(
        "-9",
        "Format de l'adresse de destination incorrect",
        of_any("DESTINATION", condition=not_email("DESTINATION")),
    ),
    Code("-10", "Format de l'adresse émettrice incorrect", not_email("EMETTEUR")),
    Code(
        "-11",
        "Format de l'adresse de réponse (REPLY-TO) incorrect",
        given_not_email("REPONDRE_A"),
    ),
)

# The relay has no lists: ENVOYER_EMAIL's again.
ENVOYER_EMAIL_RELAIS = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "", no_items("DESTINATIONS_A")),
    Code("-4", "", of_any("DESTINATIONS_A", "DESTINATIONS_CC", condition=empty("DESTINATION"))),
    Code("-5", "Adresse émettrice vide", empty("EMETTEUR")),
    Code("-6", "Le champ sujet n'est pas renseigné", unknown_account_or_empty("SUJET")),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
    Code(
        "-8",
        "Les champs TEXTE et/ou HTML ne sont pas renseignés. "
        "L'un de ces champs doit être différent de vide",
        all_empty("TEXTE", "HTML"),
    ),
    Code(
        "-9",
        "Format de l'adresse de destination incorrect",
        of_any("DESTINATIONS_A", "DESTINATIONS_CC", condition=not_email("DESTINATION")),
    ),
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

STATUT_MULTI_EMAIL = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "MESSAGEID vide", empty("MESSAGEID")),
    Code("-5", "", never),  # blank in the document
    Code("-6", "Informations d'authentification incorrectes", unknown_account),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
    Code("-8", "Identifiant de destinataire vide", empty("REFCLIENT")),
    Code("-99", "Aucun statut", never),  # known only after a look at the message: statuses.py
)

# No list: STATUT_MULTI_EMAIL's, the other status of one recipient among several.
SUIVRE_EMAIL_RELAIS = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "MESSAGEID vide", empty("MESSAGEID")),
    Code("-6", "Informations d'authentification incorrectes", unknown_account),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
    Code("-8", "Identifiant de destinataire vide", empty("DESTINATION")),
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

# The words of -4 and -99 are COMPTE_SOUMIS_CODE_FACTURATION's, copied in the document.
OBTENIR_CODE_ESMTP = (
    Code("-1", "Nom d'utilisateur vide", empty("UTILISATEUR")),
    Code("-2", "Mot de passe vide", empty("MOT_DE_PASSE")),
    Code("-3", "AppID vide", empty("AppID")),
    Code("-4", "Code de facturation vide", empty("CODE_ESMTP")),
    Code("-5", "", never),  # blank in the document
    Code("-6", "Informations d'authentifications incorrectes", unknown_account),
    Code("-7", "Séquence de caractères non autorisée", forbidden),
    Code("-99", "Aucune donnée pour ce code de facturation", never),  # known to esmtp.py
)
