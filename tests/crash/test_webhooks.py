"""A worker dies with webhooks in its hands (K10): every event is told, perhaps twice, as the same."""

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.crash.play import Play
from tests.crash.site import SLOWLY, Site
from tests.journeys import samples
from tests.journeys.loopback import call
from tests.receiver import Receiver, Says, receiving

KILLS = 3
MESSAGES = 6
SCOPES = "sms:send,messages:read,webhooks:manage"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def site(database_url: str, tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path, database_url, pace=SLOWLY)
    try:
        yield made
    finally:
        made.close()


def test_whatever_a_dying_worker_had_posted_is_posted_again_and_nothing_is_lost(
    site: Site, receiver: Receiver
) -> None:
    play = Play(site)
    play.open()
    made = site.run("keys", "create", "--name", "told", "--scopes", SCOPES)
    client = Client(site, made.splitlines()[-1])
    secret = client.post("webhook-endpoints", {"url": receiver.url()})["secret"]
    for _ in range(MESSAGES):
        client.post("sms", samples.sms())

    for kill in range(KILLS):
        # Now and then it fails, so that some wait for another try while the worker dies.
        receiver.says = [Says(503), Says(), Says()] * 2
        site.start("worker", armed=f"K10=kill@{2 + kill % 3}")
        assert play.died("worker")
        client.post("sms", samples.sms())
    receiver.says = []
    site.start("worker")
    site.wait_for(lambda: client.is_told(receiver), "not every event is told")
    # What a dead worker had posted and not written down is due again when its lease is over.
    site.wait_for(
        lambda: receiver.repeats() >= KILLS, "what the dead had posted is not posted again"
    )
    site.stop("worker")

    posted = defaultdict(set)
    for one in receiver.got:
        posted[one.id].add(one.body)
        one.verified(secret)
    assert {len(bodies) for bodies in posted.values()} == {1}
    assert set(posted) <= {one["data"]["event_id"] for one in client.feed()}


class Client:
    """A client whose receiver is told."""

    def __init__(self, site: Site, key: str) -> None:
        self._site = site
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def post(self, path: str, body: Any) -> dict[str, Any]:
        headers = self._headers | {"Idempotency-Key": uuid4().hex}
        url = f"{self._site.url('api')}/v1/{path}"
        answer = call("POST", url, json.dumps(body).encode(), headers)
        assert answer.status in {201, 202}, answer.content
        found: dict[str, Any] = answer.json
        return found

    def feed(self) -> list[dict[str, Any]]:
        url = f"{self._site.url('api')}/v1/events?limit=500"
        found: list[dict[str, Any]] = call("GET", url, None, self._headers).json["data"]
        return found

    def is_told(self, receiver: Receiver) -> bool:
        """Say whether every event so far was told; what is uncertain may go on for long."""
        feed = self.feed()
        begun = [one for one in feed if one["type"] == "message.submitting"]
        told = {one["data"]["event_id"] for one in feed}
        return len(begun) >= MESSAGES + KILLS and told <= set(receiver.ids())
