"""`python -m tests.memory`: many sends with attachments, and what the processes keep of them."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.journeys.conftest import prepared
from tests.journeys.system import PROVIDERS
from tests.memory.measure import PARTS, SETTINGS, curve, grown, run

MOST = 24.0  # MiB that a process may grow by, from the second quarter to the last


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.memory", description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=65_536, help="bytes of each attachment")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/store.db"
        with prepared(Path(folder), url, *PROVIDERS) as system:
            system.start(*PARTS, **SETTINGS)
            samples, seconds = run(system, messages=given.messages, size=given.size)
    found = [grown(samples, part) for part in PARTS]
    told = f"{given.messages} e-mails with {given.size} bytes each in {seconds:.0f} seconds"
    curves = [f"{part}, MiB at each tenth: {curve(samples, part)}" for part in PARTS]
    sys.stdout.write("\n".join([told, *map(str, found), *curves, ""]))
    return int(any(one.last - one.settled > MOST for one in found))


if __name__ == "__main__":
    sys.exit(main())
