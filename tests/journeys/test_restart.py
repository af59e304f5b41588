"""Parts that are stopped, killed, missing or doubled: nothing is lost, and nothing sent twice."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.journeys import samples
from tests.journeys.loopback import wait_for
from tests.journeys.system import PROVIDERS, System

SLOW = "0005"  # a fax that is answered after three seconds
PATHS = {
    "emails": samples.email,
    "sms": samples.sms,
    "letters": samples.letter,
    "faxes": samples.fax,
}


def one_of_each(system: System) -> dict[str, dict[str, Any]]:
    """Send a message on every channel; return their bodies by their ids."""
    bodies = {path: body() for path, body in PATHS.items()}
    return {system.send(path, body): body for path, body in bodies.items()}


def accepted(system: System, body: dict[str, Any]) -> int:
    """Count what the providers accepted of a message."""
    if "billing_code" in body:
        return len(system.ledger("efidem", billing_code=body["billing_code"]))
    return len(system.ledger("fax123", fax=samples.dialled(body)))


def accepted_soon(system: System, body: dict[str, Any]) -> None:
    wait_for(lambda: accepted(system, body) == 1, lambda: f"not called\n{system.tails()}", 20)


def test_what_was_accepted_survives_a_restart_of_everything(system: System) -> None:
    system.stop("worker")
    sent = one_of_each(system)
    waiting = [system.message(message_id)["status"] for message_id in sent]

    stopped = system.stop("api", *PROVIDERS)
    system.up()

    assert waiting == ["queued"] * 4
    assert stopped == [0, 0, 0]
    for message_id, body in sent.items():
        system.until(message_id, "delivered")
        assert accepted(system, body) == 1


def test_a_killed_workers_call_is_never_made_again(system: System) -> None:
    body = samples.fax(SLOW)
    message_id = system.send("faxes", body)
    accepted_soon(system, body)

    system.kill("worker")
    system.start("worker")

    for other, its_body in one_of_each(system).items():
        system.until(other, "delivered")
        assert accepted(system, its_body) == 1
    time.sleep(3)
    # The lease of the dead worker lasts for two minutes more; until then nothing is known.
    assert system.message(message_id)["status"] == "submitting"
    assert system.timeline(message_id) == ["queued", "submitting"]
    assert accepted(system, body) == 1


def test_a_worker_that_is_told_to_stop_ends_its_calls_and_begins_none(system: System) -> None:
    body = samples.fax(SLOW)
    message_id = system.send("faxes", body)
    accepted_soon(system, body)

    system.signal("worker")
    wait_for(lambda: "worker_draining" in system.said("worker"), system.tails, 10)
    late = system.send("sms", samples.sms())
    status = system.wait("worker")

    assert status == 0
    assert system.timeline(message_id)[:3] == ["queued", "submitting", "submitted"]
    assert system.events(message_id)[2]["source"] == "provider_response"
    assert system.message(late)["status"] == "queued"
    system.up()
    system.until(message_id, "delivered")
    system.until(late, "delivered")
    assert accepted(system, body) == 1


def test_messages_wait_while_the_providers_are_down(system: System) -> None:
    system.stop(*PROVIDERS)

    sent = one_of_each(system)
    for message_id in sent:
        # Until the circuit opens it is tried again and again, and then waits for it.
        system.follow(
            message_id,
            lambda now: now["attempts"] > 1 or now["blocked_reason"] == "provider_unavailable",
            "tried again, nor held back",
        )
        system.until(message_id, "queued")
    system.up()

    for message_id, body in sent.items():
        message = system.until(message_id, "delivered")
        assert message["blocked_reason"] is None
        assert accepted(system, body) == 1


def test_two_workers_and_two_apis_send_each_message_once(system: System) -> None:
    system.start("api-2", "worker-2")
    bodies = [samples.sms(billing_code="hundred") for _ in range(100)]

    def hand_in(place: int) -> str:
        """Hand a message in at one API, and then again at the other, as a client that is unsure."""
        apis = ("api", "api-2") if place % 2 else ("api-2", "api")
        answers = [
            system.post("/v1/sms", bodies[place], to=api, Idempotency_Key=f"hundred-{place}")
            for api in apis
        ]
        assert [one.status for one in answers] == [202, 202]
        assert answers[0].content == answers[1].content
        message_id: str = answers[0].json["id"]
        return message_id

    def listed() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = system.get(
            "/v1/messages?billing_code=hundred&limit=200"
        ).json["data"]
        return found

    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(hand_in, range(100)))
    wait_for(
        lambda: all(one["status"] == "delivered" for one in listed()),
        lambda: "\n".join([*(str(one["status"]) for one in listed()), system.tails()]),
        40,
    )
    ended = system.stop("worker-2", "api-2")

    assert ended == [0, 0]
    assert {one["id"] for one in listed()} == set(ids)
    assert {one["attempts"] for one in listed()} == {1}
    recipients = [line["recipient"] for line in system.ledger("efidem", billing_code="hundred")]
    assert sorted(recipients) == sorted(body["to"].removeprefix("+") for body in bodies)
