"""API keys: made, shown without their secret, rotated, revoked, and known by their last use."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.event import listen, remove
from structlog.testing import capture_logs

from app.api import access, remembered
from app.api.access import SCOPES
from app.domain.message import Mode
from app.store.database import Database
from app.store.tables import api_keys
from tests.api.administering import client, key_of, listed, made, operator
from tests.api.client import Api, problem, sms, wrong
from tests.api.conftest import Serve
from tests.gateways import Clock

pytestmark = pytest.mark.anyio


@pytest.fixture
async def admin(api: Api) -> str:
    return await operator(api)


def remembered_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the few seconds were over for which a key is remembered."""
    monkeypatch.setattr(remembered, "REMEMBERED", 0.0)


def mistyped(key: str) -> str:
    return key[:-1] + ("0" if key[-1] != "0" else "1")


async def row_of(api: Api, key: str) -> Any:
    async with api.gateway.database.reading() as connection:
        found = await connection.execute(select(api_keys).where(api_keys.c.id == key.split("_")[2]))
        return found.mappings().one()


# --- making ---


async def test_a_made_key_is_shown_once_and_works(api: Api, admin: str) -> None:
    client_id = await client(api, admin)

    answer = await api.post(
        f"/v1/admin/clients/{client_id}/keys",
        {"mode": "live", "scopes": ["sms:send", "messages:read"], "label": "Billing"},
        key=admin,
    )

    found = answer.json()
    assert (answer.status, answer.headers["Cache-Control"]) == (201, "no-store")
    assert found["key"].startswith(found["id"] + "_")
    assert found["id"].startswith("gw_live_")
    assert (found["state"], found["label"], found["client_id"]) == ("active", "Billing", client_id)
    assert (await api.post("/v1/sms", sms(), key=found["key"])).status == 202
    shown = await listed(api, admin, client_id)
    assert [one["id"] for one in shown] == [found["id"]]
    assert found["key"].rsplit("_", 1)[1] not in json.dumps(shown)


async def test_the_store_holds_no_secret_of_a_key(api: Api, admin: str) -> None:
    found = await made(api, admin, await client(api, admin))

    row = await row_of(api, found["key"])

    secret = found["key"].rsplit("_", 1)[1]
    assert secret not in str(dict(row))
    assert row["digest"] == api.edge.access.digest(found["key"])


async def test_a_client_has_several_keys_of_each_mode(api: Api, admin: str) -> None:
    client_id = await client(api, admin)

    keys = [await made(api, admin, client_id, mode) for mode in ("live", "team", "test", "live")]

    assert len({one["key"] for one in keys}) == 4
    assert {one["id"] for one in await listed(api, admin, client_id)} == {one["id"] for one in keys}
    for one in keys:
        me = (await api.get("/v1/me", key=one["key"])).json()
        assert (me["client"]["id"], me["mode"]) == (client_id, one["mode"])


async def test_keys_made_at_once_for_a_new_client_are_of_one(api: Api) -> None:
    name = uuid4().hex

    keys = await asyncio.gather(*(key_of(api, "fax:send", name=name) for _ in range(8)))

    seen = [(await api.get("/v1/me", key=key)).json()["client"] for key in keys]
    assert seen == [seen[0]] * 8
    assert seen[0]["name"] == name


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({}, "/mode", "missing"),
        ({"mode": "production"}, "/mode", "not_allowed"),
        ({"mode": "live", "scopes": []}, "/scopes", "too_short"),
        ({"mode": "live", "scopes": ["sms:read"]}, "/scopes/0", "not_allowed"),
        ({"mode": "live", "networks": []}, "/networks", "too_short"),
        ({"mode": "live", "networks": ["10.0.0.1/8"]}, "/networks/0", "network_invalid"),
        ({"mode": "live", "networks": ["everywhere"]}, "/networks/0", "network_invalid"),
        ({"mode": "live", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at", "in_past"),
        ({"mode": "live", "expires_at": "2030-01-01T00:00:00"}, "/expires_at", "time_without_zone"),
        ({"mode": "live", "label": "a\nb"}, "/label", "line_break"),
        ({"mode": "live", "scope": ["admin"]}, "/scope", "unknown_field"),
    ],
)
async def test_a_wrong_key_is_not_made(
    api: Api, admin: str, given: dict[str, Any], pointer: str, code: str
) -> None:
    client_id = await client(api, admin)

    answer = await api.post(f"/v1/admin/clients/{client_id}/keys", given, key=admin)

    assert (pointer, code) in wrong(answer)
    assert await listed(api, admin, client_id) == []


