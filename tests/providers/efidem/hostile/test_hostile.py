"""Hostile answers over real sockets: what comes of each, and how much memory it takes at most.

The client stands in a process of its own, `client.py`, whose memory the kernel measures. A table
of all cases is printed by

    .venv/bin/pytest tests/providers/efidem/hostile -rA -k table
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.domain.outcome import Accepted
from tests.providers.efidem.hostile import cases, reports
from tests.providers.efidem.hostile.cases import SECRET, http, shown
from tests.providers.efidem.hostile.reports import Large
from tests.providers.sockets import Pieces, serving

ROOT = Path(__file__).parents[4]
measured = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux measures a process anew"
)
BOUND = 32 * 1024  # KiB that an answer may take, however hostile
BOUND_OF_A_REPORT = 400 * 1024  # KiB, of an answer of 64 MiB
CASES = cases.every()
NAMES = [one.name for one in CASES]


@dataclass(frozen=True)
class Seen:
    """What was seen of one exchange."""

    outcome: str
    peak: int  # KiB above what the process had before the first case


class Client:
    """The process under attack."""

    def __init__(self, log: Path) -> None:
        self._log = log
        with log.open("w") as logged:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.providers.efidem.hostile.client"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=logged,
                text=True,
            )

    async def ask(self, pieces: Callable[[], Pieces], **asked: Any) -> Seen:
        """Let it make one call of a server that answers with these pieces."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        async with serving(pieces) as server:
            self.process.stdin.write(json.dumps({"url": server.url(), **asked}) + "\n")
            self.process.stdin.flush()
            line = await asyncio.to_thread(self.process.stdout.readline)
        assert line, f"the client ended: {self.close()}"
        return Seen(**json.loads(line))

    def close(self) -> str:
        """End it, and return everything that it logged."""
        self.process.communicate(timeout=30)
        return self._log.read_text()


async def play(client: Client) -> tuple[dict[str, tuple[Seen, Seen]], dict[str, Seen]]:
    asked = {"function": "ENVOYER_EMAIL", "patience": 20.0, "first": False}
    warm = http(cases.WHOLE)
    for ask in ("sending", "status", "report"):
        await client.ask(lambda: [warm], ask=ask, **asked)
    await client.ask(lambda: [warm], ask="sending", **asked | {"first": True})
    seen = {}
    for one in CASES:
        given = {"function": one.function, "patience": one.patience, "first": False}
        sending = await client.ask(one.pieces, ask="sending", **given)
        given["function"] = "STATUT_EMAIL"
        seen[one.name] = sending, await client.ask(one.pieces, ask="status", **given)
    large = {}
    for other in reports.EVERY:
        pieces = other.pieces()  # made before the clock of the exchange runs
        patient = asked | {"patience": 60.0}
        large[other.name] = await client.ask(lambda pieces=pieces: pieces, ask="report", **patient)
    return seen, large


@dataclass(frozen=True)
class Attack:
    """Everything that was seen."""

    seen: dict[str, tuple[Seen, Seen]]
    large: dict[str, Seen]
    logged: str


@pytest.fixture(scope="module")
def attack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attack]:
    client = Client(tmp_path_factory.mktemp("hostile") / "log.txt")
    try:
        seen, large = asyncio.run(play(client))
        yield Attack(seen, large, client.close())
    finally:
        client.process.kill()
        client.process.communicate()


def test_no_two_cases_have_one_name() -> None:
    assert len({*NAMES, *(one.name for one in reports.EVERY)}) == len(NAMES) + len(reports.EVERY)


# aiohttp may tell of them at the end of time only, where they come after the head was read.
LATE = {"a chunk of a wrong size", "a chunk of a size beyond all", "a trailer of 1 MB"}


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_hostile_answer_comes_to_what_it_must(attack: Attack, case: cases.Case) -> None:
    sending, status = attack.seen[case.name]

    assert _told_late(case, sending.outcome) == shown(case.sending)
    assert _told_late(case, status.outcome) == shown(case.status)


def _told_late(case: cases.Case, outcome: str) -> str:
    """Where the wrong chunk comes after the head was read, aiohttp tells of it at the end of time."""
    if case.name in LATE:
        return outcome.replace("TimeoutError", "ClientResponseError")
    return outcome


@measured
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_hostile_answer_takes_little_memory(attack: Attack, case: cases.Case) -> None:
    assert max(one.peak for one in attack.seen[case.name]) <= BOUND


@pytest.mark.parametrize("large", reports.EVERY, ids=[one.name for one in reports.EVERY])
def test_a_large_answer_is_read_or_refused(attack: Attack, large: Large) -> None:
    assert attack.large[large.name].outcome == large.read


@measured
@pytest.mark.parametrize("large", reports.EVERY, ids=[one.name for one in reports.EVERY])
def test_a_large_answer_takes_a_few_times_its_size(attack: Attack, large: Large) -> None:
    assert attack.large[large.name].peak <= BOUND_OF_A_REPORT


def test_nothing_that_was_sent_or_answered_reaches_a_log_or_an_outcome(attack: Attack) -> None:
    everything = [attack.logged, *(one.outcome for pair in attack.seen.values() for one in pair)]

    assert "Traceback" not in attack.logged
    assert "was never" not in attack.logged  # awaited, or retrieved
    assert "Unclosed" not in attack.logged
    assert [one for one in everything if SECRET in one] == []


def test_a_message_is_accepted_by_a_whole_answer_only() -> None:
    odd = {one.name for one in CASES if isinstance(one.sending, Accepted)}

    assert odd == {
        "gzip that nobody asked for",
        "no charset anywhere",
        "no type",
        "UTF-8 with a mark",
        "UTF-8 with two marks",
        "utf-16 as declared",
        "utf-16-le as declared",
        "utf-16-be as declared",
        "lines before the declaration",
        "a mark, and lines before",
        "the answer of another function",
        "an attribute of 900 KB",
        "a name of 450 KB",
        "100 before the answer",
    }


def test_the_table_of_all_cases_is_complete(attack: Attack) -> None:
    rows = [
        (name, max(one.peak for one in pair), f"{pair[0].outcome} | {pair[1].outcome}")
        for name, pair in attack.seen.items()
    ]
    rows += [(name, one.peak, one.outcome) for name, one in attack.large.items()]

    head = "case | peak KiB | outcome of a call that sends | of one that asks for a status"
    sys.stdout.write(head + "\n")
    sys.stdout.writelines(f"{name} | {peak} | {outcome}\n" for name, peak, outcome in rows)

    assert [one[0] for one in rows] == [*NAMES, *(one.name for one in reports.EVERY)]
