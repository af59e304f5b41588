"""Resolving over HTTP: who may, what must be said, and a dry run before many are moved."""

import asyncio
from typing import Any

import pytest

from app.api.issue import create_key
from app.delivery import resolve_many, submit
from app.delivery.conclude import Ended
from app.domain.message import Channel, Mode
from app.domain.outcome import Accepted, Unclear
from tests.api.acting import events, kept, key, nothing_uncertain, sent
from tests.api.asking import described
from tests.api.client import Api, problem, sms, wrong

pytestmark = pytest.mark.anyio

BATCH = "/v1/messages/resolve-batch"
UNCLEAR = Unclear("a code that the document does not list", "-77")
WHY = "seen in the provider's console"


@pytest.fixture(autouse=True)
async def _quiet(api: Api) -> None:
    await nothing_uncertain(api)


def body(outcome: str = "abandon", **more: Any) -> dict[str, Any]:
    return {"outcome": outcome, "reason": WHY} | more


def many(outcome: str = "abandon", channel: str = "sms", **more: Any) -> dict[str, Any]:
    filtered = {"channel": channel, **more.pop("filter", {})}
    return {"filter": filtered, "outcome": outcome, "reason": WHY, **more}


async def own(api: Api) -> str:
    """Return a key of the usual client that may resolve."""
    digest = api.edge.access.digest
    name = (await api.get("/v1/me")).json()["client"]["name"]
    return await create_key(
        api.gateway, digest, name=name, mode=Mode.LIVE, scopes=["messages:resolve"]
    )


@pytest.fixture
async def admin(api: Api) -> str:
    return await key(api, "admin")


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (body("assume_sent", provider_message_id="b" * 32), "submitted"),
        (body("assume_sent"), "submitted"),
        (body("not_sent"), "queued"),
        (body("retry", accept_duplicate_risk=True), "queued"),
        (body("abandon"), "failed"),
    ],
)
async def test_a_message_is_resolved_each_way_and_says_by_whom_and_why(
    api: Api, admin: str, said: dict[str, Any], status: str
) -> None:
    message_id = await sent(api, UNCLEAR)

    answer = await api.post(f"/v1/messages/{message_id}/resolve", said, key=admin)

    found = answer.json()
    assert (answer.status, found["status"], found["id"]) == (200, status, message_id)
    assert set(found) == described("MessageOut")
    assert found["provider"]["message_id"] == said.get("provider_message_id")
    *_, last = await events(api, message_id)
    assert (last["type"], last["source"]) == (f"message.{status}", "operator")
    detail = last["detail"]
    assert (detail["resolved"], detail["why"]) == (said["outcome"], WHY)
    assert detail["by"] == {"client": "operators", "key": admin.split("_")[2]}
    assert detail["duplicate_risk_accepted"] is (said["outcome"] == "retry")


async def test_the_owner_resolves_its_own_and_an_operator_everybodys(api: Api, admin: str) -> None:
    mine, owner = await sent(api, UNCLEAR), await own(api)
    path = f"/v1/messages/{mine}/resolve"

    problem(await api.post(path, body()), 403, "scope_missing")
    stranger = await key(api, "messages:resolve")
    problem(await api.post(path, body(), key=stranger), 404, "not_found")
    assert (await api.post(path, body(), key=owner)).status == 200

    other = await sent(api, UNCLEAR)
    assert (await api.post(f"/v1/messages/{other}/resolve", body(), key=admin)).status == 200


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"outcome": "abandon"}, "/reason", "missing"),
        ({"reason": WHY}, "/outcome", "missing"),
        (body("resend"), "/outcome", "not_allowed"),
        (body(reason=""), "/reason", "too_short"),
        (body(reason="   "), "/reason", "too_short"),
        (body(reason="a\nb"), "/reason", "line_break"),
        (body(reason="x" * 501), "/reason", "too_long"),
        (body(reason=7), "/reason", "wrong_type"),
        (body(reason="a\u0000"), "/reason", "forbidden_characters"),
        (body("retry"), "/accept_duplicate_risk", "duplicate_risk"),
        (body("retry", accept_duplicate_risk="true"), "/accept_duplicate_risk", "wrong_type"),
        (body(provider_message_id="b"), "/provider_message_id", "not_with_outcome"),
        (body("assume_sent", provider_message_id="b" * 101), "/provider_message_id", "too_long"),
        (body("assume_sent", provider_message_id=""), "/provider_message_id", "too_short"),
        (body(confirmed_by="me"), "/confirmed_by", "unknown_field"),
    ],
)
async def test_what_is_said_wrongly_moves_nothing(
    api: Api, admin: str, given: dict[str, Any], pointer: str, code: str
) -> None:
    message_id = await sent(api, UNCLEAR)

    answer = await api.post(f"/v1/messages/{message_id}/resolve", given, key=admin)

    assert (pointer, code) in wrong(answer)
    assert (await api.get(f"/v1/messages/{message_id}")).json()["status"] == "uncertain"


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'"retry"', b"\xff"])
async def test_what_is_no_resolution_is_refused(api: Api, admin: str, data: bytes) -> None:
    message_id = await sent(api, UNCLEAR)
    headers = {"Content-Type": "application/json"}

    for path in (f"/v1/messages/{message_id}/resolve", BATCH):
        answer = await api.call("POST", path, key=admin, data=data, headers=headers)
        assert answer.status in {400, 422}
    path = f"/v1/messages/{message_id}/resolve"
    plain = await api.call("POST", path, key=admin, data=b"{}")
    problem(plain, 415, "unsupported_media_type")
    assert (await api.get(f"/v1/messages/{message_id}")).json()["status"] == "uncertain"


