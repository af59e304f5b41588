"""The line of a request is the one that structlog would write, whoever writes it."""

import json
import subprocess
import sys
from typing import Any

import pytest

# In a process of its own: what is configured holds for all of it.
WRITING = """
import json, sys
import structlog
from app import logs
from app.api.requests import told
from app.domain.request_id import REQUEST_ID

level, readable, line = json.loads(sys.argv[1])
logs.configure(level, readable=readable)
REQUEST_ID.set(line[0])
ways = [told(structlog.get_logger().bind()), logs.of_requests()]
for way in ways:
    if way is None:
        sys.exit(3)
    way(*line)
"""


def written(level: str, line: list[Any], *, readable: bool = False) -> tuple[int, list[str]]:
    """Have both ways write a line; return how the process ended, and what it wrote."""
    given = json.dumps([level, readable, line])
    done = subprocess.run(
        [sys.executable, "-c", WRITING, given], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stderr.splitlines()


@pytest.mark.parametrize(
    "line",
    [
        ["req_0", "POST", "/v1/sms", 202, "0123456789", 1.5],
        ["a.b_c-d", "GET", "/v1/messages/{message_id}", 404, None, 0.0],
        ["req_0", "OPTIONS", None, 405, None, 12345.6],
        ['"', "A\\\n\u2028", '/\u00e9"', 200, "\u0000", 1e-05],
    ],
)
def test_a_line_is_what_structlog_makes_of_it(line: list[Any]) -> None:
    status, (usual, own) = written("INFO", line)

    assert status == 0
    assert own.rpartition('"timestamp": ')[0] == usual.rpartition('"timestamp": ')[0]
    times = [json.loads(one)["timestamp"] for one in (usual, own)]
    assert times == sorted(times)
    assert all(len(one) == len("2026-11-22T10:00:00.000001Z") for one in times)


@pytest.mark.parametrize(("level", "readable"), [("WARNING", False), ("INFO", True)])
def test_no_line_is_written_where_another_log_was_asked_for(level: str, readable: bool) -> None:
    line = ["req_0", "POST", "/v1/sms", 202, None, 1.5]

    assert written(level, line, readable=readable)[0] == 3
