"""A message explained over HTTP, in the language that the reader asks for."""

from typing import Any

import pytest
from sqlalchemy import insert, update

from app.api.languages import language_of
from app.domain.identifiers import MESSAGE, read
from app.store.tables import attempts, channels, messages
from tests.api.client import Api, problem, sms

pytestmark = pytest.mark.anyio


async def sent(api: Api) -> str:
    return str((await api.post("/v1/sms", sms())).json()["id"])


async def put(api: Api, message_id: str, **columns: Any) -> None:
    async with api.gateway.database.transaction() as connection:
        await connection.execute(
            update(messages).where(messages.c.id == read(MESSAGE, message_id)).values(**columns)
        )


async def explained(api: Api, message_id: str, language: str | None = None) -> dict[str, Any]:
    headers = {"Accept-Language": language} if language else {}
    answer = await api.get(f"/v1/messages/{message_id}/explain", headers=headers)
    assert answer.status == 200, answer
    assert answer.headers["Vary"] == "Accept-Language"
    found: dict[str, Any] = answer.json()
    assert answer.headers["Content-Language"] == found["language"]
    return found


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        (None, "en"),
        ("", "en"),
        ("fr", "fr"),
        ("fr-CA", "fr"),
        ("FR", "fr"),
        ("en, fr", "en"),
        ("fr, en", "en"),
        ("fr;q=0.9, en;q=0.8", "fr"),
        ("en;q=0.5, fr ; q=0.51", "fr"),
        ("de, fr;q=0.1", "fr"),
        ("de", "en"),
        ("*", "en"),
        ("en;q=0, *", "fr"),
        ("en;q=0, fr;q=0", "en"),
        ("fr;q=2, en;q=0.1", "en"),
        ("fr;q=x", "en"),
        ("fr-fr;q=0.2, fr;q=0.9, en;q=0.5", "fr"),
        ("é, fr", "fr"),
    ],
)
def test_the_language_with_the_best_quality_is_taken(accepted: str | None, expected: str) -> None:
    assert language_of(accepted) == expected


async def test_a_waiting_message_is_explained(api: Api) -> None:
    message_id = await sent(api)

    english = await explained(api, message_id)
    french = await explained(api, message_id, "fr-FR, en;q=0.5")

    assert english == {
        "message_id": message_id,
        "language": "en",
        "status": "queued",
        "situation": "queued",
        "reason": None,
        "next_at": None,
        "means": "The message is kept safely and waits for its turn to be sent.",
        "next": "A worker hands it to the provider as soon as one is free.",
        "advice": "You can still cancel it: POST /v1/messages/{id}/cancel.",
    }
    assert french["means"].startswith("Le message est enregistré de façon sûre")


async def test_what_keeps_the_channel_shut_is_said(api: Api) -> None:
    message_id = await sent(api)
    async with api.gateway.database.transaction() as connection:
        shut = {"provider": "efidem", "channel": "sms", "state": "stopped", "failures": 0}
        shut |= {"opens": 0, "changed_at": api.gateway.now(), "reason": "provider_credit"}
        await connection.execute(insert(channels).values(shut))

    found = await explained(api, message_id, "fr")

    assert found["reason"] == "provider_credit"
    assert "n'a plus de crédit" in found["means"]


async def test_a_failure_is_said_with_its_reason(api: Api) -> None:
    message_id = await sent(api)
    failure = {"type": "temporary", "reason": "busy", "retryable": True}
    failure |= {"provider_code": "31064", "label": "occupé"}
    await put(api, message_id, status="failed", failure=failure, due_at=None)

    found = await explained(api, message_id, "fr")

    assert (found["situation"], found["reason"]) == ("failed", "busy")
    assert "La ligne était occupée." in found["means"]


@pytest.mark.parametrize(
    ("previous", "outcome", "expected"),
    [
        ("queued", None, "expired_unsent"),
        ("submitted", "accepted", "expired_unknown"),
        ("uncertain", "unclear", "expired_unknown"),
        ("uncertain", "absent", "expired_unsent"),
    ],
)
async def test_what_expired_may_have_left_or_not(
    api: Api, previous: str, outcome: str | None, expected: str
) -> None:
    message_id = await sent(api)
    await put(api, message_id, status="expired", previous_status=previous, due_at=None)
    if outcome is not None:
        row = {"id": api.gateway.ids.new(), "message_id": read(MESSAGE, message_id), "number": 1}
        row |= {"reference": api.gateway.ids.reference(), "provider": "efidem", "fence": 1}
        row |= {"started_at": api.gateway.now(), "outcome": outcome}
        async with api.gateway.database.transaction() as connection:
            await connection.execute(insert(attempts).values(row))

    assert (await explained(api, message_id))["situation"] == expected


async def test_nobody_is_told_of_anothers_message(api: Api) -> None:
    path = f"/v1/messages/{await sent(api)}/explain"

    problem(await api.get(path, key=api.other), 404, "not_found")
    problem(await api.get(path, key=api.sender), 403, "scope_missing")
    problem(await api.get("/v1/messages/msg_1/explain"), 404, "not_found")
