"""Named places at which a test ends, stops or delays this process; in production there are none.

A message must survive a process that dies anywhere on its way. The places are the kill points of
the way, in its order; what happens at each is armed by `MULTICANAL_FAULT_POINTS`, which production
refuses. Nothing is armed by default, and then reaching a place does nothing.
"""

import asyncio
import json
import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

_ENTRY: Final = re.compile(
    r"(?P<point>K[0-9]+(-[a-z]+)?)=(?P<action>[a-z]+)(:(?P<seconds>[0-9.]{1,8}))?"
    r"(@(?P<time>[0-9]{1,6}))?(~(?P<chance>0?\.[0-9]{1,4}|1))?",
    re.ASCII,
)
_JOURNAL: Final = "journal="


class Point(StrEnum):
    """Where a process may die, by the number of its kill point.

    Where one statement writes and commits, "written, and not committed" is just before it.
    """

    ACCEPTING = "K1"  # all is written, and not committed
    ACCEPTED = "K2"  # committed, and not answered
    CLAIMING = "K4"  # the attempt is written, and not committed
    CLAIMED = "K5"  # the attempt is committed, the provider is not called
    CONNECTED = "K5-connected"  # the connection stands, and no byte has left
    ANSWERED = "K8"  # the provider has answered, nothing is written down
    RECORDING = "K8-commit"  # the outcome is written, and not committed
    RECORDED = "K9"  # the outcome is committed
    NOTIFIED = "K10"  # a client's webhook is answered, nothing is written down
    ASKED = "K11"  # the provider has told a status, nothing is written down
    ACKNOWLEDGING = "K12"  # a callback is written, and not committed
    FETCHING = "K13"  # a document is asked for, its grant is not marked
    RECONCILING = "K15"  # what evidence proves is written, and not committed
    RESOLVING = "K16"  # what a person decided is written, and not committed
    RESOLVED = "K16-committed"  # it is committed, and not answered
    FETCHED = "K14"  # the grant is marked, and no byte of the document has left


class Action(StrEnum):
    """What happens at a place."""

    KILL = "kill"  # this process ends as by kill -9
    STOP = "stop"  # it stands still until somebody lets it go on
    SLEEP = "sleep"  # what came here waits; the rest of the process goes on
    RAISE = "raise"  # a fault of ours


class FaultInjected(Exception):
    """The fault that a test asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Armed:
    """What happens at one place, and when."""

    action: Action
    seconds: float = 0.0  # of a sleep
    time: int = 0  # only when it is reached for the so-manieth time; 0: always
    chance: float = 1.0


class FaultPoints:
    """What happens at the places of this process: nothing, unless something is armed."""

    def __init__(
        self,
        armed: Mapping[Point, Armed] | None = None,
        *,
        journal: Path | None = None,
        random: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._armed = armed or {}
        self._journal = journal
        self._random = random
        self._reached: Counter[Point] = Counter()

    async def reached(self, point: Point) -> None:
        """Do what is armed for a place; raises FaultInjected where that is asked for."""
        if not self._armed and self._journal is None:
            return
        self._reached[point] += 1
        armed = self._armed.get(point)
        acts = (
            armed is not None
            and armed.time in {0, self._reached[point]}
            and self._random() < armed.chance
        )
        action = armed.action if armed is not None and acts else None
        if action or self._reached[point] == 1:
            self._note(point, action)
        match action:
            case Action.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            case Action.STOP:
                os.kill(os.getpid(), signal.SIGSTOP)
            case Action.SLEEP:
                await asyncio.sleep(armed.seconds if armed else 0)
            case Action.RAISE:
                raise FaultInjected(point)
            case None:
                return

    def _note(self, point: Point, action: Action | None) -> None:
        """Tell whoever tests, before it happens: afterwards there may be nobody to tell."""
        if self._journal is None:
            return
        line = json.dumps({"point": point, "action": action, "pid": os.getpid()})
        with self._journal.open("a", encoding="ascii") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())


def read(text: str, random: Callable[[], float]) -> FaultPoints:
    """Return what a text arms; raises ValueError where it says something else.

    Entries are separated by commas: `K8=kill@3` (the third time), `K9=sleep:0.5~0.2` (half a
    second, one time in five), `journal=FILE` (each place that is reached, and what was done).
    """
    armed: dict[Point, Armed] = {}
    journal = None
    for entry in filter(None, text.split(",")):
        if entry.startswith(_JOURNAL):
            journal = Path(entry.removeprefix(_JOURNAL))
            continue
        found = _ENTRY.fullmatch(entry)
        if found is None:
            message = "an entry is POINT=ACTION[:seconds][@time][~chance], or journal=FILE"
            raise ValueError(message)
        armed[Point(found["point"])] = Armed(
            action=Action(found["action"]),
            seconds=float(found["seconds"] or 0),
            time=int(found["time"] or 0),
            chance=float(found["chance"] or 1),
        )
    return FaultPoints(armed, journal=journal, random=random)
