"""What the keys of each mode may reach, and that a simulator speaks for its own faxes alone."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from app.api import remembered
from app.api.access import SCOPES
from app.api.client_shapes import recipient
from app.api.issue import create_key
from app.delivery import submit
from app.delivery.conclude import Ended
from app.domain.identifiers import MESSAGE, read
from app.domain.message import Channel, Mode
from app.domain.outcome import Accepted, Blocked
from app.providers.twins import TwinSettings, callback_path, clashes
from app.settings import WrongSettings, load
from app.store import clients
from app.store.tables import acknowledgements, api_keys, batches, messages
from tests.api.client import BODIES, SECRET, Answer, Api, email, fax, letter, problem, sms
from tests.api.conftest import settings, with_keys

pytestmark = pytest.mark.anyio

SIMULATORS = "http://127.0.0.1:7"
TWINS = {
    "efidem_wsdl": f"{SIMULATORS}/efidem.wsdl",
    "fax123_url": f"{SIMULATORS}/http.php",
    "public_url": "http://gateway.internal:8000/",
}
LIVE_HOOK = f"/hooks/123fax/{SECRET}"
TEST_HOOK = callback_path(SecretStr(SECRET))
NUMBER = "0199000001"


@pytest.fixture
async def twinned(served: Api, serve: Any) -> AsyncIterator[Api]:
    """Production, with simulators that nobody answers for: what is taken in stays queued."""
    core = {"environment": "production", "idempotency": "optional"}
    async with serve(served.gateway.database, twins=TWINS, **core) as api:
        yield await with_keys(api)


async def rows_of(api: Api, answers: list[Answer]) -> list[Any]:
    ids = [read(MESSAGE, one.json()["id"]) for one in answers]
    async with api.gateway.database.reading() as connection:
        found = await connection.execute(select(messages).where(messages.c.id.in_(ids)))
        return list(found.mappings())


async def operator(api: Api, mode: Mode) -> str:
    digest = api.edge.access.digest
    return await create_key(api.gateway, digest, name=uuid4().hex, mode=mode, scopes=SCOPES)


# --- test keys ---


async def test_a_test_key_sends_to_twins_and_reads_the_providers_names(twinned: Api) -> None:
    sent = [await twinned.post(path, make(), key=twinned.test) for path, make in BODIES.items()]

    assert [one.status for one in sent] == [202] * 4
    names = [one.json()["provider"]["name"] for one in sent]
    assert names == ["efidem", "efidem", "efidem", "fax123"]
    assert {row["provider"] for row in await rows_of(twinned, sent)} == {
        "efidem_test",
        "fax123_test",
    }


async def test_an_estimate_names_the_provider_as_a_message_does(twinned: Api) -> None:
    asked = {"channel": "sms", **sms()}

    found = await twinned.post("/v1/estimates", asked, key=twinned.test)

    assert found.json()["provider"] == "efidem"


async def test_a_chosen_provider_is_its_twin_for_a_test_key(twinned: Api) -> None:
    sent = await twinned.post("/v1/faxes", fax(provider="efidem"), key=twinned.test)

    assert sent.json()["provider"]["name"] == "efidem"
    assert [row["provider"] for row in await rows_of(twinned, [sent])] == ["efidem_test"]


async def test_a_batch_of_a_test_key_goes_to_the_twin(twinned: Api) -> None:
    sent = await twinned.post("/v1/sms/batch", {"messages": [sms(), sms()]}, key=twinned.test)

    members = sent.json()["messages"]
    async with twinned.gateway.database.reading() as connection:
        found = await connection.execute(
            select(messages.c.provider).where(
                messages.c.id.in_([read(MESSAGE, one["id"]) for one in members])
            )
        )
        assert list(found.scalars()) == ["efidem_test"] * 2


async def test_a_live_key_never_sends_to_a_twin(twinned: Api) -> None:
    sent = [await twinned.post(path, make()) for path, make in BODIES.items()]

    assert {row["provider"] for row in await rows_of(twinned, sent)} == {"efidem", "fax123"}


async def test_lanes_claim_their_own_messages_alone(twinned: Api) -> None:
    live, test = await twinned.post("/v1/sms", sms()), None
    test = await twinned.post("/v1/sms", sms(), key=twinned.test)

    of_twins = await submit.claim(twinned.gateway, Channel.SMS, 1000, twins=True)
    of_providers = await submit.claim(twinned.gateway, Channel.SMS, 1000)

    def ids(calls: Any) -> set[Any]:
        return {one.claim.message_id for call in calls for one in call}

    assert read(MESSAGE, test.json()["id"]) in ids(of_twins) - ids(of_providers)
    assert read(MESSAGE, live.json()["id"]) in ids(of_providers) - ids(of_twins)
    assert {one.claim.row["mode"] for call in of_twins for one in call} == {"test"}


async def test_a_test_message_that_stands_at_a_provider_is_not_handed_to_it(twinned: Api) -> None:
    """As one that was taken in before the deployment had twins, or that somebody moved by hand."""
    sent = await twinned.post("/v1/sms", sms(), key=twinned.test)
    async with twinned.gateway.database.transaction() as connection:
        await connection.execute(
            messages.update()
            .where(messages.c.id == read(MESSAGE, sent.json()["id"]))
            .values(provider="efidem")
        )
    calls = await submit.claim(twinned.gateway, Channel.SMS, 1000)
    (held,) = [call for call in calls if call[0].claim.row["mode"] == "test"]

    (ended,) = await submit.call(twinned.gateway, held)

    assert isinstance(ended.outcome, Blocked)
    assert not ended.outcome.stops


async def test_a_fax_is_fetched_at_the_address_of_its_mode(twinned: Api) -> None:
    await twinned.post("/v1/faxes", fax())
    await twinned.post("/v1/faxes", fax(), key=twinned.test)

    ((test,),) = await submit.claim(twinned.gateway, Channel.FAX, 1, twins=True)
    ((live,),) = await submit.claim(twinned.gateway, Channel.FAX, 1)

    assert str(test.document_url).startswith("http://gateway.internal:8000/d/")
    assert str(live.document_url).startswith("http://127.0.0.1:9/d/")


async def test_a_test_operator_finds_its_messages_by_the_name_that_they_show(twinned: Api) -> None:
    key = await operator(twinned, Mode.TEST)
    sent = await twinned.post("/v1/sms", sms(billing_code=uuid4().hex), key=key)
    async with twinned.gateway.database.transaction() as connection:
        row = messages.c.id == read(MESSAGE, sent.json()["id"])
        await connection.execute(messages.update().where(row).values(status="uncertain"))

    asked = {
        "filter": {
            "channel": "sms",
            "status": "uncertain",
            "provider": sent.json()["provider"]["name"],
            "billing_code": sent.json()["billing_code"],
        },
        "outcome": "abandon",
        "reason": "it was a test",
        "dry_run": True,
    }
    found = await twinned.post("/v1/messages/resolve-batch", asked, key=key)

    assert found.json()["message_ids"] == [sent.json()["id"]]


async def test_a_message_whose_twin_is_configured_no_more_can_be_resolved(
    twinned: Api, serve: Any
) -> None:
    key = await operator(twinned, Mode.TEST)
    sent = await twinned.post("/v1/sms", sms(), key=key)
    async with twinned.gateway.database.transaction() as connection:
        row = messages.c.id == read(MESSAGE, sent.json()["id"])
        await connection.execute(messages.update().where(row).values(status="uncertain"))
    said = {"outcome": "assume_sent", "reason": "it was a test"}

    async with serve(twinned.gateway.database, environment="production") as without:
        found = await without.post(f"{sent.json()['links']['self']}/resolve", said, key=key)

    assert (found.status, found.json()["status"]) == (200, "submitted")


async def test_a_test_key_has_no_provider_looked_at(twinned: Api) -> None:
    key = await operator(twinned, Mode.TEST)

    problem(
        await twinned.post("/v1/providers/efidem/probe", None, key=key), 403, "mode_not_allowed"
    )

    assert (await twinned.post("/v1/providers/efidem_test/probe", None, key=key)).status == 202


async def test_without_a_twin_a_test_key_is_refused_in_production(served: Api, serve: Any) -> None:
    async with serve(served.gateway.database, environment="production") as opened:
        api = await with_keys(opened)
        for path, make in BODIES.items():
            found = problem(await api.post(path, make(), key=api.test), 403, "channel_not_allowed")
            assert "multicanal serve" in found["detail"]


def test_a_twin_is_told_nothing_of_the_live_account() -> None:
    account = {"username": "live-user", "password": "live-password", "app_id": "live-app"}
    made = settings(efidem=account, twins=TWINS)

    efidem, fax123 = made.twins.efidem(made.efidem), made.twins.fax123(made.fax123)

    assert efidem is not None
    assert fax123 is not None
    told = [*efidem.model_dump().values(), *fax123.model_dump().values()]
    shown = [
        one.get_secret_value() if isinstance(one, SecretStr) else str(one) for one in told if one
    ]
    assert [one for one in shown if "live-" in one] == []
    assert str(efidem.address) == f"{SIMULATORS}/soap"


@pytest.mark.parametrize(
    ("twins", "wrong"),
    [
        (TWINS, []),
        ({"efidem_wsdl": "http://127.0.0.1:9/elsewhere?wsdl"}, ["EFIDEM_WSDL"]),
        ({"efidem_wsdl": "http://127.0.0.1:9"}, ["EFIDEM_WSDL"]),
        ({"fax123_url": "http://127.0.0.1:9/other.php"}, ["FAX123_URL"]),
        ({"fax123_url": "http://user@127.0.0.1:9/other.php"}, ["FAX123_URL"]),
    ],
)
def test_a_twin_stands_nowhere_where_a_provider_does(
    twins: dict[str, str], wrong: list[str]
) -> None:
    made = settings(twins=twins)

    found = clashes(made.twins, made.efidem, made.fax123)

    assert [line.split(":")[0].removeprefix("MULTICANAL_TEST_") for line in found] == wrong


def test_a_twin_at_a_providers_address_is_refused_at_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MULTICANAL_EFIDEM_WSDL", "http://soap.example.com/ws?wsdl")
    monkeypatch.setenv("MULTICANAL_TEST_EFIDEM_WSDL", "http://soap.example.com/another?wsdl")

    with pytest.raises(WrongSettings) as raised:
        load()

    (problem,) = raised.value.problems
    assert problem.startswith("MULTICANAL_TEST_EFIDEM_WSDL:")


def test_a_provider_is_found_however_its_address_is_written() -> None:
    made = settings(efidem={"wsdl": "HTTPS://Soap.Provider.Example/ws?wsdl"})
    twins = TwinSettings(_env_file=None, efidem_wsdl="https://soap.provider.example.:443/ws?wsdl")

    assert len(clashes(twins, made.efidem, made.fax123)) == 1


# --- acknowledgements ---


async def faxed(api: Api, key: str, *, twins: bool) -> tuple[str, str]:
    """Return a fax that its provider, or the twin, took; and its reference."""
    sent = await api.post("/v1/faxes", fax(), key=key)
    calls = await submit.claim(api.gateway, Channel.FAX, 1000, twins=twins)
    mine = read(MESSAGE, sent.json()["id"])
    (held,) = [call[0] for call in calls if call[0].claim.message_id == mine]
    outcome = Accepted(None, "113", "Document transmis")
    await submit.record(api.gateway, [Ended(held=held, outcome=outcome, function="http.php")])
    return sent.json()["links"]["self"], held.claim.reference


async def acknowledge(api: Api, hook: str, reference: str) -> int:
    query = f"etat_e=0&ref_accuse={reference}&numero={NUMBER}&nb_page=1"
    return (await api.get(f"{hook}?{query}", key=None)).status


async def status(api: Api, path: str, key: str) -> str:
    found: str = (await api.get(path, key=key)).json()["status"]
    return found


async def test_a_simulator_acknowledges_no_live_fax(twinned: Api) -> None:
    path, reference = await faxed(twinned, twinned.live, twins=False)

    assert await acknowledge(twinned, TEST_HOOK, reference) == 200

    assert await status(twinned, path, twinned.live) == "submitted"
    async with twinned.gateway.database.reading() as connection:
        found = await connection.execute(
            select(acknowledgements.c.note).where(acknowledgements.c.reference == reference)
        )
        assert list(found.scalars()) == ["unknown_reference"]
    assert await acknowledge(twinned, LIVE_HOOK, reference) == 200
    assert await status(twinned, path, twinned.live) == "delivered"


async def test_a_provider_acknowledges_no_fax_of_a_test_key(twinned: Api) -> None:
    path, reference = await faxed(twinned, twinned.test, twins=True)

    assert await acknowledge(twinned, LIVE_HOOK, reference) == 200

    assert await status(twinned, path, twinned.test) == "submitted"
    assert await acknowledge(twinned, TEST_HOOK, reference) == 200
    assert await status(twinned, path, twinned.test) == "delivered"


async def test_one_secret_opens_not_the_others_door(twinned: Api) -> None:
    secrets = [LIVE_HOOK.rpartition("/")[2], TEST_HOOK.rpartition("/")[2]]

    assert secrets[0] != secrets[1]
    assert await acknowledge(twinned, f"/hooks/123fax-test/{secrets[0]}", "R" * 16) == 404
    assert await acknowledge(twinned, f"/hooks/123fax/{secrets[1]}", "R" * 16) == 404


async def test_there_is_no_simulators_door_where_there_is_no_simulator(api: Api) -> None:
    assert await acknowledge(api, TEST_HOOK, "R" * 16) == 404


# --- team keys ---

TEAM = ("Anna@Exemple.fr", "bruno@exemple.fr", "chloe@hôte.fr", "0639980001", "+33199000001")


@pytest.fixture
async def team(api: Api) -> Api:
    """The API, whose `live` key is a team key here, with a list of its client."""
    digest, name = api.edge.access.digest, api.gateway.ids.token()
    key = await create_key(api.gateway, digest, name=name, mode=Mode.TEAM, scopes=SCOPES)
    async with api.gateway.database.transaction() as connection:
        found = await connection.execute(
            select(api_keys.c.client_id).where(api_keys.c.digest == digest(key))
        )
        await clients.add_to_team(
            connection, found.scalar_one(), list(map(recipient, TEAM)), api.gateway.now()
        )
    return replace(api, live=key)


def people(*addresses: str) -> list[dict[str, str]]:
    return [{"address": one} for one in addresses]


async def test_a_team_key_sends_to_its_clients_list(team: Api) -> None:
    both = email(to=people("anna@exemple.FR"), cc=people("BRUNO@exemple.fr"))
    # A number, or a domain, is the same however it is written.
    for path, body in (
        ("/v1/emails", both),
        ("/v1/emails", email(to=people("chloe@xn--hte-kna.fr"))),
        ("/v1/emails", email(to=people("CHLOE@HÔTE.fr"), errors_to="anna@exemple.fr")),
        *(("/v1/sms", sms(to=one)) for one in ("06 39 98 00 01", "0033639980001")),
        ("/v1/sms", sms(to="+33 (0)6.39.98.00.01")),
        ("/v1/faxes", fax()),
    ):
        sent = await team.post(path, body)
        assert sent.status == 202, sent.json()
        assert sent.json()["mode"] == "team"
        (row,) = await rows_of(team, [sent])
        assert row["provider"] in {"efidem", "fax123"}


async def test_every_recipient_that_is_not_in_the_list_is_named(team: Api) -> None:
    to, cc = people("anna@exemple.fr", "else@exemple.fr"), people("other@exemple.fr")
    body = email(to=to, cc=cc, errors_to="bounces@exemple.fr")

    found = problem(await team.post("/v1/emails", body), 403, "recipient_not_in_team_list")

    assert [(one["pointer"], one["code"]) for one in found["errors"]] == [
        ("/to/1/address", "not_in_team_list"),
        ("/cc/0/address", "not_in_team_list"),
        ("/errors_to", "not_in_team_list"),
    ]
    assert "exemple" not in str(found)
    assert await team.count(messages) == 0


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/sms", sms(to="+33639980002")), ("/v1/faxes", fax(to="+33199000002"))]
)
async def test_a_number_that_is_not_in_the_list_is_refused(team: Api, path: str, body: Any) -> None:
    found = problem(await team.post(path, body), 403, "recipient_not_in_team_list")

    assert [one["pointer"] for one in found["errors"]] == ["/to"]


async def test_a_batch_is_refused_whole_with_every_wrong_recipient(team: Api) -> None:
    rows = [{"to": "+33639980001"}, {"to": "+33639980002"}, {}, {"to": "+33639980003"}]
    body = {"defaults": {"text": "Bonjour", "to": "+33639980004"}, "messages": rows}

    found = problem(await team.post("/v1/sms/batch", body), 403, "recipient_not_in_team_list")

    pointers = [one["pointer"] for one in found["errors"]]
    assert pointers == ["/messages/1/to", "/defaults/to", "/messages/3/to"]
    assert await team.count(messages) == 0
    async with team.gateway.database.reading() as connection:
        found_batches = await connection.execute(
            select(batches.c.id).where(batches.c.mode == "team")
        )
        assert list(found_batches) == []


async def test_a_team_key_sends_no_letters(team: Api) -> None:
    found = problem(await team.post("/v1/letters", letter()), 403, "channel_not_allowed")

    assert "letter" in found["detail"]


async def test_an_empty_list_lets_nobody_pass(api: Api) -> None:
    digest, name = api.edge.access.digest, api.gateway.ids.token()
    key = await create_key(api.gateway, digest, name=name, mode=Mode.TEAM, scopes=SCOPES)

    problem(await api.post("/v1/sms", sms(), key=key), 403, "recipient_not_in_team_list")


async def test_a_change_of_the_list_holds_after_a_few_seconds(
    team: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem(await team.post("/v1/sms", sms(to="+33639980005")), 403, "recipient_not_in_team_list")
    async with team.gateway.database.transaction() as connection:
        found = await connection.execute(
            select(api_keys.c.client_id).where(
                api_keys.c.digest == team.edge.access.digest(team.live)
            )
        )
        at = team.gateway.now()
        await clients.add_to_team(connection, found.scalar_one(), ["+33639980005"], at)
    monkeypatch.setattr(remembered, "REMEMBERED", 0.0)

    sent = await team.post("/v1/sms", sms(to="+33639980005"))

    assert sent.status == 202
