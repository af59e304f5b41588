"""Logs name ids and codes: never who was written to, what was written, or a secret."""

import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.journeys import samples
from tests.journeys.loopback import call
from tests.journeys.system import SECRETS, System

ADDRESS = "CANARYBUILDING"
NAME = "Canaryname"
WORDS = "canarywords"
FILE = "canaryfile.pdf"
DOMAIN = "canarydomain.test"
DIGITS = {"0001": "698760001", "0003": "698760003", "0004": "698760004", "0006": "698760006"}
FAXES = {one: f"14876{one}" for one in DIGITS}
EMAILS = ("delivered", "canaryrecipient", "perm-fail", "rejected", "lost")
POSTCODES = ("75011", "99903", "99904", "99906")
TOLD = ("attempts", "explain", "events")
CANARIES = (
    *(NAME, ADDRESS, WORDS, FILE, DOMAIN, "canaryrecipient", "canarysender", "canaryreference"),
    *DIGITS.values(),
    *FAXES.values(),
)


def emails() -> list[dict[str, Any]]:
    return [
        samples.email(
            to=[{"address": f"{local}@{DOMAIN}", "name": NAME}],
            reply_to=f"canarysender@{DOMAIN}",
            subject=f"Subject {WORDS}",
            text=f"Text {WORDS}",
            html=f"<p>{WORDS}</p>",
            attachments=[samples.inline(WORDS.encode(), filename=f"{FILE}.txt")],
            reference="canaryreference",
            metadata={WORDS: WORDS},
        )
        for local in EMAILS
    ]


def letters() -> list[dict[str, Any]]:
    return [
        samples.letter(
            to={
                "last_name": NAME,
                "first_name": NAME,
                "company": NAME,
                "address": {"line1": ADDRESS, "line2": ADDRESS, "postal_code": one, "city": NAME},
            },
            documents=[samples.inline(samples.pdf(1), filename=FILE)],
            subject=WORDS,
        )
        for one in POSTCODES
    ]


def texts() -> list[dict[str, Any]]:
    return [samples.sms(to=f"+33{number}", text=WORDS) for number in DIGITS.values()]


def faxes() -> list[dict[str, Any]]:
    document = samples.inline(samples.pdf(1), filename=FILE)
    return [
        samples.fax(to=f"+33{number}", to_name=NAME, document=document) for number in FAXES.values()
    ]


def send_all(system: System) -> list[str]:
    """Send everything; return the messages when everything has its last status."""
    bodies = {"emails": emails(), "letters": letters(), "sms": texts(), "faxes": faxes()}
    ends = {
        "emails": ("delivered", "delivered", "failed", "failed", "delivered"),
        "letters": ("delivered", "failed", "failed", "delivered"),
        "sms": ("delivered", "failed", "failed", "delivered"),
        "faxes": ("delivered", "failed", "failed", "delivered"),
    }
    sent = [
        (system.send(path, body), end)
        for path, several in bodies.items()
        for body, end in zip(several, ends[path], strict=True)
    ]
    for message_id, end in sent:
        system.until(message_id, end)
    return [message_id for message_id, _ in sent]


def read_all(system: System, sent: list[str]) -> dict[str, str]:
    """Return what the gateway tells of messages, by its address, but for the feed."""
    paths = [f"/v1/messages/{one}/{what}" for one in sent for what in TOLD]
    return {path: system.get(path).content.decode() for path in paths}


def search_for(system: System, number: str) -> None:
    """Search for recipients, whom no address of a request may name."""
    letter = {"addressee": {"last_name": NAME, "postal_code": POSTCODES[0]}}
    one = {"recipient": f"canaryrecipient@{DOMAIN}"}
    for body in (letter, one, {"recipient": f"+33{number}"}):
        found = system.post("/v1/messages/search", body)
        assert (found.status, len(found.json["data"])) == (200, 1), found.content
    assert system.post("/v1/messages/search", {"recipient": f"{WORDS}@"}).status == 422


