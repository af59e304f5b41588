"""The client under attack, in a process of its own: it reads addresses, and tells what came of each.

A line of JSON on standard input is one exchange; a line on standard output is its outcome and by
how many KiB the process grew at most. Everything that anything logs goes to standard error.
"""

import asyncio
import ctypes
import gc
import json
import logging
import sys
from pathlib import Path
from typing import Any

from app.providers.efidem import answer, judge
from app.providers.efidem.functions import FUNCTIONS
from app.providers.wire import LARGEST_ANSWER, LARGEST_REPORT, Answered, Wire
from tests.providers.efidem.hostile.cases import SECRET, shown

KEPT = 1.0  # seconds, as Efidem's connections are
BY_NAME = {one.name: one for one in FUNCTIONS}
HEADERS = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
REQUEST = f"<e><MOT_DE_PASSE>{SECRET}</MOT_DE_PASSE></e>".encode()
PROCESS = Path("/proc/self")
libc = ctypes.CDLL(None)


def highest() -> int:
    """Return the most memory that this process had since `forget`, in KiB; 0 where none tells."""
    if not PROCESS.exists():
        return 0
    lines = (PROCESS / "status").read_text().splitlines()
    return next(int(one.split()[1]) for one in lines if one.startswith("VmHWM:"))


def forget() -> None:
    """Give free memory back, and let the kernel begin to measure anew (proc(5), clear_refs)."""
    gc.collect()
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
    if PROCESS.exists():
        (PROCESS / "clear_refs").write_text("5")


async def judged(asked: dict[str, Any]) -> str:
    """Make one exchange and judge it."""
    report = asked["ask"] == "report"
    way = Wire(timeout=asked["patience"], concurrency=1, kept=KEPT)
    largest = LARGEST_REPORT if report else LARGEST_ANSWER
    exchange = await way.post(asked["url"], REQUEST, HEADERS, largest=largest)
    await way.close()
    function = BY_NAME[asked["function"]]
    match asked["ask"]:
        case "sending":
            return shown(judge.outcome(function, exchange))
        case "status":
            return shown(judge.finding(function, {}, exchange))
    said = answer.read(exchange.body) if isinstance(exchange, Answered) else exchange
    held = answer.document_of(said) if isinstance(exchange, Answered) else None
    return f"{len(held.content)} bytes" if isinstance(held, answer.Document) else repr(said)


async def serve() -> None:
    """Answer every line of standard input."""
    lowest: int | None = None
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        forget()
        if asked["first"] or lowest is None:
            lowest = highest()
        outcome = await judged(asked)
        sys.stdout.write(json.dumps({"outcome": outcome, "peak": highest() - lowest}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr)
    asyncio.run(serve(), debug=False)
