"""What stands of a provider's contract, whoever writes at the same time."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from app.delivery.keep_contract import ContractStore, Kept, NotKept
from app.store.database import Database
from tests.gateways import BEGAN, World

pytestmark = pytest.mark.anyio

FIRST = Kept(
    location="http://efidem.example/wsdl",
    fingerprint="a" * 64,
    shape={"address": "http://efidem.example", "operations": {"X": {"paths": [{"min": 0}]}}},
    documents={"": bytes(range(256)), "more.xsd": b"\xef\xbb\xbf<x/>"},
)
SECOND = replace(FIRST, fingerprint="b" * 64, documents={"": b"second"})
THIRD = replace(FIRST, fingerprint="c" * 64)
DIFFERENT = [
    {
        "severity": "error",
        "function": None,
        "operation": None,
        "path": None,
        "what": "address",
        "old": "x",
        "new": "y",
    }
]


@pytest.fixture
def store(world: World) -> ContractStore:
    return ContractStore(world.gateway.database, "efidem", world.clock.now)


async def test_a_contract_comes_back_as_it_was_kept(store: ContractStore) -> None:
    assert (await store.standing(), await store.accepted()) == (None, None)

    await store.keep_first(FIRST)

    standing = await store.standing()
    assert await store.accepted() == FIRST
    assert standing is not None
    assert (standing.location, standing.fingerprint) == (FIRST.location, FIRST.fingerprint)
    assert (standing.read_at, standing.pending) == (BEGAN, None)


async def test_the_first_of_several_is_kept(store: ContractStore) -> None:
    await asyncio.gather(*(store.keep_first(one) for one in (FIRST, SECOND, THIRD)))

    kept = await store.accepted()
    await store.keep_first(SECOND)
    assert kept in (FIRST, SECOND, THIRD)
    assert await store.accepted() == kept


async def test_each_providers_contract_stands_by_itself(store: ContractStore, world: World) -> None:
    await store.keep_first(FIRST)

    other = ContractStore(world.gateway.database, "other", world.clock.now)

    assert await other.standing() is None
    assert await other.keep_pending(SECOND, DIFFERENT, against=FIRST.fingerprint) is False
    assert await other.accept(SECOND.fingerprint) is False


async def test_a_difference_waits_and_is_new_once(store: ContractStore, world: World) -> None:
    await store.keep_first(FIRST)
    world.clock.turn(hours=1)

    said = await asyncio.gather(
        *(store.keep_pending(SECOND, DIFFERENT, against=FIRST.fingerprint) for _ in range(5))
    )
    world.clock.turn(hours=1)
    again = await store.keep_pending(SECOND, DIFFERENT, against=FIRST.fingerprint)
    other = await store.keep_pending(THIRD, [], against=FIRST.fingerprint)

    standing = await store.standing()
    assert (sorted(said), again, other) == ([False] * 4 + [True], False, True)
    assert await store.accepted() == FIRST
    assert standing is not None
    assert standing.pending is not None
    assert (standing.pending.fingerprint, standing.pending.differences) == (THIRD.fingerprint, [])


async def test_what_was_compared_with_a_contract_that_no_longer_stands_is_dropped(
    store: ContractStore,
) -> None:
    await store.keep_first(FIRST)
    await store.keep_pending(SECOND, DIFFERENT, against=FIRST.fingerprint)
    assert await store.accept(SECOND.fingerprint)

    late = await store.keep_pending(SECOND, DIFFERENT, against=FIRST.fingerprint)
    moved = await store.keep_pending(
        replace(THIRD, location="elsewhere"), DIFFERENT, against=SECOND.fingerprint
    )

    standing = await store.standing()
    assert (late, moved) == (False, False)
    assert standing is not None
    assert (standing.fingerprint, standing.pending) == (SECOND.fingerprint, None)


async def test_only_what_waits_is_accepted_and_only_once(store: ContractStore) -> None:
    await store.keep_first(FIRST)
    assert await store.accept(FIRST.fingerprint) is False
    await store.keep_pending(SECOND, DIFFERENT, against=FIRST.fingerprint)

    wrong = await store.accept(THIRD.fingerprint)
    accepted = await asyncio.gather(*(store.accept(SECOND.fingerprint) for _ in range(4)))

    assert (wrong, sorted(accepted)) == (False, [False, False, False, True])
    assert await store.accepted() == SECOND


async def test_what_waits_is_dropped_by_whoever_knows_what_stands(store: ContractStore) -> None:
    await store.keep_first(FIRST)
    await store.keep_pending(SECOND, DIFFERENT, against=FIRST.fingerprint)

    assert await store.drop_pending(FIRST.location, against=THIRD.fingerprint) is False
    assert await store.drop_pending(FIRST.location, against=FIRST.fingerprint) is True
    assert await store.drop_pending(FIRST.location, against=FIRST.fingerprint) is False


async def test_what_replaces_a_contract_leaves_nothing_waiting(store: ContractStore) -> None:
    await store.keep_first(FIRST)
    await store.keep_pending(SECOND, DIFFERENT, against=FIRST.fingerprint)

    await asyncio.gather(store.replace(THIRD), store.replace(THIRD))

    standing = await store.standing()
    assert standing is not None
    assert (standing.fingerprint, standing.pending) == (THIRD.fingerprint, None)


async def test_a_store_without_tables_is_said_so_without_its_address(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'canary.db'}")
    store = ContractStore(database, "efidem", lambda: BEGAN)

    for ask in (store.standing, store.accepted, lambda: store.keep_first(FIRST)):
        with pytest.raises(NotKept, match=r"^it has not the tables of this version: multicanal m"):
            await ask()
    await database.close()
