"""RAPPORT as evidence: read over the wire by the operator's columns, or not believed at all."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from app.domain.evidence import NoReport, Reported
from app.domain.message import Sms, Submission
from app.domain.outcome import (
    Accepted,
    Blocked,
    Consulted,
    Denied,
    Unclear,
    Unreached,
    Wrong,
)
from app.providers.efidem import functions as efidem
from app.providers.efidem import statuses
from app.providers.efidem.contracting import Contracting
from app.providers.efidem.desk import Desk
from app.providers.efidem.evidence import Evidence, moments
from app.providers.efidem.provider import Efidem
from app.providers.efidem.settings import EfidemSettings
from tests.providers.efidem.fronting import Front, fronting

pytestmark = pytest.mark.anyio

HALF = timedelta(minutes=30)


@pytest.fixture
async def front() -> AsyncIterator[Front]:
    async with fronting() as found:
        yield found


def built(front: Front, bindings: Path | None = None) -> tuple[Efidem, Evidence, Contracting]:
    settings = EfidemSettings(
        wsdl=front.wsdl, username="u", password="p", app_id="a", timeout=5, bindings=bindings
    )
    said = statuses.followed(bindings)
    contracting = Contracting(settings, efidem.FUNCTIONS, said.now().pinned)
    desk = Desk(contracting, said)
    return Efidem(contracting, said, desk), Evidence(desk), contracting


def text() -> Submission[Sms]:
    return Submission(
        message_id=uuid4(),
        content=Sms(to="+33639980001", text="Votre code"),
        reference="REFERENCE1",
        billing_code="RH",
        files={},
    )


async def report(evidence: Evidence) -> Reported | NoReport:
    now = datetime.now(UTC)
    return await evidence.report(now - HALF, now)


async def test_a_report_shows_what_was_taken_with_its_id_number_and_time(front: Front) -> None:
    provider, evidence, contracting = built(front)
    accepted = await provider.submit(text())
    found = await report(evidence)
    await contracting.close()

    assert isinstance(accepted, Accepted)
    assert isinstance(found, Reported)
    (row,) = found.rows
    assert (row.provider_message_id, row.recipient) == (accepted.provider_id, "33639980001")
    assert row.reference is None  # a text message carries none
    assert any(abs(datetime.now(UTC) - one) < timedelta(minutes=1) for one in row.moments)
    assert {"reference", "provider_message_id", "recipient"} <= set(found.columns)


COLUMNS = """
[report]
encoding = "iso-8859-1"
delimiter = ";"
[report.columns]
reference = "{reference}"
"""


async def test_a_report_that_is_not_as_the_operator_said_is_not_believed(
    front: Front, tmp_path: Path
) -> None:
    said = tmp_path / "bindings.toml"
    said.write_text(COLUMNS.format(reference="no such title"))
    _, evidence, contracting = built(front, said)

    found = await report(evidence)
    await contracting.close()

    assert found == NoReport("RAPPORT is not written as the operator said")


async def test_columns_that_the_operator_did_not_name_are_not_there(
    front: Front, tmp_path: Path
) -> None:
    said = tmp_path / "bindings.toml"
    said.write_text(COLUMNS.format(reference="reference"))
    _, evidence, contracting = built(front, said)

    found = await report(evidence)
    await contracting.close()

    assert isinstance(found, Reported)
    assert tuple(found.columns) == ("reference",)


async def test_a_service_whose_columns_nobody_named_is_not_even_asked(front: Front) -> None:
    front.change = lambda wsdl: wsdl.replace(b"EfidemSimulator", b"Efidem")
    _, evidence, contracting = built(front)

    found = await report(evidence)
    await contracting.close()

    assert isinstance(found, NoReport)
    assert found.lasting


class Silent(Desk):
    """A desk whose function tells no file."""

    def __init__(self, consulted: Consulted) -> None:
        self._consulted = consulted

    async def report_columns(self) -> tuple[str, ...]:
        return ("reference",)

    async def consult(self, function: str, values: Mapping[str, object]) -> Consulted:
        assert (function, sorted(values)) == ("RAPPORT", ["DATE_DEBUT", "DATE_FIN"])
        return self._consulted


@pytest.mark.parametrize(
    "consulted",
    [
        Unreached("no connection"),
        Unclear("HTTP 502"),
        Blocked("provider_credentials", "-6"),
        Wrong("-7", "Séquence", "forbidden_characters"),
        Denied("-99", "Aucune donnée"),
    ],
)
async def test_what_is_no_file_is_no_report_and_may_be_one_later(consulted: Consulted) -> None:
    found = await report(Evidence(Silent(consulted)))

    assert isinstance(found, NoReport)
    assert not found.lasting


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("21/11/2026 11:00:00", [10]),
        ("21/11/2026 11:00", [10]),
        ("2026-11-21 11:00:00", [10]),
        ("2026-11-21T11:00:00Z", [11]),
        ("2026-11-21T11:00:00+03:00", [8]),
        ("25/10/2026 02:30:00", [0, 1]),  # an hour that clocks live twice
        ("21/11/2026", []),
        ("2026-11-21", []),
        ("hier", []),
        ("", []),
    ],
)
def test_a_time_is_that_of_paris_and_both_where_there_are_two(text: str, hours: list[int]) -> None:
    found = list(moments(text))

    assert [one.hour for one in found] == hours
    assert all(one.tzinfo is UTC for one in found)
