"""The pipelined floor of dispatch: claim ahead, raw keep-alive calls, completions in groups.

`python -m bench.floor_dispatch DATABASE-URL PROVIDER-PORT IN-FLIGHT`. It knows no attempts, fences,
events, rates or breakers, and what it had in flight when it dies is in nobody's hands.
"""

import asyncio
import sys
import uuid
from typing import Any, Final
from xml.sax.saxutils import escape

import asyncpg
import uvloop
from lxml import etree

AHEAD: Final = 500  # rows of one claim
_CLAIM: Final = (
    "UPDATE messages SET status = 'submitting', due_at = NULL WHERE id = ANY(ARRAY("
    " SELECT id FROM messages WHERE status = 'queued' AND due_at <= extract(epoch FROM now())"
    " ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)) RETURNING id, recipient, content"
)
_COMPLETE: Final = (
    "UPDATE messages SET status = 'submitted', provider_id = new.p"
    " FROM unnest($1::uuid[], $2::text[]) AS new (i, p)"
    " WHERE id = new.i AND status = 'submitting'"
)
_BODY: Final = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<ENVOYER_SMS xmlns="urn:efidem:multicanal"><UTILISATEUR>bench</UTILISATEUR>'
    "<MOT_DE_PASSE>bench-password</MOT_DE_PASSE><AppID>bench-app</AppID>"
    "<DESTINATION>{}</DESTINATION><TEXTE>{}</TEXTE></ENVOYER_SMS></soap:Body></soap:Envelope>"
)
_HEAD: Final = (
    b"POST /soap HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml; charset=utf-8\r\n"
    b'SOAPAction: "urn:efidem:multicanal/ENVOYER_SMS"\r\nContent-Length: %d\r\n\r\n'
)


class Pipeline:
    """Rows that were claimed, calls under way, and answers that wait to be written down."""

    def __init__(self, in_flight: int) -> None:
        self.in_flight = in_flight
        self.claimed: list[Any] = []
        self.ended: list[tuple[uuid.UUID, str]] = []
        self.idle: list[Call] = []
        self.few, self.some = asyncio.Event(), asyncio.Event()
        self.few.set()

    def next_of(self, call: "Call") -> None:
        """Give a connection its next row."""
        if not self.claimed:
            self.idle.append(call)
            return
        call.send(self.claimed.pop())
        if len(self.claimed) < AHEAD:
            self.few.set()

    def end(self, row: uuid.UUID, provider_id: str) -> None:
        """Have an answer written down."""
        self.ended.append((row, provider_id))
        self.some.set()

    async def claim(self, connection: Any) -> None:
        """Keep rows claimed ahead."""
        while True:
            await self.few.wait()
            self.few.clear()
            rows = await connection.fetch(_CLAIM, AHEAD)
            self.claimed += rows
            idle, self.idle = self.idle, []
            for one in idle:
                self.next_of(one)
            if not rows:
                await asyncio.sleep(0.05)
                self.few.set()

    async def complete(self, connection: Any) -> None:
        """Write down what ended while the last was written."""
        while True:
            await self.some.wait()
            self.some.clear()
            ended, self.ended = self.ended, []
            await connection.execute(_COMPLETE, *zip(*ended, strict=True))


class Call(asyncio.Protocol):
    """A connection that makes one call after the other."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._transport: Any = None
        self._row: Any = None
        self._had = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._pipeline.next_of(self)

    def send(self, row: Any) -> None:
        """Make the call of a row."""
        self._row, self._had = row["id"], b""
        body = _BODY.format(escape(row["recipient"]), escape(row["content"])).encode()
        self._transport.write(_HEAD % len(body) + body)

    def data_received(self, data: bytes) -> None:
        self._had += data
        if not self._had.endswith(b"</soap:Envelope>"):
            return
        answer = etree.fromstring(self._had.partition(b"\r\n\r\n")[2])
        self._pipeline.end(self._row, answer[0][0][0].text)
        self._pipeline.next_of(self)


async def dispatch(url: str, port: int, in_flight: int) -> None:
    """Dispatch until the end."""
    claiming, completing = await asyncpg.connect(url), await asyncpg.connect(url)
    pipeline = Pipeline(in_flight)
    loop = asyncio.get_running_loop()
    for _ in range(in_flight):
        await loop.create_connection(lambda: Call(pipeline), "127.0.0.1", port)
    await asyncio.gather(pipeline.claim(claiming), pipeline.complete(completing))


if __name__ == "__main__":
    uvloop.run(dispatch(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
