"""A provider that costs little: it takes any call of both, and answers at once or after a time.

`python -m bench.provider PORT SECONDS`. Our simulator keeps a ledger and parses what it is sent, at
some hundred calls a second: it would be what is measured. GET /count tells how many sends came.
Whoever asks what became of a text message hears that it has arrived. A client whose webhooks go to
POST /hook takes them all.
"""

import asyncio
import sys
from typing import Any, Final

import uvloop

_ENVELOPE: Final = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<{0}Response xmlns="urn:efidem:multicanal"><{0}Result>{1}</{0}Result></{0}Response>'
    "</soap:Body></soap:Envelope>"
)
_STATUSES: Final = {
    "STATUT_EMAIL": "-99",  # none yet
    "STATUT_SMS": "-5",
    "STATUT_COMPLET_SMS": "<CODE_STATUT>102</CODE_STATUT>",  # delivered
}
_SENDS: Final = ("ENVOYER", "MULTI_ENVOYER", "COURRIER_ENVOYER")


class Counted:
    """How many sends came."""

    sends = 0


class Call(asyncio.Protocol):
    """A connection on which calls come, one after the other."""

    def __init__(self, counted: Counted, delay: float) -> None:
        self._counted = counted
        self._delay = delay
        self._transport: Any = None
        self._head = b""
        self._missing = -1  # bytes of the body; -1: the head is not whole

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            self._missing = _length(self._head[:end]) - (len(self._head) - end - 4)
            self._head = self._head[:end]
        else:
            self._missing -= len(data)
        if self._missing == 0:
            head, self._head, self._missing = self._head, b"", -1
            answer = self._answer(head)
            if self._delay and head.startswith(b"POST"):
                asyncio.get_running_loop().call_later(self._delay, self._write, answer)
            else:
                self._write(answer)

    def _write(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)

    def _answer(self, head: bytes) -> bytes:
        if head.startswith(b"GET /count"):
            return _response(b"text/plain", str(self._counted.sends).encode())
        if head.startswith(b"POST /hook"):
            return _response(b"text/plain", b"")
        if head.startswith(b"GET /http.php"):  # 123-fax's whole interface
            self._counted.sends += 1
            return _response(b"text/html", b"113")
        function = _header(head, b"soapaction").strip(b'"').rpartition(b"/")[2].decode()
        result = _STATUSES.get(function)
        if result is None:
            self._counted.sends += function.startswith(_SENDS)
            # A "GUID simplifié", as the document has it.
            result = f"{self._counted.sends:032x}"
        return _response(b"text/xml; charset=utf-8", _ENVELOPE.format(function, result).encode())


def _response(kind: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
    return head % (kind, len(body)) + body


def _length(head: bytes) -> int:
    return int(_header(head, b"content-length") or b"0")


def _header(head: bytes, name: bytes) -> bytes:
    at = head.lower().find(b"\r\n%s:" % name)
    if at < 0:
        return b""
    at += len(name) + 3
    end = head.find(b"\r\n", at)
    return head[at : end if end >= 0 else None].strip()


async def serve(port: int, delay: float) -> None:
    """Answer until the end."""
    counted = Counted()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Call(counted, delay), "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), float(sys.argv[2])))
