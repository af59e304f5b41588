"""Webhooks, from a client's side: a receiver that is down, slow, redirecting, gone, and back."""

import http.client
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from standardwebhooks import WebhookVerificationError

from tests.journeys import samples
from tests.journeys.conftest import prepared
from tests.journeys.loopback import PATIENCE, wait_for
from tests.journeys.operators import Caller, operator
from tests.journeys.system import PROVIDERS, System
from tests.postgres import Postgres
from tests.receiver import Receiver, Says, receiving

QUICKLY = "0.01"  # of the pauses between tries: 5 minutes are 3 seconds
PUBLIC = "https://messages.example.com"
SCOPES = ("sms:send", "email:send", "messages:read", "webhooks:manage")


class Client:
    """A client with a key that may manage webhooks."""

    def __init__(self, caller: Caller) -> None:
        self.system = caller.system
        self.caller = caller

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Make a request that succeeds, and return its answer."""
        found: dict[str, Any] = self.caller.ask(method, path, body)
        return found

    def feed(self, *types: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", f"/v1/events?types={','.join(types)}")["data"]
        return found

    def endpoint(self, url: str, **body: Any) -> dict[str, Any]:
        return self.ask("POST", "/v1/webhook-endpoints", {"url": url, **body})

    def sms(self) -> str:
        message_id: str = self.ask("POST", "/v1/sms", samples.sms())["id"]
        return message_id

    def deliveries(self, endpoint: dict[str, Any]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask("GET", endpoint["links"]["deliveries"])["data"]
        return found

    def until(self, happened: Callable[[], bool], what: str) -> None:
        wait_for(happened, lambda: f"{what}\n{self.system.tails()}", PATIENCE)

    def tried(self, endpoint: dict[str, Any], why: str) -> None:
        """Return when a try of an endpoint's only delivery came to something."""

        def happened() -> bool:
            found = self.deliveries(endpoint)
            return bool(found) and (found[0]["last_try"] or {}).get("why") == why

        self.until(happened, f"no try is {why}")

    def delivered(self, endpoint: dict[str, Any], count: int = 1) -> list[dict[str, Any]]:
        """Return an endpoint's deliveries when all of them are delivered, and so many."""

        def happened() -> bool:
            states = [one["state"] for one in self.deliveries(endpoint)]
            return states == ["delivered"] * count

        self.until(happened, f"not {count} delivered: {self.deliveries(endpoint)}")
        return self.deliveries(endpoint)

    def tries(self, delivery: dict[str, Any]) -> list[tuple[int | None, str | None]]:
        found = self.ask("GET", delivery["links"]["self"])["tries"]
        return [(one["code"], one["why"]) for one in found]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def quick(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    """A system whose tries follow each other quickly."""
    folder: Path = tmp_path_factory.mktemp(f"webhooks-{request.param}")
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'store.db'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create(f"webhooks_{uuid4().hex}")
    with prepared(folder, url, *PROVIDERS) as system:
        system.start("api", "worker", MULTICANAL_PACE=QUICKLY, MULTICANAL_PUBLIC_URL=PUBLIC)
        yield system


@pytest.fixture(scope="module")
def admin(quick: System) -> Caller:
    return operator(quick)


@pytest.fixture
def client(admin: Caller) -> Client:
    return Client(admin.client(*SCOPES))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


def test_a_message_is_told_from_its_first_status_to_its_last(
    client: Client, receiver: Receiver
) -> None:
    endpoint = client.endpoint(receiver.url())
    message_id = client.sms()
    receiver.until(
        lambda: any(one.json["type"] == "message.delivered" for one in receiver.got), "not told"
    )

    told = {one.id: one.verified(endpoint["secret"]) for one in receiver.got}
    by_sequence = sorted(told.values(), key=lambda one: one["data"]["sequence"])
    assert {one["data"]["message_id"] for one in by_sequence} == {message_id}
    assert [one["data"]["sequence"] for one in by_sequence] == list(range(1, len(by_sequence) + 1))
    feed = client.ask("GET", "/v1/events")["data"]
    assert by_sequence == sorted(feed, key=lambda one: one["data"]["sequence"])


def test_a_receiver_that_is_down_is_told_when_it_is_back(client: Client) -> None:
    receiver = Receiver()
    endpoint = client.endpoint(receiver.url(), events=["message.queued"])
    client.sms()
    client.tried(endpoint, "not_connected")
    assert client.ask("GET", endpoint["links"]["self"])["failing_since"] is not None

    receiver.open()
    (delivery,) = client.delivered(endpoint)
    receiver.close()

    assert client.tries(delivery)[-1] == (204, None)
    assert {why for _, why in client.tries(delivery)[:-1]} == {"not_connected"}
    assert receiver.ids() == [delivery["webhook_id"]]
    assert client.ask("GET", endpoint["links"]["self"])["failing_since"] is None


def test_a_receiver_that_is_slow_then_redirects_then_fails_is_told_at_last(
    client: Client, receiver: Receiver
) -> None:
    slow = threading.Event()
    elsewhere = Receiver()
    elsewhere.open()
    receiver.says = [
        Says(waits_for=slow),
        Says(302, {"Location": elsewhere.url()}),
        Says(204),
    ]
    endpoint = client.endpoint(receiver.url(), events=["message.queued"])
    client.sms()

    (delivery,) = client.delivered(endpoint)
    slow.set()
    elsewhere.close()

    assert client.tries(delivery) == [(None, "timed_out"), (302, "redirected"), (204, None)]
    assert elsewhere.got == []
    assert receiver.ids() == [delivery["webhook_id"]] * 3
    assert len({one.body for one in receiver.got}) == 1
    assert all(one.verified(endpoint["secret"]) for one in receiver.got)


def test_a_receiver_that_is_gone_is_disabled_and_recovers_what_it_missed(
    client: Client, receiver: Receiver
) -> None:
    since = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    receiver.says = [Says(410)]
    gone = client.endpoint(receiver.url("/gone"), events=["message.queued"])
    other = client.endpoint(receiver.url("/other"), events=["endpoint.disabled"])
    client.sms()
    client.delivered(other)
    assert client.ask("GET", gone["links"]["self"])["disabled_reason"] == "gone"
    client.sms()
    client.until(lambda: len(client.feed("message.queued")) > 1, "not in the feed")

    (told,) = [one.verified(other["secret"]) for one in receiver.got if one.path == "/other"]
    assert client.feed("endpoint.disabled") == [told]
    assert told["data"]["detail"]["endpoint_id"] == gone["id"]

    client.ask("POST", f"{gone['links']['self']}/enable")
    done = client.ask("POST", f"{gone['links']['self']}/recover", {"since": since})
    client.delivered(gone, 2)

    assert (done["created"], done["resumed"], done["complete"]) == (1, 1, True)
    assert len({one.id for one in receiver.got if one.path == "/gone"}) == 2


def test_two_endpoints_are_told_what_they_asked_for(client: Client, receiver: Receiver) -> None:
    first = client.endpoint(receiver.url("/emails"), channels=["email"], events=["message.queued"])
    second = client.endpoint(receiver.url("/ends"), events=["message.delivered"])
    client.sms()
    client.ask("POST", "/v1/emails", samples.email())
    client.delivered(first)
    client.delivered(second, 2)

    told = {(one.path, one.json["data"]["channel"], one.json["type"]) for one in receiver.got}
    assert told == {
        ("/emails", "email", "message.queued"),
        ("/ends", "email", "message.delivered"),
        ("/ends", "sms", "message.delivered"),
    }
    for one in receiver.got:
        right, wrong = (first, second) if one.path == "/emails" else (second, first)
        assert one.verified(right["secret"])
        with pytest.raises(WebhookVerificationError):
            one.verified(wrong["secret"])


def test_while_a_secret_is_rotated_the_old_one_and_the_new_one_verify(
    client: Client, receiver: Receiver
) -> None:
    endpoint = client.endpoint(receiver.url(), events=["message.queued"])
    itself = endpoint["links"]["self"]
    client.sms()
    client.delivered(endpoint)
    rotated = client.ask("POST", f"{itself}/rotate-secret", {"overlap_hours": 1})
    client.sms()
    client.delivered(endpoint, 2)
    last = client.ask("POST", f"{itself}/rotate-secret", {"overlap_hours": 0})
    client.ask("POST", f"{itself}/test")
    client.delivered(endpoint, 3)

    before, during, after = receiver.got
    secrets = [one["secret"] for one in (endpoint, rotated, last)]

    def verifying(got: Any) -> list[bool]:
        found = []
        for secret in secrets:
            try:
                got.verified(secret)
            except WebhookVerificationError:
                found.append(False)
            else:
                found.append(True)
        return found

    assert verifying(before) == [True, False, False]
    assert verifying(during) == [True, True, False]
    assert verifying(after) == [False, False, True]
    assert after.json["type"] == "webhook.test"


def test_the_gateway_itself_is_never_called(quick: System, client: Client) -> None:
    ours = quick.url("api")
    refused = {}
    for url in (ours, ours.replace("127.0.0.1", "127.0.0.2"), f"{PUBLIC}/hooks/123fax/secret"):
        answer = client.caller.call("POST", "/v1/webhook-endpoints", {"url": url})
        assert answer.status == http.client.UNPROCESSABLE_ENTITY
        refused[url] = answer.json["errors"][0]["code"]

    assert list(refused.values()) == ["own_address", "own_address", "address_refused"]


def test_no_log_holds_an_address_or_a_secret(
    quick: System, client: Client, receiver: Receiver
) -> None:
    receiver.says = [Says(500, body=b"canary-answer")]
    endpoint = client.endpoint(receiver.url("/canary-path?token=canary-token"))
    client.ask("POST", f"{endpoint['links']['self']}/test")
    client.delivered(endpoint)

    logs = "".join(one.read_text(errors="replace") for one in quick.folder.glob("*.log"))
    assert endpoint["id"] in logs
    for word in ("canary-path", "canary-token", "canary-answer", "whsec_", endpoint["secret"]):
        assert word not in logs


def test_a_worker_that_is_stopped_writes_down_what_is_under_way(
    quick: System, client: Client, receiver: Receiver
) -> None:
    slow = threading.Event()
    receiver.says = [Says(waits_for=slow)]
    endpoint = client.endpoint(receiver.url(), events=["message.queued"])
    client.sms()
    receiver.until(lambda: len(receiver.got) == 1, "not posted")

    quick.signal("worker")
    slow.set()
    ended = quick.wait("worker")
    (delivery,) = client.deliveries(endpoint)

    assert ended == 0
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)
