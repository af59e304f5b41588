"""Build what every step works with, open it and close it; nothing is created elsewhere."""

import os
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.delivery import fault_points, webhooks
from app.delivery.begin import begin
from app.delivery.gateway import Gateway, Timing
from app.delivery.inspect import Inspector
from app.delivery.watch import watching
from app.domain.identifiers import Identifiers
from app.domain.message import Channel
from app.providers import registry
from app.settings import AllSettings, CoreSettings
from app.store.addresses import address
from app.store.clock import Clock
from app.store.database import Database
from app.store.revision import NEWEST, revision


class WrongRevision(Exception):
    """The store has another schema than this version works with."""


def now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


def build(settings: AllSettings, database: Database | None = None) -> Gateway:
    """Return what every step works with; another store than the settings' may be handed in."""
    core = settings.core
    database = database or Database(core.database_url, pool=core.database_pool)
    clock = Clock(database)
    inspector = Inspector()
    built = registry.build(settings, inspector, database, now)
    return Gateway(
        database=database,
        webhooks=webhooks.build(
            settings.webhooks,
            core.key_pepper.get_secret_value().encode(),
            port=core.port,
            public_url=core.public_url,
            production=core.environment == "production",
            lease=core.worker_lease,
            random_bytes=os.urandom,
        ),
        providers=built.providers,
        desks=built.desks,
        evidence=built.evidence,
        routes=routes(core.route_fax),
        learn=built.learn,
        ids=Identifiers(now, os.urandom),
        now=clock.now,
        clock=clock,
        production=core.environment == "production",
        outside=outside_of(core),
        spool=Path(core.spool),
        random=random.SystemRandom().random,
        public_url=core.public_url,
        zone=settings.queue.zone,
        twin_url=settings.twins.url,
        inspector=inspector,
        concurrency=built.concurrency,
        rates={"efidem": settings.efidem.rate} if settings.efidem.rate else {},
        slots={"efidem": settings.efidem.slots},
        fault_points=fault_points.read(core.fault_points, random.SystemRandom().random),
        timing=Timing(
            lease=timedelta(seconds=core.worker_lease),
            start_within=timedelta(seconds=core.worker_lease / 4),
            grace=timedelta(seconds=core.worker_lease / 4),
            idle=core.worker_idle,
            pace=core.pace,
            drain=core.worker_drain,
            fax_retries=core.fax_retries,
            ack_overdue=timedelta(seconds=core.fax_ack_overdue),
            settle=timedelta(seconds=core.settle),
            keys_kept=timedelta(days=settings.queue.idempotency_days),
            kept=settings.queue.kept,
        ),
    )


def outside_of(core: CoreSettings) -> Path | None:
    """Return the file that keeps the store's position outside it: beside SQLite's, or where said."""
    if core.incarnation_file is not None:
        return Path(core.incarnation_file)
    url = address(core.database_url)
    is_file = url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}
    return Path(f"{url.database}.incarnation") if is_file else None


def routes(fax: str) -> Mapping[Channel, str]:
    """Return the provider that carries each channel."""
    return dict.fromkeys(Channel, "efidem") | {Channel.FAX: fax}


@asynccontextmanager
async def opened(gateway: Gateway) -> AsyncIterator[None]:
    """Hold a gateway open: the store's schema is right, the providers know what they can."""
    try:
        await prepare_store(gateway.database)
        async with watching(gateway):
            await begin(gateway)
            yield
    finally:
        await closed(gateway)


async def closed(gateway: Gateway) -> None:
    """Close every connection and process."""
    for provider in gateway.providers.values():
        await provider.close()
    if gateway.webhooks is not None:
        await gateway.webhooks.close()
    await gateway.inspector.close()
    await gateway.database.close()


async def prepare_store(database: Database) -> None:
    """Bring the embedded SQLite to this version's schema; refuse another store that has not it."""
    found, wanted = await revision(database), NEWEST
    if found == wanted:
        return
    if not database.is_sqlite:
        message = f"the store has revision {found}, this version needs {wanted}: multicanal migrate"
        raise WrongRevision(message)
    from app.store import migrate  # noqa: PLC0415 -- Alembic, which hardly any start needs

    await migrate.upgrade(database)
