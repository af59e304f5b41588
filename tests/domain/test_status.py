"""The table of moves, as a drawn grid: rows are where a message stands, columns where it may go."""

import pytest

from app.domain.status import ARRIVED, BY_REPORT, FINAL, NEXT, TRACKED, WAITING, Status, allowed

GRID = """
                     sch que hel sbg unc sub sen del par fai ret can exp
scheduled             .   x   x   x   .   .   .   .   .   x   .   x   x
queued                .   .   x   x   .   .   .   x   x   x   .   x   x
held                  .   x   .   .   .   .   .   .   .   x   .   x   x
submitting            .   x   x   .   x   x   .   .   .   x   .   .   .
uncertain             .   x   x   .   .   x   .   .   .   x   .   .   x
submitted             .   x   .   .   .   .   x   x   x   x   x   .   x
sent                  .   .   .   .   .   .   .   x   x   x   x   .   x
delivered             .   .   .   .   .   .   .   .   .   .   x   .   .
partially_delivered   .   .   .   .   .   .   .   x   .   .   .   .   .
failed                .   .   .   .   .   .   .   x   x   .   .   .   .
returned              .   .   .   .   .   .   .   .   .   .   .   .   .
cancelled             .   .   .   .   .   .   .   .   .   .   .   .   .
expired               .   .   .   .   .   .   .   x   x   .   .   .   .
"""
COLUMNS = [
    "scheduled",
    "queued",
    "held",
    "submitting",
    "uncertain",
    "submitted",
    "sent",
    "delivered",
    "partially_delivered",
    "failed",
    "returned",
    "cancelled",
    "expired",
]


def drawn() -> list[tuple[Status, Status, bool]]:
    moves = []
    for line in GRID.strip().splitlines()[1:]:
        name, *marks = line.split()
        moves += [
            (Status(name), Status(column), mark == "x")
            for column, mark in zip(COLUMNS, marks, strict=True)
        ]
    return moves


@pytest.mark.parametrize(("previous", "following", "may"), drawn())
def test_a_move_is_allowed_exactly_where_the_grid_says(
    previous: Status, following: Status, may: bool
) -> None:
    assert allowed(previous, following) is may


def test_the_grid_and_the_table_know_every_status() -> None:
    assert set(NEXT) == set(Status)
    assert set(COLUMNS) == {status.value for status in Status}


def test_a_message_that_may_have_been_sent_is_never_queued_but_by_evidence() -> None:
    back = {previous for previous in Status if allowed(previous, Status.QUEUED)}
    assert back == {
        Status.SCHEDULED,
        Status.HELD,
        Status.SUBMITTING,
        Status.UNCERTAIN,
        Status.SUBMITTED,
    }
    assert (Status.SUBMITTED, Status.QUEUED) in BY_REPORT


def test_what_only_a_report_allows_stands_in_the_table_of_moves() -> None:
    assert all(allowed(*move) for move in BY_REPORT)
    # Whoever waits for a worker never arrives by itself, and whoever was accepted never goes back.
    assert {
        (previous, following)
        for previous in WAITING | TRACKED
        for following in NEXT[previous]
        if (previous in WAITING and following in ARRIVED)
        or (previous in TRACKED and following in WAITING)
    } == BY_REPORT


def test_waiting_tracked_and_final_do_not_overlap() -> None:
    assert not WAITING & (TRACKED | FINAL)
    assert not TRACKED & FINAL