def ask_wrongly(system: System) -> None:
    """Make requests that are refused, each with something that must not be repeated."""
    url, number = system.url("api"), DIGITS["0001"]
    wrong = samples.sms(text=WORDS, unknown=WORDS)
    assert system.post("/v1/sms", wrong).status == 422
    assert system.post("/v1/sms", samples.sms(to=f"+33{number}{WORDS}")).status == 422
    assert system.post("/v1/emails", samples.email(subject=f"{WORDS}\n")).status == 422
    assert system.post("/v1/sms", f'{{"text": "{WORDS}"'.encode()).status == 400
    assert system.post("/v1/sms", samples.sms(), Authorization=f"Bearer {WORDS}").status == 401
    assert system.get(f"/v1/messages?reference={WORDS}&{WORDS}={WORDS}").status == 422
    assert system.get(f"/v1/messages?reference={WORDS}").status == 200
    assert system.get(f"/v1/events?types={WORDS}").status == 422
    assert system.get(f"/{WORDS}/{number}?{WORDS}").status == 404
    search_for(system, number)
    assert call("GET", f"{url}/hooks/123fax/{WORDS}?ref_accuse={WORDS}").status == 404
    hook = f"{url}/hooks/123fax/{SECRETS['MULTICANAL_CALLBACK_SECRET']}"
    for values in (
        {"etat_e": WORDS, "ref_accuse": WORDS, "numero": number},
        {"etat_e": "0", "ref_accuse": WORDS, "numero": f"0{number}"},
    ):
        assert call("GET", f"{hook}?{urlencode(values)}").status in {200, 400}


@pytest.fixture(scope="module")
def told(whole: System) -> dict[str, str]:
    """Let everything happen, and return what the gateway tells of it, by its address."""
    whole.up()
    answers = read_all(whole, send_all(whole))
    after = 0
    while (page := whole.get(path := f"/v1/events?limit=500&after={after}").json)["data"]:
        answers[path] = json.dumps(page, ensure_ascii=False)
        after = page["next_after"]
    return answers


def secrets(system: System) -> list[str]:
    return [*SECRETS.values(), system.key, system.key.rpartition("_")[2]]


def tokens(system: System) -> list[str]:
    """Return what opens the documents that 123-fax fetched."""
    found = [url.rpartition("/")[2].removesuffix(".pdf") for url in system.relay.urls]
    assert len(found) >= len(FAXES)
    assert all(re.fullmatch(r"\w{20,}", one) for one in found)
    return found


def test_what_is_told_of_a_message_holds_nothing_of_it(whole: System, told: dict[str, str]) -> None:
    # A masked address keeps its domain; its client's own reference comes back to it.
    shown = {DOMAIN, "canaryreference"}
    hidden = [one for one in CANARIES if one not in shown] + secrets(whole) + tokens(whole)

    found = [(path, one) for path, text in told.items() for one in hidden if one in text]

    assert found == []
    attempts = [text for path, text in told.items() if path.endswith("/attempts")]
    assert len(attempts) == len(EMAILS) + len(POSTCODES) + len(DIGITS) + len(FAXES)
    for function in ("ENVOYER_EMAIL", "ENVOYER_SMS", "COURRIER_ENVOYER", "http.php"):
        assert any(f'"function":"{function}' in text for text in attempts), function
    assert sum('"outcome":"unclear"' in text or '"found"' in text for text in attempts) >= 4


@pytest.fixture(scope="module")
def logged(whole: System, told: dict[str, str]) -> dict[str, str]:
    """Ask wrongly too, stop, and return what every part had logged, at its loudest."""
    ask_wrongly(whole)
    whole.stop(*("api", "worker", "efidem", "fax123"))
    return {one.stem: one.read_text(errors="replace") for one in whole.folder.glob("*.log")}


def test_the_logs_tell_what_happened(logged: dict[str, str]) -> None:
    assert set(logged) >= {"api", "worker", "efidem", "fax123"}
    for word in ("not_submitted", "attempt_reference", "status_asked", "msg_"):
        assert word in logged["worker"]
    assert "answered" in logged["api"]
    assert "worker_fault" not in logged["worker"]


def test_no_log_holds_a_recipient_or_a_word_of_a_message(logged: dict[str, str]) -> None:
    found = [(part, one) for part, text in logged.items() for one in CANARIES if one in text]

    assert found == []


def test_no_log_holds_a_secret(whole: System, logged: dict[str, str]) -> None:
    hidden = secrets(whole)
    found = [(part, one) for part, text in logged.items() for one in hidden if one in text]

    assert found == []


def test_no_log_holds_a_documents_token(whole: System, logged: dict[str, str]) -> None:
    hidden = tokens(whole)

    found = [(part, one) for part, text in logged.items() for one in hidden if one in text]

    assert found == []
