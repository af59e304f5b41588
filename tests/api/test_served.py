"""The document server: a token opens one attempt's document, and every fetch is on record."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, update

from app.delivery import submit
from app.delivery.conclude import Ended, Held
from app.domain.message import Channel
from app.domain.outcome import Accepted, Blocked, Deferred, Failure, Refused, Unclear
from app.store import attempts
from app.store.tables import grants, messages
from tests.api.client import Answer, Api, encoded, fax, pdf, problem

pytestmark = pytest.mark.anyio
sqlite_only = pytest.mark.parametrize("served", ["sqlite"], indirect=True)

SAFE = {
    "Content-Type": "application/pdf",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Content-Disposition": 'attachment; filename="document.pdf"',
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Accept-Ranges": "none",
}


async def granted(api: Api) -> tuple[str, str, Held]:
    """Return where a claimed fax is read, where its document is served, and the claim."""
    file = {"content_base64": encoded(pdf(2)), "filename": "secret name.pdf"}
    made = await api.post("/v1/faxes", fax(document=file))
    assert made.status == 202
    ((held,),) = await submit.claim(api.gateway, Channel.FAX, 10)
    assert held.document_url is not None
    path = held.document_url.removeprefix(api.gateway.public_url)
    return made.headers["Location"], path, held


async def grant_of(api: Api, held: Held) -> Any:
    async with api.gateway.database.reading() as connection:
        found = await connection.execute(
            select(grants).where(grants.c.attempt_id == held.claim.attempt_id)
        )
        return found.mappings().one()


def without_id(answer: Answer) -> dict[str, Any]:
    found = problem(answer, 404, "not_found")
    return {name: value for name, value in found.items() if name != "request_id"}


async def test_a_token_opens_its_document_and_the_fetch_is_kept(api: Api) -> None:
    location, path, held = await granted(api)
    assert (await api.get(location)).json()["fax"]["document_fetched_at"] is None

    answer = await api.get(path, key=None)

    assert (answer.status, answer.content) == (200, pdf(2))
    assert {name: answer.headers[name] for name in SAFE} == SAFE
    assert answer.headers["Content-Length"] == str(len(pdf(2)))
    assert "secret name" not in str(answer.headers)
    grant = await grant_of(api, held)
    assert (grant["fetches"], grant["fetched_at"] is not None) == (1, True)
    assert (await api.get(location)).json()["fax"]["document_fetched_at"] is not None


async def test_a_head_is_no_fetch(api: Api) -> None:
    location, path, held = await granted(api)

    for _ in range(3):
        answer = await api.call("HEAD", path, key=None)
        assert (answer.status, answer.content) == (200, b"")
        assert {name: answer.headers[name] for name in SAFE} == SAFE
        assert answer.headers["Content-Length"] == str(len(pdf(2)))

    assert (await grant_of(api, held))["fetches"] == 0
    assert (await api.get(location)).json()["fax"]["document_fetched_at"] is None


async def test_a_fetch_is_committed_before_the_first_byte_leaves(api: Api) -> None:
    _, path, held = await granted(api)
    reader, writer = await asyncio.open_connection("127.0.0.1", api.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())

    first = await reader.readexactly(1)
    fetches = (await grant_of(api, held))["fetches"]
    writer.close()

    assert (first, fetches) == (b"H", 1)


@sqlite_only
async def test_every_token_that_opens_nothing_gets_the_same_answer(api: Api) -> None:
    _, path, held = await granted(api)
    token = path.removeprefix("/d/").removesuffix(".pdf")
    _, expired, of_expired = await granted(api)
    _, revoked, of_revoked = await granted(api)
    now = api.gateway.now()
    async with api.gateway.database.transaction() as connection:
        await connection.execute(
            update(grants)
            .where(grants.c.attempt_id == of_expired.claim.attempt_id)
            .values(expires_at=now)
        )
        await attempts.revoke(connection, [of_revoked.claim.attempt_id], now)

    paths = [
        expired,
        revoked,
        f"/d/{token.lower()}.pdf",
        f"/d/{token[:-1]}.pdf",
        f"/d/{token}A.pdf",
        f"/d/{token[::-1]}.pdf",
        f"/d/{attempts.hashed(token)}.pdf",
        f"/d/{held.claim.reference}.pdf",
        f"/d/{api.gateway.ids.token()}.pdf",
        "/d/x.pdf",
        "/d/%00.pdf",
        "/d/%ED%A0%80.pdf",
        "/d/..%00.pdf",
        "/d/" + "x" * 20_000 + ".pdf",
        f"/d/{token}%20.pdf",
        f"/d/{token}.pdf.pdf",
    ]
    answers = [without_id(await api.get(one, key=None)) for one in paths]
    assert all(answer == answers[0] for answer in answers)
    assert {(await api.call("HEAD", one, key=None)).status for one in paths} == {404}
    for one in (f"/d/{token}.PDF", f"/d/{token}", f"/d/{token}.pdf/", f"/d//{token}.pdf"):
        problem(await api.get(one, key=None), 404, "not_found")
    assert token not in str(answers)
    for one in (held, of_expired, of_revoked):
        assert (await grant_of(api, one))["fetches"] == 0
    assert (await api.get(path, key=None)).status == 200


@sqlite_only
@pytest.mark.parametrize(
    "wanted", ["bytes=0-0", "bytes=5-", "bytes=-5", "bytes=" + "0-1," * 5_000 + "0-1", "x=1-2", "é"]
)
async def test_a_range_is_not_taken(api: Api, wanted: str) -> None:
    _, path, _ = await granted(api)

    answer = await api.get(path, key=None, headers={"Range": wanted, "If-Range": "x"})

    assert (answer.status, answer.content) == (200, pdf(2))
    assert "Content-Range" not in answer.headers


@sqlite_only
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_a_document_is_only_read(api: Api, method: str) -> None:
    _, path, held = await granted(api)

    answer = await api.call(method, path, key=None)

    problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].replace(" ", "").split(",")) == {"GET", "HEAD"}
    assert (await grant_of(api, held))["fetches"] == 0


async def test_twenty_fetches_at_once_are_all_counted(api: Api) -> None:
    _, path, held = await granted(api)

    answers = await asyncio.gather(*(api.get(path, key=None) for _ in range(20)))

    assert {(answer.status, answer.content) for answer in answers} == {(200, pdf(2))}
    assert (await grant_of(api, held))["fetches"] == 20


NOTHING = Failure(type="permanent", reason="x", retryable=False)


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Accepted(None, "113", "x"), 200),
        (Unclear("read time-out"), 200),
        (Refused(NOTHING), 404),
        (Deferred("connection refused"), 404),
        (Blocked("provider_credit", "x"), 404),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_a_document_closes_where_the_provider_did_not_take_it(
    api: Api, outcome: Any, status: int
) -> None:
    _, path, held = await granted(api)
    assert (await api.get(path, key=None)).status == 200

    await submit.record(api.gateway, [Ended(held=held, outcome=outcome, function="http.php")])

    assert (await api.get(path, key=None)).status == status


async def test_a_refusal_that_races_fetches_serves_nothing_afterwards(api: Api) -> None:
    _, path, held = await granted(api)
    revoked = asyncio.Event()

    async def fetch() -> list[int]:
        """Fetch until an answer to a fetch that began after the refusal."""
        statuses = []
        while True:
            after = revoked.is_set()
            statuses.append((await api.get(path, key=None)).status)
            if after:
                return statuses

    fetching = [asyncio.create_task(fetch()) for _ in range(4)]
    await asyncio.sleep(0.1)
    await submit.record(
        api.gateway, [Ended(held=held, outcome=Refused(NOTHING), function="http.php")]
    )
    revoked.set()
    found = await asyncio.gather(*fetching)

    assert [statuses[-1] for statuses in found] == [404] * 4
    for statuses in found:
        assert statuses == sorted(statuses)
    # What was served is on record, each of it.
    served = sum(statuses.count(200) for statuses in found)
    assert served > 0
    assert (await grant_of(api, held))["fetches"] == served


async def test_a_new_attempt_has_a_document_of_its_own(api: Api) -> None:
    _, first, held = await granted(api)
    await submit.record(
        api.gateway, [Ended(held=held, outcome=Deferred("refused"), function="http.php")]
    )
    async with api.gateway.database.transaction() as connection:
        await connection.execute(
            update(messages)
            .where(messages.c.id == held.claim.message_id)
            .values(due_at=api.gateway.now())
        )

    ((again,),) = await submit.claim(api.gateway, Channel.FAX, 10)

    assert again.document_url is not None
    second = again.document_url.removeprefix(api.gateway.public_url)
    assert second != first
    assert (await api.get(first, key=None)).status == 404
    assert (await api.get(second, key=None)).content == pdf(2)


async def test_the_store_knows_no_token(api: Api) -> None:
    _, path, held = await granted(api)
    token = path.removeprefix("/d/").removesuffix(".pdf")

    grant = await grant_of(api, held)

    assert len(token) == 52
    assert token not in str(dict(grant))
