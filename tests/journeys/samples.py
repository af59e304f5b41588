"""Messages to send, each with a recipient or a billing code of its own: ledgers count by them."""

import base64
import io
import itertools
from typing import Any

import pikepdf

_numbers = itertools.count(1)


def email(behaviour: str = "delivered", **more: Any) -> dict[str, Any]:
    """Return an e-mail; the local part says how the provider behaves."""
    mark = f"mail-{next(_numbers):03}"
    return {
        "from": {"address": "service@example.com"},
        "to": [{"address": f"{behaviour}@{mark}.test"}],
        "subject": f"Votre dossier n° {mark}",
        "text": "Bonjour, voici « votre » dossier à 10 €.",
        "billing_code": mark,
        **more,
    }


def sms(behaviour: str = "0001", **more: Any) -> dict[str, Any]:
    """Return a text message; the last digits say how the provider behaves."""
    number = next(_numbers)
    mark = f"sms-{number:03}"
    return {
        "to": f"+3361{number:03}{behaviour}",
        "text": f"Votre code : {number}",
        "billing_code": mark,
        **more,
    }


def letter(postal_code: str = "75011", **more: Any) -> dict[str, Any]:
    """Return a letter; the postcode says how the provider behaves."""
    mark = f"letter-{next(_numbers):03}"
    address = {"line1": "12 RUE DES LILAS", "postal_code": postal_code, "city": "PARIS"}
    return {
        "to": {"title": "Mme", "last_name": "Durand", "first_name": "Marie", "address": address},
        "documents": [inline(pdf(1))],
        "billing_code": mark,
        **more,
    }


def fax(behaviour: str = "0001", pages: int = 2, **more: Any) -> dict[str, Any]:
    """Return a fax; the last digits say how the provider behaves."""
    number = f"+3314{next(_numbers):03}{behaviour}"
    return {"to": number, "document": inline(pdf(pages)), **more}


def dialled(body: dict[str, Any]) -> str:
    """Return the number of a fax as the provider's ledger has it."""
    return str(body["to"]).replace("+33", "0")


def inline(content: bytes, **more: str) -> dict[str, str]:
    return {"content_base64": base64.b64encode(content).decode(), **more}


def pdf(pages: int) -> bytes:
    """Return a PDF that is like no other."""
    with pikepdf.new() as document:
        for _ in range(pages):
            document.add_blank_page()
        document.Root.Mark = pikepdf.String(f"{next(_numbers)}")
        content = io.BytesIO()
        document.save(content)
    return content.getvalue()
