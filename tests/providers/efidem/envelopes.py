"""SOAP answers as bytes, written by hand."""

from app.providers.wire import Answered

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"


def envelope(inside: str, namespace: str = SOAP_11) -> bytes:
    """Return an answer whose body holds some XML."""
    text = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<s:Envelope xmlns:s="{namespace}"><s:Body>{inside}</s:Body></s:Envelope>'
    )
    return text.encode()


def result(text: str) -> bytes:
    """Return the answer of a function whose result is a text."""
    return envelope(f'<R xmlns="urn:x"><RResult>{text}</RResult></R>')


def answered(body: bytes, status: int = 200) -> Answered:
    """Return an exchange that ended with a whole answer."""
    return Answered(status=status, body=body)
