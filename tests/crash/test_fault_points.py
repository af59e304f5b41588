"""A process dies at each kill point of its way (reliability.md 2.3): what becomes of the message.

Everything dies first, each part once for each channel; then whatever is left goes on, unarmed.
"""

import http.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from tests.crash.fleet import Request
from tests.crash.play import PATHS, Play
from tests.crash.site import SLOWLY, Site
from tests.crash.tap import CommitTap, Place
from tests.journeys.loopback import free_port
from tests.postgres import Postgres

LONG_LEASE = 8.0  # seconds: a channel on which too much is uncertain pauses, and must not yet
# Where a worker dies, by its fault point; then on the wire, as its provider sees it.
AT_POINTS = ("K5", "K5-connected", "K8", "K8-commit", "K9")
ON_WIRE = {
    "K6, part of the request": Place.PART,
    "K7, before the provider has it": Place.WHOLE,
    "K7, after the provider has it": Place.PROCESSED,
}
# What comes of it: how often the provider has taken the message, and where it may then stand.
# A report that knows it settles an uncertain one while we look.
UNTAKEN = (0, {"uncertain"})
TAKEN = (1, {"uncertain", "submitted", "delivered"})
ARRIVES = (1, {"delivered"})
OUTCOMES = {
    "K5": UNTAKEN,
    "K5-connected": UNTAKEN,
    "K6, part of the request": UNTAKEN,
    "K7, before the provider has it": UNTAKEN,
    "K7, after the provider has it": TAKEN,
    "K8": TAKEN,
    "K8-commit": TAKEN,
    "K9": ARRIVES,
}
LEFT_OPEN = {name for name, outcome in OUTCOMES.items() if outcome in (UNTAKEN, TAKEN)}


Start = Callable[[str], Play]


@dataclass(slots=True)
class Played:
    """What was asked for at each point, on each channel."""

    play: Play
    asked: dict[tuple[str, str], Request] = field(default_factory=dict)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder: Path = tmp_path_factory.mktemp("fault-points")
    site = Site(folder, f"sqlite:///{folder / 'store.db'}", pace=SLOWLY, lease=LONG_LEASE)
    try:
        play = Play(site)
        play.open()
        yield _all(Played(play))
    finally:
        site.close()


def _all(played: Played) -> Played:
    """Let a worker die everywhere, and then another one do what is left."""
    play, asked = played.play, played.asked
    for path in PATHS:
        for point in AT_POINTS:
            asked[point, path] = play.kill_at(point, path)
        for name, place in ON_WIRE.items():
            asked[name, path] = play.kill_on_wire(place, path)
    play.site.start("worker")
    for (name, path), one in asked.items():
        if name in LEFT_OPEN and path != "faxes":
            play.until(one, "uncertain", "submitted", "delivered")
        else:
            play.until(one, "delivered")
    return played


CASES = [(name, path) for name in OUTCOMES for path in PATHS]


@pytest.mark.parametrize(("name", "path"), CASES, ids=str)
def test_a_worker_dies(played: Played, name: str, path: str) -> None:
    one = played.asked[name, path]
    times, statuses = OUTCOMES[name]
    if (times, path) == (0, "faxes"):
        # Its document was never fetched, and now cannot be: it may be sent again.
        times, statuses, again = 1, {"delivered"}, ["queued", "submitting"]
    else:
        again = []

    history = played.play.statuses(one)

    assert played.play.taken(one) == times
    assert history[-1] in statuses
    # Where it is left open nobody knows what became of it, until somebody says so.
    left_open = ["uncertain", *again] if name in LEFT_OPEN else []
    begun = ["queued", "submitting", *left_open]
    assert history[: len(begun)] == begun
    assert not {"uncertain", "submitting", "queued"} & set(history[len(begun) :])


def test_everything_that_must_hold_holds(played: Played) -> None:
    assert played.play.violated() == {}


