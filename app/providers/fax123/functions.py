"""123-fax's one function, as in its document "Procédure d'envoi de fax par requête http"."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.domain.message import Fax, Submission
from app.providers.manual import Answer, Function, Meaning, Parameter

ACCEPTED: Final = Meaning.ACCEPTED
REFUSED: Final = Meaning.REFUSED
IF_FETCHED: Final = Meaning.REFUSED_IF_FETCHED
BLOCKED: Final = Meaning.BLOCKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What one call is made of: a submission, and the account that sends it."""

    submission: Submission[Fax]
    email: str
    password: str
    receipt_email: str | None


def national(number: str) -> str:
    """Return a number as the document's readers would dial it: 0145678901, or 00 and a country.

    The document gives no format. Numbers reach us in E.164.
    """
    return "0" + number[3:] if number.startswith("+33") else "00" + number[1:]


_FAX: Final[Callable[[Call], str]] = lambda call: national(call.submission.content.to)  # noqa: E731

# fmt: off
HTTP_PHP: Final = Function(
    name="http.php",
    chapter="Procédure d'envoi de fax par requête http",
    parameters=(
        Parameter("email", lambda c: c.email, "l'adresse d'inscription", required=True),
        Parameter("pass", lambda c: c.password, "mot de passe", required=True),
        Parameter("fax", _FAX, "n° de fax du destinataire", required=True),
        Parameter("ref", lambda c: c.submission.reference, "référence du document à transférer", required=True),
        Parameter("url", lambda c: c.submission.document_url, "url du document à transférer", required=True),
        # The model request shows `ref_accuse=1`; elsewhere ref_accuse is the reference itself.
        Parameter("ref_accuse", lambda _: "1", "comme dans la requête modèle", required=True),
        Parameter("accuse_email", lambda c: c.receipt_email, "pour recevoir une copie des AR par email"),
    ),
    # "Les codes retours d'accusé d'émission": never one table with the acknowledgements' codes.
    answers=(
        Answer("101", BLOCKED,    "champs email vide", "provider_credentials"),
        Answer("102", BLOCKED,    "Le champ pass est vide.", "provider_credentials"),
        Answer("103", BLOCKED,    "Vos identifiants ne sont pas valides.", "provider_credentials"),
        # 104 and 105 speak of our public address: every fax would meet the same.
        Answer("104", BLOCKED,    "Le champ url est vide.", "document_unreachable"),
        Answer("105", BLOCKED,    "Votre url n'est pas valide.", "document_unreachable"),
        Answer("106", REFUSED,    "Le champ fax est vide.", "invalid_recipient"),
        Answer("107", REFUSED,    "Le numéro de Fax n'est pas valide.", "invalid_recipient"),
        Answer("108", BLOCKED,    "Le solde de votre compte est à 0.", "provider_credit"),
        # Without a fetch it judged an error page, or nothing.
        Answer("109", IF_FETCHED, "Le format de votre fichier n'est pas valide.", "document_invalid"),
        Answer("110", IF_FETCHED, "Le poids de votre fichier ne doit pas dépasser 1Mo.", "document_too_large"),
        Answer("111", IF_FETCHED, "Votre fichier est vide.", "document_invalid"),
        Answer("112", BLOCKED,    "Vous devez créditer votre compte pour effectuer cet envoi.", "provider_credit"),
        Answer("113", ACCEPTED,   "Le document vient d'être transmis à l'opérateur."),
    ),
)
# fmt: on
