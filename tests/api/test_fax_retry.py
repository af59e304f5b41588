"""The field `retry` of a fax: what is taken, what is kept, and what is refused."""

from typing import Any

import pytest
from sqlalchemy import select

from app.domain.identifiers import MESSAGE, read
from app.domain.message import Channel, Fax
from app.store import contents
from app.store.tables import messages
from tests.api.client import Api, fax, wrong

pytestmark = pytest.mark.anyio


async def kept(api: Api, **changes: object) -> Fax:
    answer = await api.post("/v1/faxes", fax(**changes))
    assert answer.status == 202, answer.content
    async with api.gateway.database.reading() as connection:
        found = await connection.execute(
            select(messages.c.content).where(messages.c.id == read(MESSAGE, answer.json()["id"]))
        )
    content = contents.read(Channel.FAX, found.scalar_one())
    assert isinstance(content, Fax)
    return content


@pytest.mark.parametrize(
    ("wanted", "on", "delays", "attempts"),
    [
        (None, ("busy",), None, None),
        ({}, ("busy",), None, None),
        ({"on": []}, (), None, None),
        ({"on": ["busy", "busy", "no_answer"]}, ("busy", "no_answer"), None, None),
        ({"on": ["unreachable"], "max_attempts": 10}, ("unreachable",), None, 10),
        ({"delays_seconds": []}, ("busy",), (), None),
        ({"delays_seconds": [], "max_attempts": 1}, ("busy",), (), 1),
        ({"delays_seconds": [0, 86_400]}, ("busy",), (0, 86_400), None),
        (
            {"on": ["busy"], "max_attempts": 3, "delays_seconds": [300, 900, 1800]},
            ("busy",),
            (300, 900, 1800),
            3,
        ),
        ({"max_attempts": None, "delays_seconds": None}, ("busy",), None, None),
    ],
)
async def test_what_a_client_wants_is_kept(
    shared: Api,
    wanted: dict[str, Any] | None,
    on: tuple[str, ...],
    delays: tuple[int, ...] | None,
    attempts: int | None,
) -> None:
    content = await kept(shared, retry=wanted)

    assert (content.retry_on, content.retry_delays, content.retry_attempts) == (
        on,
        delays,
        attempts,
    )


async def test_left_out_the_operators_delays_hold(shared: Api) -> None:
    content = await kept(shared)

    assert (content.retry_on, content.retry_delays, content.retry_attempts) == (
        ("busy",),
        None,
        None,
    )


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"on": ["invalid_recipient"]}, "/retry/on/0"),
        ({"on": ["busy", "BUSY"]}, "/retry/on/1"),
        ({"on": ["busy"] * 4}, "/retry/on"),
        ({"max_attempts": 0}, "/retry/max_attempts"),
        ({"max_attempts": 11}, "/retry/max_attempts"),
        ({"max_attempts": -1}, "/retry/max_attempts"),
        ({"delays_seconds": [1] * 11}, "/retry/delays_seconds"),
        ({"delays_seconds": [-1]}, "/retry/delays_seconds/0"),
        ({"delays_seconds": [1, 86_401]}, "/retry/delays_seconds/1"),
        ({"delays_seconds": ["300"]}, "/retry/delays_seconds/0"),
        ({"delays_seconds": [1, 1.0]}, "/retry/delays_seconds/1"),
        ({"delays_seconds": [True]}, "/retry/delays_seconds/0"),
        ({"delays_seconds": [None]}, "/retry/delays_seconds/0"),
        ({"delays_seconds": [], "max_attempts": 2}, "/retry"),
        ({"delay_seconds": [1]}, "/retry/delay_seconds"),
    ],
)
async def test_another_wish_is_refused(shared: Api, wanted: dict[str, Any], pointer: str) -> None:
    answer = await shared.post("/v1/faxes", fax(retry=wanted))

    assert [one for one, _ in wrong(answer)] == [pointer]


async def test_a_fax_by_a_provider_that_acknowledges_nothing_warns_of_its_retry(api: Api) -> None:
    answer = await api.post("/v1/faxes", fax(provider="efidem", retry={"on": ["busy"]}))

    assert answer.status == 202, answer
    assert answer.json()["warnings"] == ["not_carried:/retry"]
