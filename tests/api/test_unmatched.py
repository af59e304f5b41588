"""The list of acknowledgements that match nothing of ours: for operators, masked, page by page."""

import re
from typing import Any

import pytest

from app.api.issue import create_key
from app.domain.message import Mode
from app.domain.outcome import Accepted
from tests.api.client import Answer, Api, problem
from tests.api.test_hooks import HOOK, NUMBER, acknowledge, record, started, submitted

pytestmark = pytest.mark.anyio

PATH = "/v1/providers/fax123/unmatched-acknowledgements"


@pytest.fixture
async def admin(api: Api) -> str:
    digest = api.edge.access.digest
    return await create_key(api.gateway, digest, name="operator", mode=Mode.LIVE, scopes=("admin",))


async def listed(api: Api, key: str, **query: object) -> Answer:
    text = "&".join(f"{name}={value}" for name, value in query.items())
    return await api.get(f"{PATH}?{text}" if text else PATH, key=key)


async def of_reference(api: Api, key: str, reference: str) -> list[dict[str, Any]]:
    data = (await listed(api, key, limit=200)).json()["data"]
    return [one for one in data if one["reference"] == reference]


async def test_an_unknown_reference_is_listed_with_what_it_would_have_meant(
    api: Api, admin: str
) -> None:
    for _ in range(3):
        await acknowledge(api, "NOBODYS1", "31064", nb_page="0", heure="10:42")

    (one,) = await of_reference(api, admin, "NOBODYS1")

    assert re.fullmatch(r"ack_[0-9A-Z]{26}", one.pop("id"))
    assert one.pop("received_at").endswith("Z")
    assert one == {
        "object": "acknowledgement",
        "note": "unknown_reference",
        "detail": None,
        "times": 3,
        "reference": "NOBODYS1",
        "code": "31064",
        "label": "occupé",
        "status": "failed",
        "reason": "busy",
        "number": "01****0001",
        "pages": 0,
        "provider_time": "10:42",
    }


async def test_another_number_is_listed_and_the_right_one_is_not(api: Api, admin: str) -> None:
    _, reference = await submitted(api)

    await acknowledge(api, reference, numero="0145678901")
    await acknowledge(api, reference)

    (one,) = await of_reference(api, admin, reference)
    assert (one["note"], one["status"], one["label"]) == ("other_number", "delivered", "OK reçu")
    assert one["number"] == "01****8901"


async def test_what_cannot_be_read_is_listed_with_the_reason_and_no_number(
    api: Api, admin: str
) -> None:
    await api.get(f"{HOOK}?ref_accuse=HALF1&numero={NUMBER}", key=None)

    (one,) = await of_reference(api, admin, "HALF1")

    assert (one["note"], one["detail"], one["code"]) == ("unreadable", "etat_e is missing", "")
    assert (one["status"], one["reason"], one["label"]) == (None, None, None)
    assert NUMBER not in str(one)


async def test_what_finds_its_fax_leaves_the_list(api: Api, admin: str) -> None:
    path, held = await started(api)
    own = f"OWN-{held.claim.reference}"
    await acknowledge(api, own)
    assert len(await of_reference(api, admin, own)) == 1

    await record(api, held, Accepted(own, "113", "Document transmis"))

    assert await of_reference(api, admin, own) == []
    assert (await api.get(path)).json()["status"] == "delivered"


async def test_what_waits_for_an_open_call_is_not_listed(api: Api, admin: str) -> None:
    _, held = await started(api)

    await acknowledge(api, held.claim.reference)

    assert await of_reference(api, admin, held.claim.reference) == []


async def test_the_list_goes_on_where_the_page_ends(api: Api, admin: str) -> None:
    for number in range(5):
        await acknowledge(api, f"PAGE{number}")

    found: list[str] = []
    answer = await listed(api, admin, limit=2)
    while True:
        body = answer.json()
        found += [one["reference"] for one in body["data"]]
        if len(found) >= 6 or not body["has_more"]:
            break
        assert body["next_cursor"] in answer.headers["Link"]
        answer = await listed(api, admin, limit=2, cursor=body["next_cursor"])

    assert found[:5] == ["PAGE4", "PAGE3", "PAGE2", "PAGE1", "PAGE0"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "limit=x", "limit=1&limit=2", "order=up", "cursor="]
)
async def test_another_query_is_refused(api: Api, admin: str, query: str) -> None:
    answer = await api.get(f"{PATH}?{query}", key=admin)

    assert answer.status in {400, 422}


async def test_the_list_is_for_operators_alone(api: Api, admin: str) -> None:
    problem(await api.get(PATH, key=None), 401, "api_key_invalid")
    problem(await api.get(PATH), 403, "scope_missing")
    problem(await api.get(PATH, key=api.reader), 403, "scope_missing")
    unknown = PATH.replace("fax123", "efidem")
    problem(await api.get(unknown, key=admin), 404, "not_found")
