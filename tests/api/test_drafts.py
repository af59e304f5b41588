"""Drafts become rows together as each would alone, and each only once."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from app.api.caller import Caller
from app.api.drafts import Draft
from app.api.schemas import SmsIn
from app.domain.message import Email, Sms
from app.store.news import New
from tests.api.client import Api, sms

pytestmark = pytest.mark.anyio

CALLER = Caller(
    key_id="0123456789", client_id=uuid4(), name="a", mode="live", scopes=frozenset({"sms:send"})
)
EMAIL = Email(to_address="a@b.fr", from_address="c@d.fr", subject="a", text="a", html="a")


def drafted(**changed: Any) -> Draft:
    content = Sms(to="+33612345678", text="a\u2019b")
    made = Draft(
        CALLER, "sms", "efidem", SmsIn(**sms()), content, "{}", 2, [], "key", "POST /v1/sms", {}
    )
    return replace(made, **changed)


def own(row: Any) -> tuple[Any, ...]:
    """Return what a row has besides its id and time, which are never the same."""
    assert isinstance(row, New)
    return row[1:5] + row[6:]


async def test_drafts_are_made_rows_together_as_each_would_be_alone(shared: Api) -> None:
    drafts = [
        drafted(),
        drafted(key=None),
        drafted(value={"a": 1}),
        drafted(content=EMAIL, channel="email"),
        drafted(content=Sms(to="+33712345678", text="a" * 161)),
        drafted(warnings=["transliterated:/text"], size=7),
    ]
    rows = shared.edge.drafting.rows(drafts)

    alone = [shared.edge.drafting.row(replace(one, row=None)) for one in drafts]

    assert [own(one) for one in rows] == [own(one) for one in alone]
    assert len({one.id for one in [*alone, *drafted_rows(drafts)]}) == 2 * len(drafts)
    assert [(one.units, one.encoding) for one in alone[:4]] == [(1, "ucs2")] * 3 + [(None, None)]
    assert (alone[4].units, alone[4].encoding) == (2, "gsm7")
    assert len({one.fingerprint for one in alone}) == 3  # one has none, one another body
    assert len({one.recipient_digest for one in alone}) == 3


def drafted_rows(drafts: list[Draft]) -> list[New]:
    return [one.row for one in drafts if one.row is not None]


async def test_drafts_of_a_turn_of_the_loop_are_made_rows_at_its_end(shared: Api) -> None:
    drafts = [drafted(), drafted(), drafted()]
    for one in drafts:
        shared.edge.drafting.soon(one)
    first = shared.edge.drafting.rows(drafts[:1])  # a commit that did not wait for it
    assert drafts[1].row is None

    await asyncio.sleep(0)

    made = drafted_rows(drafts)
    assert len(made) == 3
    assert made[:1] == first
    assert shared.edge.drafting.rows(drafts) == made


async def test_a_draft_keeps_its_row_when_it_is_committed_again(shared: Api) -> None:
    drafts = [drafted(), drafted()]
    first = shared.edge.drafting.rows(drafts)

    assert shared.edge.drafting.rows([drafts[1]]) == first[1:]
    assert shared.edge.drafting.row(drafts[0]) is first[0]
    assert shared.edge.drafting.rows([*first, *drafts]) == first * 2
