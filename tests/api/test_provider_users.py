"""Users of the provider's console: called once, whatever happens, and no password anywhere."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import structlog
from sqlalchemy import select

from app.store import migrate
from app.store.database import Database
from app.store.tables import idempotency_keys, metadata
from tests.api.asking import ACCOUNT, Asking, answering, asking, calls, described
from tests.api.client import problem, wrong

pytestmark = pytest.mark.anyio

PATH = "/v1/provider-users"
PASSWORD = "canary-of-the-new-user"
USER = {"username": "paul", "password": PASSWORD}
DIALECTS = ["document", "bare", "asmx", "php", "rpc12"]


@pytest.fixture
async def asked(database: Database) -> AsyncIterator[Asking]:
    async with asking(database) as found:
        yield found


def keyed(key: str) -> dict[str, Any]:
    return {"headers": {"Idempotency-Key": key}}


async def records(database: Database) -> list[Any]:
    async with database.reading() as connection:
        return list((await connection.execute(select(idempotency_keys))).mappings())


async def test_a_user_is_added_and_removed(asked: Asking) -> None:
    added = await asked.post(PATH, USER)

    assert set(added.json()) == described("ProviderUserOut")
    assert (added.status, added.json()) == (
        201,
        {
            "username": "paul",
            "provider": {
                "name": "efidem",
                "function": "AJOUTER_UTILISATEUR",
                "code": "1",
                "label": None,
            },
        },
    )
    assert await asked.users() == ["paul"]
    removed = await asked.api.call("DELETE", f"{PATH}/paul")
    assert (removed.status, removed.content) == (204, b"")
    assert await asked.users() == []


@pytest.mark.parametrize("name", ["Paul Durand", "a/b", "rené@exemple.fr", "x" * 100])
async def test_a_name_may_hold_what_an_address_escapes(asked: Asking, name: str) -> None:
    assert (await asked.post(PATH, {**USER, "username": name})).status == 201
    assert await asked.users() == [name]

    removed = await asked.api.call("DELETE", f"{PATH}/{quote(name, safe='')}")

    assert removed.status == 204
    assert await asked.users() == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"username": ""}, ("/username", "too_short")),
        ({"username": " "}, ("/username", "too_short")),
        ({"username": "x" * 101}, ("/username", "too_long")),
        ({"username": "a\nb"}, ("/username", "line_break")),
        ({"password": ""}, ("/password", "too_short")),
        ({"password": "x" * 201}, ("/password", "too_long")),
        ({"password": "a\nb"}, ("/password", "line_break")),
        ({"password": 12345678}, ("/password", "wrong_type")),
        ({"role": "admin"}, ("/role", "unknown_field")),
    ],
)
async def test_a_wrong_field_is_a_fault_that_does_not_repeat_it(
    asked: Asking, changes: dict[str, Any], fault: tuple[str, str]
) -> None:
    answer = await asked.post(PATH, {**USER, **changes})

    assert wrong(answer) == [fault]
    assert PASSWORD.encode() not in answer.content
    assert await asked.users() == []


async def test_only_an_administrator_may(asked: Asking) -> None:
    for key in (asked.api.other, asked.api.test, asked.api.reader):
        problem(await asked.post(PATH, USER, key=key), 403, "scope_missing")
        answer = await asked.api.call("DELETE", f"{PATH}/paul", key=key)
        problem(answer, 403, "scope_missing")
    assert await asked.users() == []


async def test_a_forbidden_sequence_is_refused_and_the_key_stays_free(asked: Asking) -> None:
    refused = await asked.post(PATH, {**USER, "username": "a\u00a4b"}, **keyed("k"))

    found = problem(refused, 422, "provider_rejected")
    assert (found["provider"]["code"], found["provider"]["function"]) == (
        "-7",
        "AJOUTER_UTILISATEUR",
    )
    assert (await asked.post(PATH, USER, **keyed("k"))).status == 201


# --- the two passwords ---


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_the_new_password_is_the_second_one_in_every_dialect(
    tmp_path: Any, dialect: str
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'store.db'}")
    await migrate.upgrade(database)
    async with asking(database, dialect=dialect) as asked:
        # The simulator would refuse the call had it the new password for the account's.
        assert (await asked.post(PATH, {**USER, "password": "wrong"})).status == 201
        assert (await asked.post(PATH, {**USER, "username": "anne"})).status == 201
        assert await asked.users() == ["anne", "paul"]
    await database.close()


async def test_each_password_goes_once_and_to_its_own_place(database: Database) -> None:
    async with answering(database, "1") as (asked, server):
        await asked.post(PATH, USER)

    (sent,) = calls(server.requests, "AJOUTER_UTILISATEUR")
    assert f"<ns0:MOT_DE_PASSE>{ACCOUNT['password']}</ns0:MOT_DE_PASSE>" in sent
    assert f"<ns0:MOT_DE_PASSE_UTILISATEUR>{PASSWORD}</ns0:MOT_DE_PASSE_UTILISATEUR>" in sent
    assert sent.count(PASSWORD) == sent.count(ACCOUNT["password"]) == 1


async def test_no_password_reaches_the_store_the_logs_or_an_answer(
    asked: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as logged:
        answers = [
            await asked.post(PATH, USER, **keyed("k")),
            await asked.post(PATH, USER, **keyed("k")),
            await asked.post(PATH, {**USER, "username": "lost"}, **keyed("l")),
            await asked.post(PATH, {**USER, "username": "lost"}, **keyed("l")),
            await asked.post(PATH, {**USER, "username": "a\nb"}, **keyed("m")),
        ]

    assert [answer.status for answer in answers] == [201, 201, 502, 409, 422]
    async with asked.api.gateway.database.reading() as connection:
        dumped = [
            repr(row)
            for table in metadata.sorted_tables
            for row in await connection.execute(select(table))
        ]
    assert len(dumped) > 3
    assert [one for one in logged if one["event"] == "consulted"]
    told = [*dumped, *map(repr, logged), caplog.text]
    told += [repr(one.headers) + one.content.decode() for one in answers]
    for secret in (PASSWORD, ACCOUNT["password"]):
        assert not [one for one in told if secret in one]


# --- once, whatever happens ---


async def test_a_repeat_with_the_same_key_gets_the_first_answer(asked: Asking) -> None:
    first = await asked.post(PATH, USER, **keyed("k"))
    await asked.api.call("DELETE", f"{PATH}/paul")

    second = await asked.post(PATH, USER, **keyed("k"))

    assert (second.status, second.content) == (201, first.content)
    assert second.headers["Idempotency-Replayed"] == "true"
    assert await asked.users() == []  # it was not added again


async def test_a_key_that_came_with_another_password_is_refused(asked: Asking) -> None:
    await asked.post(PATH, USER, **keyed("k"))

    again = await asked.post(PATH, {**USER, "password": "another"}, **keyed("k"))

    problem(again, 422, "idempotency_key_reused")


@pytest.mark.parametrize("name", ["lost", "notsent", "slow"])
async def test_an_unclear_call_is_said_to_be_one_and_never_repeated(
    database: Database, name: str
) -> None:
    async with asking(database, efidem={"timeout": 0.8}) as asked:
        answer = await asked.post(PATH, {**USER, "username": name}, **keyed("k"))
        found = problem(answer, 502, "provider_protocol_error")
        assert "may have been added, or not" in found["detail"]
        assert "console" in found["detail"]
        users = await asked.users()
        assert users == ([] if name == "notsent" else [name])

        again = await asked.post(PATH, {**USER, "username": name}, **keyed("k"))
        assert not problem(again, 409, "outcome_unknown")["retryable"]
        assert await asked.users() == users


@pytest.mark.parametrize("answer", ["0", "OK", "-99", "-4", "a" * 32, "", None])
async def test_another_answer_than_the_tables_is_unclear_and_called_once(
    database: Database, answer: str | None
) -> None:
    async with answering(database, answer) as (asked, server):
        server.requests.clear()
        before = server.connections
        problem(await asked.post(PATH, USER), 502, "provider_protocol_error")
        removed = await asked.api.call("DELETE", f"{PATH}/paul")
        found = problem(removed, 502, "provider_protocol_error")
        assert "may have been removed, or not" in found["detail"]
        assert server.connections - before == 2


async def test_a_repeat_waits_while_the_first_is_under_way(database: Database) -> None:
    async with answering(database, "1", silent=1.0) as (asked, server):
        first = asyncio.create_task(asked.post(PATH, USER, **keyed("k")))
        async with asyncio.timeout(5):
            while not calls(server.requests, "AJOUTER_UTILISATEUR"):
                await asyncio.sleep(0.02)

        meanwhile = await asked.post(PATH, USER, **keyed("k"))

        assert problem(meanwhile, 409, "idempotency_in_progress")["retryable"]
        assert meanwhile.headers["Retry-After"] == "1"
        assert (await first).status == 201
        assert (await asked.post(PATH, USER, **keyed("k"))).status == 201
        assert len(calls(server.requests, "AJOUTER_UTILISATEUR")) == 1


async def test_a_crash_in_the_middle_is_an_unknown_outcome_and_no_second_call(
    database: Database,
) -> None:
    at = [datetime(2026, 11, 22, 10, 0, tzinfo=UTC)]
    async with answering(database, "1", silent=5, now=lambda: at[0]) as (asked, server):
        first = asyncio.create_task(asked.post(PATH, USER, **keyed("k")))
        async with asyncio.timeout(5):
            while not calls(server.requests, "AJOUTER_UTILISATEUR"):
                await asyncio.sleep(0.02)
        (left,) = await records(database)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    # What a process leaves that was killed during the call: the record as it was then.
    async with database.transaction() as connection:
        await connection.execute(idempotency_keys.delete())
        await connection.execute(idempotency_keys.insert().values(**left))

    at[0] += timedelta(seconds=151)
    async with answering(database, "1", now=lambda: at[0]) as (asked, server):
        server.requests.clear()
        again = await asked.post(PATH, USER, key=asked.admin, **keyed("k"))
        found = problem(again, 409, "outcome_unknown")
        assert "may have added the user, or not" in found["detail"]
        assert calls(server.requests, "AJOUTER_UTILISATEUR") == []


async def test_what_did_nothing_leaves_the_key_free(database: Database) -> None:
    async with asking(database, efidem={"address": "http://127.0.0.1:9/soap"}) as asked:
        problem(await asked.post(PATH, USER, **keyed("k")), 503, "provider_unavailable")
        assert await records(database) == []
    async with asking(database, account={"password": "wrong"}) as asked:
        problem(await asked.post(PATH, USER, **keyed("k")), 503, "provider_credentials")
        assert await asked.users() == []
    async with asking(database, efidem={"app_id": None}) as asked:
        problem(await asked.post(PATH, USER, **keyed("k")), 503, "provider_contract")
        removed = await asked.api.call("DELETE", f"{PATH}/paul")
        problem(removed, 503, "provider_contract")
    assert await records(database) == []


async def test_a_key_is_required_where_sending_needs_one(database: Database) -> None:
    async with asking(database, idempotency="required") as asked:
        problem(await asked.post(PATH, USER), 400, "idempotency_key_required")
