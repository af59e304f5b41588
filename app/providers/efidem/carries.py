"""Which function of Efidem carries what, which tells what became of it, and which sends nothing."""

from collections.abc import Mapping
from typing import Final

from app.domain.message import Channel, Content, Email, Fax, Letter, Sms
from app.providers.efidem import functions as efidem
from app.providers.manual import Function

# What tells the status of what a function sent, in the order of preference: the first that the
# WSDL offers is asked.
TELLS: Final[Mapping[str, tuple[Function, ...]]] = {
    efidem.ENVOYER_EMAIL.name: (efidem.STATUT_EMAIL,),
    efidem.MULTI_ENVOYER_EMAIL.name: (efidem.STATUT_MULTI_EMAIL,),
    efidem.ENVOYER_EMAIL_RELAIS.name: (efidem.SUIVRE_EMAIL_RELAIS,),
    efidem.ENVOYER_SMS.name: (efidem.STATUT_COMPLET_SMS, efidem.STATUT_SMS),
    efidem.MULTI_ENVOYER_SMS.name: (efidem.STATUT_COMPLET_SMS, efidem.STATUT_SMS),
    efidem.COURRIER_ENVOYER.name: (efidem.COURRIER_STATUT,),
    efidem.ENVOYER_FAX.name: (efidem.STATUT_FAX,),
}


def sends(content: Content, *, together: bool = False) -> Function:
    """Return the function that sends a content, alone or together with others."""
    match content:
        case Sms():
            return efidem.MULTI_ENVOYER_SMS if together else efidem.ENVOYER_SMS
        case Email(relay=True):
            return efidem.ENVOYER_EMAIL_RELAIS
        case Email():
            return efidem.MULTI_ENVOYER_EMAIL if together else efidem.ENVOYER_EMAIL
        case Letter():
            return efidem.COURRIER_ENVOYER
        case Fax():
            return efidem.ENVOYER_FAX


_HARMLESS: Final = (
    (efidem.COMPTE_SOUMIS_CODE_FACTURATION, {"CODE_FACTURATION": "probe"}),
    (efidem.VERIFIER_ADRESSE_EMAIL, {"DESTINATAIRE": "probe@example.com"}),
    (efidem.TRANSFORMER_NUMERO, {"NUMERO": "+33639980001"}),
)


def _first(first: Function) -> tuple[tuple[Function, Mapping[str, str]], ...]:
    return tuple(sorted(_HARMLESS, key=lambda one: one[0] is not first))


# What can be asked to see whether the provider answers and takes our credentials: it sends nothing,
# is free, and has a code for wrong credentials. The first that the WSDL offers is asked.
PROBES: Final[Mapping[Channel, tuple[tuple[Function, Mapping[str, str]], ...]]] = {
    Channel.EMAIL: _first(efidem.VERIFIER_ADRESSE_EMAIL),
    Channel.SMS: _first(efidem.TRANSFORMER_NUMERO),
    Channel.LETTER: _first(efidem.COMPTE_SOUMIS_CODE_FACTURATION),
    Channel.FAX: _first(efidem.COMPTE_SOUMIS_CODE_FACTURATION),
}
