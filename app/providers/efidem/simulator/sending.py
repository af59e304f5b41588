"""How the sending functions differ: their codes, and the names of their parameters."""

from collections.abc import Callable
from dataclasses import dataclass

from app.providers.efidem.simulator import codes
from app.providers.efidem.simulator.behaviours import (
    Behaviour,
    for_email,
    for_number,
    for_postcode,
)
from app.providers.efidem.simulator.recipients import clean_number

_VARIABLES = tuple(f"VARIABLE{n}" for n in range(1, 6))


@dataclass(frozen=True, slots=True)
class Sending:
    """One sending function: its codes, and the names that the document gives its parameters."""

    function: str
    medium: str  # as RAPPORT calls it
    codes: tuple[codes.Code, ...]
    recipient: str  # a parameter of the call or, if it has arrays, of each recipient
    cleaned: Callable[[str], str]
    behaviour: Callable[[str], Behaviour]
    rejection: str  # the code that a rejected recipient meets
    content: tuple[str, ...]
    billing_code: str
    arrays: tuple[str, ...] = ()  # of recipients
    reference: str | None = None
    subject: str | None = None
    files: str | None = None
    details: tuple[str, ...] = ()  # what else is kept, if it is given


SENDINGS = (
    Sending(
        function="ENVOYER_EMAIL",
        medium="EMAIL",
        codes=codes.ENVOYER_EMAIL,
        recipient="DESTINATION",
        cleaned=str,
        behaviour=for_email,
        rejection="-9",
        content=("SUJET", "TEXTE", "HTML"),
        billing_code="CODE_FACTURATION",
        reference="REFCLIENT",
        subject="SUJET",
        files="LISTE_FICHIERS",
        details=("NOM_DESTINATAIRE", "REPONDRE_A", *_VARIABLES),
    ),
    Sending(
        function="MULTI_ENVOYER_EMAIL",
        medium="EMAIL",
        codes=codes.MULTI_ENVOYER_EMAIL,
        recipient="DESTINATION",
        cleaned=str,
        behaviour=for_email,
        rejection="-9",
        content=("SUJET", "TEXTE", "HTML"),
        billing_code="CODE_FACTURATION",
        arrays=("DESTINATION",),
        reference="REFCLIENT",
        subject="SUJET",
        files="LISTE_FICHIERS",
        details=("NOM_DESTINATAIRE", "REPONDRE_A", *_VARIABLES),
    ),
    Sending(
        function="ENVOYER_EMAIL_RELAIS",
        medium="EMAIL",
        codes=codes.ENVOYER_EMAIL_RELAIS,
        recipient="DESTINATION",
        cleaned=str,
        behaviour=for_email,
        rejection="-9",
        content=("SUJET", "TEXTE", "HTML"),
        billing_code="CODE_FACTURATION",
        arrays=("DESTINATIONS_A", "DESTINATIONS_CC"),
        reference="REFCLIENT",
        subject="SUJET",
        files="LISTE_FICHIERS_RELAY",
        details=("NOM_DESTINATAIRE", "REPONDRE_A", "ERREURS_VERS", "OUVERTURE", "CLICS"),
    ),
    Sending(
        function="ENVOYER_SMS",
        medium="SMS",
        codes=codes.ENVOYER_SMS,
        recipient="DESTINATION",
        cleaned=clean_number,
        behaviour=for_number,
        rejection="-9",
        content=("TEXTE",),
        billing_code="CODE_FACTURATION",
        details=("DA",),
    ),
    Sending(
        function="MULTI_ENVOYER_SMS",
        medium="SMS",
        codes=codes.MULTI_ENVOYER_SMS,
        recipient="DESTINATION",
        cleaned=clean_number,
        behaviour=for_number,
        rejection="-50",
        content=("TEXTE",),
        billing_code="CODE_FACTURATION",
        arrays=("DESTINATAIRE",),
        details=("EMETTEUR", "NOM_DESTINATAIRE", *_VARIABLES),
    ),
    Sending(
        function="COURRIER_ENVOYER",
        medium="COURRIER",
        codes=codes.COURRIER_ENVOYER,
        recipient="Adresse_postale/CODE_POSTAL",
        cleaned=str,
        behaviour=for_postcode,
        rejection="505",
        content=(),
        billing_code="Facturation",
        reference="Reference_client",
        subject="Sujet",
        files="Liste_Fichier",
        details=(
            *(f"Destinataires/{name}" for name in ("CIVILITE", "NOM", "PRENOM", "RAISON_SOCIALE")),
            *(f"Adresse_postale/{name}" for name in ("ADRESSE_1", "ADRESSE_2", "VILLE", "PAYS")),
            *("Couleur", "Type_lettre"),
        ),
    ),
    Sending(
        function="ENVOYER_FAX",
        medium="FAX",
        codes=codes.ENVOYER_FAX,
        recipient="DESTINATION",
        cleaned=clean_number,
        behaviour=for_number,
        rejection="-9",
        content=("TEXTE",),
        billing_code="CODE_FACTURATION",
        reference="REFCLIENT",
        files="LISTE_FICHIERS",
        details=("NOM_DESTINATAIRE", "TEXTE", "PAGE_DE_GARDE"),
    ),
)
SENDING_BY_FUNCTION = {sending.function: sending for sending in SENDINGS}
