"""What a run of the benchmarks says of itself."""

from bench.asked import Asked
from bench.compared import Bound, Comparison, Sample
from bench.measured import BUSY, figure, ratio
from bench.offered import wrong

RIGHT = {"all": {"202": 9}, "unanswered": 0, "broken": 0, "busy": 0.5}


def compared(asked: Asked, *bounds: Bound, faults: tuple[str, ...] = ()) -> Comparison:
    found = Comparison("a work", ("rate",), bounds)
    rates = {"ours": 50.0, "F": 100.0}
    found.run(
        asked,
        {name: lambda rate=rate: Sample({"rate": rate}, faults) for name, rate in rates.items()},
    )
    return found


def quiet(found: Comparison) -> Comparison:
    """Take out what the machine of this test had to say."""
    for samples in found.samples.values():
        kept = [tuple(one for one in each.faults if BUSY not in one) for each in samples]
        samples[:] = [
            Sample(each.figures, faults) for each, faults in zip(samples, kept, strict=True)
        ]
    return found


def test_a_figure_is_a_median_with_its_spread() -> None:
    found = figure([1.0, 5.0, 2.0])

    assert (found.median, found.spread) == (2.0, 2.0)
    assert str(figure([1234.0])) == "1,234 ±0%"


def test_a_ratio_is_taken_within_each_repetition() -> None:
    assert ratio([10.0, 90.0, 20.0], [20.0, 100.0, 40.0]).median == 0.5


def test_a_bound_is_met_or_missed_by_the_ratio(asked: Asked) -> None:
    met, missed = Bound("rate", "ours", "F", 0.5, 0.65), Bound("rate", "ours", "F", 0.6)

    assert quiet(compared(asked, met)).holds
    assert not quiet(compared(asked, met, missed)).holds
    assert "per s, ours / F" in str(compared(asked, missed))
    assert "MISSED" in str(compared(asked, missed))


def test_a_run_in_which_something_went_wrong_is_void(asked: Asked) -> None:
    found = compared(asked, faults=("8 rows committed, 9 answers given",))

    assert "VOID ours: 8 rows committed, 9 answers given (1 times)" in str(found)
    assert not found.works
    assert not found.holds


def test_a_busy_machine_makes_figures_void_and_nothing_wrong(asked: Asked) -> None:
    found = compared(asked, faults=(f"{BUSY}: others had 2.0 cores",))

    assert found.works
    assert not found.holds


def test_a_generator_tells_what_makes_a_run_void() -> None:
    assert wrong(RIGHT, 202) == []
    assert wrong({**RIGHT, "all": {"202": 9, "503": 1}}, 202) == ["answered 503"]
    assert wrong({**RIGHT, "all": {}}, 202) == ["nothing was answered"]
    assert wrong({**RIGHT, "unanswered": 1}, 202) == ["requests were left unanswered"]
    assert wrong({**RIGHT, "broken": 1}, 202) == ["connections broke"]
    assert wrong({**RIGHT, "busy": 0.95}, 202)[0].startswith(BUSY)
