"""Chapter "Liste des codes erreurs": each function's own list, in the document's order.

Codes are tried from top to bottom, and the first that applies is the answer.
"""

from app.providers.efidem.simulator.codes.code import Code, first_code
from app.providers.efidem.simulator.codes.emails import (
    ENVOYER_EMAIL,
    ENVOYER_EMAIL_RELAIS,
    MULTI_ENVOYER_EMAIL,
    OBTENIR_CODE_ESMTP,
    STATUT_EMAIL,
    STATUT_MULTI_EMAIL,
    SUIVRE_EMAIL_RELAIS,
    VERIFIER_ADRESSE_EMAIL,
)
from app.providers.efidem.simulator.codes.everywhere import (
    AJOUTER_UTILISATEUR,
    COMPTE_SOUMIS_CODE_FACTURATION,
    ENLEVER_UTILISATEUR,
    RAPPORT,
)
from app.providers.efidem.simulator.codes.fax import (
    ENVOYER_FAX,
    STATUT_FAX,
)
from app.providers.efidem.simulator.codes.letters import (
    COURRIER_ENVOYER,
    COURRIER_STATUT,
)
from app.providers.efidem.simulator.codes.sms import (
    ENVOYER_SMS,
    MULTI_ENVOYER_SMS,
    STATUT_SMS,
    TRANSFORMER_NUMERO,
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
    "MULTI_ENVOYER_EMAIL",
    "MULTI_ENVOYER_SMS",
    "OBTENIR_CODE_ESMTP",
    "RAPPORT",
    "STATUT_EMAIL",
    "STATUT_FAX",
    "STATUT_MULTI_EMAIL",
    "STATUT_SMS",
    "SUIVRE_EMAIL_RELAIS",
    "TRANSFORMER_NUMERO",
    "VERIFIER_ADRESSE_EMAIL",
    "Code",
    "first_code",
]
