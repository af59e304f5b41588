"""A store that cannot be used is told of in words for an operator, without its address."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.store.database import Database
from app.store.unusable import unusable
from tests.journeys.loopback import free_port
from tests.postgres import Postgres

SECRET = "hidden-word"  # stands in each address, as a password may


def said(url: str) -> str:
    """What an operator is told who asks for something in a store that cannot be used."""

    async def ask() -> str:
        database = Database(url)
        try:
            async with database.reading() as connection:
                await connection.execute(text("SELECT 1"))
        except DBAPIError as fault:
            return unusable(fault)
        finally:
            await database.close()
            await asyncio.sleep(0.1)  # the driver's thread still tells of what it could not open
        return "used"

    words = asyncio.run(ask())
    assert SECRET not in words
    return words


def test_a_server_that_is_away_is_told_of() -> None:
    words = said(f"postgresql://gateway:{SECRET}@127.0.0.1:{free_port()}/gateway")

    assert words == (
        "the store cannot be used (nothing listens at its address): see MULTICANAL_DATABASE_URL"
    )


def test_a_database_or_user_that_is_not_there_is_told_of(postgres: Postgres) -> None:
    stranger = f"postgresql://{SECRET}@127.0.0.1:{postgres.port}/postgres"

    assert "it has no such user or database" in said(postgres.url(SECRET))
    assert "it has no such user or database" in said(stranger)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such folder, or it may not be written"),
        (b"no database, and long enough to be read as one" * 100, "its file is no SQLite database"),
    ],
)
def test_a_file_that_is_no_database_is_told_of(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    file = tmp_path / SECRET / "multicanal.db"
    if content is not None:
        file.parent.mkdir()
        file.write_bytes(content)

    assert words in said(f"sqlite:///{file}")
