"""Efidem's console users, chapter "Fonctions annexes", Compte.

Each is handed its values by their documented names. The document gives no list, and tells neither
what these functions answer when they did what they were asked: another code than these is unclear.
"""

from operator import itemgetter
from typing import Final

from app.providers.efidem.functions.objects import ACCEPTED
from app.providers.efidem.functions.tools import RAPPORT
from app.providers.manual import Answer, Function, Parameter

_CHAPTER: Final = "Fonctions annexes"

# fmt: off
_ANSWERS: Final = (
    *RAPPORT.answers,  # assumed as well
    Answer("1", ACCEPTED, "", assumed=True),  # the usual yes of a function that answers a number
)

# "Créer un compte utilisateur pour la console de suivi".
AJOUTER_UTILISATEUR: Final = Function(
    name="AJOUTER_UTILISATEUR",
    chapter=_CHAPTER,
    parameters=(
        Parameter("NOM_UTILISATEUR", itemgetter("NOM_UTILISATEUR"), "", required=True,
                  spellings=("NOUVEL_UTILISATEUR", "LOGIN_UTILISATEUR")),
        # The new user's. The trio has one of the same name, the caller's, which is taken out first
        # (binding/trio.py): a WSDL needs another name, or another place, for this one.
        Parameter("MOT_DE_PASSE", itemgetter("MOT_DE_PASSE"), "", required=True,
                  spellings=("MOT_DE_PASSE_UTILISATEUR", "MOT_DE_PASSE_2", "MOT_DE_PASSE_1", "NOUVEAU_MOT_DE_PASSE",
                             "MOT_DE_PASSE_NOUVEL_UTILISATEUR")),
    ),
    answers=_ANSWERS,
)

# "Supprimer un utilisateur"
ENLEVER_UTILISATEUR: Final = Function(
    name="ENLEVER_UTILISATEUR",
    chapter=_CHAPTER,
    parameters=(
        Parameter("NOM_UTILISATEUR", itemgetter("NOM_UTILISATEUR"), "", required=True),
    ),
    answers=_ANSWERS,
)
# fmt: on
