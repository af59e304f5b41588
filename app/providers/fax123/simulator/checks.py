"""What is asked of a request, in the order of the document's codes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from app.providers.fax123.simulator.codes import TRANSMITTED
from app.providers.fax123.simulator.document import ONE_MO, Document, download
from app.providers.fax123.simulator.ledger import Ledger
from app.providers.fax123.simulator.number import read_number
from app.providers.fax123.simulator.wire import Wire

WRONG_PASSWORD = "wrong"  # noqa: S105  # refused where no credentials are set, so that 103 can be seen


@dataclass(frozen=True, slots=True)
class Credentials:
    """The account that is known, or any account if none is set."""

    known: tuple[str, str] | None = field(repr=False)

    def match(self, email: str, password: str) -> bool:
        """Say whether an account is known by these."""
        if self.known is None:
            return password != WRONG_PASSWORD
        return (email, password) == self.known


@dataclass(slots=True)
class Request:
    """The parameters of a request, and what is found out about them."""

    email: str
    password: str = field(repr=False)
    fax: str
    ref: str
    url: str = field(repr=False)
    ref_accuse: str
    number: str = field(init=False)  # the digits of `fax`, none if it is not a number
    document: Document | None = None  # once downloaded

    def __post_init__(self) -> None:
        self.number = read_number(self.fax)

    @property
    def receipt_wanted(self) -> bool:
        """Whether `ref_accuse=1` is there.

        The document has it in its request and does not explain it. Leaving it out is no error,
        but costs the acknowledgement here, so that a departure from the document shows.
        """
        return self.ref_accuse not in {"", "0"}

    @property
    def content(self) -> Document:
        """The document, which every check after 105 may take for granted."""
        if self.document is None:
            raise RuntimeError("the document is looked at before check 105")
        return self.document


@dataclass(frozen=True, slots=True)
class Means:
    """What the checks need."""

    credentials: Credentials
    wire: Wire
    ledger: Ledger


Check = Callable[[Request, Means], Awaitable[bool]]


async def examine(request: Request, means: Means, refused_at: str | None) -> str:
    """Return the code of the first check that fails, or of the one where a refusal is staged."""
    for code, passes in CHECKS.items():
        if code == refused_at or not await passes(request, means):
            return code
    return TRANSMITTED


async def email_given(request: Request, _: Means) -> bool:
    """101: `email` is not empty."""
    return request.email != ""


async def password_given(request: Request, _: Means) -> bool:
    """102: `pass` is not empty."""
    return request.password != ""


async def account_known(request: Request, means: Means) -> bool:
    """103: `email` and `pass` are an account's."""
    return means.credentials.match(request.email, request.password)


async def url_given(request: Request, _: Means) -> bool:
    """104: `url` is not empty."""
    return request.url != ""


async def url_valid(request: Request, means: Means) -> bool:
    """105: a document can be downloaded from `url`, now, while the sender waits."""
    request.document = await download(request.url, means.wire, means.ledger)
    return request.document is not None


async def fax_given(request: Request, _: Means) -> bool:
    """106: `fax` is not empty."""
    return request.fax != ""


async def fax_valid(request: Request, _: Means) -> bool:
    """107: `fax` is a number."""
    return request.number != ""


async def format_valid(request: Request, _: Means) -> bool:
    """109: the document is a PDF, unless 110 or 111 will say that it cannot be judged."""
    return request.content.pages > 0 or not 0 < request.content.size <= ONE_MO


async def size_allowed(request: Request, _: Means) -> bool:
    """110: the document has at most 1 Mo."""
    return request.content.size <= ONE_MO


async def document_filled(request: Request, _: Means) -> bool:
    """111: the document is not empty."""
    return request.content.size > 0


async def paid_for(_request: Request, _: Means) -> bool:
    """108, 112: always so, for no money is counted here; `PUT /outcomes` stages them."""
    return True


CHECKS: dict[str, Check] = {
    "101": email_given,
    "102": password_given,
    "103": account_known,
    "104": url_given,
    "105": url_valid,
    "106": fax_given,
    "107": fax_valid,
    "108": paid_for,
    "109": format_valid,
    "110": size_allowed,
    "111": document_filled,
    "112": paid_for,
}
