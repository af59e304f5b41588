"""One client and one nemesis, step by step: what random harm finds by chance, played on purpose."""

import http.client
import itertools
import json
import signal
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tests.crash import checks
from tests.crash.checks import Findings
from tests.crash.fleet import Request, request
from tests.crash.site import GRACE, HELD_UP, LEASE, Site
from tests.crash.tap import Place, Trap, owner_of
from tests.journeys import samples
from tests.journeys.loopback import Answer, call
from tests.journeys.system import PROVIDERS

PATHS = ("emails", "sms", "letters", "faxes")
BEHIND = {"emails": "efidem", "sms": "efidem", "letters": "efidem", "faxes": "fax123"}
HEAVY = 400_000  # bytes of a file: more than a socket takes at once
LETS_GO = 40.0  # seconds, in which PostgreSQL ends the session of a process that stands still


class Play:
    """A site of which the test says who runs, who dies, and what is asked when."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._numbers = itertools.count(1)
        self._journal: list[dict[str, Any]] = []
        self._document = ""
        self._resolver = ""  # a key that may decide

    def open(self) -> None:
        """Have a store, both providers and an API; no worker."""
        self.site.open()
        self.site.start(*PROVIDERS)
        self.site.start("api")
        self._document = self._uploaded(samples.pdf(2))

    def _uploaded(self, content: bytes) -> str:
        headers = self._headers() | {"Content-Type": "application/pdf"}
        told: str = call("POST", f"{self.site.url('api')}/v1/documents", content, headers).json[
            "id"
        ]
        return told

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.site.key}"}

    def draft(self, path: str, behaviour: str = "delivered", *, heavy: bool = False) -> Request:
        """Return a request that nobody has made yet."""
        one = request(next(self._numbers), path, behaviour, self._document)
        if heavy and path == "emails":
            files = [samples.inline(b"\x00\xff" * (HEAVY // 2), filename="blob.bin")]
            one = replace(one, body=one.body | {"attachments": files})
        if heavy and path == "letters":
            blank = samples.pdf(1)
            filled = blank + b"\n%" + b"-" * HEAVY
            one = replace(one, body=one.body | {"documents": [samples.inline(filled)]})
        self._journal.append(
            {"event": "ask", "key": one.key, "mark": one.mark, "behaviour": behaviour}
        )
        return one

    def hand_in(self, one: Request, to: str = "api") -> Answer | None:
        """Make a request; None where the connection broke."""
        headers = self._headers() | {
            "Content-Type": "application/json",
            "Idempotency-Key": one.key,
        }
        url = f"{self.site.url(to)}/v1/{one.path}"
        try:
            answer = call("POST", url, json.dumps(one.body).encode(), headers)
        except (OSError, http.client.HTTPException):
            return None
        if answer.status == http.client.ACCEPTED:
            line = {"event": "told", "key": one.key, "mark": one.mark, "id": answer.json["id"]}
            self._journal.append(line)
        return answer

    def send(self, path: str, behaviour: str = "delivered", *, heavy: bool = False) -> Request:
        """Hand a message in and be told 202."""
        one = self.draft(path, behaviour, heavy=heavy)
        answer = self.hand_in(one)
        assert answer is not None
        assert answer.status == http.client.ACCEPTED, answer.content
        return one

    def resolve(self, one: Request, outcome: str) -> Answer | None:
        """Decide on a message, under the same key each time; None where the connection broke."""
        if not self._resolver:
            scopes = "messages:read,messages:resolve,sms:send"
            made = self.site.run("keys", "create", "--name", "crash", "--scopes", scopes)
            self._resolver = made.splitlines()[-1]
        headers = {
            "Authorization": f"Bearer {self._resolver}",
            "Content-Type": "application/json",
            "Idempotency-Key": f"resolve-{one.key}",
        }
        body = json.dumps({"outcome": outcome, "reason": "a person has seen it"}).encode()
        url = f"{self.site.url('api')}/v1/messages/{self._id(one)}/resolve"
        try:
            return call("POST", url, body, headers)
        except (OSError, http.client.HTTPException):
            return None

    def _id(self, one: Request) -> str:
        told = [
            line["id"]
            for line in self._journal
            if line["event"] == "told" and line["key"] == one.key
        ]
        return str(told[0])

    # Harm.

    def kill_at(self, point: str, path: str) -> Request:
        """Have a worker die at a point, on its way with a message."""
        one = self.send(path)
        self.site.start("worker", armed=f"{point}=kill@1")
        assert self.died("worker")
        return one

    def kill_on_wire(self, place: Place, path: str) -> Request:
        """Have a worker die when its call has come to a place on the wire."""
        one = self.send(path, heavy=place is Place.PART)

        def caught(port: int) -> None:
            assert owner_of(port, self.site.pids()) == "worker"
            self.site.signal("worker", signal.SIGKILL)
            # Not before it is dead is the connection touched.
            time.sleep(0.05)

        self.site.taps[BEHIND[path]].set(Trap(place, caught))
        self.site.begin("worker")
        assert self.died("worker")
        return one

    def died(self, name: str) -> bool:
        return self.site.ended(name) == -signal.SIGKILL

    def stand_still_at(self, point: str, path: str, name: str) -> Request:
        """Have a worker stop at a point with a message."""
        self.site.start(name, armed=f"{point}=stop@1")
        one = self.draft(path)
        # A process that stands still may hold rows of the store, such as all counters while it
        # counts anew at its start: PostgreSQL lets go of them, and a client asks again until then.
        self.site.wait_for(lambda: self._is_taken(one), f"{one.mark} is not taken in", LETS_GO)
        self.site.wait_for(lambda: self.site.is_stopped(name), f"{name} does not come to {point}")
        return one

    def _is_taken(self, one: Request) -> bool:
        answer = self.hand_in(one)
        assert answer is not None
        if answer.status == http.client.SERVICE_UNAVAILABLE:
            return False
        assert answer.status == http.client.ACCEPTED, answer.content
        return True

    def wake(self, *names: str) -> None:
        for name in names:
            self.site.signal(name, signal.SIGCONT)

    # What became of it.

    def until(self, one: Request, *statuses: str) -> None:
        """Return when a message has one of these statuses."""
        self.site.wait_for(
            lambda: self.status(one) in statuses,
            f"{one.mark} is not {statuses}: {self.status(one)}",
        )

    def status(self, one: Request) -> str | None:
        """Return a message's status, None where it is unknown."""
        url = f"{self.site.url('api')}/v1/messages?billing_code={one.mark}"
        found = call("GET", url, None, self._headers()).json["data"]
        assert len(found) < 2, found
        return found[0]["status"] if found else None

    def taken(self, one: Request) -> int:
        """Return how often a provider took a message."""
        name = BEHIND[one.path]
        lines = checks.read_ledger(self.site.folder / f"{name}.ledger")
        if name == "efidem":
            return sum(line["billing_code"] == one.mark for line in lines)
        return sum(line["fax"] == one.body["to"].replace("+33", "0") for line in lines)

    def pass_leases(self) -> None:
        """Let the time pass after which a dead worker's messages are nobody's."""
        time.sleep(LEASE + GRACE)

    def statuses(self, one: Request) -> list[str]:
        """Return the statuses that a message went through."""
        store = checks.read_store(self.site.database_url)
        for message_id, row in store.messages.items():
            if row["billing_code"] == one.mark:
                return [
                    event["status"]
                    for event in store.events[message_id]
                    if event["applied"] and event["status"] != event["previous_status"]
                ]
        return []

    def listed(self) -> Mapping[str, str]:
        url = f"{self.site.url('api')}/v1/messages?limit=200"
        return {
            one["id"]: one["status"] for one in call("GET", url, None, self._headers()).json["data"]
        }

    def judged(self) -> Findings:
        """Have everything judged as after random harm; no worker runs any more."""
        for name in [one for one in self.site.names() if one.startswith("worker")]:
            assert self.site.stop(name) == 0, self.site.tails()
        evidence = checks.gathered(self.site.folder, self.site.database_url, self.listed())
        evidence.journal = self._journal
        return checks.judge(evidence, longest=self.site.lease * 1.25 + HELD_UP, settled=False)

    def violated(self) -> Counter[str]:
        """Return what was violated, and how often."""
        return Counter(one.partition(":")[0] for one in self.judged().violations)
