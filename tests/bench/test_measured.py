"""What processes spend is read while some of them end."""

import os
import signal
import subprocess
import time

from bench.measured import cpu, family

LOOKED = 2.0  # seconds


def test_a_process_may_end_while_its_family_is_looked_at() -> None:
    before = len(family(os.getpid()))
    loop = subprocess.Popen(["sh", "-c", "while :; do sh -c 'sh -c true; true'; done"])
    try:
        ends, most = time.monotonic() + LOOKED, 0
        while time.monotonic() < ends:
            most = max(most, len(family(os.getpid())))
            assert cpu(os.getpid()) > 0
    finally:
        loop.send_signal(signal.SIGKILL)
        loop.wait()
    assert most > before + 1
