"""An operator, who makes clients and keys over HTTP, and clients that call with them."""

import http.client
import json
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.journeys.loopback import Answer, call
from tests.journeys.system import System


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever has a key."""

    system: System
    key: str

    @property
    def visible(self) -> str:
        """What may be shown of its key."""
        return self.key.rpartition("_")[0]

    @property
    def secret(self) -> str:
        return self.key.rpartition("_")[2]

    def call(self, method: str, path: str, body: Any = None, *, at: str = "api") -> Answer:
        headers = {"Authorization": f"Bearer {self.key}"}
        if isinstance(body, bytes):
            headers["Content-Type"] = "application/pdf"
        elif body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(body).encode()
        return call(method, self.system.url(at) + path, body, headers)

    def ask(self, method: str, path: str, body: Any = None, *, at: str = "api") -> Any:
        """Make a request that succeeds, and return what it is answered."""
        answer = self.call(method, path, body, at=at)
        assert answer.status < http.client.MULTIPLE_CHOICES, answer.content
        return answer.json

    def client(self, *scopes: str) -> "Caller":
        """Make a client with a key, as an operator."""
        made = self.ask("POST", "/v1/admin/clients", {"name": uuid4().hex})
        body = {"mode": "live", "scopes": list(scopes)}
        return Caller(
            self.system, self.ask("POST", f"/v1/admin/clients/{made['id']}/keys", body)["key"]
        )


def operator(system: System) -> Caller:
    """Make an operator, by the command that makes the first one of a store."""
    done = system.run("keys", "create", "--name", "operators", "--scopes", "admin")
    assert done.returncode == 0, done.stderr
    return Caller(system, done.stdout.splitlines()[-1])
