"""What happens to a fax: the magic numbers, by their last four digits."""

from dataclasses import dataclass

from app.providers.fax123.simulator.codes import RECEIVED, TRANSMITTED

BEFORE_THE_DOWNLOAD = "105"  # the check that downloads


@dataclass(frozen=True, slots=True)
class Script:
    """What happens to a fax; without any field set it is accepted and received."""

    answer: str = TRANSMITTED  # a code, or a raw text
    refused_at: str | None = None  # the check in whose place `answer` is given; None: accepted
    cut: bool = False  # the connection is cut in place of the answer
    answered_after: float = 0.0  # seconds
    etats: tuple[str, ...] = (RECEIVED,)  # `etat_e` of the first fax, the second, ... and the rest
    missing_pages: int = 0  # of a fax that was received
    nb_page: str | None = None  # in place of the pages counted
    acknowledgements: int = 1  # how many times the same one
    acknowledged_first: bool = False  # before the answer
    own_ref: bool = False  # a reference of the provider's in place of the sender's

    def etat(self, earlier: int) -> str:
        """Return `etat_e`, after so many earlier faxes to the same number."""
        return self.etats[min(earlier, len(self.etats) - 1)]

    def pages(self, etat: str, counted: int) -> str:
        """Return `nb_page` of a document with so many pages."""
        if self.nb_page is not None:
            return self.nb_page
        return str(counted - self.missing_pages) if etat == RECEIVED else "0"


ORDINARY = Script()

MAGIC = {
    "0001": ORDINARY,
    "0002": Script(etats=("31068",)),  # pas de réponse
    "0003": Script(etats=("31083",)),  # mauvais numéro
    "0004": Script(answer="107", refused_at=BEFORE_THE_DOWNLOAD),
    "0005": Script(answered_after=30.0),
    "0006": Script(cut=True),
    "0007": Script(cut=True, refused_at=BEFORE_THE_DOWNLOAD),
    "0008": Script(etats=("31064", "31064", RECEIVED)),  # occupé, twice
    "0009": Script(missing_pages=1),
    "0010": Script(acknowledged_first=True),
    "0011": Script(acknowledgements=2),
    "0012": Script(acknowledgements=0),
    "0013": Script(etats=("39999",)),  # not in the document
}
