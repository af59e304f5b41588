"""What ours is compared with does the work that it is compared in."""

import json
import urllib.parse

import pytest

from bench.asked import Asked
from bench.offered import having, served
from bench.subjects import Subject
from tests.journeys.loopback import Answer, call

SMS = {"to": "+33612345678", "text": "Votre code est 123456."}


def send(subject: Subject, body: object, *, key: str = "one", token: str = "") -> Answer:
    headers = {
        "Authorization": f"Bearer {token or subject.key}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    }
    url = urllib.parse.urlunsplit(("http", f"127.0.0.1:{subject.ports[0]}", "/v1/sms", "", ""))
    return call("POST", url, json.dumps(body).encode(), headers)


@pytest.mark.parametrize("kind", ["PostgreSQL", "SQLite"])
def test_each_service_keeps_what_it_takes_once(kind: str, asked: Asked) -> None:
    with served(asked, "ours", "F", "T", kind=kind) as (subjects, _):
        for one in subjects:
            first, again = send(one, SMS), send(one, SMS)
            other = send(one, SMS, key="two")

            assert [first.status, again.status, other.status] == [202, 202, 202], one.name
            assert first.json["id"] == again.json["id"] != other.json["id"], one.name
            assert having(one, "status = 'queued'") == 2, one.name


def test_each_service_knows_its_callers_and_checks_what_they_send(asked: Asked) -> None:
    with served(asked, "ours", "F", "T") as (subjects, _):
        for one in subjects:
            strange = send(one, SMS, token="gw_live_0123456789_" + "0" * 52)
            wrong = send(one, {**SMS, "to": "0"})

            assert [strange.status, wrong.status] == [401, 422], one.name
            assert having(one, "TRUE") == 0, one.name
