"""The counters of what waits, from outside."""

from tests.journeys.system import System


def test_counters_can_be_mended_by_hand(alone: System) -> None:
    ended = alone.run("counters", "recount")

    assert (ended.returncode, ended.stdout) == (0, "right\n")
