"""Messages whose calls end unclear: sent first of all, and looked at when everything else is done."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.journeys import samples
from tests.journeys.system import System

# What happens: the path, what makes the provider do it, and how many messages it accepts.
CASES = {
    "an e-mail that was accepted before the connection broke": ("emails", "lost", 1),
    "an e-mail that was not": ("emails", "notsent", 0),
    "an e-mail whose answer took too long": ("emails", "slow", 1),
    "an SMS that was accepted before the connection broke": ("sms", "0006", 1),
    "an SMS that was not": ("sms", "0007", 0),
    "an SMS whose answer took too long": ("sms", "0005", 1),
    "a letter that was accepted before the connection broke": ("letters", "99906", 1),
    "a letter that was not": ("letters", "99907", 0),
    "a letter whose answer took too long": ("letters", "99905", 1),
    "a fax that was not accepted before the connection broke": ("faxes", "0007", 0),
}
SAMPLES = {
    "emails": samples.email,
    "sms": samples.sms,
    "letters": samples.letter,
    "faxes": samples.fax,
}


@dataclass(frozen=True, slots=True)
class Unclear:
    """Every case, by its name: the message's id, and what was sent."""

    at: float
    sent: dict[str, tuple[str, dict[str, Any]]]


def send(system: System) -> Unclear:
    """Return when each was called for: what is claimed as they stop its channel goes back first."""
    sent = {}
    for name, (path, behaviour, _) in CASES.items():
        body = SAMPLES[path](behaviour)
        sent[name] = (system.send(path, body), body)
    at = time.monotonic()
    for message_id, _ in sent.values():
        system.follow(message_id, _was_called_for, "called for")
    return Unclear(at, sent)


def _was_called_for(now: Mapping[str, Any]) -> bool:
    return bool(now["attempts"] and now["status"] != "submitting")
