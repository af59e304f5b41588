"""Messages that are made after an earlier one are what they are by themselves, and wrong alike."""

import json
import random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.api import answers
from app.api.batch_answer import member
from app.domain.identifiers import BATCH, read
from app.store.database import Database
from app.store.tables import messages
from tests.api.asking import Asking, asking
from tests.api.client import email, wrong

pytestmark = pytest.mark.anyio

EMAILS, TEXTS = "/v1/emails/batch", "/v1/sms/batch"
APART = ("id", "batch_id", "created_at", "status_at", "due_at")  # of a row: its own in any case
ANY = random.Random(7)
NOTES: dict[str, list[Any]] = {
    "reference": ["r1", 'a "b" \\ é', "x" * 200, None, "x" * 201, "a\nb", "", 7],
    "tags": [["a", "b"], [], ["é"], ["a\tb"], [1], "a", ["x"] * 21],
    "metadata": [{"a": "b"}, {}, {"é": 'q"'}, {"a": 1}, {"a\n": "b"}, []],
    "billing_code": ["b1", "b2", None, "x" * 101],
    "purpose": ["otp", "legal", "none"],
    "nothing": [1],
}
NUMBERS = [
    "+33612345678", "0612345679", "06 12 34 56 80", "+33 6 12 34 56 81", "+32470123456",
    "+262692123456", "0692123456", "+33639980001", "+33199001234", "12", "+3361234567", "0639000000",
    "+33612345678 ext 3", "", None, 612345678, "+33612345699", "+33712345678",
]  # fmt: skip
SENTENCES = [
    "Bonjour", "Bonjour €", "être", "x" * 161, "漢" * 71, "x" * 1530, "x" * 1531, " ", "", 'a"\\b\n',
    "\x7f", None, "Bonjour",
]  # fmt: skip
ADDRESSES = [
    "marie@exemple.fr", "Marie@Exemple.FR", "INFO@exemple.fr", "é@exemple.fr", "a@münchen.de",
    "a..b@exemple.fr", "a@b", "", "o'neil+x@exemple.test", "marie@exemple.fr ", "a@exemple.local",
]  # fmt: skip


@pytest.fixture
async def asked(database: Database) -> Any:
    """An API over a provider whose WSDL is known."""
    async with asking(database) as found:
        await found.api.gateway.providers["efidem"].start()
        await found.api.begin_counting()
        yield found


def drawn(values: list[Any], usual: int = 6) -> Any:
    """Draw one of some values, most often the first."""
    return values[0] if ANY.randrange(usual) else ANY.choice(values)


def notes() -> dict[str, Any]:
    found = {name: drawn(values) for name, values in NOTES.items() if not ANY.randrange(3)}
    return found | ({} if ANY.randrange(20) else {"nothing": 1})


def number() -> Any:
    return ANY.choice(NUMBERS[:8] if ANY.randrange(6) else NUMBERS)


def text() -> dict[str, Any]:
    found = {"to": number(), **notes()}
    if ANY.randrange(3):
        found["text"] = drawn(SENTENCES, 3)
    if not ANY.randrange(5):
        found["encoding"] = ANY.choice(["strict_gsm7", "transliterate"])
    if not ANY.randrange(6):
        found["max_segments"] = ANY.choice([1, 2, True])
    return found


def recipient(names: Any) -> dict[str, Any]:
    found = {"address": ANY.choice(ADDRESSES[:5] if ANY.randrange(6) else ADDRESSES)}
    return found | {name: drawn(["Marie", None, "a\nb", ""], 3) for name in names}


def mail() -> dict[str, Any]:
    found: dict[str, Any] = {"to": [recipient(("name",) if ANY.randrange(2) else ())], **notes()}
    if not ANY.randrange(9):
        found["to"].append({"address": "b@exemple.fr"})
    if ANY.randrange(3):
        found["subject"] = drawn(["Bonjour", "Bonsoir", ""], 4)
    if not ANY.randrange(4):
        found["text"] = drawn(["Un", "Deux"], 3)
    return found


