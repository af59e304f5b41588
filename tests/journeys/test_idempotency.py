"""Two hundred repeats of one key at once, over every process there is: one message, one call."""

import http.client
import json
import signal
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.journeys.conftest import prepared
from tests.journeys.loopback import Answer
from tests.journeys.system import PROVIDERS, System
from tests.postgres import Postgres

REPEATS = 200
AT_ONCE = 50  # connections


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def own(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """A system of its own: one API process on SQLite, two on PostgreSQL."""
    folder = tmp_path_factory.mktemp(f"idempotency-{request.param}")
    if request.param == "sqlite":
        database_url = f"sqlite:///{folder / 'store.db'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        database_url = server.create(f"idempotency_{uuid4().hex}")
    with prepared(folder, database_url, *PROVIDERS) as system:
        system.up()
        if request.param == "postgresql":
            system.start("api-2")
        yield system


def processes(system: System) -> list[str]:
    on_postgresql = system.settings["MULTICANAL_DATABASE_URL"].startswith("postgresql")
    return ["api", "api-2"] if on_postgresql else ["api"]


def repeat(system: System, path: str, body: dict[str, Any], key: str) -> list[Answer]:
    """Send one request many times at once, in turn to each process, written in two ways."""
    texts = [json.dumps(body).encode(), json.dumps(body, indent=1, sort_keys=True).encode()]
    names = processes(system)

    def send(number: int) -> Answer:
        to = names[number % len(names)]
        return system.post(path, texts[number % 3 % 2], to=to, Idempotency_Key=key)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(send, range(REPEATS)))


def check(answers: list[Answer]) -> dict[str, Any]:
    """Check that one was the first, and all others its repeats; return what all were told."""
    assert Counter(one.status for one in answers) == {202: REPEATS}
    replayed = [one for one in answers if one.headers.get("idempotency-replayed") == "true"]
    assert len(replayed) == REPEATS - 1
    assert len({one.content for one in answers}) == 1
    assert len({one.headers["location"] for one in answers}) == 1
    told: dict[str, Any] = answers[0].json
    return told


def test_two_hundred_repeats_of_one_key_are_one_message_that_is_sent_once(own: System) -> None:
    number = "+33639984200"
    body = {"to": number, "text": "Une seule fois", "metadata": {"b": "2", "a": "é"}}

    message = check(repeat(own, "/v1/sms", body, "only-once"))

    own.until(message["id"], "delivered")
    assert own.get("/v1/messages?channel=sms").json["data"][0]["id"] == message["id"]
    sent = own.ledger("efidem", function="ENVOYER_SMS")
    assert len(sent) == 1
    after = own.post("/v1/sms", body, Idempotency_Key="only-once")
    assert after.json == message


def test_two_hundred_repeats_of_a_batch_are_one_batch_with_the_same_messages(own: System) -> None:
    before = len(own.ledger("efidem", function="ENVOYER_SMS"))
    rows = [{"to": f"+3363998{4300 + number}"} for number in range(60)]
    body = {"defaults": {"text": "Une seule fois"}, "messages": rows}

    batch = check(repeat(own, "/v1/sms/batch", body, "one-batch"))

    ids = [one["id"] for one in batch["messages"]]
    assert len(set(ids)) == 60
    for message_id in ids:
        own.until(message_id, "delivered")
    page = own.get(f"/v1/batches/{batch['id']}/messages?limit=200").json
    assert [one["id"] for one in page["data"]] == ids
    assert len(own.ledger("efidem", function="ENVOYER_SMS")) - before == 60


def test_a_batch_whose_process_is_killed_is_kept_whole_or_not_at_all(own: System) -> None:
    """Killed before its commit, nothing of it stands; killed after, its repeat tells all of it."""
    before = len(own.ledger("efidem", function="ENVOYER_SMS"))
    rows = [{"to": f"+3363998{4400 + number}"} for number in range(120)]
    body = {"defaults": {"text": "Une seule fois"}, "messages": rows}
    own.stop("api")
    for point in ("K1", "K2"):
        own.start("api", MULTICANAL_FAULT_POINTS=f"{point}=kill@1")
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            own.post("/v1/sms/batch", body, Idempotency_Key="killed")
        assert own.wait("api") == -signal.SIGKILL
    own.start("api")

    answers = [own.post("/v1/sms/batch", body, Idempotency_Key="killed") for _ in range(2)]

    assert [one.headers["idempotency-replayed"] for one in answers] == ["true", "true"]
    assert answers[0].content == answers[1].content
    ids = [one["id"] for one in answers[0].json["messages"]]
    for message_id in ids:
        own.until(message_id, "delivered")
    page = own.get(f"/v1/batches/{answers[0].json['id']}/messages?limit=200").json
    assert [one["id"] for one in page["data"]] == ids
    assert len(own.ledger("efidem", function="ENVOYER_SMS")) - before == len(rows)
