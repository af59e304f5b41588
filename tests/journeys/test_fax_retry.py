"""A fax to a busy line: sent again by itself, and never one that arrived."""

import re
from urllib.parse import quote

import pytest

from tests.journeys import samples
from tests.journeys.loopback import call
from tests.journeys.system import System

BUSY = "31064"


def test_a_busy_line_is_tried_until_the_fax_arrives(system: System) -> None:
    body = samples.fax("0008", pages=2)

    message_id = system.send("faxes", body)
    message = system.until(message_id, "delivered")

    # At the provider: three faxes of the same document, of which two found the line busy.
    lines = system.ledger("fax123", fax=samples.dialled(body))
    references = [line["ref"] for line in lines]
    acknowledged = [
        one["etat_e"]
        for reference in references
        for one in system.ledger("fax123", "acknowledgements", ref=reference)
    ]
    assert (len(lines), len({line["sha256"] for line in lines})) == (3, 1)
    assert acknowledged == [BUSY, BUSY, "0"]
    assert len(set(references)) == 3
    # Here: one message, three attempts, and what each retry says.
    assert message["attempts"] == 3
    assert message["provider"]["attempt_ref"] == references[-1]
    assert message["fax"]["pages_sent"] == 2
    assert message["failure"] is None
    once = ["queued", "submitting", "submitted"]
    assert system.timeline(message_id) == [*once * 3, "delivered"]
    retried = [one for one in system.events(message_id) if one["type"] == "message.retrying"]
    assert [one["detail"]["attempt_reference"] for one in retried] == references[:2]
    assert [one["detail"]["attempt"] for one in retried] == [1, 2]
    assert {one["provider"]["label"] for one in retried} == {"occupé"}
    # Each attempt had an address of its own, and only the last one still opens.
    urls = system.relay.urls_of[samples.dialled(body)]
    assert len(set(urls)) == len(urls) == 3
    assert [call(method, urls[0]).status for method in ("GET", "HEAD")] == [404, 404]
    assert [call(method, urls[1]).status for method in ("GET", "HEAD")] == [404, 404]
    assert call("HEAD", urls[2]).status == 200


@pytest.mark.parametrize(
    ("retry", "faxes"),
    [({"on": []}, 1), ({"max_attempts": 2, "delays_seconds": [0]}, 2)],
)
def test_a_client_says_how_often_a_busy_line_is_tried(
    system: System, retry: dict[str, object], faxes: int
) -> None:
    body = samples.fax("0008", retry=retry)

    message_id = system.send("faxes", body)
    message = system.until(message_id, "failed")

    assert tuple(message["failure"].values()) == ("temporary", "busy", True, BUSY, "occupé")
    assert len(system.ledger("fax123", fax=samples.dialled(body))) == faxes
    assert message["attempts"] == faxes


def test_a_line_that_nobody_answers_is_tried_again_only_if_the_client_says_so(
    system: System,
) -> None:
    usual, wanted = samples.fax("0002"), samples.fax("0002", retry={"on": ["no_answer"]})

    for body, faxes in ((usual, 1), (wanted, 3)):
        message = system.until(system.send("faxes", body), "failed")
        assert message["failure"]["reason"] == "no_answer"
        assert len(system.ledger("fax123", fax=samples.dialled(body))) == faxes


def test_what_matches_nothing_is_listed_for_operators(system: System) -> None:
    made = system.run("keys", "create", "--name", "operator", "--scopes", "admin")
    assert made.returncode == 0, made.stderr
    key = {"Authorization": f"Bearer {made.stdout.splitlines()[-1]}"}
    secret = quote(system.settings["MULTICANAL_CALLBACK_SECRET"])
    hook = f"{system.url('api')}/hooks/123fax/{secret}"
    stranger = f"STRANGER{system.ports['api']}"
    query = f"etat_e={BUSY}&ref_accuse={stranger}&numero=0199000001&nb_page=0"
    assert call("GET", f"{hook}?{query}").status == 200

    path = "/v1/providers/fax123/unmatched-acknowledgements?limit=200"
    answer = call("GET", system.url("api") + path, None, key)

    (one,) = [one for one in answer.json["data"] if one["reference"] == stranger]
    assert (one["note"], one["status"], one["reason"]) == ("unknown_reference", "failed", "busy")
    assert re.fullmatch(r"01\*+0001", one["number"])
    assert system.get(path).status == 403
