"""`python -m tests.crash`: harm everything, then check that nothing was lost or sent twice."""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.crash import checks, health, stores
from tests.crash.checks import Findings
from tests.crash.fleet import Fleet
from tests.crash.mutants import MUTANTS
from tests.crash.nemesis import Nemesis
from tests.crash.site import GRACE, HELD_UP, LEASE, PATIENCE, Site
from tests.crash.tap import CommitTap
from tests.journeys.loopback import call, free_port
from tests.journeys.system import PROVIDERS

PARTS = {
    "sqlite": ("api", "worker", "worker-2"),
    "postgresql": ("api", "api-2", "worker", "worker-2"),
}
PER_KILL = 6.0  # seconds, at most
DRAIN = 60.0  # seconds, at most
UNWELL = 2  # the exit status where nothing is wrong but that too little happened
LONGEST = LEASE + GRACE + HELD_UP  # from a claim to its provider's ledger


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--database", choices=sorted(PARTS), default="sqlite")
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--pause", type=float, default=0.15, help="between a client's requests")
    parser.add_argument(
        "--settle", type=float, default=0.0, help="seconds after which nothing may be uncertain"
    )
    parser.add_argument("--mutant", choices=sorted(MUTANTS), default="")
    parser.add_argument("--keep", action="store_true", help="keep logs, journals and ledgers")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="multicanal-crash-"))
    try:
        found = run(folder, asked)
    finally:
        if asked.keep:
            sys.stderr.write(f"kept: {folder}\n")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    for line in found.violations[:40]:
        sys.stdout.write(f"{line}\n")
    if all(line.startswith("unwell: ") for line in found.violations):
        return UNWELL if found.violations else 0
    return 1


@contextmanager
def sited(
    folder: Path, database: str, mutant: str
) -> Iterator[tuple[Site, stores.Postgres | None, CommitTap | None]]:
    """Return a site with its store; half of it reaches a PostgreSQL through a tap."""
    if database == "sqlite":
        site = Site(folder, f"sqlite:///{folder / 'store.db'}", mutant=mutant)
        try:
            yield site, None, None
        finally:
            site.close()
        return
    with stores.running() as server:
        url = server.create("crash")
        commits = CommitTap(free_port(), server.port)
        commits.open()
        tapped = url.replace(f":{server.port}/", f":{commits.port}/")
        site = Site(folder, url, mutant=mutant, second_url=tapped)
        try:
            yield site, server, commits
        finally:
            site.close()
            commits.close()


def run(folder: Path, asked: argparse.Namespace) -> Findings:
    began = time.monotonic()
    parts = PARTS[asked.database]
    with sited(folder, asked.database, asked.mutant) as (site, server, commits):
        site.open()
        site.start(*PROVIDERS)
        site.start(*parts)
        urls = [site.url(name) for name in parts if name.startswith("api")]
        fleet = Fleet(folder, urls, site.key, pause=asked.pause, seed=asked.seed)
        fleet.begin()
        nemesis = Nemesis(site, parts, seed=asked.seed, postgres=server, commits=commits)
        nemesis.harm(asked.kills, PATIENCE + PER_KILL * asked.kills)
        nemesis.rest()
        fleet.calm()
        settled(site, asked.settle)
        assert fleet.end(PATIENCE), f"a client got no answer\n{site.tails()}"
        quiet, ended = stopped(site, [name for name in parts if name.startswith("worker")])
        for name in PROVIDERS:  # a fax's acknowledgement may come at any time
            site.stop(name)
        listed = listing(site)
        ended |= {name: site.stop(name) for name in site.names() if name in parts}
        found = checks.judge(
            checks.gathered(folder, site.database_url, listed),
            longest=LONGEST,
            settled=bool(asked.settle),
        )
        if not quiet:
            found.violated("stuck", "the queue did not drain")
        for name, status in ended.items():
            if status:
                found.violated("unclean", f"{name} ended with {status}")
        found.figures["commits_cut"] = commits.cut if commits else 0
    found.figures["kills"] = nemesis.killed
    health.examine(found, nemesis, folder, asked.database)
    told = health.told(found, nemesis, asked.database, asked.seed, time.monotonic() - began)
    sys.stdout.write(f"{told}\n")
    return found


def stopped(site: Site, workers: list[str]) -> tuple[bool, dict[str, int]]:
    """Drain the queue and end the workers; say whether it drained, and how each worker ended.

    Nothing may move between what is shown and what is stored. A worker that is told to end may
    still find out that a message was not sent, which then waits: it is given to them again.
    """
    ended: dict[str, int] = {}
    while True:
        quiet = drained(site)
        for name in workers:
            ended[name] = site.stop(name) or ended.get(name, 0)
        if not quiet or not under_way(site):
            return quiet, ended
        site.start(*workers)


def drained(site: Site) -> bool:
    """Wait until nothing waits and nothing is under way; say whether it came to that."""
    deadline = time.monotonic() + DRAIN
    while under_way(site):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True


def under_way(site: Site) -> bool:
    """Say whether anything waits to be sent, or is being sent.

    What a channel holds back that too much is uncertain on waits for a person.
    """
    standing = listing(site, without_braked=True)
    return not {"queued", "scheduled", "submitting"}.isdisjoint(standing.values())


def settled(site: Site, seconds: float) -> None:
    """Wait until nothing is uncertain any more, for so long at most."""
    deadline = time.monotonic() + seconds
    while "uncertain" in listing(site).values() and time.monotonic() < deadline:
        time.sleep(0.5)


def listing(site: Site, *, without_braked: bool = False) -> dict[str, str]:
    """Return the status of every message that the API shows, by id."""
    shown: dict[str, str] = {}
    cursor = ""
    while True:
        url = f"{site.url('api')}/v1/messages?limit=200{cursor}"
        page = json.loads(call("GET", url, None, {"Authorization": f"Bearer {site.key}"}).content)
        shown |= {
            one["id"]: one["status"]
            for one in page["data"]
            if not (without_braked and one["blocked_reason"] == checks.BRAKE)
        }
        if not page.get("next_cursor"):
            return shown
        cursor = f"&cursor={page['next_cursor']}"


if __name__ == "__main__":
    sys.exit(main())