@pytest.mark.parametrize("path", PATHS)
def test_a_worker_dies_before_it_has_committed_its_claim(play: Start, path: str) -> None:
    played = play("")

    one = played.kill_at("K4", path)
    standing = played.statuses(one)
    played.site.start("worker")
    played.until(one, "delivered")

    assert standing == ["queued"]
    assert played.statuses(one)[:3] == ["queued", "submitting", "submitted"]
    assert played.taken(one) == 1
    assert played.violated() == {}


@pytest.mark.parametrize("path", ["emails", "sms", "letters"])
def test_a_worker_dies_before_it_keeps_a_status(play: Start, path: str) -> None:
    played = play("")

    one = played.kill_at("K11", path)
    played.site.start("worker")
    played.until(one, "delivered")

    assert played.statuses(one)[:3] == ["queued", "submitting", "submitted"]
    assert played.taken(one) == 1
    assert played.violated() == {}


# --- the API ---


@pytest.mark.parametrize("path", PATHS)
def test_an_api_dies_before_it_has_committed(play: Start, path: str) -> None:
    played = play("")
    played.site.kill("api")
    played.site.start("api", armed="K1=kill@1")
    one = played.draft(path)

    first = played.hand_in(one)
    assert played.died("api")
    played.site.start("api", "worker")
    unknown = played.status(one)
    again = played.hand_in(one)

    assert (first, unknown) == (None, None)
    assert again is not None
    assert "idempotency-replayed" not in again.headers
    played.until(one, "delivered")
    assert played.taken(one) == 1
    assert played.violated() == {}


@pytest.mark.parametrize("path", PATHS)
def test_an_api_dies_before_it_has_answered(play: Start, path: str) -> None:
    played = play("")
    played.site.kill("api")
    played.site.start("api", armed="K2=kill@1")
    one = played.draft(path)

    first = played.hand_in(one)
    assert played.died("api")
    played.site.start("api", "worker")
    played.until(one, "delivered")
    again = played.hand_in(one)

    assert first is None
    assert again is not None
    assert (again.status, again.headers["idempotency-replayed"]) == (
        http.client.ACCEPTED,
        "true",
    )
    assert played.taken(one) == 1
    assert played.violated() == {}


def test_the_store_keeps_a_message_whose_commit_is_never_answered(
    tmp_path: Path, postgres: Postgres
) -> None:
    url = postgres.create(f"crash_{uuid4().hex}")
    commits = CommitTap(free_port(), postgres.port)
    commits.open()
    tapped = url.replace(f":{postgres.port}/", f":{commits.port}/")
    site = Site(tmp_path, url, second_url=tapped, pace=SLOWLY)
    try:
        played = Play(site)
        played.open()
        site.start("api-2")
        one = played.draft("sms")

        commits.arm()
        first = played.hand_in(one, to="api-2")
        again = played.hand_in(one, to="api-2")
        site.start("worker")
        played.until(one, "delivered")

        assert commits.cut == 1
        # It looked what became of the commit, or said that it does not know.
        assert first is not None
        assert first.status in {http.client.ACCEPTED, http.client.SERVICE_UNAVAILABLE}
        assert again is not None
        assert again.headers["idempotency-replayed"] == "true"
        assert played.taken(one) == 1
        assert played.violated() == {}
    finally:
        site.close()
        commits.close()


@pytest.mark.parametrize("point", ["K16", "K16-committed"])
def test_an_api_dies_while_a_person_resolves(play: Start, point: str) -> None:
    played = play("")
    one = played.kill_at("K5", "sms")
    played.site.start("worker")
    played.until(one, "uncertain")
    played.site.kill("worker")
    played.site.kill("api")
    played.site.start("api", armed=f"{point}=kill@1")

    first = played.resolve(one, "assume_sent")
    assert played.died("api")
    played.site.start("api")
    standing = played.statuses(one)[-1]
    again, third = (played.resolve(one, "assume_sent") for _ in range(2))

    assert first is None
    assert standing == ("uncertain" if point == "K16" else "submitted")
    assert again is not None
    assert third is not None
    assert (again.status, third.status) == (http.client.OK, http.client.OK)
    assert again.json == third.json
    assert played.statuses(one).count("submitted") == 1


