"""What processes spend is read while some of them end."""

import os
import signal
import subprocess
import time

from bench.measured import cpu, family

LOOPS = 3
LOOKED = 3.0  # seconds


def test_a_process_may_end_while_its_family_is_looked_at() -> None:
    ending = ["sh", "-c", "while :; do sh -c 'sh -c true; true'; done"]
    loops = [subprocess.Popen(ending) for _ in range(LOOPS)]
    try:
        ends, most = time.monotonic() + LOOKED, 0
        while time.monotonic() < ends:
            most = max(most, len(family(os.getpid())))
            assert cpu(os.getpid()) > 0
    finally:
        for one in loops:
            one.send_signal(signal.SIGKILL)
            one.wait()
    assert most > 1 + LOOPS
