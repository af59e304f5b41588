"""What processes spend, read from the kernel, and what repetitions come to."""

import os
import statistics
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICK: Final = os.sysconf("SC_CLK_TCK")
BUSY: Final = "the machine was busy"
OTHERS: Final = 0.25  # cores: with more in other hands, a machine is busy
STOLEN: Final = 0.02  # of all time


def family(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    found = [pid]
    with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        for one in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in _read(one).split():
                found += family(int(child))
    return found


def cpu(*pids: int) -> float:
    """Return the CPU seconds that processes and their children, ended ones too, have spent."""
    spent = 0
    for pid in pids:
        for one in family(pid):
            # Empty: it ended meanwhile, and its parent counts it.
            fields = _read(Path(f"/proc/{one}/stat")).rpartition(")")[2].split()
            spent += sum(int(field) for field in fields[11:15])
    return spent / _TICK


def peak(pid: int) -> float:
    """Return the most memory that a process has held since `forget_peak`, in MiB."""
    return _memory(pid, "VmHWM:")


def resident(pid: int) -> float:
    """Return the memory that a process holds, in MiB."""
    return _memory(pid, "VmRSS:")


def forget_peak(pid: int) -> None:
    """Begin anew to look for the most memory that a process holds."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _memory(pid: int, name: str) -> float:
    for line in _read(Path(f"/proc/{pid}/status")).splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return 0.0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


class Machine:
    """Whether the machine was ours alone for some time."""

    def __init__(self) -> None:
        self._began = self._now()

    def faults(self) -> list[str]:
        """Return why what was measured since this was made is void, if it is."""
        seconds, busy, stolen, ours = (
            now - before for now, before in zip(self._now(), self._began, strict=True)
        )
        others, share = (busy - ours) / seconds, stolen / seconds / (os.cpu_count() or 1)
        found = []
        if others > OTHERS:
            found.append(f"{BUSY}: others had {others:.1f} cores")
        if share > STOLEN:
            found.append(f"{BUSY}: its owner took {share:.0%}")
        return found

    def _now(self) -> tuple[float, float, float, float]:
        fields = [int(one) for one in _read(Path("/proc/stat")).splitlines()[0].split()[1:9]]
        user, nice, system, _idle, _waiting, hard, soft, stolen = fields
        busy = (user + nice + system + hard + soft) / _TICK
        return time.monotonic(), busy, stolen / _TICK, cpu(os.getpid())


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of repetitions, and their spread as a share of it."""

    median: float
    spread: float

    def __str__(self) -> str:
        return f"{_shown(self.median)} ±{self.spread / 2:.0%}"


def figure(values: Iterable[float]) -> Figure:
    """Return what repetitions come to."""
    found = sorted(values)
    median = statistics.median(found)
    return Figure(median, (found[-1] - found[0]) / median if median else 0.0)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Figure:
    """Return the ratio of two subjects, repetition by repetition."""
    return figure(one / other if other else 0.0 for one, other in zip(ours, theirs, strict=True))


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
