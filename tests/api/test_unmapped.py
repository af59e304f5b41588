"""What an operator reads of codes that nobody has said the meaning of."""

import tomllib
from datetime import UTC, datetime

import pytest

from app.api.issue import create_key
from app.domain.message import Mode
from app.providers.fax123.acknowledgement import NAME as ACKNOWLEDGEMENT
from app.store import unmapped
from app.store.unmapped import Sighting
from tests.api.client import Api, problem

pytestmark = pytest.mark.anyio

PATH = "/v1/providers/{}/unmapped-codes"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SEEN = (
    Sighting("efidem", "STATUT_SMS", "77", 'Un "libellé"'),
    Sighting("efidem", "ENVOYER_SMS", "-12", None),
    Sighting("fax123", ACKNOWLEDGEMENT, "31099", None),
    Sighting("fax123", "http.php", "114", None),
)


async def operator(api: Api) -> str:
    return await create_key(
        api.gateway, api.edge.access.digest, name="operator", mode=Mode.LIVE, scopes=("admin",)
    )


async def count(api: Api, *sightings: Sighting) -> None:
    async with api.gateway.database.transaction() as connection:
        await unmapped.count(connection, sightings, NOON)


async def test_codes_are_listed_with_the_lines_that_would_map_them(api: Api) -> None:
    await count(api, *SEEN)
    key = await operator(api)

    answer = await api.get(PATH.format("efidem"), key=key)

    assert answer.status == 200
    found = {one["code"]: one for one in answer.json()["data"]}
    assert set(found) == {"77", "-12"}
    assert found["77"]["function"] == "STATUT_SMS"
    assert found["77"]["label"] == 'Un "libellé"'
    assert found["77"]["waiting"] == 0
    assert found["77"]["first_at"] == "2026-11-22T12:00:00.000Z"
    assert tomllib.loads(found["77"]["remedy"]) == {
        "statuses": {"STATUT_SMS": {"77": {"status": "?"}}}
    }
    assert tomllib.loads(found["-12"]["remedy"]) == {
        "answers": {"ENVOYER_SMS": {"-12": {"meaning": "?"}}}
    }


async def test_the_other_providers_lines_are_its_own(api: Api) -> None:
    await count(api, *SEEN)

    answer = await api.get(PATH.format("fax123"), key=await operator(api))

    lines = {one["code"]: tomllib.loads(one["remedy"]) for one in answer.json()["data"]}
    assert lines == {
        "31099": {"acknowledgements": {"31099": {"status": "?"}}},
        "114": {"answers": {"114": {"meaning": "?"}}},
    }


async def test_mapped_codes_are_shown_when_they_are_asked_for(api: Api) -> None:
    key = await operator(api)
    function = f"STATUT_EMAIL_{datetime.now(UTC).timestamp()}"
    await count(api, Sighting("efidem", function, "1", None))
    async with api.gateway.database.transaction() as connection:
        (row,) = [
            one
            for one in await unmapped.listed(connection, "efidem", mapped=False)
            if one["function"] == function
        ]
        await unmapped.close(connection, row, NOON)

    shown = {}
    for choice in ("true", "false", "all"):
        answer = await api.get(f"{PATH.format('efidem')}?mapped={choice}", key=key)
        shown[choice] = [one for one in answer.json()["data"] if one["function"] == function]

    assert [len(shown[choice]) for choice in ("true", "false", "all")] == [1, 0, 1]
    assert shown["true"][0]["mapped_at"] == "2026-11-22T12:00:00.000Z"
    assert shown["true"][0]["remedy"] is None


async def test_only_operators_may_read_them(api: Api) -> None:
    problem(await api.get(PATH.format("efidem"), key=None), 401, "api_key_invalid")
    problem(await api.get(PATH.format("efidem")), 403, "scope_missing")


async def test_an_unknown_provider_and_a_wrong_choice_are_refused(api: Api) -> None:
    key = await operator(api)

    problem(await api.get(PATH.format("other"), key=key), 404, "not_found")
    problem(
        await api.get(f"{PATH.format('efidem')}?mapped=maybe", key=key), 422, "validation_failed"
    )
