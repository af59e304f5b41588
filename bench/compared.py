"""Subjects compared: interleaved repetitions, a table with their spread, bounds, and what is void."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.asked import Asked
from bench.measured import BUSY, Figure, Machine, figure, ratio

HEADS: Final = {
    "rate": "per s",
    "p50": "p50 ms",
    "p99": "p99 ms",
    "service": "service us",
    "database": "database us",
    "seconds": "seconds",
    "peak": "MiB above idle",
    "quiet": "others p99 ms",
    "beside": "p99 beside ms",
    "times": "p99 beside / alone",
    "late": "loop late ms",
    "computed": "of it computing",
    "held": "MiB held",
    "grown": "MiB grown",
    "highest": "MiB at most",
    "worker": "worker us",
    "done": "done per s",
    "wal": "WAL kB",
    "pages": "whole pages",
    "dead": "dead rows",
    "size": "disk kB",
    "heap": "bytes, rows",
    "indexes": "bytes, indexes",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """What one repetition of one subject came to."""

    figures: Mapping[str, float]
    faults: Sequence[str] = ()  # why it is void


@dataclass(frozen=True, slots=True)
class Bound:
    """What a figure, or a ratio of two subjects' figures, has to be."""

    of: str
    subject: str
    over: str | None  # another subject, or nobody: then the figure itself is bound
    must: float | None = None  # None: it is told, and not judged
    aim: float | None = None
    most: bool = False  # the bounds are the most that it may be, not the least
    inverse: bool = False  # of the other's figure to ours, as where less is better

    def told(self, found: Figure) -> str:
        """Return the line of a report."""
        name = f"{HEADS.get(self.of, self.of)}, {self.subject}"
        if self.over is not None:
            name = f"{HEADS.get(self.of, self.of)}, " + (
                f"{self.over} / {self.subject}" if self.inverse else f"{self.subject} / {self.over}"
            )
        if self.must is None:
            return f"  {name:44} {found!s:>14}"
        sign = "<=" if self.most else ">="
        aim = f", aim {sign} {self.aim:g}" if self.aim is not None else ""
        verdict = "MISSED" if not self.holds(found, self.must) else "met"
        if self.aim is not None and self.holds(found, self.aim):
            verdict = "met, and the aim"
        return f"  {name:44} {found!s:>14}   must {sign} {self.must:g}{aim}: {verdict}"

    def holds(self, found: Figure, bound: float | None) -> bool:
        """Say whether a figure is within a bound, if there is one."""
        if bound is None:
            return True
        return found.median <= bound if self.most else found.median >= bound


@dataclass(slots=True)
class Comparison:
    """Some subjects that did the same work in turn."""

    title: str
    columns: Sequence[str]
    bounds: Sequence[Bound] = ()
    samples: dict[str, list[Sample]] = field(default_factory=lambda: defaultdict(list))

    def run(self, asked: Asked, subjects: Mapping[str, Callable[[], Sample]]) -> None:
        """Have each subject do its work, in turn, as often as is asked."""
        for _ in range(asked.repetitions):
            for name, work in subjects.items():
                machine = Machine()
                sample = work()
                faults = (*sample.faults, *machine.faults())
                self.samples[name].append(Sample(sample.figures, faults))

    def values(self, subject: str, of: str) -> list[float]:
        """Return a figure of each of a subject's repetitions."""
        return [one.figures[of] for one in self.samples[subject]]

    @property
    def faults(self) -> Counter[str]:
        """Why this is void, and how often."""
        return Counter(
            f"{name}: {fault}"
            for name, samples in self.samples.items()
            for one in samples
            for fault in one.faults
        )

    def found(self, bound: Bound) -> Figure:
        """Return what a bound is about."""
        ours = self.values(bound.subject, bound.of)
        if bound.over is None:
            return figure(ours)
        theirs = self.values(bound.over, bound.of)
        return ratio(theirs, ours) if bound.inverse else ratio(ours, theirs)

    @property
    def works(self) -> bool:
        """Whether everything was done as it should, however fast, and whoever else had cores."""
        return not [fault for fault in self.faults if BUSY not in fault]

    @property
    def holds(self) -> bool:
        """Whether nothing is void and every bound is met."""
        return not self.faults and all(one.holds(self.found(one), one.must) for one in self.bounds)

    def __str__(self) -> str:
        times = max(map(len, self.samples.values()), default=0)
        lines = [f"{self.title}   (medians of {times}, ± half their spread)"]
        lines.append(_line("", [HEADS.get(one, one) for one in self.columns]))
        for name, samples in self.samples.items():
            shown = [
                str(figure(self.values(name, one))) if one in samples[0].figures else "-"
                for one in self.columns
            ]
            lines.append(_line(name, shown))
        lines += [one.told(self.found(one)) for one in self.bounds]
        lines += [f"  VOID {fault} ({n} times)" for fault, n in self.faults.items()]
        return "\n".join(lines)


def _line(name: str, cells: Sequence[str]) -> str:
    return f"  {name:26}" + "".join(f"{cell:>18}" for cell in cells)
