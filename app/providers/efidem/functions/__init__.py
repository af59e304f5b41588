"""Efidem's functions, as in its document "Webservice SOAP Multicanal", one module per chapter."""

from typing import Final

from app.providers.efidem.functions.email import ENVOYER_EMAIL, STATUT_EMAIL
from app.providers.efidem.functions.letters import COURRIER_ENVOYER, COURRIER_STATUT
from app.providers.efidem.functions.objects import TRIO
from app.providers.efidem.functions.sms import ENVOYER_SMS, STATUT_COMPLET_SMS, STATUT_SMS

FUNCTIONS: Final = (
    ENVOYER_EMAIL,
    STATUT_EMAIL,
    ENVOYER_SMS,
    STATUT_SMS,
    STATUT_COMPLET_SMS,
    COURRIER_ENVOYER,
    COURRIER_STATUT,
)

__all__ = [
    "COURRIER_ENVOYER",
    "COURRIER_STATUT",
    "ENVOYER_EMAIL",
    "ENVOYER_SMS",
    "FUNCTIONS",
    "STATUT_COMPLET_SMS",
    "STATUT_EMAIL",
    "STATUT_SMS",
    "TRIO",
]
