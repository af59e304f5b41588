"""Two clients that cannot see each other's anything: every operation of the OpenAPI document.

An operation that comes is walked by itself; an identifier of a new kind needs the owner's own in `parties`,
or a word in NOT_A_CLIENTS (walking.py) why it is no client's, and a test says so.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, update

from app.api.access import SCOPES, USUAL_SCOPES
from app.domain.identifiers import (
    BATCH,
    CLIENT,
    DELIVERY,
    DOCUMENT,
    ENDPOINT,
    MESSAGE,
    REPORT,
    read,
    shown,
)
from app.domain.message import Mode
from app.domain.outcome import Unclear
from app.main import create_app
from app.store.tables import messages, reports, webhook_deliveries, webhook_endpoints
from tests.api.acting import nothing_uncertain, raw_id, sent
from tests.api.administering import client, key_of, made, operator
from tests.api.client import Answer, Api, email, fax, letter, pdf, problem, sms
from tests.api.walking import NOT_A_CLIENTS, Operation, operations

pytestmark = pytest.mark.anyio

UNCLEAR = Unclear("a code that the document does not list", "-77")
OWN_SCOPES = [one for one in SCOPES if one != "admin"]
# What is a client's, of whichever mode the key is.
OF_EVERY_MODE = {"document_id"}
ANOTHER = "another client"
PREFIXES = {
    "message_id": MESSAGE,
    "batch_id": BATCH,
    "document_id": DOCUMENT,
    "report_id": REPORT,
    "endpoint_id": ENDPOINT,
    "delivery_id": DELIVERY,
}


EVERY = operations(create_app().openapi())
WITH_ID = [one for one in EVERY if one.is_of_a_clients]
LISTS = [one for one in EVERY if one.is_list]


async def _endpoint(api: Api, client_id: UUID, mode: str) -> UUID:
    gateway = api.gateway
    endpoint_id = gateway.ids.new()
    row = {"url": "https://example.com/owner", "secret": "x", "enabled": True}
    times = dict.fromkeys(("created_at", "changed_at"), gateway.now())
    async with gateway.database.transaction() as connection:
        await connection.execute(
            insert(webhook_endpoints).values(
                id=endpoint_id, client_id=client_id, mode=mode, **row, **times
            )
        )
    return endpoint_id


async def _delivery(api: Api, endpoint_id: UUID) -> UUID:
    gateway = api.gateway
    delivery_id = gateway.ids.new()
    async with gateway.database.transaction() as connection:
        await connection.execute(
            insert(webhook_deliveries).values(
                id=delivery_id,
                endpoint_id=endpoint_id,
                type="webhook.test",
                payload="{}",
                state="failed",
                fence=1,
                attempts=1,
                created_at=gateway.now(),
            )
        )
    return delivery_id


async def _report(api: Api, client_id: UUID, mode: str) -> UUID:
    gateway = api.gateway
    report_id = gateway.ids.new()
    async with gateway.database.transaction() as connection:
        await connection.execute(
            insert(reports).values(
                id=report_id,
                client_id=client_id,
                mode=mode,
                kind="provider_efidem",
                first_day="2026-11-01",
                last_day="2026-11-02",
                status="failed",
                created_at=gateway.now(),
                ended_at=gateway.now(),
                attempts=1,
            )
        )
    return report_id


@dataclass(frozen=True, slots=True)
class Parties:
    api: Api
    owner: str
    strangers: Mapping[str, str]  # keys, by who they are
    theirs: Mapping[str, str]  # the one message of each, by its key
    owned: Mapping[str, str]  # identifiers, by parameter


@pytest.fixture(scope="module")
async def parties(served: Api) -> Parties:
    """An owner of one of each, and those who are not: another, its own other modes."""
    api = served
    name = uuid4().hex
    owner = await key_of(api, *OWN_SCOPES, name=name)
    me = (await api.get("/v1/me", key=owner)).json()
    client_id = read(CLIENT, me["client"]["id"])
    assert client_id is not None
    message = await api.post("/v1/sms", sms(reference=f"own-{name}"), key=owner)
    batch = await api.post(
        "/v1/sms/batch", {"messages": [sms(), sms(to="+33639980002")]}, key=owner
    )
    document = await api.call(
        "POST",
        "/v1/documents",
        key=owner,
        data=pdf(),
        headers={"Content-Type": "application/pdf"},
    )
    endpoint = await _endpoint(api, client_id, "live")
    owned = {
        "message_id": message.json()["id"],
        "batch_id": batch.json()["id"],
        "document_id": document.json()["id"],
        "report_id": shown(REPORT, await _report(api, client_id, "live")),
        "endpoint_id": shown(ENDPOINT, endpoint),
        "delivery_id": shown(DELIVERY, await _delivery(api, endpoint)),
    }
    strangers = {
        ANOTHER: await key_of(api, *OWN_SCOPES),
        "its test key": await key_of(api, *OWN_SCOPES, name=name, mode=Mode.TEST),
        "its team key": await key_of(api, *OWN_SCOPES, name=name, mode=Mode.TEAM),
    }
    sent_too = {
        key: (await api.post("/v1/sms", sms(), key=key)).json().get("id")
        for key in strangers.values()
    }
    return Parties(api, owner, strangers, {key: one for key, one in sent_too.items() if one}, owned)


def nobodys(api: Api, name: str) -> str:
    return shown(PREFIXES[name], api.gateway.ids.new())


def seen(answer: Answer) -> tuple[int, bytes, set[str]]:
    """What an answer says, but for what every answer has of its own."""
    own = answer.headers["X-Request-Id"].encode()
    return answer.status, answer.content.replace(own, b"-"), {*answer.headers}


def test_every_identifier_has_a_maker_or_is_no_clients() -> None:
    named = {name for one in EVERY for name in one.parameters}

    assert named - set(NOT_A_CLIENTS) == set(PREFIXES)
    assert {one.method for one in WITH_ID} >= {"GET", "POST", "PATCH", "DELETE"}


@pytest.mark.parametrize("one", WITH_ID, ids=str)
async def test_anothers_is_as_if_it_were_not_there(parties: Parties, one: Operation) -> None:
    api, owned = parties.api, parties.owned
    missing = {name: nobodys(api, name) for name in PREFIXES}
    kept = f"/v1/messages/{owned['message_id']}"
    before = (await api.get(kept, key=parties.owner)).json()

    for who, key in parties.strangers.items():
        if who != ANOTHER and set(one.parameters) <= OF_EVERY_MODE:
            continue
        theirs = await one.ask(api, owned, key)
        problem(theirs, 404, "not_found")
        assert seen(theirs) == seen(await one.ask(api, missing, key)), who

    assert (await api.get(kept, key=parties.owner)).json() == before


@pytest.mark.parametrize(
    "one", [one for one in WITH_ID if one.method == "GET" and len(one.parameters) == 1], ids=str
)
async def test_the_owner_finds_what_the_others_do_not(parties: Parties, one: Operation) -> None:
    """Without it, an operation that finds nothing at all would seem to be well guarded."""
    answer = await one.ask(parties.api, parties.owned, parties.owner)

    assert answer.status in {200, 409}  # a report that failed has no file


async def test_a_delivery_of_anothers_endpoint_is_not_found_under_ones_own(
    parties: Parties,
) -> None:
    api = parties.api
    key = parties.strangers[ANOTHER]
    me = read(CLIENT, (await api.get("/v1/me", key=key)).json()["client"]["id"])
    assert me is not None
    own = shown(ENDPOINT, await _endpoint(api, me, "live"))

    for one in [one for one in WITH_ID if set(one.parameters) == {"endpoint_id", "delivery_id"}]:
        ids = {"endpoint_id": own, "delivery_id": parties.owned["delivery_id"]}
        problem(await one.ask(api, ids, key), 404, "not_found")


@pytest.mark.parametrize("one", LISTS, ids=str)
async def test_no_list_names_anything_of_anothers(parties: Parties, one: Operation) -> None:
    api = parties.api
    secrets = [identifier.encode() for identifier in parties.owned.values()]

    for key in parties.strangers.values():
        answer = await one.ask(api, {}, key)
        assert answer.status in {200, 403}
        assert not [secret for secret in secrets if secret in answer.content]
        if one.name in {"listMessages", "listFeed"}:
            assert parties.theirs.get(key, "").encode() in answer.content


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/v1/messages", "message_id"),
        ("/v1/events", "message_id"),
        ("/v1/webhook-endpoints", "endpoint_id"),
    ],
)
async def test_the_owners_lists_name_its_own(parties: Parties, path: str, named: str) -> None:
    answer = await parties.api.get(path, key=parties.owner)

    assert parties.owned[named].encode() in answer.content


@pytest.mark.parametrize("name", ["reference", "batch_id", "cursor"])
async def test_no_filter_or_cursor_leads_to_anothers(parties: Parties, name: str) -> None:
    api = parties.api
    first = (await api.get("/v1/messages?limit=1", key=parties.owner)).json()
    mine = (await api.get(f"/v1/messages/{parties.owned['message_id']}", key=parties.owner)).json()
    given = {**parties.owned, "reference": mine["reference"], "cursor": first["next_cursor"]}
    path = f"/v1/messages?{name}={given[name]}"

    for key in parties.strangers.values():
        answer = await api.get(path, key=key)
        assert (answer.status, answer.json()["data"]) == (200, [])
    assert (await api.get(path, key=parties.owner)).json()["data"]


async def test_a_search_by_recipient_finds_ones_own_alone(parties: Parties) -> None:
    body = {"recipient": sms()["to"]}

    mine = await parties.api.post("/v1/messages/search", body, key=parties.owner)
    assert parties.owned["message_id"] in [one["id"] for one in mine.json()["data"]]
    for key in parties.strangers.values():
        answer = await parties.api.post("/v1/messages/search", body, key=key)
        found = [one["id"] for one in answer.json()["data"]]
        assert found == [one for one in [parties.theirs.get(key)] if one]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/v1/faxes", lambda one: fax(document=one), "/document/document_id"),
        ("/v1/letters", lambda one: letter(documents=[one]), "/documents/0/document_id"),
        ("/v1/emails", lambda one: email(attachments=[one]), "/attachments/0/document_id"),
        (
            "/v1/emails/batch",
            lambda one: {"messages": [email(attachments=[one])]},
            "/messages/0/attachments/0/document_id",
        ),
    ],
)
async def test_anothers_document_cannot_be_sent_or_weighed(
    parties: Parties, path: str, body: Callable[[Any], Any], pointer: str
) -> None:
    api, key = parties.api, parties.strangers[ANOTHER]
    channel = {"/v1/faxes": "fax", "/v1/letters": "letter", "/v1/emails": "email"}.get(path)

    for given in (parties.owned["document_id"], nobodys(api, "document_id")):
        content = body({"document_id": given})
        errors = problem(await api.post(path, content, key=key), 422, "validation_failed")["errors"]
        if channel is not None:
            weighed = {"channel": channel, **content}
            estimate = (await api.post("/v1/estimates", weighed, key=key)).json()
            assert (estimate["valid"], estimate["errors"]) == (False, errors)
        assert [(one["pointer"], one["code"]) for one in errors] == [(pointer, "document_unknown")]


async def test_a_reference_of_anothers_is_free(api: Api) -> None:
    """One that a client may use but once says nothing of what others used."""
    admin = await operator(api)
    keys = [
        (await made(api, admin, await client(api, admin, unique_references=True)))["key"]
        for _ in range(2)
    ]

    for key in keys:
        assert (await api.post("/v1/sms", sms(reference="R-1"), key=key)).status == 202
    again = await api.post("/v1/sms", sms(reference="R-1"), key=keys[1])
    own = (await api.get("/v1/messages", key=keys[1])).json()["data"]
    assert problem(again, 409, "duplicate_reference")["message_id"] == own[0]["id"]


async def test_idempotency_keys_of_two_clients_never_meet(parties: Parties) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    keys = [parties.owner, parties.strangers[ANOTHER], parties.strangers["its test key"]]

    answers = [await parties.api.post("/v1/sms", sms(), key=one, headers=headers) for one in keys]

    assert [one.status for one in answers] == [202, 202, 202]
    assert len({one.json()["id"] for one in answers}) == 3


# --- those who resolve ---


@pytest.fixture
async def uncertain(api: Api) -> str:
    """An uncertain message; many of them would stop the channel."""
    await nothing_uncertain(api)
    return await sent(api, UNCLEAR)


async def resolver(api: Api, *scopes: str) -> str:
    """A key of the client whose messages are uncertain, which may not read messages by itself."""
    name = (await api.get("/v1/me")).json()["client"]["name"]
    return await key_of(api, "messages:resolve", *scopes, name=name)


async def test_whoever_resolves_sees_what_is_uncertain_and_nothing_else(
    api: Api, uncertain: str
) -> None:
    other = (await api.post("/v1/sms", sms())).json()["id"]
    key = await resolver(api)

    listed = (await api.get("/v1/messages/uncertain", key=key)).json()

    (found,) = listed["data"]
    assert (found["id"], found["status"]) == (uncertain, "uncertain")
    assert found["recipient"] == {"masked": "+336****0001"}
    for path in ("", "/events", "/attempts", "/explain"):
        answer = await api.get(f"/v1/messages/{uncertain}{path}", key=key)
        assert (answer.status, sms()["to"].encode() in answer.content) == (200, False)
        problem(await api.get(f"/v1/messages/{other}{path}", key=key), 404, "not_found")
    assert sms()["to"] not in json.dumps(listed)
    answer = await api.get(f"/v1/messages/{uncertain}/recipients", key=key)
    problem(answer, 403, "scope_missing")


async def test_anothers_uncertain_messages_are_an_operators_alone(api: Api, uncertain: str) -> None:
    path = f"/v1/messages/{uncertain}"
    admin = await key_of(api, "admin")
    strangers = [
        await key_of(api, *OWN_SCOPES),
        await key_of(api, "messages:resolve"),
        await key_of(api, "admin", mode=Mode.TEST),
    ]
    said = {"outcome": "abandon", "reason": "nobody waits for it"}
    batch = {**said, "filter": {"channel": "sms", "status": "uncertain"}, "dry_run": True}

    for key in strangers:
        listed = (await api.get("/v1/messages/uncertain", key=key)).json()["data"]
        assert listed == []
        problem(await api.get(path, key=key), 404, "not_found")
        problem(await api.post(f"{path}/resolve", said, key=key), 404, "not_found")
        counted = (await api.post("/v1/messages/resolve-batch", batch, key=key)).json()
        assert (counted["count"], counted["message_ids"]) == (0, [])
    (found,) = (await api.get("/v1/messages/uncertain", key=admin)).json()["data"]
    assert found["client"] == (await api.get("/v1/me")).json()["client"]["name"]
    assert (await api.get(path, key=admin)).status == 200
    counted = (await api.post("/v1/messages/resolve-batch", batch, key=admin)).json()
    assert counted["message_ids"] == [uncertain]
    usual = await key_of(api, *USUAL_SCOPES)
    problem(await api.get("/v1/messages/uncertain", key=usual), 403, "scope_missing")


async def test_what_a_client_noted_for_itself_is_not_shown_to_an_operator(
    api: Api, uncertain: str
) -> None:
    noted = {"metadata": {"case": "private-case"}, "tags": ["private"]}
    async with api.gateway.database.transaction() as connection:
        await connection.execute(
            update(messages).where(messages.c.id == raw_id(uncertain)).values(**noted)
        )
    admin, path = await key_of(api, "admin"), f"/v1/messages/{uncertain}"

    theirs, mine = (await api.get(path, key=admin)).json(), (await api.get(path)).json()

    assert {name: mine[name] for name in noted} == noted
    assert theirs == {**mine, "metadata": {}, "tags": []}
    assert "private" not in json.dumps((await api.get("/v1/messages/uncertain", key=admin)).json())


async def test_uncertain_messages_are_listed_page_by_page(api: Api, uncertain: str) -> None:
    every = [uncertain, await sent(api, UNCLEAR), await sent(api, UNCLEAR)]
    key = await resolver(api)

    first = await api.get("/v1/messages/uncertain?limit=2", key=key)
    following = first.headers["Link"].split(";")[0].strip("<>")
    second = await api.get(following, key=key)

    pages = [[one["id"] for one in page.json()["data"]] for page in (first, second)]
    assert pages == [every[:0:-1], every[:1]]
    assert (first.json()["has_more"], second.json()["has_more"]) == (True, False)
