import pytest

from app.store.database import Database
from tests.gateways import World


@pytest.fixture
async def world(database: Database) -> World:
    made = World(database)
    await made.open()
    return made
