"""What is answered without the framework is what the framework answers: status reads, callbacks."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from app import main
from app.api.issue import create_key
from app.api.requests import RequestLog
from app.delivery import submit
from app.delivery.conclude import Ended
from app.domain.identifiers import MESSAGE, read
from app.domain.message import Channel, Mode
from app.domain.outcome import Accepted
from app.processes import Server, listen, port_of
from app.store.tables import acknowledgements, events, messages
from tests.api.client import SECRET, Answer, Api, encoded, fax, pdf, sms

pytestmark = pytest.mark.anyio

VARIES = {"date", "x-request-id", "ratelimit"}  # from one request to the next, whoever answers
OWN = {"id", "message_id", "attempt_id", "attempt_reference", "reference", "fingerprint", "at"}
HOOK = f"/hooks/123fax/{SECRET}"


@pytest.fixture
async def general(api: Api) -> AsyncIterator[Api]:
    """The same API, answered by the framework alone."""
    edge = api.edge
    app = RequestLog(main.create_app(edge), edge.gateway.ids, edge.measures, edge.held)
    listening = listen("127.0.0.1", 0)
    server = Server(app, listening)
    running = asyncio.create_task(server.run_until_stopped())
    await server.wait_ready(running)
    yield replace(api, port=port_of(listening))
    server.stop()
    await running


async def operator_of(api: Api, mode: Mode) -> str:
    """Return a key that administers."""
    digest = api.edge.access.digest
    return await create_key(
        api.gateway, digest, name=f"operators {uuid4().hex}", mode=mode, scopes=("admin",)
    )


def comparable(answer: Answer) -> tuple[int, Mapping[str, str], Any]:
    headers = {name.casefold(): value for name, value in answer.headers.items()}
    headers = {name: value for name, value in headers.items() if name not in VARIES}
    if answer.headers.get("Content-Type") == "application/problem+json":
        # Its length, too, is not that of a request id of its own.
        return answer.status, headers, {**answer.json(), "request_id": None}
    return answer.status, headers, answer.content


async def same(api: Api, general: Api, path: str, **options: Any) -> Answer:
    hot = await api.get(path, **options)
    usual = await general.get(path, **options)

    assert comparable(hot) == comparable(usual)
    assert ("RateLimit" in hot.headers) == ("RateLimit" in usual.headers)
    return hot


async def test_a_message_is_told_alike(api: Api, general: Api) -> None:
    body = sms(reference='a "quote" \\ é ☎ \x7f', tags=["é", "b"], metadata={"dossier": "12 é"})
    path = (await api.post("/v1/sms", body)).json()["links"]["self"]
    faxed = (await api.post("/v1/faxes", fax())).json()["links"]["self"]

    tag = (await same(api, general, path)).headers["ETag"]
    assert (await same(api, general, faxed)).status == 200
    for given in (tag, f"W/{tag}", "*", f'"x", {tag}'):
        assert (await same(api, general, path, headers={"If-None-Match": given})).status == 304
    for given in ('"x"', "", tag.strip('"')):
        assert (await same(api, general, path, headers={"If-None-Match": given})).status == 200
    assert (await same(api, general, f"{path}?whatever=1&whatever=2")).status == 200


async def test_what_is_no_message_of_the_callers_is_refused_alike(api: Api, general: Api) -> None:
    path = (await api.post("/v1/sms", sms())).json()["links"]["self"]
    keys = {"": 401, "gw_live_x_y": 401, api.other: 404, api.test: 404, api.sender: 403}

    for key, status in keys.items():
        assert (await same(api, general, path, key=key)).status == status
    assert (await same(api, general, path, key=None)).status == 401
    assert (await same(api, general, path, headers={"Authorization": "Basic eA=="})).status == 401
    for wrong in (
        *("x", "msg_", "uncertain/", "%00", "%FF", "a%2Fb", "..", "%0A", "msg_" + 26 * "Z"),
        *(path.lower().rpartition("/")[2], path.rpartition("_")[2], f"{path[-30:]}%0A"),
        path.rpartition("/")[2] + "/",
    ):
        assert (await same(api, general, f"/v1/messages/{wrong}")).status == 404, wrong


async def test_an_address_beside_it_is_another(api: Api, general: Api) -> None:
    operator = await operator_of(api, Mode.LIVE)

    assert (await same(api, general, "/v1/messages/uncertain", key=operator)).status == 200
    for method in ("HEAD", "POST", "PUT", "DELETE", "PATCH"):
        hot = await api.call(method, "/v1/messages/x")
        usual = await general.call(method, "/v1/messages/x")
        assert (hot.status, hot.headers["Allow"]) == (usual.status, usual.headers["Allow"])
        assert hot.status == 405


async def test_what_is_uncertain_is_shown_alike_to_whoever_may_resolve_it(
    api: Api, general: Api
) -> None:
    made = (await api.post("/v1/sms", sms(metadata={"own": "1"}))).json()
    path, message_id = made["links"]["self"], read(MESSAGE, made["id"])
    operator = await operator_of(api, Mode.LIVE)
    trial = await operator_of(api, Mode.TEST)
    assert (await same(api, general, path, key=operator)).status == 404

    async with api.gateway.database.transaction() as connection:
        change = update(messages).where(messages.c.id == message_id).values(status="uncertain")
        await connection.execute(change)

    shown = await same(api, general, path, key=operator)
    assert (shown.status, shown.json()["metadata"]) == (200, {})
    assert (await same(api, general, path)).json()["metadata"] == {"own": "1"}
    assert (await same(api, general, path, key=trial)).status == 404
    assert (await same(api, general, path, key=api.other)).status == 404


async def submitted(api: Api) -> tuple[str, str]:
    """Return a fax that 123-fax took, and our reference."""
    made = await api.post("/v1/faxes", fax(document={"content_base64": encoded(pdf(3))}))
    ((held,),) = await submit.claim(api.gateway, Channel.FAX, 1)
    outcome = Accepted(None, "113", "Document transmis")
    await submit.record(api.gateway, [Ended(held=held, outcome=outcome, function="http.php")])
    return made.json()["id"], held.claim.reference


async def kept(api: Api, message_id: str, reference: str) -> list[Any]:
    """Return what the store knows of a fax and its acknowledgements, without ids and times."""
    identifier = read(MESSAGE, message_id)
    tables = (
        (messages, messages.c.id == identifier),
        (events, events.c.message_id == identifier),
        (acknowledgements, acknowledgements.c.reference == reference),
    )
    found = []
    async with api.gateway.database.reading() as connection:
        for table, which in tables:
            rows = await connection.execute(select(table).where(which).order_by(table.c.id))
            found += [_without_own(dict(row)) for row in rows.mappings()]
    return found


def _without_own(row: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is each one's own: ids, references and times."""
    return {
        name: _without_own(value) if isinstance(value, dict) else value
        for name, value in row.items()
        if name not in OWN and not name.endswith("_at")
    }


