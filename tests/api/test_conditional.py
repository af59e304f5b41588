"""Who has an answer already is told so: ETag, If-None-Match and 304."""

from typing import Any

import pytest
from sqlalchemy import insert, update

from app.domain.identifiers import MESSAGE, read
from app.domain.status import Status
from app.store.messages import Move, move
from app.store.tables import channels, messages
from tests.api.client import Answer, Api, email, problem, sms

pytestmark = pytest.mark.anyio


async def sent(api: Api, **changes: Any) -> str:
    return str((await api.post("/v1/sms", sms(**changes))).json()["id"])


async def again(api: Api, path: str, tag: str, **options: Any) -> Answer:
    return await api.get(path, headers={"If-None-Match": tag}, **options)


PATHS = [
    "/v1/messages/{id}",
    "/v1/messages/{id}/events",
    "/v1/messages/{id}/recipients",
    "/v1/messages/{id}/attempts",
    "/v1/messages/{id}/explain",
    "/v1/messages?limit=5",
]


@pytest.mark.parametrize("path", PATHS)
async def test_nothing_is_sent_twice_while_nothing_changed(api: Api, path: str) -> None:
    path = path.format(id=await sent(api))

    first = await api.get(path)
    tag = first.headers["ETag"]
    second = await again(api, path, tag)

    assert first.status == 200
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert (second.status, second.content) == (304, b"")
    assert second.headers["ETag"] == tag
    assert second.headers["Cache-Control"] == "private, no-cache"
    assert "Content-Type" not in second.headers


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{tag}", 304),
        ("W/{tag}", 304),
        ("*", 304),
        (' "other" ,  {tag}', 304),
        ('W/"a, b", W/{tag}', 304),
        ('"other"', 200),
        ("{bare}", 200),
        ('"{bare}', 200),
        ("", 200),
    ],
)
async def test_any_of_the_named_tags_counts(shared: Api, template: str, expected: int) -> None:
    path = f"/v1/messages/{await sent(shared)}"
    tag = (await shared.get(path)).headers["ETag"]

    answer = await again(shared, path, template.format(tag=tag, bare=tag.strip('"')))

    assert answer.status == expected


async def test_whatever_is_shown_changes_the_tag(api: Api) -> None:
    message_id = await sent(api)
    path = f"/v1/messages/{message_id}"
    tags = [(await api.get(path)).headers["ETag"]]

    async def changed() -> bool:
        tags.append((await again(api, path, tags[-1])).headers["ETag"])
        return tags[-1] != tags[-2]

    found = read(MESSAGE, message_id)
    assert found is not None
    async with api.gateway.database.transaction() as connection:
        # No column of the message: what keeps its channel shut is shown with it.
        shut = {"provider": "efidem", "channel": "sms", "state": "stopped", "failures": 0}
        shut |= {"opens": 0, "changed_at": api.gateway.now(), "reason": "provider_credit"}
        await connection.execute(insert(channels).values(shut))
    assert await changed()
    async with api.gateway.database.transaction() as connection:
        await connection.execute(
            update(messages).where(messages.c.id == found).values(due_at=api.gateway.now())
        )
    assert not await changed()
    step = Move(message_id=found, to=Status.HELD, at=api.gateway.now(), source="worker")
    async with api.gateway.database.transaction() as connection:
        await move(connection, api.gateway.ids, [step])
    assert await changed()


async def test_a_list_changes_its_tag_with_each_of_its_messages(api: Api) -> None:
    await sent(api)
    path = "/v1/messages"
    tag = (await api.get(path)).headers["ETag"]

    await sent(api)

    assert (await again(api, path, tag)).status == 200


async def test_a_tag_opens_nothing(api: Api) -> None:
    path = f"/v1/messages/{await sent(api)}"
    tag = (await api.get(path)).headers["ETag"]

    problem(await again(api, path, tag, key=api.other), 404, "not_found")
    problem(await again(api, path, "*", key=None), 401, "api_key_invalid")


async def test_a_page_keeps_the_link_to_the_next(api: Api) -> None:
    for _ in range(3):
        await api.post("/v1/emails", email())

    first = await api.get("/v1/messages?limit=2")
    second = await again(api, "/v1/messages?limit=2", first.headers["ETag"])

    assert second.status == 304
    assert second.headers["Link"] == first.headers["Link"]
