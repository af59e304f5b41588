"""A contract's life, over real sockets and on both databases: kept, compared, accepted, followed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from app.delivery.keep_contract import ContractStore
from app.domain.message import Sms, Submission
from app.domain.outcome import Accepted, Blocked, Outcome, Refused
from app.providers.efidem.contracting import Contracting
from app.providers.efidem.desk import Desk
from app.providers.efidem.functions import FUNCTIONS
from app.providers.efidem.pins import Pinned
from app.providers.efidem.provider import Efidem
from app.providers.efidem.settings import EfidemSettings
from app.providers.efidem.simulator.contract import Contract as Simulated
from app.providers.efidem.simulator.dialects import DIALECTS
from app.providers.efidem.statuses import followed
from app.store.database import Database
from app.store.tables import contracts
from tests.providers.efidem.fronting import Change, Front, fronting
from tests.providers.sockets import http_answer, serving

pytestmark = pytest.mark.anyio

SMS = '<xs:element name="ENVOYER_SMS">'
SOON = 0.05  # seconds between looks
NEVER = 600.0
SENT = Submission(
    message_id=UUID(int=1),
    content=Sms(to="+33639980001", text="Votre code : 1234"),
    reference="A7K2M9Q4X1",
    billing_code=None,
    files={},
)


def now() -> datetime:
    return datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


def a_mandatory_element_more(wsdl: bytes) -> bytes:
    head, tail = wsdl.decode().split(SMS)
    more = '<xs:sequence><xs:element name="Langue" type="xs:string"/>'
    return (head + SMS + tail.replace("<xs:sequence>", more, 1)).encode()


def an_operation_renamed(wsdl: bytes) -> bytes:
    for name in ("ENVOYER_SMS", "ENVOYER_SMSResponse", "ENVOYER_SMSResult"):
        other = name.replace("ENVOYER_SMS", "PosterTexto")
        wsdl = wsdl.replace(f'"{name}"'.encode(), f'"{other}"'.encode())
        wsdl = wsdl.replace(f'tns:{name}"'.encode(), f'tns:{other}"'.encode())
    return wsdl.replace(b'"tns:ENVOYER_SMS', b'"tns:PosterTexto').replace(
        b'name="ENVOYER_SMSSoap', b'name="PosterTextoSoap'
    )


def another_style(_: bytes) -> bytes:
    return DIALECTS["php"](Simulated()).wsdl("http://127.0.0.1:9")


def a_faxs_element_more(wsdl: bytes) -> bytes:
    name = '<xs:element name="ENVOYER_FAX">'
    head, tail = wsdl.decode().split(name)
    more = '<xs:sequence><xs:element name="Langue" type="xs:string"/>'
    return (head + name + tail.replace("<xs:sequence>", more, 1)).encode()


def moved_to(url: str) -> Change:
    return lambda wsdl: wsdl.replace(
        wsdl.partition(b'address location="')[2].partition(b'"')[0], url.encode()
    )


def more_comments(wsdl: bytes) -> bytes:
    return wsdl.replace(b"<wsdl:types>", b"<!-- as before -->\n<wsdl:types>")


CHANGES: Mapping[str, Change] = {
    "new and mandatory": a_mandatory_element_more,
    "operation renamed": an_operation_renamed,
    "style": another_style,
    "address": moved_to("http://192.0.2.1/soap"),
}


@pytest.fixture
async def front() -> AsyncIterator[Front]:
    async with fronting() as made:
        yield made


@asynccontextmanager
async def started(
    front: Front, database: Database | None, **settings: Any
) -> AsyncIterator[Efidem]:
    """One process's Efidem."""
    usual = {"wsdl": front.wsdl, "username": "u", "password": "p", "app_id": "a", "reload": SOON}
    chosen = EfidemSettings(_env_file=None, **(usual | settings))
    store = None if database is None else ContractStore(database, "efidem", now)
    contracting = Contracting(chosen, FUNCTIONS, Pinned(), store)
    efidem = Efidem(contracting, followed(None), Desk(contracting, followed(None)))
    await efidem.start()
    try:
        yield efidem
    finally:
        await efidem.close()