def others(one: dict[str, Any]) -> list[dict[str, Any]]:
    """Return messages that differ from one in what may be a recipient's own, or are wrong."""
    made = []
    for place in range(4):
        other = {name: drawn(NOTES[name]) if name in NOTES else one[name] for name in one}
        if isinstance(one["to"], list):
            other["to"] = [recipient(set(one["to"][0]) - {"address"}), *one["to"][1:]]
        else:
            other["to"] = number()
            other |= {"text": drawn(SENTENCES, 3)} if "text" in one and place % 2 else {}
        made.append(other)
    return made


async def rows_of(asked: Asking, answer: Any) -> list[dict[str, Any]]:
    identifier = read(BATCH, answer.json()["id"])
    async with asked.api.gateway.database.reading() as connection:
        found = await connection.execute(
            select(messages).where(messages.c.batch_id == identifier).order_by(messages.c.id)
        )
        return [dict(row) for row in found.mappings()]


async def by_themselves(
    asked: Asking, path: str, defaults: dict[str, Any], given: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[tuple[str, str]]]:
    """Send each message in a batch of its own; return the right ones, their rows, and all faults."""
    right, rows, faults = [], [], []
    for place, one in enumerate(given):
        answer = await asked.post(path, {"defaults": defaults, "messages": [one]})
        if answer.status == 202:
            right.append(one)
            rows += await rows_of(asked, answer)
        else:
            named = wrong(answer)
            faults += [
                (at.replace("/messages/0", f"/messages/{place}"), code) for at, code in named
            ]
    return right, rows, faults


@pytest.mark.parametrize(
    ("path", "defaults", "draw"),
    [
        (TEXTS, {"text": "Fermé lundi", "tags": ["all"]}, text),
        (EMAILS, {"from": email()["from"], "subject": "Lundi", "text": "Fermé"}, mail),
    ],
    ids=["sms", "email"],
)
async def test_a_message_is_the_same_among_others_as_by_itself(
    asked: Asking, path: str, defaults: dict[str, Any], draw: Any
) -> None:
    given = [one for _ in range(70) for first in (draw(),) for one in (first, *others(first))]
    right, alone, faults = await by_themselves(asked, path, defaults, given)

    together = await asked.post(path, {"defaults": defaults, "messages": right})
    refused = await asked.post(path, {"defaults": defaults, "messages": given})

    assert together.status == 202, together.content[:500]
    rows = await rows_of(asked, together)
    strip = [{name: one[name] for name in one if name not in APART} for one in alone]
    assert [{name: one[name] for name in one if name not in APART} for one in rows] == strip
    assert wrong(refused) == faults
    assert len(right) > 100
    assert len(faults) > 30
    # Those that are made after another one have its time.
    assert len({row["created_at"] for row in rows}) < len(rows) * 0.8
    shown = together.json()["messages"]
    assert [one["recipient"]["masked"] for one in shown] == [row["recipient"] for row in rows]
    assert [one["index"] for one in shown] == list(range(len(rows)))
    assert len({one["id"] for one in shown}) == len(rows)


async def test_ten_thousand_alike_are_checked_one_by_one_all_the_same(asked: Asking) -> None:
    rows = [{"to": f"+336120{place:05}", "text": f"Bonjour {place}"} for place in range(2_000)]
    rows[700]["to"] = "+33612"
    rows[1_999]["text"] = " "
    rows[1_500]["max_segments"] = True

    answer = await asked.post(TEXTS, {"messages": rows})

    assert wrong(answer) == [
        ("/messages/700/to", "number_too_short"),
        ("/messages/1500/max_segments", "wrong_type"),
        ("/messages/1999/text", "too_short"),
    ]
    assert await asked.api.count(messages) == 0


@pytest.mark.parametrize("reference", [None, "r1", 'a "b" \\ é\x7f'])
def test_a_member_is_written_as_it_is_shown(reference: str | None) -> None:
    row = {
        "id": UUID(int=7), "status": "queued", "reference": reference, "recipient": "é***@a.fr",
    }  # fmt: skip

    assert member(3, row) == json.dumps(answers.member(3, row), ensure_ascii=False)
