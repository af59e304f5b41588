"""What is sent leaves nothing behind in the processes that send it."""

from pathlib import Path

from tests.journeys.conftest import prepared
from tests.journeys.system import PROVIDERS
from tests.memory.measure import PARTS, SETTINGS, grown, run

MESSAGES = 600
SIZE = 128 * 1024  # bytes of each attachment
# MiB from the second quarter to the last: files that were kept would be 37, in base 64 fifty.
MOST = 12.0


def test_hundreds_of_attachments_leave_the_memory_flat(tmp_path: Path) -> None:
    with prepared(tmp_path, f"sqlite:///{tmp_path / 'store.db'}", *PROVIDERS) as system:
        system.start(*PARTS, **SETTINGS)
        samples, _ = run(system, messages=MESSAGES, size=SIZE)
    found = [grown(samples, part) for part in PARTS]

    # The watch itself is well: it saw both processes, all the time.
    assert samples[-1].sent == MESSAGES
    assert len(samples) > 20
    assert all(one.settled > 50 for one in found), found
    assert [str(one) for one in found if one.last - one.settled > MOST] == []