# --- faxes, which fetch and acknowledge ---


@pytest.fixture
def faxing(play: Start) -> Callable[[str], tuple[Play, Request]]:
    """Have a fax whose API dies at a point, and is there again at once."""

    def made(point: str) -> tuple[Play, Request]:
        played = play("")
        played.site.kill("api")
        played.site.start("api", armed=f"{point}=kill@1")
        one = played.send("faxes")
        played.site.start("worker")
        assert played.died("api")
        played.site.start("api")
        return played, one

    return made


def test_an_api_dies_before_it_marks_a_document_as_fetched(
    faxing: Callable[[str], tuple[Play, Request]],
) -> None:
    played, one = faxing("K13")

    played.until(one, "delivered")

    assert played.taken(one) == 1
    assert "uncertain" not in played.statuses(one)
    assert played.violated() == {}


def test_an_api_dies_before_it_sends_a_document_that_is_marked(
    faxing: Callable[[str], tuple[Play, Request]],
) -> None:
    played, one = faxing("K14")

    # The provider itself says that it has not got it: that is no open question.
    played.until(one, "delivered")

    assert "uncertain" not in played.statuses(one)
    assert played.taken(one) == 1
    assert played.violated() == {}


def test_an_api_dies_before_it_keeps_an_acknowledgement(
    faxing: Callable[[str], tuple[Play, Request]],
) -> None:
    played, one = faxing("K12")

    # The provider tries again for a moment; where that is too short, it stays unknown.
    played.until(one, "submitted", "delivered")

    assert played.taken(one) == 1
    assert played.violated() == {}


def test_a_worker_dies_before_it_keeps_what_evidence_proves(play: Start) -> None:
    played = play("")
    one = played.kill_at("K5", "faxes")

    played.site.start("worker", armed="K15=kill@1")
    assert played.died("worker")
    standing = played.statuses(one)
    played.site.start("worker")
    played.until(one, "delivered")

    assert standing == ["queued", "submitting", "uncertain"]
    assert played.taken(one) == 1
    assert played.violated() == {}


# --- a worker that stands still ---


def test_a_worker_that_wakes_late_neither_sends_nor_writes(
    tmp_path: Path, database_url: str
) -> None:
    if database_url.startswith("sqlite"):
        # A process that stands still in a transaction would keep all others from writing.
        pytest.skip("an SQLite store has one writer, and it may be the one that stands still")
    # At our own pace, no evidence settles anything while we look.
    site = Site(tmp_path, database_url, pace="1")
    try:
        played = Play(site)
        played.open()
        stopped = {
            f"worker-{point}-{path}".replace("K5-connected", "connected"): (point, path)
            for point in ("K5", "K5-connected", "K8")
            for path in ("sms", "faxes")
        }
        held = {
            name: played.stand_still_at(point, path, name)
            for name, (point, path) in stopped.items()
        }
        site.start("worker")
        for one in held.values():
            # A fax that was taken is acknowledged meanwhile.
            played.until(one, "uncertain", "delivered")
        before = {name: played.taken(one) for name, one in held.items()}

        played.wake(*held)
        # What they know settles their messages at once: those that never left are sent now.
        for one in held.values():
            played.until(one, "submitted", "sent", "delivered")

        assert before == {name: 1 if point == "K8" else 0 for name, (point, _) in stopped.items()}
        for name, one in held.items():
            again = [] if stopped[name][0] == "K8" else ["queued", "submitting"]
            history = ["queued", "submitting", "uncertain", *again, "submitted"]
            told = played.statuses(one)
            while told[:3] == ["queued", "submitting", "queued"]:
                told = told[2:]  # a slow machine: the claim was too old when its call was to begin
            assert told[: len(history)] == history
            assert played.taken(one) == 1
        assert played.violated() == {}
    finally:
        site.close()