@pytest.mark.parametrize(
    "said",
    [
        ["etat_e=0&numero=0199000001&nb_page=3&heure=10%3A42"],
        ["etat_e=0&numero=0199000001&nb_page=2"],
        ["etat_e=31064&numero=0199000001&nb_page=0"],
        ["etat_e=31083&numero=0199000001&nb_page=0", "etat_e=0&numero=0199000001&nb_page=3"],
        ["etat_e=0&numero=0199000001", "etat_e=0&numero=0199000001", "etat_e=99&numero=0199000001"],
        ["etat_e=0&numero=0199000002&nb_page=3"],
        ["etat_e=0&nb_page=3", "etat_e=x&numero=0199000001", "etat_e=0&etat_e=1&numero=1", "%00"],
    ],
)
async def test_an_acknowledgement_is_taken_alike(api: Api, general: Api, said: list[str]) -> None:
    hot, hot_reference = await submitted(api)
    usual, usual_reference = await submitted(api)

    for one in said:
        ours = await api.get(f"{HOOK}?ref_accuse={hot_reference}&{one}", key=None)
        theirs = await general.get(f"{HOOK}?ref_accuse={usual_reference}&{one}", key=None)
        assert comparable(ours) == comparable(theirs)

    assert await kept(api, hot, hot_reference) == await kept(api, usual, usual_reference)


async def test_a_stranger_gets_the_same_from_both(api: Api, general: Api) -> None:
    query = "etat_e=0&ref_accuse=R&numero=0199000001"
    for secret in ("wrong", SECRET + "x", "%00", "%ff%fe", "x" * 5000, SECRET + "/", ""):
        answer = await same(api, general, f"/hooks/123fax/{secret}?{query}", key=None)
        assert answer.status == 404


async def test_many_acknowledgements_at_once_are_each_what_they_are_alone(
    api: Api, general: Api
) -> None:
    codes = ["0", "31064", "31083", "34011", "99999", "0", "0", "0"]
    at_once = [await submitted(api) for _ in codes]
    alone = [await submitted(api) for _ in codes]

    def query(code: str, reference: str) -> str:
        return f"{HOOK}?etat_e={code}&ref_accuse={reference}&numero=0199000001&nb_page=1"

    bad = f"{HOOK}?etat_e=0&ref_accuse=R"
    answers = await asyncio.gather(
        *(
            api.get(query(code, reference), key=None)
            for code, (_, reference) in zip(codes, at_once, strict=True)
        ),
        api.get(bad, key=None),
    )
    for code, (_, reference) in zip(codes, alone, strict=True):
        await general.get(query(code, reference), key=None)

    assert [one.status for one in answers] == [200] * len(codes) + [400]
    for ours, theirs in zip(at_once, alone, strict=True):
        assert await kept(api, *ours) == await kept(api, *theirs)