async def test_what_is_not_uncertain_is_not_resolved(api: Api, admin: str) -> None:
    submitted, waiting = await sent(api, Accepted("a" * 32)), await kept(api)
    said = body("retry", accept_duplicate_risk=True)

    for message_id, code in ((submitted, "already_submitted"), (waiting, "not_uncertain")):
        path = f"/v1/messages/{message_id}/resolve"
        problem(await api.post(path, said, key=admin), 409, code)


async def test_a_repeated_request_is_answered_and_not_done_again(api: Api, admin: str) -> None:
    message_id = await sent(api, UNCLEAR)
    path, headers = f"/v1/messages/{message_id}/resolve", {"Idempotency-Key": f"r-{message_id}"}
    said = body("retry", accept_duplicate_risk=True)

    answers = await asyncio.gather(
        *(api.post(path, said, key=admin, headers=headers) for _ in range(8))
    )
    other = await api.post(path, body(), key=admin, headers=headers)

    assert {one.status for one in answers} == {200}
    assert len({one.content for one in answers}) == 1
    replayed = [one for one in answers if one.headers.get("Idempotency-Replayed") == "true"]
    assert len(replayed) == 7
    problem(other, 422, "idempotency_key_reused")
    assert [one["status"] for one in await events(api, message_id)].count("queued") == 2


async def test_a_letter_needs_two_keys(api: Api, admin: str) -> None:
    message_id = await sent(api, UNCLEAR, "/v1/letters")
    path, said = f"/v1/messages/{message_id}/resolve", body("not_sent")

    first = await api.post(path, said, key=admin)
    second = await api.post(path, said, key=await key(api, "admin"))

    assert (first.status, first.json()["status"]) == (202, "uncertain")
    assert (second.status, second.json()["status"]) == (200, "queued")
    kinds = [one["type"] for one in await events(api, message_id)]
    assert kinds[-2:] == ["message.resolution_asked", "message.queued"]


async def test_a_dry_run_moves_nothing_and_the_real_run_exactly_what_it_counted(
    api: Api,
) -> None:
    owner = await own(api)
    ids = [await sent(api, UNCLEAR) for _ in range(3)]
    bystander = await sent(api, UNCLEAR, "/v1/letters")

    dry = await api.post(BATCH, many(), key=owner)

    found = dry.json()
    assert dry.status == 200
    assert set(found) == described("ResolutionOut")
    assert (found["dry_run"], found["count"], found["message_ids"]) == (True, 3, ids)
    assert (found["resolved"], found["skipped"]) == (None, None)
    for one in ids:
        assert (await api.get(f"/v1/messages/{one}")).json()["status"] == "uncertain"

    confirmation = found["confirmation"]
    real = await api.post(BATCH, many(dry_run=False, confirmation=confirmation), key=owner)

    assert real.status == 200
    assert (real.json()["resolved"], real.json()["skipped"]) == (3, 0)
    assert real.json()["confirmation"] is None
    for one in ids:
        assert (await api.get(f"/v1/messages/{one}")).json()["status"] == "failed"
        *_, last = await events(api, one)
        assert (last["detail"]["why"], last["detail"]["resolved"]) == (WHY, "abandon")
    assert (await api.get(f"/v1/messages/{bystander}")).json()["status"] == "uncertain"
    again = await api.post(BATCH, many(dry_run=False, confirmation=confirmation), key=owner)
    problem(again, 409, "selection_changed")