async def test_an_operator_gives_any_scope_and_none_twice(api: Api, admin: str) -> None:
    found = await made(
        api, admin, await client(api, admin), scopes=["admin", "sms:send", "admin", *SCOPES]
    )

    assert found["scopes"] == list(SCOPES)


# --- ending ---


async def test_a_key_is_refused_from_its_end_on(database: Database, serve: Serve) -> None:
    clock = Clock()
    async with serve(database, now=clock.now) as api:
        admin = await operator(api)
        ends = (clock.now() + timedelta(hours=1)).isoformat()
        found = await made(api, admin, await client(api, admin), expires_at=ends)
        assert (await api.get("/v1/me", key=found["key"])).status == 200

        clock.turn(hours=1)

        problem(await api.get("/v1/me", key=found["key"]), 401, "api_key_invalid")
        (shown,) = await listed(api, admin, found["client_id"])
        assert shown["state"] == "expired"


async def test_a_rotated_key_overlaps_with_its_like(
    database: Database, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    async with serve(database, now=clock.now) as api:
        admin = await operator(api)
        old = await made(
            api,
            admin,
            await client(api, admin),
            scopes=["sms:send"],
            networks=["127.0.0.0/8"],
            label="Billing",
        )
        path = f"/v1/admin/keys/{old['id']}/rotate"
        answer = await api.post(path, {"overlap_seconds": 3600}, key=admin)
        new = answer.json()

        assert answer.status == 201
        same = ("client_id", "mode", "scopes", "networks", "label")
        assert {name: new[name] for name in same} == {name: old[name] for name in same}
        assert (new["expires_at"], new["id"] == old["id"]) == (None, False)
        for one in (old, new):
            assert (await api.get("/v1/me", key=one["key"])).status == 200

        clock.turn(hours=1)
        remembered_no_more(monkeypatch)

        problem(await api.get("/v1/me", key=old["key"]), 401, "api_key_invalid")
        assert (await api.get("/v1/me", key=new["key"])).status == 200
        problem(await api.post(path, {}, key=admin), 409, "key_not_active")


async def test_a_second_rotation_lengthens_nothing(api: Api, admin: str) -> None:
    old = await made(api, admin, await client(api, admin))
    path = f"/v1/admin/keys/{old['id']}/rotate"

    await api.post(path, {"overlap_seconds": 60}, key=admin)
    await api.post(path, {"overlap_seconds": 3600}, key=admin)

    left = (await row_of(api, old["key"]))["expires_at"] - datetime.now(UTC)
    assert timedelta(seconds=30) < left <= timedelta(seconds=60)


async def test_without_overlap_the_old_key_ends_at_once(api: Api, admin: str) -> None:
    old = await made(api, admin, await client(api, admin))

    await api.post(f"/v1/admin/keys/{old['id']}/rotate", {"overlap_seconds": 0}, key=admin)

    # Nobody used it before: no process remembers it.
    problem(await api.get("/v1/me", key=old["key"]), 401, "api_key_invalid")


async def test_a_revoked_key_stays_revoked_and_is_not_rotated(api: Api, admin: str) -> None:
    found = await made(api, admin, await client(api, admin))
    path = f"/v1/admin/keys/{found['id']}"

    first = (await api.post(f"{path}/revoke", key=admin)).json()
    again = (await api.post(f"{path}/revoke", key=admin)).json()

    assert (first["state"], again) == ("revoked", first)
    problem(await api.get("/v1/me", key=found["key"]), 401, "api_key_invalid")
    problem(await api.post(f"{path}/rotate", {}, key=admin), 409, "key_not_active")


@pytest.mark.parametrize(
    "given",
    [
        {"overlap_seconds": -1},
        {"overlap_seconds": 2_592_001},
        {"overlap_seconds": "60"},
        {"overlap": 60},
    ],
)
async def test_a_wrong_rotation_changes_nothing(
    api: Api, admin: str, given: dict[str, Any]
) -> None:
    found = await made(api, admin, await client(api, admin))

    wrong(await api.post(f"/v1/admin/keys/{found['id']}/rotate", given, key=admin))

    assert len(await listed(api, admin, found["client_id"])) == 1
    assert (await row_of(api, found["key"]))["expires_at"] is None


@pytest.mark.parametrize("what", ["rotate", "revoke"])
@pytest.mark.parametrize("name", ["gw_live_0000000000", "0000000000", "x", "gw_live_0", "%2e%2e"])
async def test_a_key_that_is_not_there_is_not_found(
    api: Api, admin: str, name: str, what: str
) -> None:
    problem(await api.post(f"/v1/admin/keys/{name}/{what}", {}, key=admin), 404, "not_found")


async def test_a_whole_key_in_an_address_names_nothing(api: Api, admin: str) -> None:
    found = await made(api, admin, await client(api, admin))

    answer = await api.post(f"/v1/admin/keys/{found['key']}/revoke", key=admin)

    problem(answer, 404, "not_found")


# --- who may ---


async def test_without_the_scope_nothing_is_administered(api: Api, admin: str) -> None:
    found = await made(api, admin, await client(api, admin))
    everything_else = await key_of(api, *(one for one in SCOPES if one != "admin"))
    own = f"/v1/admin/clients/{found['client_id']}"

    for method, path, body in (
        ("GET", "/v1/admin/clients", None),
        ("POST", "/v1/admin/clients", {"name": "x"}),
        ("GET", own, None),
        ("PATCH", own, {}),
        ("GET", f"{own}/keys", None),
        ("POST", f"{own}/keys", {"mode": "live"}),
        ("GET", f"{own}/team-recipients", None),
        ("PUT", f"{own}/team-recipients", {"recipients": []}),
        ("DELETE", f"{own}/team-recipients", None),
        ("POST", f"/v1/admin/keys/{found['id']}/rotate", {}),
        ("POST", f"/v1/admin/keys/{found['id']}/revoke", None),
    ):
        options = {} if body is None else {"body": body}
        answer = await api.call(method, path, key=everything_else, **options)
        problem(answer, 403, "scope_missing")
    assert (await api.get("/v1/me", key=found["key"])).status == 200


@pytest.mark.parametrize("mode", [Mode.TEST, Mode.TEAM])
async def test_an_operator_of_a_mode_reaches_no_other(api: Api, admin: str, mode: Mode) -> None:
    lesser = await operator(api, mode)
    client_id = await client(api, admin)
    path = f"/v1/admin/clients/{client_id}"
    others = [await made(api, admin, client_id, one) for one in Mode if one is not mode]
    own = await made(api, admin, client_id, mode)

    for other in others:
        refused = await api.post(f"{path}/keys", {"mode": other["mode"]}, key=lesser)
        problem(refused, 403, "mode_not_allowed")
        for what in ("rotate", "revoke"):
            answer = await api.post(f"/v1/admin/keys/{other['id']}/{what}", {}, key=lesser)
            problem(answer, 404, "not_found")
        assert (await api.get("/v1/me", key=other["key"])).status == 200
    for method, at, body in (
        ("POST", "/v1/admin/clients", {"name": "x"}),
        ("PATCH", path, {"rate": 1000}),
        ("PUT", f"{path}/team-recipients", {"recipients": ["+33639980001"]}),
        ("DELETE", f"{path}/team-recipients", {}),
    ):
        problem(await api.call(method, at, key=lesser, body=body), 403, "mode_not_allowed")
    team = await api.get(f"{path}/team-recipients", key=lesser)
    assert team.status == (200 if mode is Mode.TEAM else 403)
    assert [one["id"] for one in await listed(api, lesser, client_id)] == [own["id"]]
    made_too = await made(api, lesser, client_id, mode)
    answer = await api.post(f"/v1/admin/keys/{made_too['id']}/revoke", key=lesser)
    assert answer.json()["state"] == "revoked"


async def test_each_request_is_logged_with_the_key_that_made_it_and_never_its_secret(
    api: Api,
) -> None:
    with capture_logs() as lines:
        await api.get("/v1/me")
        await api.post("/v1/sms", {})
        await api.get("/v1/me", key=api.live[:-1] + ("B" if api.live[-1] == "A" else "A"))
        await api.get("/healthz", key=None)

    said = [(one["status"], one["key"]) for one in lines if one["event"] == "answered"]
    visible, secret = api.live.split("_")[2:]
    assert said == [(200, visible), (422, visible), (401, None), (200, None)]
    assert secret not in str(lines)


async def test_what_an_operator_does_is_logged_by_key_and_nothing_personal(
    api: Api, admin: str
) -> None:
    name = "Marie Durand"
    with capture_logs() as lines:
        client_id = await client(api, admin)
        found = await made(api, admin, client_id, label=name)
        await api.post(f"/v1/admin/keys/{found['id']}/rotate", {}, key=admin)
        await api.post(f"/v1/admin/keys/{found['id']}/revoke", key=admin)
        path = f"/v1/admin/clients/{client_id}"
        await api.call("PATCH", path, key=admin, body={"rate": 7})
        team = {"recipients": ["marie.durand@exemple.fr"]}
        await api.call("PUT", f"{path}/team-recipients", key=admin, body=team)

    # Beside requests, the API tells that these tests have no provider.
    besides = {"answered", "wsdl_not_bound"}
    told = {one["event"]: one.get("by") for one in lines if one["event"] not in besides}
    by = admin.split("_")[2]
    done = ("client_created", "key_created", "key_rotated", "key_revoked", "client_changed")
    assert told == dict.fromkeys((*done, "team_replaced"), by)
    for secret in (name, "marie.durand", found["key"].rsplit("_", 1)[1]):
        assert secret not in str(lines)


async def test_who_goes_on_calling_is_asked_for_meanwhile_and_refused_once_revoked(
    api: Api, admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "_AHEAD", remembered.REMEMBERED)
    found, by = await made(api, admin, await client(api, admin)), api.edge.access
    said = f"Bearer {found['key']}".encode()
    await api.get("/v1/me", key=found["key"])
    first = by.known(said)
    assert first is not None

    async with asyncio.timeout(30):
        while (later := by.known(said)) is first:
            await asyncio.sleep(0.01)
    assert later is not None
    assert first.until < later.until <= asyncio.get_running_loop().time() + remembered.REMEMBERED

    await api.post(f"/v1/admin/keys/{found['id']}/revoke", key=admin)
    async with asyncio.timeout(2):  # less than it would be remembered for
        while by.known(said) is not None:
            await asyncio.sleep(0.01)
    assert (await api.get("/v1/me", key=found["key"])).status == 401


async def test_a_known_caller_is_let_through_to_its_end_while_its_key_cannot_be_asked_for(
    api: Api, admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    async def broken(name: tuple[str, str]) -> None:
        asked.append(name)
        raise ConnectionError

    monkeypatch.setattr(access, "_AHEAD", remembered.REMEMBERED)
    found, by = await made(api, admin, await client(api, admin)), api.edge.access
    said = f"Bearer {found['key']}".encode()
    await api.get("/v1/me", key=found["key"])
    monkeypatch.setattr(by, "_keys", remembered.Remembered(broken))
    first = by.known(said)
    assert first is not None
    by.known(said)

    async with asyncio.timeout(30):
        while (later := by.known(said)) is not None:
            assert later is first
            await asyncio.sleep(0.01)

    assert asyncio.get_running_loop().time() >= first.until
    assert set(asked) == {first.name}
    assert len(asked) > 1  # again and again, one at a time
    await asyncio.sleep(0)
    assert by._renewing == {}


# --- last use ---


async def test_the_last_use_is_written_beside_requests_and_once(api: Api, admin: str) -> None:
    found = await made(api, admin, await client(api, admin))
    assert found["last_used_at"] is None
    await api.get("/v1/me", key=found["key"])
    assert (await row_of(api, found["key"]))["last_used_at"] is None

    await api.edge.access.last_use.write()
    first = (await row_of(api, found["key"]))["last_used_at"]
    await api.get("/v1/me", key=found["key"])
    await api.edge.access.last_use.write()

    assert abs(first - datetime.now(UTC)) < timedelta(seconds=30)
    assert (await row_of(api, found["key"]))["last_used_at"] == first
    (shown,) = await listed(api, admin, found["client_id"])
    assert shown["last_used_at"] is not None


async def test_a_key_that_is_refused_has_no_last_use(api: Api, admin: str) -> None:
    found = await made(api, admin, await client(api, admin), networks=["192.0.2.0/24"])

    problem(await api.get("/v1/me", key=found["key"]), 403, "network_not_allowed")
    await api.edge.access.last_use.write()

    assert (await row_of(api, found["key"]))["last_used_at"] is None


async def test_the_last_use_outlives_a_store_that_is_away(database: Database, serve: Serve) -> None:
    away = Database("postgresql://nobody@127.0.0.1:9/nothing")
    async with serve(database) as api:
        admin = await operator(api)
        found = await made(api, admin, await client(api, admin))
        assert (await api.get("/v1/me", key=found["key"])).status == 200
        uses = api.edge.access.last_use
        uses._database = away

        await uses.write()
        assert (await row_of(api, found["key"]))["last_used_at"] is None
        uses._database = database
        await uses.write()

        assert (await row_of(api, found["key"]))["last_used_at"] is not None
    await away.close()


async def test_another_process_writes_no_older_use(api: Api, admin: str) -> None:
    found = await made(api, admin, await client(api, admin))
    later = datetime.now(UTC) + timedelta(minutes=5)
    async with api.gateway.database.transaction() as connection:
        await connection.execute(
            update(api_keys)
            .where(api_keys.c.id == found["id"].split("_")[2])
            .values(last_used_at=later)
        )

    await api.get("/v1/me", key=found["key"])
    await api.edge.access.last_use.write()

    assert (await row_of(api, found["key"]))["last_used_at"] == later


# --- wrong keys ---


async def test_wrong_keys_cost_the_same_whatever_is_true_of_them(api: Api, admin: str) -> None:
    """Each asks the store once, which finds nothing: the time that it takes tells nothing either."""
    client_id = await client(api, admin)
    used, unused, revoked = [(await made(api, admin, client_id))["key"] for _ in range(3)]
    assert (await api.get("/v1/me", key=used)).status == 200
    await api.post(f"/v1/admin/keys/{revoked.rsplit('_', 1)[0]}/revoke", key=admin)
    nobodys = f"gw_live_0000000000_{'0' * 52}"
    asked: list[str] = []

    def note(*given: Any) -> None:
        asked.append(given[2])

    engine = api.gateway.database._reader.sync_engine
    listen(engine, "before_cursor_execute", note)
    answers = [
        problem(await api.get("/v1/me", key=key), 401, "api_key_invalid")
        for key in (mistyped(used), mistyped(unused), revoked, nobodys)
    ]
    remove(engine, "before_cursor_execute", note)

    assert len(asked) == len(answers)
    assert len(set(asked)) == 1
    assert len({json.dumps({**one, "request_id": None}) for one in answers}) == 1


async def test_who_waits_at_the_feed_with_a_revoked_key_is_told_nothing(
    api: Api, admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await made(api, admin, await client(api, admin))
    remembered_no_more(monkeypatch)
    waiting = asyncio.create_task(
        api.get("/v1/events", key=found["key"], headers={"Prefer": "wait=20"})
    )
    async with asyncio.timeout(10):
        while not api.edge.followers.waiting_now:
            await asyncio.sleep(0.02)
    other = await made(api, admin, found["client_id"])

    await api.post(f"/v1/admin/keys/{found['id']}/revoke", key=admin)
    assert (await api.post("/v1/sms", sms(), key=other["key"])).status == 202

    problem(await waiting, 401, "api_key_invalid")


# --- headers ---


async def test_two_authorization_headers_are_refused(shared: Api) -> None:
    for second in (shared.live, shared.other, "x"):
        status, answer = await shared.raw(
            b"GET /v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Authorization: Bearer %s\r\nAuthorization: Bearer %s\r\n\r\n"
            % (shared.live.encode(), second.encode())
        )
        assert status == 400
        assert b'"malformed_request"' in answer
