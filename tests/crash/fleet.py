"""Clients that hand messages in, repeat themselves, and write down what they were told.

Each line of a journal is on the disk before its client goes on. A client that was not answered
asks again with the same key until it is.
"""

import asyncio
import json
import os
import random
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.journeys import samples

CLIENTS: Final = 6
REPEATED: Final = 0.1  # of the requests that were answered
PATIENCE: Final = 8.0  # seconds for one answer
ANSWERED: Final = frozenset({200, 201, 202})
AGAIN: Final = frozenset({409, 429, 500, 502, 503})

# Per channel: its weight, and the last part of the recipient that says what its provider does.
WEIGHTS: Final = {"sms": 35, "emails": 30, "letters": 15, "faxes": 20}
BEHAVIOURS: Final = {
    "delivered": {"emails": "delivered", "sms": "0001", "letters": "75011", "faxes": "0001"},
    "rejected": {"emails": "rejected", "sms": "0004", "letters": "99904", "faxes": "0004"},
    "lost": {"emails": "lost", "sms": "0006", "letters": "99906", "faxes": "0006"},
    "notsent": {"emails": "notsent", "sms": "0007", "letters": "99907", "faxes": "0007"},
    "slow": {"emails": "slow", "sms": "0005", "letters": "99905", "faxes": "0005"},
}
SHARES: Final = {"delivered": 87, "rejected": 2, "lost": 5, "notsent": 3, "slow": 3}


@dataclass(frozen=True, slots=True)
class Request:
    """One message to hand in: `mark` is nobody else's, and reaches the provider's ledger."""

    key: str
    mark: str
    path: str
    behaviour: str
    body: dict[str, Any]


def request(number: int, path: str, behaviour: str, document: str, **more: Any) -> Request:
    """Return the request with a number of its own; its recipient says what its provider does."""
    mark = f"{path}-{number:06}"
    ending = BEHAVIOURS[behaviour][path]
    bodies: dict[str, Callable[[], dict[str, Any]]] = {
        "emails": lambda: samples.email(ending, text=f"Dossier {mark}"),
        "sms": lambda: samples.sms(ending, to=f"+336{number % 10_000:04}{ending}"),
        "letters": lambda: _letter(ending, document),
        "faxes": lambda: {
            "to": f"+33{1 + 2 * (number // 10_000 % 2)}{number % 10_000:04}{ending}",
            "document": {"document_id": document},
        },
    }
    body = bodies[path]() | {"billing_code": mark, **more}
    return Request(f"key-{mark}", mark, path, behaviour, body)


def _letter(postal_code: str, document: str) -> dict[str, Any]:
    address = {"line1": "12 RUE DES LILAS", "postal_code": postal_code, "city": "PARIS"}
    return {
        "to": {"title": "Mme", "last_name": "Durand", "first_name": "Marie", "address": address},
        "documents": [{"document_id": document}],
    }


class Journal:
    """One client's lines."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def write(self, **line: Any) -> None:
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()


def lines_of(folder: Path) -> list[dict[str, Any]]:
    """Return what every client wrote down, each client's in its order."""
    return [
        json.loads(line)
        for path in sorted(folder.glob("client-*.jsonl"))
        for line in path.read_text().splitlines()
    ]


class Fleet:
    """All clients, in a thread of their own."""

    def __init__(
        self, folder: Path, urls: Sequence[str], key: str, *, pause: float, seed: int
    ) -> None:
        self._folder = folder
        self._urls = urls
        self._headers = {"Authorization": f"Bearer {key}"}
        self._pause = pause
        self._seed = seed
        self._over = threading.Event()
        self._calm = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._next = 0
        self._document = ""

    def begin(self) -> None:
        self._thread.start()

    def calm(self) -> None:
        """From now on send only what is accepted and answered: later reports need it to compare."""
        self._calm.set()

    def end(self, seconds: float) -> bool:
        """Let each client get its last answer; say whether all did."""
        self._over.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    async def _run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        async with aiohttp.ClientSession(headers=self._headers, timeout=timeout) as session:
            self._document = await self._upload(session)
            await asyncio.gather(*(self._client(session, place) for place in range(CLIENTS)))

    async def _upload(self, session: aiohttp.ClientSession) -> str:
        url, content = f"{self._urls[0]}/v1/documents", samples.pdf(2)
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                kind = {"Content-Type": "application/pdf"}
                async with session.post(url, data=content, headers=kind) as answer:
                    if answer.status in ANSWERED:
                        told: str = (await answer.json())["id"]
                        return told
            await asyncio.sleep(0.2)

    async def _client(self, session: aiohttp.ClientSession, place: int) -> None:
        chance = random.Random(self._seed * 1000 + place)
        journal = Journal(self._folder / f"client-{place}.jsonl")
        while not self._over.is_set():
            self._next += 1
            path = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
            behaviour = chance.choices(list(SHARES), list(SHARES.values()))[0]
            behaviour = "delivered" if self._calm.is_set() else behaviour
            one = request(self._next, path, behaviour, self._document)
            journal.write(event="ask", key=one.key, mark=one.mark, behaviour=behaviour)
            await self._until_told(session, one, journal, chance)
            if chance.random() < REPEATED:
                await self._until_told(session, one, journal, chance)
            slower = 5 if self._calm.is_set() else 1
            await asyncio.sleep(slower * self._pause * (0.5 + chance.random()))
        journal.close()

    async def _until_told(
        self,
        session: aiohttp.ClientSession,
        one: Request,
        journal: Journal,
        chance: random.Random,
    ) -> None:
        while True:
            url = f"{chance.choice(self._urls)}/v1/{one.path}"
            headers = {"Idempotency-Key": one.key}
            why = ""
            try:
                async with session.post(url, json=one.body, headers=headers) as answer:
                    content = await answer.json(content_type=None)
                    status = answer.status
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
                why = type(fault).__name__
            else:
                if status in ANSWERED:
                    journal.write(event="told", key=one.key, mark=one.mark, id=content["id"])
                    return
                if status not in AGAIN:
                    journal.write(event="refused", key=one.key, mark=one.mark, status=status)
                    return
                why = str(status)
            journal.write(event="again", key=one.key, why=why)
            await asyncio.sleep(0.05 + 0.2 * chance.random())
