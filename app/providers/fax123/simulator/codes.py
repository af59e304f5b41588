"""The codes of the document, in its order and with its words.

"Codes retours d'accusé d'émission" answer a request; "codes retours d'accusé de réception"
come later, by callback. They are two lists, and share no code.
"""

EMISSION = {
    "101": "champs email vide",
    "102": "Le champ pass est vide.",
    "103": "Vos identifiants ne sont pas valides.",
    "104": "Le champ url est vide.",
    "105": "Votre url n'est pas valide.",
    "106": "Le champ fax est vide.",
    "107": "Le numéro de Fax n'est pas valide.",
    "108": "Le solde de votre compte est à 0.",
    "109": "Le format de votre fichier n'est pas valide.",
    "110": "Le poids de votre fichier ne doit pas dépasser 1Mo.",
    "111": "Votre fichier est vide.",
    "112": "Vous devez créditer votre compte pour effectuer cet envoi.",
    "113": "Le document vient d'être transmis à l'opérateur.",
}

RECEPTION = {
    "0": "OK reçu",
    "31068": "pas de réponse",
    "25011": "pas de fichier",
    "25012": "erreur de conversion de document",
    "25013": "erreur de conversion de document",
    "25002": "erreur de conversion de document",
    "20008": "mauvais format de fichier",
    "31079": "pas de réponse",
    "31082": "le fax distant a interrompu la transmission",
    "31083": "mauvais numéro",
    "30112": "pas de réponse",
    "30113": "pas de réponse",
    "30133": "coordonnées incorrectes",
    "34000": "déconnexion distance",
    "34012": "occupé",
    "33126": "erreur de transmission",
    "34011": "raccroché distant",
    "304128": "pas de réponse",
    "30127": "pas de réponse",
    "5313": "pas de réponse",
    "5316": "erreur de transmission",
    "31086": "la communication n'a pu s'établir",
    "30120": "pas de réponse",
    "31064": "occupé",
    "30032": "pas de réponse",
    "25300": "erreur lors de la conversion",
    "20007": "pas de réponse",
    "33127": "erreur de transmission",
    "30129": "pas de réponse",
    "70003": "Numéro en liste rouge ou EcoFAX",
}

TRANSMITTED = "113"
RECEIVED = "0"
