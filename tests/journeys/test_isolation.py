"""Two clients that cannot see each other's anything, from sending to what became of it."""

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from tests.api.walking import Operation, operations
from tests.journeys import samples
from tests.journeys.loopback import PATIENCE, wait_for
from tests.journeys.operators import Caller, operator
from tests.journeys.system import System
from tests.receiver import Receiver, receiving

ID = re.compile(r"\b(msg|bat|doc|evt|rep|whe|whd)_[0-9A-Z]{26}\b")
PARAMETERS = {
    "msg": "message_id",
    "bat": "batch_id",
    "doc": "document_id",
    "rep": "report_id",
    "whe": "endpoint_id",
    "whd": "delivery_id",
}
SCOPES = (
    *("email:send", "sms:send", "letter:send", "fax:send"),
    *("messages:read", "messages:resolve", "reports:read", "webhooks:manage"),
)
SAMPLES = {
    "emails": samples.email,
    "sms": samples.sms,
    "letters": samples.letter,
    "faxes": samples.fax,
}


@dataclass(slots=True)
class Client:
    """A client that has sent something on every channel, and all that it was answered."""

    caller: Caller
    receiver: Receiver
    reference: str
    recipient: str = ""
    messages: tuple[str, ...] = ()
    told: str = ""

    @property
    def ids(self) -> set[str]:
        return {found[0] for found in ID.finditer(self.told)}

    def named(self) -> Mapping[str, str]:
        """An identifier of its own for each parameter."""
        return {PARAMETERS[one[:3]]: one for one in sorted(self.ids) if one[:3] in PARAMETERS}

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        found = self.caller.ask(method, path, body)
        self.told += json.dumps(found)
        return found

    def send(self) -> None:
        """Send on every channel, one by one and together; be told by webhook."""
        self.ask("POST", "/v1/webhook-endpoints", {"url": self.receiver.url()})
        document = self.ask("POST", "/v1/documents", samples.pdf(1))
        bodies = {path: make(reference=self.reference) for path, make in SAMPLES.items()}
        bodies["faxes"]["document"] = {"document_id": document["id"]}
        self.recipient = bodies["sms"]["to"]
        sent = [self.ask("POST", f"/v1/{path}", body)["id"] for path, body in bodies.items()]
        rows = {"messages": [samples.sms(reference=self.reference) for _ in range(2)]}
        batch = self.ask("POST", "/v1/sms/batch", rows)
        self.messages = (*sent, *(one["id"] for one in batch["messages"]))
        today = "2026-11-01"
        self.ask("POST", "/v1/reports", {"kind": "provider_efidem", "from": today, "to": today})

    def standing(self) -> dict[str, Any]:
        return {
            one["id"]: (one["status"], one["status_at"])
            for one in self.ask("GET", "/v1/messages?limit=200")["data"]
        }

    def everything(self, walked: list[Operation]) -> str:
        """Ask for every list, and for each thing of its own; return all that it was told."""
        for one in walked:
            if one.is_list and not one.path.startswith("/v1/admin"):
                self.ask("GET", one.path + ("?limit=200" if one.name == "listMessages" else ""))
        deliveries = f"/v1/webhook-endpoints/{self.named()['endpoint_id']}/deliveries"
        self.ask("GET", deliveries)
        for one in walked:
            if one.is_of_a_clients and one.method == "GET" and one.name != "listReportRows":
                answer = self.caller.call("GET", one.at(self.named()))
                assert answer.status in {200, 409}, answer
                self.told += answer.content.decode(errors="replace")
        self.ask("POST", "/v1/messages/search", {"recipient": self.recipient})
        return self.told


@pytest.fixture
def clients(system: System) -> Iterator[tuple[Client, Client]]:
    """Two of whom each has sent, and was told what became of it."""
    admin = operator(system)
    with receiving() as first, receiving() as second:
        both = tuple(
            Client(admin.client(*SCOPES), receiver, f"canary-{uuid4().hex}")
            for receiver in (first, second)
        )
        for one in both:
            one.send()
        for one in both:
            wait_for(lambda one=one: has_ended(one), system.tails, PATIENCE)  # type: ignore[misc]
        yield both  # type: ignore[misc]


def has_ended(client: Client) -> bool:
    """Say whether all its messages were delivered, and it was told so by webhook."""
    told = {
        one.json["data"]["message_id"]
        for one in client.receiver.got
        if one.json["type"] == "message.delivered"
    }
    return told >= set(client.messages)


def test_two_clients_never_see_or_touch_each_others_anything(
    system: System, clients: tuple[Client, Client]
) -> None:
    walked = operations(clients[0].caller.ask("GET", "/openapi.json"))
    for one, other in (clients, clients[::-1]):
        told, ids = one.everything(walked), one.ids
        other.everything(walked)
        assert {found[:3] for found in ids} == {*PARAMETERS, "evt"}
        # Nothing that the other was told names it, or what it called its messages.
        assert not ids & other.ids
        assert one.reference in told
        assert one.reference not in other.told

    for one, other in (clients, clients[::-1]):
        before = one.standing()
        ids = one.named()
        missing = {name: found[:-6] + "ZZZZZZ" for name, found in ids.items()}
        for operation in (operation for operation in walked if operation.is_of_a_clients):
            theirs, nobodys = (
                other.caller.call(operation.method, operation.at(which), operation.body)
                for which in (ids, missing)
            )
            assert theirs.status == http.client.NOT_FOUND, operation
            alike = [{**found.json, "request_id": None} for found in (theirs, nobodys)]
            assert alike[0] == alike[1], operation
        found = other.ask("POST", "/v1/messages/search", {"recipient": one.recipient})
        assert found["data"] == []
        assert one.standing() == before
        assert set(before) == set(one.messages)

    # Each receiver was told of its own client's messages alone.
    for one, other in (clients, clients[::-1]):
        got = b"".join(found.body for found in one.receiver.got).decode()
        assert one.messages[0] in got
        assert not [found for found in (*other.ids, other.reference) if found in got]
