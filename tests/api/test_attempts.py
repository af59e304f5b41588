"""What the calls for a message were, and were answered: masked, and without any credential."""

from typing import Any

import pytest
from sqlalchemy import insert, update

from app.domain.outcome import Accepted, Deferred, Failure, Refused, Unclear
from app.store import attempts as store
from app.store.tables import acknowledgements, attempts, grants, messages
from tests.api.acting import kept, key, nothing_uncertain, raw_id, sent
from tests.api.client import Api, problem, sms

pytestmark = pytest.mark.anyio


async def tried(api: Api, message_id: str) -> list[dict[str, Any]]:
    answer = await api.get(f"/v1/messages/{message_id}/attempts")
    assert answer.status == 200, answer
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


async def test_a_message_that_waits_has_none(api: Api) -> None:
    assert await tried(api, await kept(api)) == []


async def test_an_attempt_tells_what_was_called_and_answered(api: Api) -> None:
    message_id = await sent(api, Accepted("0123456789abcdef0123456789abcdef"))

    (found,) = await tried(api, message_id)

    message = (await api.get(f"/v1/messages/{message_id}")).json()
    reference = message["provider"]["attempt_ref"]
    assert {name: found.pop(name) for name in ("started_at", "ended_at")}.keys()
    assert found == {
        "number": 1,
        "reference": reference,
        "provider": "efidem",
        "function": "ENVOYER_SMS",
        "outcome": "accepted",
        "why": None,
        "late_outcome": None,
        "exchange": {
            "sent": {
                "recipient": "+336****0001",
                "reference": reference,
                "billing_code": None,
                "files": [],
            },
            "answered": {
                "code": None,
                "words": None,
                "provider_message_id": "0123456789abcdef0123456789abcdef",
                "raw": None,
            },
            "fetched": None,
            "acknowledged": [],
        },
    }


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (
            Refused(
                Failure(
                    type="permanent",
                    reason="number_too_short",
                    retryable=False,
                    provider_code="-8",
                    label="Numéro de destination trop court",
                )
            ),
            ("refused", "number_too_short", "-8", "Numéro de destination trop court", None),
        ),
        (Deferred("connection refused"), ("deferred", "connection refused", None, None, None)),
        (
            Unclear("a code that the document does not list", "-77"),
            ("unclear", "a code that the document does not list", None, None, "-77"),
        ),
    ],
)
async def test_every_outcome_says_why(api: Api, outcome: Any, expected: tuple[Any, ...]) -> None:
    (found,) = await tried(api, await sent(api, outcome))
    await nothing_uncertain(api)

    answered = found["exchange"]["answered"]
    assert (
        found["outcome"],
        found["why"],
        answered["code"],
        answered["words"],
        answered["raw"],
    ) == expected
    assert found["ended_at"] >= found["started_at"]


async def test_a_fax_tells_its_fetches_and_acknowledgements_and_no_number(api: Api) -> None:
    message_id = await sent(api, Accepted(None, "113"), "/v1/faxes")
    (before,) = await tried(api, message_id)
    async with api.gateway.database.transaction() as connection:
        names = await store.names_of(connection, raw_id(message_id))
        (attempt,) = [await store.of_reference(connection, "fax123", one) for one in names]
        assert attempt is not None
        now = api.gateway.now()
        await connection.execute(
            update(grants)
            .where(grants.c.attempt_id == attempt["id"])
            .values(fetches=2, fetched_at=now)
        )
        row = {"id": api.gateway.ids.new(), "fingerprint": attempt["reference"], "times": 3}
        row |= {"provider": "fax123", "reference": attempt["reference"], "code": "31064"}
        row |= {"number": "0199000001", "received_at": now, "attempt_id": attempt["id"]}
        row |= {"pages": 0, "provider_time": "10:15"}
        await connection.execute(insert(acknowledgements).values(row))

    answer = await api.get(f"/v1/messages/{message_id}/attempts")

    exchange = answer.json()["data"][0]["exchange"]
    assert before["exchange"]["fetched"] == {"times": 0, "last_at": None}
    assert exchange["fetched"]["times"] == 2
    assert exchange["fetched"]["last_at"] is not None
    assert exchange["sent"]["files"][0]["media_type"] == "application/pdf"
    (told,) = exchange["acknowledged"]
    assert (told["code"], told["times"], told["pages"], told["note"]) == ("31064", 3, 0, None)
    for personal in (b"199000001", b"/d/", b"password", b"pass="):
        assert personal not in answer.content


async def test_an_earlier_attempt_keeps_its_place(api: Api) -> None:
    message_id = await kept(api, sms(billing_code="B"))
    async with api.gateway.database.transaction() as connection:
        for number in (2, 1):
            row = {"id": api.gateway.ids.new(), "message_id": raw_id(message_id)}
            row |= {"number": number, "reference": api.gateway.ids.reference(), "fence": number}
            row |= {"provider": "efidem", "started_at": api.gateway.now()}
            row |= {"outcome": "unclear" if number == 1 else None, "why": None}
            row |= {"late": {"outcome": "accepted"} if number == 1 else None}
            await connection.execute(insert(attempts).values(row))
        await connection.execute(
            update(messages).where(messages.c.id == raw_id(message_id)).values(attempts=2)
        )

    first, second = await tried(api, message_id)

    assert (first["number"], first["outcome"], first["late_outcome"]) == (1, "unclear", "accepted")
    assert (second["number"], second["outcome"], second["ended_at"]) == (2, None, None)
    assert {first["function"], second["function"]} == {"ENVOYER_SMS"}
    assert second["exchange"]["sent"]["billing_code"] == "B"


async def test_nobody_sees_anothers_attempts(api: Api) -> None:
    path = f"/v1/messages/{await kept(api)}/attempts"

    problem(await api.get(path, key=api.other), 404, "not_found")
    problem(await api.get(path, key=api.sender), 403, "scope_missing")


async def test_whoever_resolves_sees_what_was_tried_while_it_is_uncertain(api: Api) -> None:
    message_id = await sent(api, Unclear("the connection broke"))
    operator = await key(api, "admin")
    path = f"/v1/messages/{message_id}"

    tried_ = await api.get(f"{path}/attempts", key=operator)
    told = await api.get(f"{path}/explain", key=operator)
    await nothing_uncertain(api)

    assert tried_.json()["data"][0]["why"] == "the connection broke"
    assert told.json()["situation"] == "uncertain"
    problem(await api.get(f"{path}/attempts", key=operator), 404, "not_found")
