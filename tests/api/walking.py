"""Every operation of the OpenAPI document, for tests that walk them: one that comes is walked by itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.api.client import Answer, Api

# Why an identifier in an address is no client's own.
NOT_A_CLIENTS = {
    "client_id": "a client itself: for operators",
    "key_id": "a key: for operators",
    "name": "a provider",
    "code": "a code of a provider, or one to bill under",
    "username": "a user of the provider's console",
}


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    method: str
    path: str
    parameters: tuple[str, ...]  # in its path
    body: Any  # the first example of what it takes, None where it takes no JSON
    is_public: bool

    def __str__(self) -> str:
        return self.name

    @property
    def is_of_a_clients(self) -> bool:
        """Whether it names something that a client has."""
        return bool(self.parameters) and not set(self.parameters) & set(NOT_A_CLIENTS)

    @property
    def is_list(self) -> bool:
        """Whether it is read without naming anything."""
        return self.method == "GET" and not self.parameters and not self.is_public

    def at(self, ids: Mapping[str, str]) -> str:
        """Return its address for identifiers, by their parameters."""
        return self.path.format(**{name: ids[name] for name in self.parameters})

    async def ask(self, api: Api, ids: Mapping[str, str], key: str) -> Answer:
        options = {} if self.body is None else {"body": self.body}
        headers = {"Idempotency-Key": uuid4().hex} if self.method == "POST" else {}
        return await api.call(self.method, self.at(ids), key=key, headers=headers, **options)


def operations(document: Mapping[str, Any]) -> list[Operation]:
    return [
        Operation(
            name=operation["operationId"],
            method=method.upper(),
            path=path,
            parameters=tuple(re.findall(r"{(\w+)}", path)),
            body=_example(document, operation),
            is_public=not operation["security"],
        )
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def _example(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Any:
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return None
    reference = content["application/json"]["schema"].get("$ref", "")
    schema = document["components"]["schemas"].get(reference.rpartition("/")[2], {})
    return schema.get("examples", [{}])[0]
