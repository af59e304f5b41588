"""Efidem's fax functions, chapter "Envoyer et suivre des fax dématérialisés".

"Les fonctions FAX ne seront plus maintenues à compter du 01/01/2024", and yet they are described.
The heading "Fax" of the lists of codes stands over nothing: the siblings' rows are assumed.
"""

from typing import Final

from app.domain.message import Fax, Submission
from app.providers.efidem.functions.email import STATUT_EMAIL
from app.providers.efidem.functions.objects import (
    FILE_FIELDS,
    MESSAGEID,
    REFERENCE_NAMES,
    files_of,
    taken_over,
)
from app.providers.efidem.functions.sms import ENVOYER_SMS
from app.providers.manual import FileContent, Function, Parameter, Shape


def _document(submission: Submission[Fax]) -> tuple[FileContent, ...]:
    return files_of(submission, (submission.content.file,))


# fmt: off
ENVOYER_FAX: Final = Function(
    name="ENVOYER_FAX",
    chapter="Envoyer et suivre des fax dématérialisés",
    parameters=(
        # No format is given here: the SMS's, code pays + numéro, without a plus sign.
        Parameter("DESTINATION", lambda s: s.content.to.removeprefix("+"), "Numéro de fax de destination", required=True),
        Parameter("NOM_DESTINATAIRE", lambda s: s.content.to_name, "Nom du destinataire", pointer="/to_name"),
        Parameter("TEXTE", lambda s: s.content.cover_text, "Texte de la page de garde", pointer="/cover/text"),
        Parameter("PAGE_DE_GARDE", lambda s: s.content.cover_template, "Code de la page de garde stockées chez efidem",
                  pointer="/cover/template"),
        Parameter("LISTE_FICHIERS", _document, "Liste des pièces jointes à envoyer", required=True, shape=Shape.FILES,
                  fields=FILE_FIELDS, spellings=("LISTE_FICHIER",)),
        Parameter("REFCLIENT", lambda s: s.reference, "Référence client", spellings=REFERENCE_NAMES),
        Parameter("CODE_FACTURATION", lambda s: s.billing_code, "Code permettant la ventilation des factures par département, services, BU...",
                  spellings=("Facturation",), pointer="/billing_code"),
    ),
    # Not -5, "Texte du SMS vide": a fax's text is its cover page's, and optional.
    answers=taken_over(ENVOYER_SMS.answers, "-1", "-2", "-3", "-4", "-6", "-7", "-8", "-9", "-10"),
)

STATUT_FAX: Final = Function(
    name="STATUT_FAX",
    chapter="Envoyer et suivre des fax dématérialisés",
    parameters=(MESSAGEID,),
    answers=taken_over(STATUT_EMAIL.answers),
)
# fmt: on
