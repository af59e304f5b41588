"""How channels stand, as operators and readiness see it, and a look at once."""

from datetime import timedelta

import pytest
from sqlalchemy import delete

from app.delivery import admit
from app.domain.standing import Standing, State
from app.store import channels
from app.store.tables import channels as table
from tests.api.acting import key
from tests.api.asking import described
from tests.api.client import Api, problem, sms

pytestmark = pytest.mark.anyio

WHY = "ENVOYER_SMS answered -6"


@pytest.fixture(autouse=True)
async def _all_well(api: Api) -> None:
    async with api.gateway.database.transaction() as connection:
        await connection.execute(delete(table))


async def stop(api: Api, provider: str, channel: str) -> None:
    now = api.gateway.now()
    stopped = Standing(
        state=State.STOPPED,
        reason="provider_credentials",
        why=WHY,
        probe_at=now + timedelta(minutes=5),
    )
    async with api.gateway.database.transaction() as connection:
        name = (provider, channel)
        await channels.standings(connection, [name], lock=True)
        await channels.write(connection, {name: stopped}, now)


async def test_channels_that_never_were_out_of_order_are_closed_circuits(api: Api) -> None:
    efidem, fax123 = (await api.get("/v1/providers")).json()["data"]

    assert set(efidem) == described("ProviderStateOut")
    assert fax123["standings"] == [
        {
            "channel": "fax",
            "state": "closed",
            "reason": None,
            "why": None,
            "since": None,
            "next_look_at": None,
        }
    ]
    assert set(efidem["standings"][0]) == described("StandingOut")


async def test_a_stopped_channel_says_since_when_and_to_operators_why(api: Api) -> None:
    await stop(api, "efidem", "sms")

    seen = (await api.get("/v1/providers")).json()["data"][0]["standings"]
    told = (await api.get("/v1/providers", key=await key(api, "admin"))).json()["data"][0]

    states = {one["channel"]: (one["state"], one["reason"]) for one in seen}
    assert states == {
        "email": ("closed", None),
        "sms": ("stopped", "provider_credentials"),
        "letter": ("closed", None),
        "fax": ("closed", None),
    }
    sms_seen, sms_told = seen[1], told["standings"][1]
    assert (sms_seen["why"], sms_told["why"]) == (None, WHY)
    assert sms_seen["since"] < sms_seen["next_look_at"]


async def test_readiness_shows_a_stopped_channel_and_stays_ready(api: Api) -> None:
    before = (await api.get("/readyz", key=None)).json()
    await stop(api, "fax123", "fax")

    answer = await api.get("/readyz", key=None)

    found = answer.json()
    assert before["channels"] == []
    assert (answer.status, found["status"]) == (200, "degraded")
    (shut,) = found["channels"]
    assert set(shut) == {"provider", "channel", "state", "reason", "since"}
    assert (shut["provider"], shut["channel"], shut["state"]) == ("fax123", "fax", "stopped")
    assert WHY not in answer.content.decode()


async def test_an_operator_has_a_provider_looked_at_at_once(api: Api) -> None:
    await stop(api, "efidem", "sms")
    await stop(api, "fax123", "fax")
    admin = await key(api, "admin")

    answer = await api.post("/v1/providers/efidem/probe", key=admin)

    assert answer.status == 202
    assert set(answer.json()) == described("ProviderStateOut")
    async with api.gateway.database.transaction() as connection:
        now, lease = api.gateway.now(), api.gateway.timing.lease
        assert await channels.take_due(connection, now, lease, {"efidem"}) == [("efidem", "sms")]


async def test_the_look_itself_writes_down_what_it_found(api: Api) -> None:
    await stop(api, "efidem", "sms")
    await api.post("/v1/providers/efidem/probe", key=await key(api, "admin"))

    await admit.probe_due(api.gateway)

    # Nobody listens where these tests' provider should be.
    found = (await api.get("/v1/providers")).json()["data"][0]["standings"][1]
    assert found["state"] != "closed"
    assert (await api.post("/v1/sms", sms())).json()["status"] == "queued"


async def test_a_look_where_all_is_well_does_nothing(api: Api) -> None:
    answer = await api.post("/v1/providers/fax123/probe", key=await key(api, "admin"))

    assert answer.status == 202
    async with api.gateway.database.reading() as connection:
        assert await channels.every(connection) == []


async def test_only_operators_have_a_provider_looked_at(api: Api) -> None:
    problem(await api.post("/v1/providers/efidem/probe"), 403, "scope_missing")
    problem(await api.post("/v1/providers/efidem/probe", key=None), 401, "api_key_invalid")
    admin = await key(api, "admin")
    problem(await api.post("/v1/providers/nobody/probe", key=admin), 404, "not_found")
