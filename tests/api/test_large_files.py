"""Requests with large files: taken in as all others are, whichever way their bodies are read."""

import json
import os

import pytest
from sqlalchemy import delete

from app.store.tables import blobs, messages
from tests.api.client import Api, email, encoded

pytestmark = pytest.mark.anyio

CONTENT = os.urandom(100_000)
FILE = {"filename": "a.bin", "content_base64": encoded(CONTENT)}
JSON = {"Content-Type": "application/json"}


async def test_a_repeat_gets_the_first_answer_however_its_json_is_written(api: Api) -> None:
    body = email(attachments=[FILE])
    plain, spaced = json.dumps(body), json.dumps(body, indent=2)
    escaped = plain.replace("/", "\\/")  # as PHP writes it: read the general way
    headers = JSON | {"Idempotency-Key": "large"}

    answers = [
        await api.call("POST", "/v1/emails", data=one.encode(), headers=headers)
        for one in (plain, escaped, spaced)
    ]

    assert [one.status for one in answers] == [202] * 3
    assert len({one.content for one in answers}) == 1
    assert [one.headers.get("Idempotency-Replayed") for one in answers] == [None, "true", "true"]
    assert await api.count(messages) == 1


async def test_a_key_is_refused_with_another_file(api: Api) -> None:
    headers = {"Idempotency-Key": "large"}
    other = FILE | {"content_base64": encoded(CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))}

    first = await api.post("/v1/emails", email(attachments=[FILE]), headers=headers)
    second = await api.post("/v1/emails", email(attachments=[other]), headers=headers)

    assert (first.status, second.status) == (202, 422)
    assert second.json()["code"] == "idempotency_key_reused"


async def test_a_file_that_was_deleted_is_kept_again(api: Api) -> None:
    for _ in range(2):
        async with api.gateway.database.transaction() as connection:
            await connection.execute(delete(blobs))
        answer = await api.post("/v1/emails", email(attachments=[FILE]))
        assert answer.status == 202
        assert await api.count(blobs) == 1
