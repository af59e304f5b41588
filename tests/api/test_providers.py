"""What an operator reads of the providers' contracts, and what a client is told of what they lack."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from app import main
from app.api.issue import create_key
from app.delivery.keep_contract import ContractStore
from app.domain.message import Mode
from app.providers.efidem.drift import Difference, Severity, What
from app.providers.efidem.functions import FUNCTIONS
from app.store.database import Database
from tests.api.client import BODIES, Api, email, problem, sms, wrong
from tests.api.conftest import serving, with_keys
from tests.providers.efidem.fronting import Front, fronting

pytestmark = pytest.mark.anyio

CONTRACT = "/v1/providers/efidem/contract"
FUNCTION = {
    "function",
    "operation",
    "found",
    "to_confirm",
    "service",
    "port",
    "soap",
    "style",
    "address",
    "parameters",
    "fields",
    "trio",
    "trio_place",
    "constants",
    "allowed",
    "missing",
    "warnings",
    "blocked",
}


@pytest.fixture
async def front() -> AsyncIterator[Front]:
    async with fronting() as made:
        yield made


async def operator(api: Api) -> str:
    digest = api.edge.access.digest
    return await create_key(api.gateway, digest, name="operator", mode=Mode.LIVE, scopes=["admin"])


async def started(unknown: Api) -> Api:
    """Return an API whose providers learnt what they can, as those of a process do."""
    for provider in unknown.gateway.providers.values():
        await provider.start()
    return await with_keys(unknown)


def without(name: str) -> Any:
    """A WSDL whose ENVOYER_EMAIL lacks an element."""

    def change(wsdl: bytes) -> bytes:
        head, tail = wsdl.decode().split('<xs:element name="ENVOYER_EMAIL">')
        inside, rest = tail.split("</xs:sequence>", 1)
        kept = [line for line in inside.splitlines() if f'name="{name}"' not in line]
        first = "\n".join(kept)
        return f'{head}<xs:element name="ENVOYER_EMAIL">{first}</xs:sequence>{rest}'.encode()

    return change


def recipients_without(name: str) -> Any:
    """A WSDL whose objects DESTINATAIRE lack elements."""

    def change(wsdl: bytes) -> bytes:
        head, tail = wsdl.decode().split('<xs:complexType name="DESTINATAIRE">')
        inside, rest = tail.split("</xs:complexType>", 1)
        kept = "\n".join(line for line in inside.splitlines() if f'name="{name}' not in line)
        return f'{head}<xs:complexType name="DESTINATAIRE">{kept}</xs:complexType>{rest}'.encode()

    return change


async def test_every_provider_is_listed_with_its_channels_and_state(api: Api) -> None:
    answer = await api.get("/v1/providers")

    data = answer.json()["data"]
    standings = [one.pop("standings") for one in data]
    assert data == [
        {"name": "efidem", "channels": ["email", "sms", "letter", "fax"], "state": "degraded"},
        {"name": "fax123", "channels": ["fax"], "state": "degraded"},
    ]
    named = [[one["channel"] for one in those] for those in standings]
    assert named == [one["channels"] for one in data]


async def test_the_contract_tells_how_each_function_is_offered(
    database: Database, front: Front
) -> None:
    async with serving(database, providers=front.url) as unknown:
        api = await started(unknown)
        answer = await api.get(CONTRACT, key=await operator(api))
        standing = await ContractStore(database, "efidem", main.now).standing()

    found = answer.json()
    assert answer.status == 200
    assert standing is not None
    assert found["provider"] == "efidem"
    assert (found["fingerprint"], found["pending"]) == (standing.fingerprint, None)
    since = standing.read_at - datetime.fromisoformat(found["read_at"])
    assert timedelta(0) <= since < timedelta(milliseconds=1)
    assert [one["function"] for one in found["functions"]] == [one.name for one in FUNCTIONS]
    assert {frozenset(one) for one in found["functions"]} == {frozenset(FUNCTION)}
    sending = next(one for one in found["functions"] if one["function"] == "ENVOYER_SMS")
    assert (sending["operation"], sending["found"], sending["style"]) == (
        "ENVOYER_SMS",
        "exact",
        "document/literal",
    )
    assert sending["parameters"]["DA"] == "DA"
    assert sending["trio"] == {name: name for name in ("UTILISATEUR", "MOT_DE_PASSE", "AppID")}
    assert sending["address"] == f"{front.url}/soap"
    assert sending["blocked"] == []


async def test_a_changed_contract_is_told_until_it_is_accepted(
    database: Database, front: Front
) -> None:
    async with serving(database, providers=front.url, efidem={"reload": 0.05}) as unknown:
        api = await started(unknown)
        key = await operator(api)
        accepted = (await api.get(CONTRACT, key=key)).json()["fingerprint"]
        front.change = without("REPONDRE_A")

        async with asyncio.timeout(10):
            while (found := (await api.get(CONTRACT, key=key)).json())["pending"] is None:
                await asyncio.sleep(0.02)
            while (health := (await api.get("/readyz", key=None)).json())["providers"]["efidem"][
                "drift"
            ] == 0:
                await asyncio.sleep(0.02)
        store = ContractStore(database, "efidem", main.now)
        assert await store.accept(found["pending"]["fingerprint"])
        async with asyncio.timeout(10):
            while (await api.get(CONTRACT, key=key)).json()["functions"][0]["missing"] == []:
                await asyncio.sleep(0.02)
        after = (await api.get(CONTRACT, key=key)).json()

    assert found["fingerprint"] == accepted
    assert found["pending"]["differences"] == [
        {
            "severity": "error",
            "function": "ENVOYER_EMAIL",
            "operation": "ENVOYER_EMAIL",
            "path": "REPONDRE_A",
            "what": "gone",
            "old": "string, 0 to 1",
            "new": None,
        }
    ]
    assert health["status"] == "degraded"
    assert (after["fingerprint"], after["pending"]) == (found["pending"]["fingerprint"], None)


async def test_a_change_that_another_process_found_is_told_at_once(
    database: Database, front: Front
) -> None:
    account = {"username": "a", "password": "b", "app_id": "c"}
    async with serving(database, providers=front.url, efidem=account) as unknown:
        api = await started(unknown)
        key = await operator(api)
        before = (await api.get(CONTRACT, key=key)).json()["state"]
        store = ContractStore(database, "efidem", main.now)
        accepted = await store.accepted()
        assert accepted is not None
        gone = Difference(severity=Severity.ERROR, what=What.OPERATION_GONE).shown()
        other = replace(accepted, fingerprint="0" * 64)
        assert await store.keep_pending(other, [gone], against=accepted.fingerprint)
        found = (await api.get(CONTRACT, key=key)).json()

    assert found["pending"]["fingerprint"] == "0" * 64
    assert (before, found["state"]) == ("ready", "degraded")


async def test_the_fax_provider_has_one_function_and_no_contract_to_read(api: Api) -> None:
    answer = await api.get("/v1/providers/fax123/contract", key=await operator(api))

    found = answer.json()
    (only,) = found.pop("functions")
    assert found == {
        "provider": "fax123",
        "state": "degraded",
        "why": None,
        "fingerprint": None,
        "read_at": None,
        "pending": None,
    }
    assert (only["function"], only["blocked"]) == ("http.php", [])
    assert only["parameters"]["ref_accuse"] == "ref_accuse"


async def test_a_contract_that_was_never_read_says_why(api: Api) -> None:
    answer = await api.get(CONTRACT, key=await operator(api))

    assert (answer.status, answer.json()["functions"]) == (200, [])
    assert answer.json()["why"]


async def test_only_an_operator_reads_a_contract(api: Api) -> None:
    problem(await api.get(CONTRACT), 403, "scope_missing")
    problem(await api.get(CONTRACT, key=None), 401, "api_key_invalid")
    problem(await api.get("/v1/providers", key=None), 401, "api_key_invalid")


async def test_a_provider_that_there_is_not_is_not_found(api: Api) -> None:
    answer = await api.get("/v1/providers/nobody/contract", key=await operator(api))

    problem(answer, 404, "not_found")


async def test_a_function_that_cannot_be_bound_refuses_its_own_requests_only(
    database: Database, front: Front
) -> None:
    front.change = without("EMETTEUR")
    async with serving(database, providers=front.url) as unknown:
        api = await started(unknown)
        refused = await api.post("/v1/emails", email())
        others = [
            (await api.post(path, body())).status
            for path, body in BODIES.items()
            if path != "/v1/emails"
        ]

    found = problem(refused, 503, "provider_contract")
    assert "EMETTEUR" in found["detail"]
    assert found["provider"]["function"] == "ENVOYER_EMAIL"
    assert refused.headers["Retry-After"] == "300"
    assert others == [202, 202, 202]


async def test_an_optional_parameter_that_lacks_refuses_only_what_uses_it(
    database: Database, front: Front
) -> None:
    front.change = without("REPONDRE_A")
    async with serving(database, providers=front.url) as unknown:
        api = await started(unknown)
        used = await api.post("/v1/emails", email(reply_to="contact@exemple.fr"))
        unused = await api.post("/v1/emails", email())

    assert wrong(used) == [("/reply_to", "not_carried")]
    assert unused.status == 202


async def test_a_batch_is_refused_at_the_row_that_uses_what_a_recipients_object_lacks(
    database: Database, front: Front
) -> None:
    front.change = recipients_without("VARIABLE")
    one, other = ({"to": [{"address": f"{name}@exemple.fr"}]} for name in ("un", "deux"))
    async with serving(database, providers=front.url) as unknown:
        api = await started(unknown)
        together = {"mode": "provider_multi", "defaults": email()}
        rows = [one, {**other, "variables": ["Marie"]}]
        used = await api.post("/v1/emails/batch", {**together, "messages": rows})
        unused = await api.post("/v1/emails/batch", {**together, "messages": [one, other]})
        alone = await api.post("/v1/emails/batch", {"defaults": email(), "messages": rows})

    assert wrong(used) == [("/messages/1/variables", "not_carried")]
    assert (unused.status, alone.status) == (202, 202)


async def test_messages_are_taken_while_no_contract_is_known(api: Api) -> None:
    assert (await api.post("/v1/sms", sms())).status == 202
