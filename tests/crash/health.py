"""Whether the harness did what it is for, and what it tells at the end.

A run in which nothing was submitted finds nothing lost: every figure here must be above its least.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Final

from app.delivery.fault_points import Point
from tests.crash.checks import Findings
from tests.crash.nemesis import FULL, Nemesis

THOROUGH: Final = 100  # kills from which on somebody must have died at each point
# What must have happened sometimes, in a full run.
SOMETIMES: Final = {
    "journal_told": 100,
    "ledger_lines": 100,
    "journal_again": 1,
    "uncertain": 5,
    "settled": 1,
}
SHOWN: Final = (
    "kills", "messages", "journal_told", "ledger_lines", "lost", "twice", "uncertain", "settled",
    "fenced", "commits_cut",
)  # fmt: skip
WORDS: Final = {
    "journal_told": "answers 202",
    "fenced": "fenced writes",
    "commits_cut": "commits cut",
}

# A person resolves, and a client is told, in tests of their own; nothing at random does.
ELSEWHERE = {Point.RESOLVING, Point.RESOLVED, Point.NOTIFIED}
AT_RANDOM = [one for one in Point if one not in ELSEWHERE]


def examine(found: Findings, nemesis: Nemesis, folder: Path, database: str) -> None:
    """Note what did not happen and should have."""
    lines = [json.loads(line) for line in (folder / "points.jsonl").read_text().splitlines()]
    acted = Counter(line["point"] for line in lines if line["action"])
    reached = Counter(line["point"] for line in lines)
    found.figures["points_reached"] = len(reached)
    found.figures["points_acted"] = len(acted)
    if nemesis.killed < FULL:
        return
    wanted = SOMETIMES | ({"commits_cut": 1} if database == "postgresql" else {})
    for name, least in wanted.items():
        if found.figures[name] < least:
            found.violated("unwell", f"{name}: {found.figures[name]}, at least {least} expected")
    for point in AT_RANDOM:
        if not acted[point] and nemesis.killed >= THOROUGH:
            found.violated("unwell", f"nothing happened at {point}")
        if not reached[point]:
            found.violated("unwell", f"nobody came to {point}")


def told(found: Findings, nemesis: Nemesis, database: str, seed: int, seconds: float) -> str:
    """Return the figures as a person reads them."""
    shown = [f"{WORDS.get(name, name)} {found.figures[name]}" for name in SHOWN]
    hows = ", ".join(f"{how or 'armed'} {many}" for how, many in sorted(nemesis.kills.items()))
    deeds = ", ".join(f"{what} {many}" for what, many in sorted(nemesis.deeds.items()))
    statuses = ", ".join(
        f"{name.removeprefix('status_')} {many}"
        for name, many in sorted(found.figures.items())
        if name.startswith("status_")
    )
    points = (
        f"kill points {found.figures['points_reached']} of {len(AT_RANDOM)} reached,"
        f" {found.figures['points_acted']} acted at"
    )
    head = f"crash {database}: {', '.join([*shown, points])}, {seconds:.0f} s (seed {seed})"
    return "\n".join([head, f"  killed: {hows}", f"  also: {deeds}", f"  end: {statuses}"])
