"""Scopes: what each operation of the OpenAPI document takes, written down a second time."""

from collections.abc import Mapping
from uuid import uuid4

import pytest

from app.api.access import SCOPES
from app.domain.identifiers import DELIVERY, ENDPOINT, REPORT, shown
from app.main import create_app
from tests.api.administering import key_of
from tests.api.client import Api, email, fax, letter, problem, sms
from tests.api.walking import Operation, operations

pytestmark = pytest.mark.anyio

SENDS = ("email:send", "sms:send", "letter:send", "fax:send")
# Each with the scopes of which one is enough.
TAKES: Mapping[tuple[str, ...], tuple[str, ...]] = {
    ("email:send",): ("sendEmail", "sendEmailBatch"),
    ("sms:send",): ("sendSms", "sendSmsBatch", "estimateMessage", "cancelMessage", "cancelBatch"),
    ("letter:send",): ("sendLetter",),
    ("fax:send",): ("sendFax",),
    SENDS: ("uploadDocument",),
    (*SENDS, "messages:read"): ("getDocument",),
    ("messages:read",): (
        "getBatch",
        "listBatchMessages",
        "listMessages",
        "listRecipients",
        "searchMessages",
        "refreshMessage",
        "listFeed",
        "checkEmailAddress",
        "checkPhoneNumber",
        "checkPostalAddress",
        "getEsmtpCode",
    ),
    ("messages:read", "messages:resolve", "admin"): (
        "getMessage",
        "listEvents",
        "listAttempts",
        "explainMessage",
    ),
    ("messages:resolve", "admin"): ("listUncertain", "resolveMessage", "resolveMessages"),
    ("reports:read",): (
        "createReport",
        "getReport",
        "getReportFile",
        "listReportRows",
        "countSubmittedMessages",
    ),
    ("webhooks:manage",): (
        "listWebhookEndpoints",
        "createWebhookEndpoint",
        "getWebhookEndpoint",
        "changeWebhookEndpoint",
        "deleteWebhookEndpoint",
        "rotateWebhookSecret",
        "enableWebhookEndpoint",
        "disableWebhookEndpoint",
        "pingWebhookEndpoint",
        "recoverWebhookEndpoint",
        "listWebhookDeliveries",
        "getWebhookDelivery",
        "resendWebhookDelivery",
    ),
    ("admin",): (
        "addProviderUser",
        "removeProviderUser",
        "listClients",
        "createClient",
        "getClient",
        "changeClient",
        "getTeamRecipients",
        "replaceTeamRecipients",
        "removeTeamRecipients",
        "listKeys",
        "createKey",
        "rotateKey",
        "revokeKey",
        "probeProvider",
        "getProviderContract",
        "listUnmatchedAcknowledgements",
        "listUnmappedCodes",
    ),
    (): ("getMe", "listProviders"),  # any key may; why a channel is shut is said to operators
}
SCOPES_OF = {name: scopes for scopes, names in TAKES.items() for name in names}
EVERY = [one for one in operations(create_app().openapi()) if not one.is_public]


@pytest.fixture(scope="module")
async def ids(shared: Api) -> Mapping[str, str]:
    """An identifier for each parameter: of messages and batches, one that is there."""
    message = (await shared.post("/v1/sms", sms())).json()
    batch = (await shared.post("/v1/sms/batch", {"messages": [sms()]})).json()
    me = (await shared.get("/v1/me")).json()
    new = shared.gateway.ids.new
    return {
        "message_id": message["id"],
        "batch_id": batch["id"],
        "document_id": f"doc_{message['id'][4:]}",
        "report_id": shown(REPORT, new()),
        "endpoint_id": shown(ENDPOINT, new()),
        "delivery_id": shown(DELIVERY, new()),
        "client_id": me["client"]["id"],
        "key_id": me["key"],
        "name": "fax123",
        "code": "5.1.1",
        "username": "nobody",
    }


async def one_of(api: Api, *scopes: str) -> str:
    """A key of the client that has the message and the batch."""
    return await key_of(api, *scopes, name=(await api.get("/v1/me")).json()["client"]["name"])


def test_the_table_has_every_operation_and_scope() -> None:
    assert set(SCOPES_OF) == {one.name for one in EVERY}
    assert {scope for scopes in TAKES for scope in scopes} == set(SCOPES)


@pytest.mark.parametrize("one", [one for one in EVERY if SCOPES_OF[one.name]], ids=str)
async def test_every_other_scope_together_is_not_enough(
    shared: Api, ids: Mapping[str, str], one: Operation
) -> None:
    others = await one_of(shared, *(set(SCOPES) - set(SCOPES_OF[one.name])))

    found = problem(await one.ask(shared, ids, others), 403, "scope_missing")

    assert any(scope in found["detail"] for scope in SCOPES_OF[one.name])


# Who may ask a provider or change a client is tested where that is.
@pytest.mark.parametrize(
    "one",
    [
        one
        for one in EVERY
        if SCOPES_OF[one.name] != ("admin",) and not one.path.startswith("/v1/tools")
    ],
    ids=str,
)
async def test_each_scope_alone_is_enough(
    shared: Api, ids: Mapping[str, str], one: Operation
) -> None:
    for scope in SCOPES_OF[one.name] or ("fax:send",):
        answer = await one.ask(shared, ids, await one_of(shared, scope))
        assert answer.status != 403, scope


async def test_an_estimate_takes_the_scope_of_its_channel(shared: Api) -> None:
    bodies = {"email": email(), "sms": sms(), "letter": letter(), "fax": fax()}
    for channel, body in bodies.items():
        weighed = {"channel": channel, **body}
        own = await key_of(shared, f"{channel}:send", name=uuid4().hex)
        others = await key_of(shared, *(set(SENDS) - {f"{channel}:send"}))
        assert (await shared.post("/v1/estimates", weighed, key=own)).status == 200
        problem(await shared.post("/v1/estimates", weighed, key=others), 403, "scope_missing")
