import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from app.store import migrate
from app.store.database import Database
from app.store.revision import NEWEST, revision
from app.store.tables import metadata

pytestmark = pytest.mark.anyio


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return compare_metadata(context, metadata)


def _tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


# An index of an expression cannot be read back there; tests/store/test_plans.py sees it used.
@pytest.mark.filterwarnings("ignore:.*expression-based index")
async def test_the_migrations_make_exactly_the_tables_of_the_code(database: Database) -> None:
    async with database.transaction() as connection:
        assert await connection.run_sync(_differences) == []


def test_this_version_works_with_the_last_of_the_migrations() -> None:
    assert ScriptDirectory(str(migrate.MIGRATIONS)).get_heads() == [NEWEST]


async def test_the_migrations_can_be_taken_back_and_done_again(database: Database) -> None:
    await migrate.downgrade(database, "base")
    async with database.transaction() as connection:
        assert await connection.run_sync(_tables) == {"alembic_version"}
    assert await revision(database) is None

    await migrate.upgrade(database)

    assert await revision(database) == NEWEST


async def test_processes_that_migrate_at_once_do_it_once(empty_url: str) -> None:
    stores = [Database(empty_url) for _ in range(3)]

    await asyncio.gather(*(migrate.upgrade(store) for store in stores))

    assert [await revision(store) for store in stores] == [NEWEST] * 3
    for store in stores:
        await store.close()