async def test_what_changed_since_the_dry_run_is_told_and_not_done(api: Api) -> None:
    owner = await own(api)
    first = await sent(api, UNCLEAR)
    dry = (await api.post(BATCH, many(), key=owner)).json()
    second = await sent(api, UNCLEAR)
    confirmed = {"dry_run": False, "confirmation": dry["confirmation"]}

    problem(await api.post(BATCH, many(**confirmed), key=owner), 409, "selection_changed")

    anew = (await api.post(BATCH, many(), key=owner)).json()
    confirmed = {"dry_run": False, "confirmation": anew["confirmation"]}
    for other in (
        many("assume_sent", **confirmed),
        many(**confirmed, filter={"created_after": "2000-01-01T00:00:00Z"}),
    ):
        problem(await api.post(BATCH, other, key=owner), 409, "selection_changed")
    for forged in ("x", "A" * 43, "é"):
        given = many(dry_run=False, confirmation=forged)
        problem(await api.post(BATCH, given, key=owner), 409, "selection_changed")
    for one in (first, second):
        assert (await api.get(f"/v1/messages/{one}")).json()["status"] == "uncertain"


async def test_a_confirmation_is_of_the_client_that_made_the_dry_run(api: Api, admin: str) -> None:
    message_id = await sent(api, UNCLEAR)
    confirmation = (await api.post(BATCH, many(), key=await own(api))).json()["confirmation"]

    answer = await api.post(BATCH, many(dry_run=False, confirmation=confirmation), key=admin)

    problem(answer, 409, "selection_changed")
    stranger = await key(api, "messages:resolve")
    assert (await api.post(BATCH, many(), key=stranger)).json()["count"] == 0
    assert (await api.get(f"/v1/messages/{message_id}")).json()["status"] == "uncertain"


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"outcome": "abandon", "reason": WHY}, "/filter", "missing"),
        ({**many(), "filter": {}}, "/filter/channel", "missing"),
        (many(channel="pigeon"), "/filter/channel", "not_allowed"),
        (many(filter={"status": "queued"}), "/filter/status", "not_allowed"),
        (many(filter={"batch_id": "msg_1"}), "/filter/batch_id", "invalid"),
        (many(filter={"created_after": "yesterday"}), "/filter/created_after", "invalid"),
        (many(filter={"to": "+336"}), "/filter/to", "unknown_field"),
        (many("retry"), "/accept_duplicate_risk", "duplicate_risk"),
        (many("not_sent", channel="letter"), "/outcome", "needs_two_keys"),
        (many("assume_sent", filter={"status": "held"}), "/outcome", "not_with_status"),
        (many(dry_run=False), "/confirmation", "missing"),
        ({**many(), "reason": "a\tb"}, "/reason", "line_break"),
    ],
)
async def test_a_wrong_selection_is_refused(
    api: Api, admin: str, given: dict[str, Any], pointer: str, code: str
) -> None:
    assert (pointer, code) in wrong(await api.post(BATCH, given, key=admin))


async def test_too_many_are_not_resolved_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = await own(api)
    monkeypatch.setattr(resolve_many, "MOST", 2)
    monkeypatch.setattr("app.api.resolve.MOST", 2)
    for _ in range(3):
        await sent(api, UNCLEAR)

    assert wrong(await api.post(BATCH, many(), key=owner)) == [("/filter", "too_many")]


async def test_only_who_may_resolve_makes_a_dry_run(api: Api) -> None:
    problem(await api.post(BATCH, many()), 403, "scope_missing")
    problem(await api.post(BATCH, many(), key=None), 401, "api_key_invalid")


async def test_a_whole_batch_is_sent_again_as_it_was_together(api: Api) -> None:
    rows = [sms(to=f"+3363998{place:04}") for place in range(4)]
    batch = await api.post("/v1/sms/batch", {"messages": rows, "mode": "provider_multi"})
    (call,) = await submit.claim(api.gateway, Channel.SMS, 100)
    ended = [Ended(held=one, outcome=UNCLEAR, function="MULTI_ENVOYER_SMS") for one in call]
    await submit.record(api.gateway, ended)
    given = many("retry", accept_duplicate_risk=True, filter={"batch_id": batch.json()["id"]})
    owner = await own(api)
    dry = (await api.post(BATCH, given, key=owner)).json()

    real = await api.post(
        BATCH, given | {"dry_run": False, "confirmation": dry["confirmation"]}, key=owner
    )

    assert real.json()["resolved"] == 4
    (again,) = await submit.claim(api.gateway, Channel.SMS, 100)
    assert len(again) == 4
    assert [one.claim.follows for one in again] == [False, True, True, True]