async def until(happened: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not happened():
            await asyncio.sleep(0.01)


async def rows(database: Database) -> dict[str, Any]:
    async with database.reading() as connection:
        found = await connection.execute(select(contracts))
        return {row["state"]: row for row in found.mappings()}


async def pending(database: Database) -> Any:
    """Wait for a contract that waits."""
    async with asyncio.timeout(10):
        while "pending" not in (found := await rows(database)):
            await asyncio.sleep(0.01)
    return found["pending"]


async def accept(database: Database) -> None:
    waits = await pending(database)
    assert await ContractStore(database, "efidem", now).accept(waits["fingerprint"])


async def ledger(front: Front) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(f"{front.url}/ledger") as answer:
        found: list[dict[str, Any]] = (await answer.json())["submissions"]
        return found


async def sent(efidem: Efidem) -> Outcome:
    return await efidem.submit(SENT)


def said(logs: Any, *events: str) -> list[str]:
    return [one["event"] for one in logs if one["event"] in events]


def drift(efidem: Efidem) -> Any:
    return efidem.health()["drift"]


async def test_the_first_that_is_seen_is_accepted_and_logged(
    database: Database, front: Front
) -> None:
    with capture_logs() as logs:
        async with started(front, database):
            pass

    kept = (await rows(database))["accepted"]
    assert said(logs, "contract_first_seen") == ["contract_first_seen"]
    assert kept["location"] == front.wsdl
    assert set(kept["documents"]) == {""}
    assert len(kept["fingerprint"]) == 64
    assert kept["shape"]["operations"]["ENVOYER_SMS"]["style"] == "document/literal"
    assert (kept["differences"], kept["read_at"]) == ([], now())


async def test_a_restart_needs_no_wsdl(database: Database, front: Front) -> None:
    async with started(front, database):
        pass
    front.away, before = True, front.looks

    with capture_logs() as logs:
        async with started(front, database) as efidem:
            outcome = await sent(efidem)
            await until(lambda: front.looks >= before + 4)
            health = efidem.health()

    assert isinstance(outcome, Accepted)
    assert len(await ledger(front)) == 1
    assert (health["state"], health["drift"]) == ("ready", 0)
    # It was asked again and again, and complained of once.
    assert said(logs, "contract_restored", "contract_not_read") == [
        "contract_restored",
        "contract_not_read",
    ]


async def test_a_restart_needs_no_document_that_the_wsdl_imports(database: Database) -> None:
    async with fronting("rpc12") as front:
        async with started(front, database, address=f"{front.url}/soap"):
            pass
        kept = (await rows(database))["accepted"]
    # The simulator is gone: nothing can be fetched any more.
    async with started(front, database) as efidem:
        blocked = efidem.health()["blocked"]

    assert set(kept["documents"]) == {"", "efidem.xsd"}
    assert blocked == []


@pytest.mark.parametrize("what", CHANGES)
async def test_a_changed_wsdl_is_reported_and_not_followed(
    database: Database, front: Front, what: str
) -> None:
    with capture_logs() as logs:
        async with started(front, database) as efidem:
            front.change = CHANGES[what]
            await until(lambda: drift(efidem))
            looks = front.looks
            await until(lambda: front.looks > looks + 3)
            outcome, health = await sent(efidem), efidem.health()

    waits = await pending(database)
    assert isinstance(outcome, Accepted)
    assert len(await ledger(front)) == 1
    assert (health["state"], health["drift"]) == ("degraded", len(waits["differences"]))
    assert (what, "error") in {(one["what"], one["severity"]) for one in waits["differences"]}
    # One line, however much differs and however often the WSDL was looked at.
    (told,) = [one for one in logs if one["event"] == "contract_drift"]
    severities = [one["severity"] for one in waits["differences"]]
    times = {one: severities.count(one) for one in ("error", "warning", "info")}
    assert told["differences"] == ", ".join(f"{n} {one}" for one, n in times.items() if n)
    assert len(told["first"]) == min(len(severities), 5)
    for shown, one in zip(told["first"], waits["differences"], strict=False):
        assert shown.startswith(one["severity"])
        assert one["what"] in shown


async def test_what_does_not_matter_is_no_drift(database: Database, front: Front) -> None:
    async with started(front, database) as efidem:
        front.change = more_comments
        looks = front.looks
        await until(lambda: front.looks > looks + 2)

        assert (efidem.health()["state"], drift(efidem)) == ("ready", 0)
    assert set(await rows(database)) == {"accepted"}


async def test_an_optional_element_more_is_told_and_leaves_it_ready(
    database: Database, front: Front
) -> None:
    async with started(front, database) as efidem:
        front.change = lambda wsdl: a_mandatory_element_more(wsdl).replace(
            b'name="Langue"', b'name="Langue" minOccurs="0"'
        )
        await until(lambda: drift(efidem))

        assert (efidem.health()["state"], drift(efidem)) == ("ready", 1)


async def test_an_accepted_change_is_followed_by_every_process_without_the_wsdl(
    database: Database, front: Front
) -> None:
    async with (
        serving(http_answer(b"", 503)) as elsewhere,
        started(front, database) as one,
        started(front, database) as other,
    ):
        front.change = moved_to(elsewhere.url("/soap"))
        await pending(database)
        assert isinstance(await sent(one), Accepted)
        assert elsewhere.connections == 0
        front.away = True

        with capture_logs() as logs:
            await accept(database)
            await until(lambda: len(said(logs, "contract_followed")) == 2)
        for efidem in (one, other):
            assert not isinstance(await sent(efidem), Accepted)

        assert elsewhere.connections == 2
        assert [(efidem.health()["state"], drift(efidem)) for efidem in (one, other)] == [
            ("ready", 0),
            ("ready", 0),
        ]
    assert len(await ledger(front)) == 1
    assert set(await rows(database)) == {"accepted"}


async def test_what_an_accepted_contract_blocks_is_blocked_then_and_not_before(
    database: Database, front: Front
) -> None:
    async with started(front, database) as efidem:
        front.change = a_mandatory_element_more
        await pending(database)
        assert isinstance(await sent(efidem), Accepted)

        await accept(database)
        await until(lambda: efidem.health()["blocked"])
        outcome = await sent(efidem)

    assert isinstance(outcome, Blocked)
    assert "Langue" in outcome.why


async def test_a_wsdl_that_went_back_waits_no_longer(database: Database, front: Front) -> None:
    with capture_logs() as logs:
        async with started(front, database) as efidem:
            front.change = a_mandatory_element_more
            await until(lambda: drift(efidem))
            front.change = more_comments
            await until(lambda: not drift(efidem))

            assert efidem.health()["state"] == "ready"
    assert said(logs, "contract_went_back") == ["contract_went_back"]
    assert set(await rows(database)) == {"accepted"}


async def test_what_waits_is_known_after_a_restart_though_the_wsdl_is_away(
    database: Database, front: Front
) -> None:
    async with started(front, database) as efidem:
        front.change = a_mandatory_element_more
        await pending(database)
    front.away = True

    with capture_logs() as logs:
        async with started(front, database) as efidem:
            await until(lambda: drift(efidem))
            assert efidem.health()["state"] == "degraded"
    assert said(logs, "contract_drift") == []


async def test_another_location_is_the_operators_act_and_replaces_what_stood(
    database: Database, front: Front
) -> None:
    async with started(front, database):
        front.change = a_mandatory_element_more
        await pending(database)

    with capture_logs() as logs:
        async with started(front, database, wsdl=f"{front.wsdl}?key=secret") as efidem:
            blocked = efidem.health()["blocked"]

    (kept,) = (await rows(database)).values()
    assert said(logs, "contract_replaced") == ["contract_replaced"]
    assert blocked == ["ENVOYER_SMS"]
    assert kept["location"].startswith(f"{front.wsdl} (")
    assert set(kept["documents"]) == {""}
    assert "secret" not in kept["location"]


async def test_two_processes_that_see_two_wsdls_first_end_with_one(
    database: Database, front: Front
) -> None:
    async with fronting() as changed:
        # Behind one address, two servers may answer: one of each version.
        changed.change = an_operation_renamed
        proxy = front.wsdl
        async with started(front, database) as one:
            store = ContractStore(database, "efidem", now)
            first = await store.accepted()
            assert first is not None
            async with started(changed, None, reload=NEVER) as other:
                contract = other._contracting.contract
                assert contract is not None
                await store.keep_first(
                    type(first)(
                        location=proxy,
                        fingerprint=contract.fingerprint,
                        shape=contract.shape,
                        documents=contract.to_keep,
                    )
                )

            assert await store.accepted() == first
            assert isinstance(await sent(one), Accepted)


async def test_a_store_that_is_away_lets_no_unknown_contract_in(
    front: Front, tmp_path: Path
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'nowhere' / 'store.db'}")
    async with started(front, database) as efidem:
        health = efidem.health()
        outcome = await sent(efidem)
    await database.close()

    assert front.looks == 0
    reason = "there is no such folder, or it may not be written"
    assert (health["state"], health["why"]) == (
        "degraded",
        f"the contract cannot be read from the store: {reason}",
    )
    assert isinstance(outcome, Blocked)


async def test_kept_bytes_that_cannot_be_read_are_fetched_anew(
    database: Database, front: Front
) -> None:
    await broken(database, front)

    with capture_logs() as logs:
        async with started(front, database) as efidem:
            outcome = await sent(efidem)

    assert said(logs, "contract_unreadable", "contract_replaced") == [
        "contract_unreadable",
        "contract_replaced",
    ]
    assert isinstance(outcome, Accepted)
    assert (await rows(database))["accepted"]["documents"][""] != "YQ=="


async def test_another_contract_takes_no_unreadable_ones_place_unasked(
    database: Database, front: Front
) -> None:
    await broken(database, front)
    front.change = moved_to("http://192.0.2.1/soap")

    async with started(front, database) as efidem:
        outcome, why = await sent(efidem), efidem.health()["why"]
    await accept(database)
    async with started(front, database) as efidem:
        contract = efidem._contracting.contract

    assert isinstance(outcome, Blocked)
    assert why.endswith("multicanal providers accept")
    assert contract is not None
    assert contract.address == "http://192.0.2.1/soap"


async def broken(database: Database, front: Front) -> None:
    async with started(front, database):
        pass
    async with database.transaction() as connection:
        await connection.execute(update(contracts).values(documents={"": "YQ=="}))


async def test_what_is_refused_for_its_form_waits_where_the_wsdl_has_changed(
    database: Database, front: Front
) -> None:
    async with started(front, database, reload=NEVER) as efidem:
        looks = front.looks
        front.change, front.refuses = an_operation_renamed, True

        # All at once, and later on: no message fails because the provider changed its service.
        refused = [*await asyncio.gather(*(sent(efidem) for _ in range(5))), await sent(efidem)]
        told = drift(efidem)
        front.refuses = False
        accepted = await sent(efidem)

    assert [(one.reason, one.stops) for one in refused if isinstance(one, Blocked)] == [
        ("provider_contract", False)
    ] * 6
    assert isinstance(refused[0], Blocked)
    assert refused[0].why.endswith("multicanal providers accept")
    assert told
    assert front.looks == looks + 1
    assert isinstance(accepted, Accepted)


async def test_what_is_refused_for_its_form_by_an_unchanged_service_fails(
    database: Database, front: Front
) -> None:
    async with started(front, database, reload=NEVER) as efidem:
        looks = front.looks
        front.refuses = True

        unchanged = await sent(efidem)
        again = await sent(efidem)

    assert isinstance(unchanged, Refused)
    assert isinstance(again, Refused)
    assert front.looks == looks + 1


async def test_another_functions_change_excuses_no_refusal(
    database: Database, front: Front
) -> None:
    async with started(front, database, reload=NEVER) as efidem:
        front.change, front.refuses = a_faxs_element_more, True

        refused = await sent(efidem)
        told = drift(efidem)

    assert told == 1
    assert isinstance(refused, Refused)


async def test_a_refusal_is_no_failure_where_the_wsdl_cannot_be_had_but_had_changed(
    database: Database, front: Front
) -> None:
    async with started(front, database) as efidem:
        front.change = an_operation_renamed
        await until(lambda: drift(efidem))
        front.away, front.refuses = True, True

        refused = await sent(efidem)

    assert isinstance(refused, Blocked)


async def test_without_a_store_the_first_is_kept_in_the_process(front: Front) -> None:
    with capture_logs() as logs:
        async with started(front, None) as efidem:
            front.change = a_mandatory_element_more
            await until(lambda: drift(efidem))
            looks = front.looks
            await until(lambda: front.looks > looks + 2)

            assert isinstance(await sent(efidem), Accepted)
    assert said(logs, "contract_drift") == ["contract_drift"]


async def test_a_wsdl_that_could_not_be_had_is_tried_again(
    database: Database, front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.providers.efidem.following.BIND_AGAIN", SOON)
    front.away = True
    async with started(front, database) as efidem:
        assert isinstance(await sent(efidem), Blocked)
        front.away = False
        # Nobody calls: the process of an API learns it too.
        await until(lambda: efidem.health()["state"] == "ready")
