"""The document to send: its URL, its download, and what is in it."""

import asyncio
import hashlib
import re
from dataclasses import dataclass
from io import BytesIO

import pikepdf
from yarl import URL

from app.providers.fax123.simulator.ledger import Download, Ledger
from app.providers.fax123.simulator.wire import Wire

ONE_MO = 1_000_000  # "1Mo", read as the decimal unit that it is
LONGEST_URL = 2_048
HTTP_OK = 200


@dataclass(frozen=True, slots=True)
class Document:
    """A downloaded document; without pages if it does not open as a PDF."""

    size: int  # bytes; just over 1 Mo stands for anything larger
    pages: int
    sha256: str


async def download(url: str, wire: Wire, ledger: Ledger) -> Document | None:
    """Download and open a document while the sender waits, None if its URL is not valid."""
    address = read_url(url)
    if address is None:
        return None
    reply = await wire.get(address, at_most=ONE_MO + 1)
    ledger.downloads.append(Download(ledger.now(), reply.status, len(reply.body)))
    if reply.status != HTTP_OK:
        return None
    # Neither an empty file nor one that was not read to its end has a format to judge.
    whole = 0 < len(reply.body) <= ONE_MO
    pages = await asyncio.to_thread(count_pages, reply.body) if whole else 0
    return Document(len(reply.body), pages, hashlib.sha256(reply.body).hexdigest())


def read_url(url: str) -> URL | None:
    """Return the address to call, None if it is not a web address."""
    if len(url) > LONGEST_URL or any(ord(sign) < ord(" ") for sign in url):
        return None
    try:
        address = URL(url)
    except ValueError:
        return None
    return address if address.scheme in {"http", "https"} and address.host else None


def count_pages(content: bytes) -> int:
    """Return how many pages a PDF has, 0 if it is not one."""
    try:
        with pikepdf.open(BytesIO(content)) as pdf:
            return len(pdf.pages)
    except (pikepdf.PdfError, RuntimeError, ValueError):
        return 0


def prefix_of_path(url: str) -> str:
    """Return the folder that a document is served from, and nothing that could be its token."""
    folder = re.match(r"/[a-z]{1,12}/", URL(url).path)
    return folder.group() if folder else "/"
