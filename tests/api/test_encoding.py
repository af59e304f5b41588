"""How a text message is written: as it is, in the GSM alphabet only, or brought into it."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from app.domain import identifiers
from app.domain.message import Sms
from app.store.contents import read
from app.store.tables import messages
from tests.api.client import Answer, Api, email, problem, sms, wrong

pytestmark = pytest.mark.anyio

FRENCH = "Votre forêt est sauvée : 10 000 arbres à replanter…"
UCS2 = {"encoding": "ucs2", "segments": 1}
GSM7 = {"encoding": "gsm7", "segments": 1}


async def kept(api: Api, message: dict[str, Any]) -> tuple[str, int, str]:
    """Return the text that will be sent, its parts and its encoding."""
    message_id = identifiers.read(identifiers.MESSAGE, message["id"])
    async with api.gateway.database.reading() as connection:
        found = await connection.execute(select(messages).where(messages.c.id == message_id))
        row = found.mappings().one()
    content = read(row["channel"], row["content"])
    assert isinstance(content, Sms)
    return content.text, row["units"], row["encoding"]


def details(answer: Answer) -> list[str]:
    return [one["detail"] for one in problem(answer, 422, "validation_failed")["errors"]]


async def test_a_text_is_sent_as_it_is_unless_something_else_is_asked_for(api: Api) -> None:
    answer = await api.post("/v1/sms", sms(text=FRENCH))

    found = answer.json()
    assert (answer.status, found["warnings"], found["sms"]) == (202, [], UCS2)
    assert await kept(api, found) == (FRENCH, 1, "ucs2")
    again = await api.get(answer.headers["Location"])
    assert again.json() == found


async def test_a_text_is_brought_into_the_gsm_alphabet_on_request_and_kept_like_that(
    api: Api,
) -> None:
    answer = await api.post("/v1/sms", sms(text=FRENCH, encoding="transliterate"))

    found = answer.json()
    assert (answer.status, found["sms"]) == (202, GSM7)
    assert found["warnings"] == ["transliterated:/text"]
    text = "Votre foret est sauvée : 10 000 arbres à replanter..."
    assert await kept(api, found) == (text, 1, "gsm7")


@pytest.mark.parametrize("encoding", ["auto", "strict_gsm7", "transliterate"])
async def test_a_text_in_the_gsm_alphabet_is_the_same_in_every_encoding(
    shared: Api, encoding: str
) -> None:
    text = "Ça fait 5 € : é è à ù"
    answer = await shared.post("/v1/sms", sms(text=text, encoding=encoding))

    found = answer.json()
    assert (answer.status, found["sms"], found["warnings"]) == (202, GSM7, [])
    assert await kept(shared, found) == (text, 1, "gsm7")


async def test_each_character_that_would_force_ucs2_is_named_where_none_may(shared: Api) -> None:
    answer = await shared.post("/v1/sms", sms(text="ê ç ê\u202f!", encoding="strict_gsm7"))

    assert wrong(answer) == [("/text", "not_gsm7")] * 3
    assert details(answer) == [
        f"The GSM alphabet lacks {named} (the first is 0):"
        " replace it, or send encoding transliterate or auto."
        for named in (
            "LATIN SMALL LETTER E WITH CIRCUMFLEX at position 0, 4",
            "LATIN SMALL LETTER C WITH CEDILLA at position 2",
            "NARROW NO-BREAK SPACE at position 5",
        )
    ]


async def test_a_character_that_stands_often_is_named_once(shared: Api) -> None:
    answer = await shared.post("/v1/sms", sms(text="ê" * 1530, encoding="strict_gsm7"))

    assert len(details(answer)) == 1
    assert "at position 0, 1, 2, 3, 4 and 1525 more" in details(answer)[0]


async def test_what_has_no_likeness_in_the_alphabet_is_refused_and_not_dropped(
    shared: Api,
) -> None:
    answer = await shared.post("/v1/sms", sms(text="fête 🎉", encoding="transliterate"))

    assert wrong(answer) == [("/text", "not_gsm7")]
    assert "PARTY POPPER at position 5" in details(answer)[0]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("\u200b\u00ad\u2060", "too_short"),  # nothing of it can be seen
        ("\u200b \u00a0", "too_short"),
        ("…" * 511, "too_long"),  # three characters each
    ],
)
async def test_a_text_that_transliteration_spoils_is_refused(
    shared: Api, text: str, code: str
) -> None:
    answer = await shared.post("/v1/sms", sms(text=text, encoding="transliterate"))

    assert wrong(answer) == [("/text", code)]


@pytest.mark.parametrize(
    ("text", "encoding", "most", "accepted"),
    [
        ("ê" * 71, "auto", 1, False),
        ("ê" * 71, "auto", 2, True),
        ("ê" * 71, "transliterate", 1, True),  # what is sent counts
        ("…" * 54, "transliterate", 1, False),  # 162 dots
        ("€" * 153, "auto", 2, False),  # an escape and its letter are not split
        ("€" * 152, "auto", 2, True),
    ],
)
async def test_the_parts_of_the_text_that_is_sent_are_bounded(
    shared: Api, text: str, encoding: str, most: int, accepted: bool
) -> None:
    answer = await shared.post("/v1/sms", sms(text=text, encoding=encoding, max_segments=most))

    if accepted:
        assert (answer.status, answer.json()["sms"]["segments"]) == (202, most)
    else:
        assert wrong(answer) == [("/text", "too_many_segments")]
        assert f"takes {most + 1} parts" in details(answer)[0]


async def test_an_encoding_that_is_not_offered_is_refused(shared: Api) -> None:
    assert wrong(await shared.post("/v1/sms", sms(encoding="ucs2"))) == [
        ("/encoding", "not_allowed")
    ]


async def test_a_batch_takes_the_same_fields_for_all_and_for_each(api: Api) -> None:
    body = {
        "defaults": {"text": FRENCH, "encoding": "transliterate", "max_segments": 1},
        "messages": [
            {"to": "+33639980001"},
            {"to": "+33639980002", "encoding": "auto"},
            {"to": "+33639980003", "text": "Où ça ?"},
        ],
    }

    answer = await api.post("/v1/sms/batch", body)

    assert answer.status == 202, answer
    listed = await api.get(f"/v1/messages?batch_id={answer.json()['id']}")
    found = {one["recipient"]["masked"][-1]: one for one in listed.json()["data"]}
    assert [(found[place]["sms"], found[place]["warnings"]) for place in "123"] == [
        (GSM7, ["transliterated:/text"]),
        (UCS2, []),
        (GSM7, ["transliterated:/text"]),
    ]
    assert [(await kept(api, found[place]))[0] for place in "13"] == [
        "Votre foret est sauvée : 10 000 arbres à replanter...",
        "Où ca ?",
    ]


async def test_a_batch_says_which_message_cannot_be_written(api: Api) -> None:
    body = {
        "defaults": {"encoding": "strict_gsm7", "text": "Bonjour"},
        "messages": [
            {"to": "+33639980001"},
            {"to": "+33639980002", "text": "fête"},
            {"to": "+33639980003", "text": "ê" * 71, "encoding": "auto", "max_segments": 1},
        ],
    }

    answer = await api.post("/v1/sms/batch", body)

    assert wrong(answer) == [
        ("/messages/1/text", "not_gsm7"),
        ("/messages/2/text", "too_many_segments"),
    ]
    assert await api.count(messages) == 0


async def test_messages_that_leave_in_one_call_may_be_transliterated(api: Api) -> None:
    body = {
        "mode": "provider_multi",
        "defaults": {"text": FRENCH, "encoding": "transliterate"},
        "messages": [{"to": "+33639980001"}, {"to": "+33639980002"}],
    }

    answer = await api.post("/v1/sms/batch", body)

    assert answer.status == 202, json.loads(answer.content)


async def test_what_the_provider_puts_into_a_text_is_written_like_it(api: Api) -> None:
    body: dict[str, Any] = {
        "mode": "provider_multi",
        "defaults": {"text": "Bonjour VARIABLE1", "encoding": "transliterate"},
        "messages": [
            {"to": "+33639980001", "variables": ["Zoë"]},
            {"to": "+33639980002", "variables": ["Zoé"]},
        ],
    }

    answer = await api.post("/v1/sms/batch", body)
    body["defaults"]["encoding"] = "strict_gsm7"
    refused = await api.post("/v1/sms/batch", body)

    assert answer.status == 202, answer
    listed = await api.get(f"/v1/messages?batch_id={answer.json()['id']}")
    warned = {one["recipient"]["masked"][-1]: one["warnings"] for one in listed.json()["data"]}
    assert warned == {"1": ["transliterated:/variables/0"], "2": []}
    assert wrong(refused) == [("/messages/0/variables/0", "not_gsm7")]


async def test_only_a_text_message_says_how_it_is_written(shared: Api) -> None:
    assert (await shared.post("/v1/emails", email())).json()["sms"] is None
