"""A gateway for tests: a clock one can turn, randomness one can repeat, a provider by script."""

import random
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, select, update

from app.delivery import submit
from app.delivery.accept import Answer as HttpAnswer
from app.delivery.accept import Arrival, Key, accept
from app.delivery.conclude import Ended
from app.delivery.gateway import Gateway, Prepared
from app.domain.identifiers import Identifiers
from app.domain.message import (
    Campaign,
    Channel,
    Content,
    Fax,
    File,
    Message,
    Mode,
    Sms,
    Submission,
    Submitted,
    channel_of,
)
from app.domain.outcome import Accepted, Alive, Finding, Meant, NotAskable, Outcome, Probed
from app.providers.fax123 import acknowledgement
from app.store import documents, messages
from app.store.database import Database
from app.store.tables import attempts, clients, events
from app.store.tables import messages as table

BEGAN = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
PDF = b"%PDF-1.4 a document"


class Clock:
    def __init__(self) -> None:
        self.time = BEGAN

    def now(self) -> datetime:
        return self.time

    def turn(self, **by: float) -> None:
        self.time += timedelta(**by)


class Scripted:
    """A provider that answers what the test says, and remembers what it was handed."""

    channels: Collection[Channel] = tuple(Channel)

    def __init__(self, name: str, *, fetches_document: bool = False) -> None:
        self.name = name
        self.fetches_document = fetches_document
        self.is_local = True
        self.outcomes: list[Outcome] = []
        self.meanings: dict[tuple[str, str], Meant] = {}  # by function and code
        self.findings: list[Finding] = []
        self.submissions: list[Submission[Content]] = []
        self.campaigns: list[Campaign[Content]] = []
        self.probes: list[Probed] = []
        self.probed: list[Channel] = []

    async def start(self) -> None:
        pass

    async def close(self) -> None:
        pass

    def carries(self, content: Content) -> bool:
        return True

    async def prepare(self, submission: Submission[Content], *, together: bool = False) -> Prepared:
        return Prepared(content=submission.content, files=submission.files)

    def function_for(self, content: Content, *, together: bool = False) -> str:
        return f"{'MULTI_' if together else ''}SEND_{channel_of(content)}"

    async def submit(self, submission: Submission[Content]) -> Outcome:
        self.submissions.append(submission)
        return self.outcomes.pop(0) if self.outcomes else Accepted(f"id-{submission.reference}")

    async def submit_together(self, campaign: Campaign[Content]) -> Outcome:
        self.campaigns.append(campaign)
        return self.outcomes.pop(0) if self.outcomes else Accepted(f"id-{len(self.campaigns)}")

    async def probe(self, channel: Channel) -> Probed:
        self.probed.append(channel)
        return self.probes.pop(0) if self.probes else Alive()

    def tells_each(self, function: str) -> bool:
        return function == "MULTI_SEND_email"

    async def ask(self, submitted: Submitted) -> Finding:
        return self.findings.pop(0) if self.findings else NotAskable()

    def meaning_of(self, function: str, code: str) -> Meant | None:
        return self.meanings.get((function, code))

    def remedy(self, function: str, code: str) -> str:
        return f"# {function} {code}"

    def health(self) -> Mapping[str, object]:
        return {"state": "ready"}

    def offers(self) -> list[dict[str, object]]:
        return []


class World:
    """A gateway over an empty store, with one client."""

    def __init__(self, database: Database, *, seed: int = 7) -> None:
        self.clock = Clock()
        generator = random.Random(seed)
        self.provider = Scripted("efidem")
        self.fax = Scripted("fax123", fetches_document=True)
        self.gateway = Gateway(
            database=database,
            providers={"efidem": self.provider, "fax123": self.fax},
            routes=dict.fromkeys(Channel, "efidem") | {Channel.FAX: "fax123"},
            learn={"fax123": acknowledgement.learn},
            ids=Identifiers(self.clock.now, generator.randbytes),
            now=self.clock.now,
            random=generator.random,
            public_url="http://127.0.0.1:1",
        )
        self.client_id = self.gateway.ids.new()

    async def open(self) -> None:
        async with self.gateway.database.transaction() as connection:
            await connection.execute(
                insert(clients).values(
                    id=self.client_id, name="client", created_at=self.clock.now()
                )
            )

    def arrival(self, content: Content, *, key: Key | None = None, **options: Any) -> Arrival:
        channel_provider = "fax123" if isinstance(content, Fax) else "efidem"
        message = Message(
            id=self.gateway.ids.new(),
            client_id=self.client_id,
            mode=Mode.LIVE,
            content=content,
            provider=channel_provider,
            created_at=self.clock.now(),
            **options,
        )
        answer = HttpAnswer(status=202, location="/v1/messages/x", body='{"first": true}')
        files = {documents.digest(PDF): PDF} if isinstance(content, Fax) else {}
        return Arrival(
            object_id=message.id,
            answer=answer,
            key=key,
            messages=(messages.row_of(message),),
            files=files,
        )

    async def keep(self, content: Content, **options: Any) -> UUID:
        arrival = self.arrival(content, **options)
        await accept(self.gateway, [arrival])
        return arrival.object_id

    async def row(self, message_id: UUID) -> RowMapping:
        async with self.gateway.database.reading() as connection:
            found = await connection.execute(select(table).where(table.c.id == message_id))
            return found.mappings().one()

    async def change(self, message_id: UUID, **columns: Any) -> None:
        async with self.gateway.database.transaction() as connection:
            await connection.execute(
                update(table).where(table.c.id == message_id).values(**columns)
            )

    async def events(self, message_id: UUID) -> Sequence[RowMapping]:
        async with self.gateway.database.reading() as connection:
            found = await connection.execute(
                select(events).where(events.c.message_id == message_id).order_by(events.c.sequence)
            )
            return found.mappings().all()

    async def statuses(self, message_id: UUID) -> list[str]:
        return [one["status"] for one in await self.events(message_id) if one["applied"]]

    async def attempts(self, message_id: UUID) -> Sequence[RowMapping]:
        async with self.gateway.database.reading() as connection:
            found = await connection.execute(
                select(attempts)
                .where(attempts.c.message_id == message_id)
                .order_by(attempts.c.number)
            )
            return found.mappings().all()

    async def submit(self, channel: Channel, *outcomes: Outcome) -> list[Ended]:
        """Claim, call and write down, once."""
        (self.fax if channel is Channel.FAX else self.provider).outcomes.extend(outcomes)
        held = await submit.claim(self.gateway, channel, 100)
        ended = [one for call in held for one in await submit.call(self.gateway, call)]
        if ended:
            await submit.record(self.gateway, ended)
        return ended


def sms(to: str = "+33639980001") -> Sms:
    return Sms(to=to, text="Votre code : 1234")


def fax(to: str = "+33199000001") -> Fax:
    file = File(
        sha256=documents.digest(PDF),
        name="d.pdf",
        media_type="application/pdf",
        size=len(PDF),
        pages=3,
    )
    return Fax(to=to, file=file)
