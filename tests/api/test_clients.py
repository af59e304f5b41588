"""Clients, their options and teams, and what a caller is told of itself."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert

from app.domain.identifiers import CLIENT, read
from app.domain.message import Mode
from app.store.tables import daily_usage
from tests.api.administering import client, key_of, made, operator
from tests.api.client import UNSET, Api, problem, wrong

pytestmark = pytest.mark.anyio

OPTIONS = {
    "unique_references": True,
    "idempotency": "optional",
    "rate": 20,
    "daily_quotas": {"sms": 1000, "letter": 0},
}
NONE = {"unique_references": False, "idempotency": None, "rate": None, "daily_quotas": None}


@pytest.fixture
async def admin(api: Api) -> str:
    return await operator(api)


def options_of(found: dict[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in NONE}


# --- clients ---


async def test_a_client_is_made_with_options_and_found(api: Api, admin: str) -> None:
    name = uuid4().hex

    answer = await api.post("/v1/admin/clients", {"name": name, **OPTIONS}, key=admin)

    found = answer.json()
    assert (answer.status, found["name"]) == (201, name)
    assert options_of(found) == OPTIONS
    assert (await api.get(answer.headers["Location"], key=admin)).json() == found
    listed = (await api.get(f"/v1/admin/clients?name={name}", key=admin)).json()
    assert listed == {"data": [found], "has_more": False, "next_cursor": None}


async def test_a_client_without_options_goes_by_the_deployment(api: Api, admin: str) -> None:
    found = (await api.post("/v1/admin/clients", {"name": uuid4().hex}, key=admin)).json()

    assert options_of(found) == NONE


async def test_a_name_is_one_clients(api: Api, admin: str) -> None:
    name = uuid4().hex
    await api.post("/v1/admin/clients", {"name": name, **OPTIONS}, key=admin)

    again = await api.post("/v1/admin/clients", {"name": name}, key=admin)

    problem(again, 409, "client_exists")
    (found,) = (await api.get(f"/v1/admin/clients?name={name}", key=admin)).json()["data"]
    assert options_of(found) == OPTIONS


async def test_clients_are_listed_page_by_page(api: Api, admin: str) -> None:
    made_here = [await client(api, admin) for _ in range(3)]

    first = (await api.get("/v1/admin/clients?limit=2", key=admin)).json()
    cursor = first["next_cursor"]
    second = (await api.get(f"/v1/admin/clients?limit=2&cursor={cursor}", key=admin)).json()

    assert first["has_more"]
    assert [one["id"] for one in first["data"] + second["data"]][:3] == made_here[::-1]
    answer = await api.get("/v1/admin/clients?limit=2&cursor=x", key=admin)
    problem(answer, 400, "cursor_invalid")


async def test_only_what_is_named_is_changed(api: Api, admin: str) -> None:
    path = f"/v1/admin/clients/{await client(api, admin, **OPTIONS)}"

    for change, expected in (
        ({}, OPTIONS),
        ({"rate": 5}, {**OPTIONS, "rate": 5}),
        ({"rate": None, "idempotency": None}, {**OPTIONS, "rate": None, "idempotency": None}),
        (
            {"daily_quotas": {"sms": None, "fax": 2}},
            {**OPTIONS, "rate": None, "idempotency": None, "daily_quotas": {"fax": 2}},
        ),
        ({"daily_quotas": {}, "unique_references": False}, NONE),
    ):
        answer = await api.call("PATCH", path, key=admin, body=change)
        assert (answer.status, options_of(answer.json())) == (200, expected)


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"name": ""}, "/name", "too_short"),
        ({"name": "x" * 201}, "/name", "too_long"),
        ({"name": "a\nb"}, "/name", "line_break"),
        ({}, "/name", "missing"),
        ({"name": "x", "rate": 0}, "/rate", "invalid"),
        ({"name": "x", "rate": "5"}, "/rate", "wrong_type"),
        ({"name": "x", "rate": True}, "/rate", "wrong_type"),
        ({"name": "x", "idempotency": "never"}, "/idempotency", "not_allowed"),
        ({"name": "x", "unique_references": None}, "/unique_references", "wrong_type"),
        ({"name": "x", "daily_quotas": {"pigeon": 1}}, "/daily_quotas/pigeon", "unknown_field"),
        ({"name": "x", "daily_quotas": {"sms": -1}}, "/daily_quotas/sms", "invalid"),
        ({"name": "x", "daily_quotas": {"sms": 1.5}}, "/daily_quotas/sms", "wrong_type"),
        ({"name": "x", "quotas": {}}, "/quotas", "unknown_field"),
    ],
)
async def test_a_wrong_client_is_not_made(
    api: Api, admin: str, given: dict[str, Any], pointer: str, code: str
) -> None:
    assert (pointer, code) in wrong(await api.post("/v1/admin/clients", given, key=admin))


@pytest.mark.parametrize("name", ["cli_00000000000000000000000000", "x", "msg_0", "%2e%2e"])
async def test_a_client_that_is_not_there_is_not_found(api: Api, admin: str, name: str) -> None:
    for method, path, body in (
        ("GET", "", UNSET),
        ("PATCH", "", {}),
        ("GET", "/keys", UNSET),
        ("POST", "/keys", {"mode": "live"}),
        ("GET", "/team-recipients", UNSET),
        ("PUT", "/team-recipients", {"recipients": []}),
        ("DELETE", "/team-recipients", UNSET),
    ):
        at = f"/v1/admin/clients/{name}{path}"
        problem(await api.call(method, at, key=admin, body=body), 404, "not_found")


# --- teams ---


async def test_a_team_is_kept_as_messages_are_compared_with_it(api: Api, admin: str) -> None:
    path = f"/v1/admin/clients/{await client(api, admin)}/team-recipients"
    given = ["Marie.Durand@EXEMPLE.fr", "06 39 98 00 01", "marie.durand@exemple.fr", "+33199000001"]

    answer = await api.call("PUT", path, key=admin, body={"recipients": given})

    kept = ["+33199000001", "+33639980001", "marie.durand@exemple.fr"]
    assert (answer.status, answer.json()["recipients"]) == (200, kept)
    replaced = await api.call("PUT", path, key=admin, body={"recipients": ["+33639980002"]})
    assert replaced.json()["recipients"] == ["+33639980002"]
    assert (await api.get(path, key=admin)).json() == replaced.json()
    assert (await api.call("DELETE", path, key=admin)).json()["recipients"] == []
    assert (await api.get(path, key=admin)).json()["recipients"] == []


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"recipients": ["Marie"]}, "/recipients/0", "number_invalid"),
        ({"recipients": ["marie@"]}, "/recipients/0", "address_invalid"),
        ({"recipients": ["+33639980001", 7]}, "/recipients/1", "wrong_type"),
        ({"recipients": ["+33639980001"] * 1001}, "/recipients", "too_long"),
        ({"recipients": None}, "/recipients", "wrong_type"),
        ({}, "/recipients", "missing"),
        ({"recipients": [], "add": []}, "/add", "unknown_field"),
    ],
)
async def test_a_wrong_team_replaces_none(
    api: Api, admin: str, given: dict[str, Any], pointer: str, code: str
) -> None:
    path = f"/v1/admin/clients/{await client(api, admin)}/team-recipients"
    await api.call("PUT", path, key=admin, body={"recipients": ["+33639980001"]})

    assert (pointer, code) in wrong(await api.call("PUT", path, key=admin, body=given))
    assert (await api.get(path, key=admin)).json()["recipients"] == ["+33639980001"]


# --- me ---


async def test_a_caller_is_told_what_it_may_and_what_is_left(api: Api, admin: str) -> None:
    client_id = await client(api, admin, **OPTIONS)
    found = await made(api, admin, client_id, scopes=["messages:read", "sms:send"], label="Billing")
    today = api.gateway.local_time().date()
    rows = [("live", "sms", 990), ("live", "email", 3), ("live", "letter", 4), ("test", "sms", 7)]
    async with api.gateway.database.transaction() as connection:
        for mode, channel, messages in rows:
            await connection.execute(
                insert(daily_usage).values(
                    client_id=read(CLIENT, client_id),
                    mode=mode,
                    channel=channel,
                    day=today,
                    messages=messages,
                )
            )

    me = (await api.get("/v1/me", key=found["key"])).json()

    assert (me["key"], me["label"], me["mode"]) == (found["id"], "Billing", "live")
    assert me["scopes"] == ["sms:send", "messages:read"]
    assert (me["client"]["id"], me["rate"], me["unique_references"]) == (client_id, 20, True)
    assert (me["networks"], me["expires_at"], me["idempotency"]) == (None, None, "optional")
    assert me["quotas"] == [
        {"channel": "email", "daily": None, "used": None, "left": None},
        {"channel": "sms", "daily": 1000, "used": 990, "left": 10},
        {"channel": "letter", "daily": 0, "used": 4, "left": 0},
        {"channel": "fax", "daily": None, "used": None, "left": None},
    ]
    assert datetime.fromisoformat(me["quotas_reset_at"]) > datetime.now(UTC)


async def test_any_key_may_ask_who_it_is(api: Api) -> None:
    for mode in Mode:
        key = await key_of(api, "fax:send", mode=mode)
        me = await api.get("/v1/me", key=key)
        assert (me.status, me.json()["mode"]) == (200, mode)
    problem(await api.get("/v1/me", key=None), 401, "api_key_invalid")


async def test_only_live_keys_must_send_an_idempotency_key(api: Api, admin: str) -> None:
    client_id = await client(api, admin, idempotency="required")

    for mode, expected in (("live", "required"), ("team", "optional"), ("test", "optional")):
        found = await made(api, admin, client_id, mode)
        assert (await api.get("/v1/me", key=found["key"])).json()["idempotency"] == expected
