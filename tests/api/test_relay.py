"""E-mails to several recipients: by the relay, when something needs it or a request says so."""

from typing import Any

import pytest
from sqlalchemy import select

from app.domain.message import Channel, Email
from app.store.contents import read
from app.store.tables import messages
from tests.api.client import Api, email, problem, wrong
from tests.api.conftest import Serve, with_keys

pytestmark = pytest.mark.anyio

EMAILS = "/v1/emails"
TWO = [{"address": "un@exemple.fr"}, {"address": "deux@exemple.fr"}]


async def content_of(api: Api, message_id: str, reference: str) -> Email:
    async with api.gateway.database.reading() as connection:
        text = await connection.scalar(
            select(messages.c.content).where(messages.c.reference == reference)
        )
    content = read(Channel.EMAIL, text or "")
    assert isinstance(content, Email), message_id
    return content


@pytest.mark.parametrize(
    ("change", "relayed"),
    [
        ({}, False),
        ({"to": TWO}, True),
        ({"cc": TWO[:1]}, True),
        ({"errors_to": "retours@exemple.fr"}, True),
        ({"track": {"opens": True}}, True),
        ({"track": {"clicks": True}}, True),
        ({"track": {"opens": False, "clicks": False}}, False),
        ({"route": "relay"}, True),
        ({"route": "transactional"}, False),
    ],
)
async def test_the_relay_is_taken_for_what_only_it_carries(
    api: Api, change: dict[str, Any], relayed: bool
) -> None:
    reference = f"route {sorted(change)} {relayed}"

    answer = await api.post(EMAILS, email(reference=reference, **change))

    assert answer.status == 202, answer
    content = await content_of(api, answer.json()["id"], reference)
    assert content.relay is relayed


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"to": TWO}, "/to/1"),
        ({"cc": TWO}, "/cc"),
        ({"errors_to": "retours@exemple.fr"}, "/errors_to"),
        ({"track": {"opens": True}}, "/track/opens"),
        ({"track": {"clicks": True}}, "/track/clicks"),
    ],
)
async def test_the_transactional_route_refuses_what_it_does_not_carry(
    api: Api, change: dict[str, Any], pointer: str
) -> None:
    answer = await api.post(EMAILS, email(route="transactional", **change))

    assert wrong(answer) == [(pointer, "needs_relay")]


async def test_an_operator_may_have_the_relay_asked_for(api: Api, serve: Serve) -> None:
    async with serve(api.gateway.database, route_email="transactional") as other:
        asked = await with_keys(other)
        by_itself = await asked.post(EMAILS, email(to=TWO))
        explicit = await asked.post(EMAILS, email(to=TWO, route="relay"))

    assert wrong(by_itself) == [("/to/1", "needs_relay")]
    assert explicit.status == 202


async def test_a_recipient_is_named_once(api: Api) -> None:
    body = email(to=[*TWO, {"address": "UN@exemple.fr"}], cc=[{"address": "deux@exemple.fr"}])

    assert wrong(await api.post(EMAILS, body)) == [
        ("/to/2/address", "repeated"),
        ("/cc/0/address", "repeated"),
    ]


async def test_the_relay_has_no_variables_and_no_names(api: Api) -> None:
    refused = await api.post(EMAILS, email(to=TWO, variables=["un"]))
    named = await api.post(EMAILS, email(to=[{**TWO[0], "name": "Ann"}, TWO[1]]))

    assert wrong(refused) == [("/variables", "not_with_relay")]
    assert named.json()["warnings"] == ["not_carried:/to/0/name"]


@pytest.mark.parametrize("given", [["a", "b"], {"1": "a", "2": "b"}, {"VARIABLE2": "b", "1": "a"}])
async def test_variables_are_a_list_or_numbered(api: Api, given: Any) -> None:
    reference = f"variables {given}"

    answer = await api.post(EMAILS, email(variables=given, reference=reference))

    assert (await content_of(api, answer.json()["id"], reference)).variables == ("a", "b")


@pytest.mark.parametrize(
    "given", [{"nom": "a"}, {"2": "b"}, {"1": "a", "VARIABLE1": "b"}, "a", [1]]
)
async def test_other_variables_are_refused(api: Api, given: Any) -> None:
    (found, *_) = wrong(await api.post(EMAILS, email(variables=given)))

    assert found[0].startswith("/variables")


async def test_every_recipient_is_listed_masked_before_anything_was_sent(api: Api) -> None:
    message = (await api.post(EMAILS, email(to=TWO, cc=[{"address": "trois@exemple.fr"}]))).json()

    answer = await api.get(message["links"]["recipients"])

    assert answer.status == 200
    found = [
        (one["index"], one["kind"], one["recipient"]["masked"], one["status"])
        for one in answer.json()["data"]
    ]
    assert found == [
        (0, "to", "u***@exemple.fr", "queued"),
        (1, "to", "d***@exemple.fr", "queued"),
        (2, "cc", "t***@exemple.fr", "queued"),
    ]
    assert "un@exemple.fr" not in answer.content.decode()


async def test_a_message_with_one_recipient_lists_it(api: Api) -> None:
    message = (await api.post(EMAILS, email())).json()

    data = (await api.get(message["links"]["recipients"])).json()["data"]

    assert [(one["recipient"], one["status"]) for one in data] == [
        (message["recipient"], message["status"])
    ]


async def test_recipients_are_their_clients_alone(api: Api) -> None:
    message = (await api.post(EMAILS, email(to=TWO))).json()

    problem(await api.get(message["links"]["recipients"], key=api.other), 404, "not_found")
