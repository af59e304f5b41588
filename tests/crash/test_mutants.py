"""Each gateway that is wrong on purpose is found out by a play that the right one passes."""

import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.crash.mutants import MUTANTS
from tests.crash.play import Play
from tests.crash.site import GRACE, LEASE
from tests.crash.tap import Place

PAUSE = LEASE + GRACE + 2.0  # seconds: until the claim is nobody's, and more
Start = Callable[[str], Play]


def a_call_without_an_answer(play: Play) -> None:
    play.site.start("worker")
    one = play.send("emails", "lost")
    play.site.wait_for(lambda: play.taken(one) > 0, "nobody called")
    play.until(one, "uncertain", "queued")
    time.sleep(2)  # for whoever would try again: its first pause is shorter


def a_death_after_the_answer(play: Play) -> None:
    one = play.kill_on_wire(Place.PROCESSED, "sms")
    play.pass_leases()
    play.site.start("worker")
    play.until(one, "uncertain", "submitted", "delivered")


def a_death_before_the_commit(play: Play) -> None:
    play.site.kill("api")
    play.site.start("api", armed="K1=kill@1")
    play.hand_in(play.draft("sms"))
    assert play.died("api")
    play.site.start("api", "worker")
    time.sleep(1)


def a_pause_after_the_answer(play: Play) -> None:
    play.site.start("worker", armed=f"K8=sleep:{PAUSE}@1")
    one = play.send("sms")
    play.until(one, "uncertain")
    time.sleep(PAUSE - LEASE - GRACE + 1)
    play.until(one, "submitted", "delivered")


def a_pause_before_the_call(play: Play) -> None:
    play.site.start("worker", armed=f"K5=sleep:{PAUSE}@1")
    one = play.send("sms")
    play.until(one, "uncertain")
    time.sleep(PAUSE - LEASE - GRACE + 1)
    play.until(one, "submitted", "delivered")


# The play that finds a mutant out, and what it is found out by.
FOUND = {
    "retry_on_timeout": (a_call_without_an_answer, {"twice"}),
    "mark_after_send": (a_death_after_the_answer, {"twice"}),
    "requeue_expired_lease": (a_death_after_the_answer, {"twice"}),
    "answer_before_commit": (a_death_before_the_commit, {"lost"}),
    "no_fence": (a_pause_after_the_answer, {"unfenced"}),
    "no_guard": (a_pause_before_the_call, {"sent_late"}),
}


def test_there_is_a_play_for_each_mutant() -> None:
    assert set(FOUND) == set(MUTANTS)


@pytest.mark.parametrize("name", FOUND)
def test_a_mutant_is_found_out(play: Start, name: str) -> None:
    act, violations = FOUND[name]
    mutant = play(name)

    act(mutant)

    assert violations <= set(mutant.violated()), mutant.judged().violations


@pytest.mark.parametrize("act", dict.fromkeys(act for act, _ in FOUND.values()))
def test_the_gateway_itself_passes(play: Start, act: Callable[[Play], None]) -> None:
    right = play("")

    act(right)

    assert right.violated() == Counter()
