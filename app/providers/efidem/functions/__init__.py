"""Efidem's functions, as in its document "Webservice SOAP Multicanal", one module per chapter."""

from typing import Final

from app.providers.efidem.functions.email import (
    ENVOYER_EMAIL,
    MULTI_ENVOYER_EMAIL,
    STATUT_EMAIL,
    STATUT_MULTI_EMAIL,
)
from app.providers.efidem.functions.fax import ENVOYER_FAX, STATUT_FAX
from app.providers.efidem.functions.letters import COURRIER_ENVOYER, COURRIER_STATUT
from app.providers.efidem.functions.objects import TRIO
from app.providers.efidem.functions.relay import ENVOYER_EMAIL_RELAIS, SUIVRE_EMAIL_RELAIS
from app.providers.efidem.functions.sms import (
    ENVOYER_SMS,
    MULTI_ENVOYER_SMS,
    STATUT_COMPLET_SMS,
    STATUT_SMS,
)
from app.providers.efidem.functions.tools import (
    COMPTE_SOUMIS_CODE_FACTURATION,
    OBTENIR_CODE_ESMTP,
    RAPPORT,
    TRANSFORMER_NUMERO,
    VERIFIER_ADRESSE_EMAIL,
)
from app.providers.efidem.functions.users import AJOUTER_UTILISATEUR, ENLEVER_UTILISATEUR

# In the order of the chapters "Index des fonctions" and "Fonctions annexes".
FUNCTIONS: Final = (
    ENVOYER_EMAIL,
    MULTI_ENVOYER_EMAIL,
    STATUT_EMAIL,
    STATUT_MULTI_EMAIL,
    ENVOYER_EMAIL_RELAIS,
    SUIVRE_EMAIL_RELAIS,
    ENVOYER_SMS,
    MULTI_ENVOYER_SMS,
    STATUT_SMS,
    STATUT_COMPLET_SMS,
    COURRIER_ENVOYER,
    COURRIER_STATUT,
    ENVOYER_FAX,
    STATUT_FAX,
    RAPPORT,
    COMPTE_SOUMIS_CODE_FACTURATION,
    VERIFIER_ADRESSE_EMAIL,
    OBTENIR_CODE_ESMTP,
    TRANSFORMER_NUMERO,
    AJOUTER_UTILISATEUR,
    ENLEVER_UTILISATEUR,
)

__all__ = [
    "AJOUTER_UTILISATEUR",
    "COMPTE_SOUMIS_CODE_FACTURATION",
    "COURRIER_ENVOYER",
    "COURRIER_STATUT",
    "ENLEVER_UTILISATEUR",
    "ENVOYER_EMAIL",
    "ENVOYER_EMAIL_RELAIS",
    "ENVOYER_FAX",
    "ENVOYER_SMS",
    "FUNCTIONS",
    "MULTI_ENVOYER_EMAIL",
    "MULTI_ENVOYER_SMS",
    "OBTENIR_CODE_ESMTP",
    "RAPPORT",
    "STATUT_COMPLET_SMS",
    "STATUT_EMAIL",
    "STATUT_FAX",
    "STATUT_MULTI_EMAIL",
    "STATUT_SMS",
    "SUIVRE_EMAIL_RELAIS",
    "TRANSFORMER_NUMERO",
    "TRIO",
    "VERIFIER_ADRESSE_EMAIL",
]
