"""Who does harm: kills, stops and cuts, one after the other, until it was enough."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from itertools import cycle
from typing import Final

from tests.crash.site import GRACE, LEASE, PATIENCE, Site
from tests.crash.stores import Postgres
from tests.crash.tap import CommitTap, Place, Trap, owner_of

# Which parts die at which points; faxes fetch and acknowledge at the first API alone.
WORKER_POINTS: Final = ("K4", "K5", "K5-connected", "K8", "K8-commit", "K9", "K11", "K15")
API_POINTS: Final = ("K1", "K2", "K12", "K13", "K14")
SECOND_API_POINTS: Final = ("K1", "K2")
RARE: Final = frozenset({"K11", "K15", "K12", "K13", "K14"})  # no process comes there often
PAUSING_POINTS: Final = ("K5", "K8", "K5-connected")
PAUSE: Final = LEASE + GRACE + 2.0  # seconds: longer than the lease and until it counts as lost
WITHOUT_STORE: Final = "the store cannot be used"
FULL: Final = 50  # kills from which on everything must have happened
TICK: Final = 0.6  # seconds between two deeds
LATEST: Final = 4  # how often an armed point may be passed before it acts


class Nemesis:
    """Harms a site; counts what it did, in `kills` by how and in `deeds`."""

    def __init__(
        self,
        site: Site,
        parts: tuple[str, ...],
        *,
        seed: int,
        postgres: Postgres | None = None,
        commits: CommitTap | None = None,
    ) -> None:
        self._site = site
        self._parts = parts
        self._chance = random.Random(seed)
        self._postgres = postgres
        self._commits = commits
        self._points = {
            name: WORKER_POINTS
            if name.startswith("worker")
            else (API_POINTS if name == "api" else SECOND_API_POINTS)
            for name in parts
        }
        self._pausing = cycle(PAUSING_POINTS)
        self._ending: dict[str, float] = {}  # parts that were asked to end, and until when
        self._standing: dict[str, float] = {}  # parts that stand still, and until when
        self._shot: dict[str, str] = {}  # parts that were sent SIGKILL, and by what
        self.kills: Counter[str] = Counter()
        self.deeds: Counter[str] = Counter()

    @property
    def killed(self) -> int:
        """How many processes were killed."""
        return self.kills.total()

    def harm(self, kills: int, seconds: float) -> None:
        """Go on until so many processes were killed; give up after so long."""
        ends = time.monotonic() + seconds
        next_deed = 0.0
        deeds: list[tuple[Callable[[], None], int]] = [
            (self._kill, 30),
            (self._trap_kill, 20),
            (self._trap_cut, 12),
            (self._pause, 8),
            (self._terminate, 8),
        ]
        if self._postgres is not None:
            deeds += [(self._kill_postgres, 8), (self._restart_postgres, 4)]
        if self._commits is not None:
            deeds += [(self._cut_commit, 15)]
        while self.killed < kills or (kills >= FULL and not self._was_thorough()):
            assert time.monotonic() < ends, f"{self.killed} kills only\n{self._site.tails()}"
            self._tend()
            if time.monotonic() < next_deed:
                time.sleep(0.05)
                continue
            next_deed = time.monotonic() + TICK * (0.5 + self._chance.random())
            deed = self._chance.choices([one for one, _ in deeds], [many for _, many in deeds])[0]
            deed()

    def _was_thorough(self) -> bool:
        """Say whether somebody woke too late, and some commit was never answered."""
        cut = self._commits is None or self._commits.cut > 0
        return cut and self.deeds["stopped at a point"] > 1

    def rest(self) -> None:
        """Harm no more: what stands still goes on, and everything runs unarmed."""
        for tap in self._site.taps.values():
            tap.set(None)
        for name in self._parts:
            if name in self._site.names():
                self._shoot(name, "at the end")
                self._bury(name)
        self._site.start(*self._parts)

    def _tend(self) -> None:
        """Start what died, and let go on what stood still for long enough."""
        now = time.monotonic()
        for name in self._parts:
            if name not in self._site.names():
                self._start(name)
            elif not self._site.is_running(name):
                self._bury(name)
                self._start(name)
            elif now > self._ending.get(name, now):
                raise AssertionError(f"{name} does not end\n{self._site.tails()}")
            elif self._site.is_stopped(name):
                until = self._standing.setdefault(name, now + PAUSE)
                if now >= until:
                    del self._standing[name]
                    self.deeds["paused"] += 1
                    self.deeds["stopped at a point"] += "=stop" in self._site.armed(name)
                    self._site.signal(name, signal.SIGCONT)

    def _shoot(self, name: str, by: str) -> None:
        """Send SIGKILL; it may be too late, or another end may come first."""
        self._shot[name] = by
        self._site.signal(name, signal.SIGKILL)

    def _bury(self, name: str) -> None:
        """Note how a part ended: killed, as it was asked to, or for want of a store."""
        said, armed = self._site.said(name), self._site.armed(name)
        status = self._site.ended(name)
        asked = self._ending.pop(name, None) is not None
        self._standing.pop(name, None)
        by = self._shot.pop(name, armed.partition("=")[0])
        if status == 1 and WITHOUT_STORE in said:
            # Whoever starts while the store is away is started again.
            self.deeds["started without a store"] += 1
        elif asked and status in {0, -signal.SIGTERM}:
            # A signal that comes before the process can take it ends it, and nothing had begun.
            self.deeds["terminated"] += 1
        else:
            assert status == -signal.SIGKILL, f"{name} ended: {status}\n{self._site.tails()}"
            self.kills[by] += 1

    def _start(self, name: str) -> None:
        armed = ""
        others = [self._site.armed(one) for one in self._site.names() if one != name]
        may_stop = not self._standing and not any("=stop" in one for one in others)
        if name.startswith("worker") and may_stop and self._chance.random() < 0.2:
            armed = f"{next(self._pausing)}=stop@{self._chance.randint(1, LATEST)}"
        elif self._chance.random() < 0.9:
            # What happened least often so far comes next.
            point = min(self._points[name], key=lambda one: (self.kills[one], one not in RARE))
            turn = self._chance.randint(1, 2 if point in RARE else LATEST)
            armed = f"{point}=kill@{turn}"
        self._site.begin(name, armed=armed)
        if armed == "":
            # A trap that is set may kill it before we see it work.
            self._site.wait_for(
                lambda: not self._site.is_running(name) or self._site.is_ready(name),
                f"{name} is not ready",
            )

    def _running(self, kind: str = "") -> str | None:
        names = [
            name
            for name in self._parts
            if name.startswith(kind)
            and self._site.is_running(name)
            and name not in self._standing
            and name not in self._ending
            and not self._site.is_stopped(name)
        ]
        return self._chance.choice(names) if names else None

    def _kill(self) -> None:
        name = self._running()
        if name is not None:
            self._shoot(name, "at random")
            self._bury(name)
            self._start(name)

    def _trap_kill(self) -> None:
        """Kill whoever makes the next call, when it has come to a place."""

        def caught(port: int) -> None:
            name = owner_of(port, self._site.pids())
            if name is not None and name.startswith("worker"):
                self._shoot(name, "trap")
                self.deeds[f"killed at {place.name}"] += 1

        place = self._chance.choice(list(Place))
        self._site.taps[self._tapped()].set(Trap(place, caught))

    def _trap_cut(self) -> None:
        """Cut the next call at a place; whoever makes it lives."""

        def caught(_: int) -> None:
            self.deeds[f"cut at {place.name}"] += 1

        place = self._chance.choice(list(Place))
        self._site.taps[self._tapped()].set(Trap(place, caught))

    def _tapped(self) -> str:
        return self._chance.choice(["efidem", "efidem", "fax123"])

    def _pause(self) -> None:
        name = self._running("worker")
        if name is not None and not self._standing:
            self._site.signal(name, signal.SIGSTOP)
            self._standing[name] = time.monotonic() + PAUSE

    def _terminate(self) -> None:
        """Ask a part to end; it does, unless it comes to its armed point meanwhile."""
        name = self._running()
        if name is None or "=stop" in self._site.armed(name):
            return
        self._site.signal(name, signal.SIGTERM)
        self._ending[name] = time.monotonic() + PATIENCE

    def _kill_postgres(self) -> None:
        assert self._postgres is not None
        self._postgres.kill()
        self._postgres.start()
        self.kills["postgres"] += 1

    def _restart_postgres(self) -> None:
        assert self._postgres is not None
        self._postgres.stop(signal.SIGQUIT)
        self._postgres.start()
        self.deeds["postgres restarted"] += 1

    def _cut_commit(self) -> None:
        assert self._commits is not None
        self._commits.arm()
