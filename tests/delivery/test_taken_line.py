"""The line of a message that was taken is the one that structlog would write, whoever writes it."""

import json
import subprocess
import sys
from typing import Any

import pytest

# In a process of its own: what is configured holds for all of it.
WRITING = """
import json, sys
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID
from app import logs
from app.delivery.conclude import Ended, Held, tell
from app.domain.outcome import Accepted
from app.store.queue import Claim

level, readable, reference, code, was_moved = json.loads(sys.argv[1])
logs.configure(level, readable=readable)
by_hand = logs.of_taken()
if by_hand is None:
    sys.exit(3)
claim = Claim({"id": UUID(int=12345)}, UUID(int=1), reference)
held = Held(claim=claim, at=datetime.now(UTC))
ended = Ended(held=held, outcome=Accepted("id", code, "words"), function="SEND")
for way in (None, by_hand):
    tell(SimpleNamespace(taken_lines=way), [(ended, was_moved)] * 2)
"""


def written(level: str, *line: Any, readable: bool = False) -> tuple[int, list[str]]:
    """Have both ways write a line; return how the process ended, and what it wrote."""
    given = json.dumps([level, readable, *line])
    done = subprocess.run(
        [sys.executable, "-c", WRITING, given], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize(
    ("reference", "code", "was_moved"),
    [
        ("ABCDEFGH01234567", None, True),
        ("ABCDEFGH01234567", "0", True),
        ("ABCDEFGH01234567", "0", False),
        ('"\\\u00e9\u2028', 'é"' * 200, True),
    ],
)
def test_a_line_is_what_structlog_makes_of_it(
    reference: str, code: str | None, was_moved: bool
) -> None:
    status, (usual, second, *own) = written("INFO", reference, code, was_moved)

    assert status == 0
    assert len(own) == 2
    assert len({one.rpartition('"timestamp": ')[0] for one in (usual, second, *own)}) == 1
    assert [json.loads(one)["recorded"] for one in own] == [was_moved] * 2


@pytest.mark.parametrize(("level", "readable"), [("WARNING", False), ("INFO", True)])
def test_no_line_is_written_where_another_log_was_asked_for(level: str, readable: bool) -> None:
    assert written(level, "A" * 16, None, True, readable=readable)[0] == 3
