"""`python -m bench ROW`: measure a row of docs/performance.md's table, or all of them."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.accept import accept, accept_4, accept_sqlite, open_loop
from bench.asked import Asked
from bench.attachment import attachment
from bench.batch import batch
from bench.callback import callback
from bench.compared import Comparison
from bench.cost import cost
from bench.dispatch import dispatch, dispatch_50ms
from bench.growth import growth, growth_sqlite
from bench.memory import memory
from bench.read import read

ROWS: Final[Mapping[str, Callable[[Asked], Iterator[Comparison]]]] = {
    "accept": accept,
    "accept-sqlite": accept_sqlite,
    "accept-4": accept_4,
    "open-loop": open_loop,
    "dispatch": dispatch,
    "dispatch-50ms": dispatch_50ms,
    "read": read,
    "callback": callback,
    "batch": batch,
    "growth": growth,
    "growth-sqlite": growth_sqlite,
    "attachment": attachment,
    "memory": memory,
    "cost": cost,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Be the command; 0 where every bound is met and nothing is void."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="+", choices=[*ROWS, "all"])
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--repetitions", type=int, default=5, help="of each, interleaved")
    parser.add_argument("--size", type=float, default=1.0, help="times the usual numbers")
    given = parser.parse_args(arguments)
    # So that whoever ends this finds nothing left: processes, databases and files go with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    missed = []
    for row in ROWS if "all" in given.rows else given.rows:
        with tempfile.TemporaryDirectory(prefix="multicanal-bench-") as folder:
            asked = Asked(
                folder=Path(folder),
                seconds=given.seconds,
                warm=min(1.0, given.seconds / 2),
                repetitions=given.repetitions,
                size=given.size,
            )
            for found in ROWS[row](asked):
                sys.stdout.write(f"{found}\n\n")
                sys.stdout.flush()
                missed += [] if found.holds else [found.title]
    sys.stdout.write("".join(f"missed or void: {one}\n" for one in missed))
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
