"""Tasks of a benchmark: what is measured by item, how sure it is, and whether two submissions can be told apart."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from holotype.benchmark.intervals import draw
from holotype.benchmark.judged import Floats, Means, Metric, measure_all
from holotype.benchmark.result import evaluate
from holotype.benchmark.separable import BOOTSTRAP, MCNEMAR, compare, mcnemar, ranks
from holotype.benchmark.task import digest_of, item_task, task, task_names
from holotype.errors import PredictionError

ERROR = Metric("error", "lower", "the share of items that are wrong")
SCORE = Metric("score", "higher", "anything")


def means(values: list[float] | Floats, metric: Metric = ERROR) -> Means:
    column = np.array(values, np.float64).reshape(-1, 1)
    return Means([str(item) for item in range(len(column))], (metric,), column)


def coins(share: float, items: int, seed: int) -> Floats:
    return (np.random.default_rng(seed).random(items) < share).astype(np.float64)


def test_items_that_do_not_count_leave_the_denominator() -> None:
    nan = float("nan")
    judged = Means("abc", (ERROR, SCORE), np.array([[1, nan], [0, 4.0], [nan, 2]]))
    assert judged.measure(np.ones((1, 3))).tolist() == [[0.5, 3.0]]
    assert judged.measure(np.array([[0.0, 3, 1]])).tolist() == [[0.0, 3.5]]
    assert np.isnan(judged.measure(np.array([[1.0, 0, 0]]))).tolist() == [[False, True]]


def test_all_are_measured_as_each_alone() -> None:
    judges = [means(coins(share, 40, seed)) for seed, share in enumerate((0.2, 0.5))]
    weights = np.random.default_rng(0).integers(4, size=(7, 40)).astype(np.float64)
    alone = np.stack([judged.measure(weights) for judged in judges], axis=1)
    assert measure_all(judges, weights).tolist() == alone.tolist()


def test_an_interval_covers_and_narrows_with_the_root_of_the_items() -> None:
    wide, narrow = (draw([means(coins(0.3, items, 1))]).estimates()[0][0] for items in (400, 40_000))
    assert wide.low < 0.3 < wide.high
    assert narrow.low < 0.3 < narrow.high
    assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx(10, rel=0.2)
    assert narrow.high - narrow.low == pytest.approx(2 * 1.96 * np.sqrt(0.3 * 0.7 / 40_000), rel=0.1)
    surer = draw([means(coins(0.3, 400, 1))]).estimates(0.999)[0][0]
    assert surer.low < wide.low < wide.high < surer.high


def test_an_interval_of_what_is_no_mean_holds_its_number() -> None:
    class Distinct:
        """How many different items there are, of all: resamples always have fewer."""

        items = tuple(map(str, range(200)))
        metrics = (SCORE,)

        def measure(self, weights: Floats) -> Floats:
            return np.asarray((weights > 0).mean(axis=1, keepdims=True))

    drawn = draw([Distinct(), means(coins(0.3, 200, 1), SCORE)])
    (distinct,), (mean,) = drawn.estimates()
    assert distinct.low < distinct.value == 1 == distinct.high
    assert drawn.samples[:, 1].mean() != mean.value, "means are left as they were drawn"


def test_resamples_follow_from_the_seed_alone() -> None:
    one, other = (draw([means(coins(0.3, 90, 1))], 50, seed).samples for seed in (7, 8))
    assert (one == draw([means(coins(0.3, 90, 1))], 50, 7).samples).all()
    assert not (one == other).all()
    apart = draw([means(coins(0.3, 90, 1)), means(coins(0.5, 90, 2))], 50, 7).samples
    assert (apart[:, :1] == one).all(), "the draws do not depend on who else is measured"


def test_no_resamples_and_a_single_item() -> None:
    estimate = draw([means([1.0, 0])], 0).estimates()[0][0]
    assert (estimate.value, estimate.low, estimate.high) == (0.5, 0.5, 0.5)
    alone = draw([means([1.0])], 9).estimates()[0][0]
    assert (alone.low, alone.high) == (1, 1)


@pytest.mark.parametrize("pair", [(0, 0), (1, 0), (3, 9), (40, 60), (700, 640)])
def test_mcnemar_is_the_binomial_test(pair: tuple[int, int]) -> None:
    wanted = binomtest(pair[0], sum(pair)).pvalue if sum(pair) else 1.0
    assert mcnemar(*pair) == mcnemar(*pair[::-1]) == pytest.approx(wanted, abs=1e-12)


def test_a_submission_is_not_told_from_itself() -> None:
    for values in (coins(0.3, 300, 1), np.random.default_rng(2).random(300)):
        judges = [means(values), means(values)]
        found = compare(judges, draw(judges), 0, 1, 0)
        assert (found.difference.value, found.difference.low, found.difference.high) == (0, 0, 0)
        assert (found.p, found.needed) == (1, None)


def test_a_swap_mirrors_a_comparison() -> None:
    judges = [means(coins(0.3, 300, 1)), means(coins(0.4, 300, 2))]
    drawn = draw(judges)
    one, other = compare(judges, drawn, 0, 1, 0), compare(judges, drawn, 1, 0, 0)
    assert one.test == MCNEMAR
    assert (one.p, one.needed) == (other.p, other.needed)
    assert (one.difference.low, one.difference.high) == (-other.difference.high, -other.difference.low)


def test_items_on_which_both_are_right_change_no_test() -> None:
    first, second = coins(0.3, 300, 1), coins(0.4, 300, 2)
    few = [means(first), means(second)]
    many = [means(np.append(values, np.zeros(900))) for values in (first, second)]
    assert compare(few, draw(few), 0, 1, 0).p == compare(many, draw(many), 0, 1, 0).p


def test_what_is_no_right_or_wrong_is_compared_by_resamples() -> None:
    judges = [means(np.linspace(0, 1, 200), SCORE), means(np.linspace(0, 1, 200) + 0.01, SCORE)]
    found = compare(judges, draw(judges), 1, 0, 0)
    assert found.test == BOOTSTRAP
    assert found.p < 0.01
    assert ranks(judges, draw(judges), 0) == [2, 1]


def test_items_that_are_needed_do_tell_them_apart() -> None:
    shares, small = (0.30, 0.33), 2000
    judges = [means(coins(share, small, seed)) for seed, share in enumerate(shares)]
    found = compare(judges, draw(judges), 0, 1, 0)
    assert found.p > 0.05
    assert found.needed is not None
    told = 0
    for trial in range(20):
        larger = [means(coins(share, found.needed, 100 + 2 * trial + at)) for at, share in enumerate(shares)]
        told += compare(larger, draw(larger, 20), 0, 1, 0).p <= 0.05
    assert told >= 10


def test_ranks_are_shared_where_nothing_tells_submissions_apart() -> None:
    judges = [means(coins(share, 3000, seed)) for seed, share in enumerate((0.5, 0.2, 0.205, 0.5))]
    assert ranks(judges, draw(judges), 0) == [3, 1, 1, 3]
    higher = [means(1 - judged.values, SCORE) for judged in judges]
    assert ranks(higher, draw(higher), 0) == [3, 1, 1, 3]


def lines(path: Path) -> dict[str, Any]:
    return {row["id"]: row["answer"] for row in map(json.loads, path.read_text().splitlines())}


SAME = item_task(
    "same",
    "answers that are the same",
    (SCORE,),
    lines,
    lambda path, truth: lines(path),
    lambda truth, answer: [float(truth == answer)],
)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, Mapping[str, str]], Path]:
    def write(name: str, answers: Mapping[str, str]) -> Path:
        path = tmp_path / name
        path.write_text("".join(json.dumps({"id": key, "answer": value}) + "\n" for key, value in answers.items()))
        return path

    return write


def test_a_task_of_ones_own_gets_intervals_and_comparisons(written: Callable[..., Path]) -> None:
    right = {str(number): "yes" for number in range(40)}
    truth = SAME.read_truth(written("truth", right))
    first = SAME.read_submission(written("first", dict(reversed(right.items()))), truth)
    second = SAME.read_submission(written("second", dict(list(right.items())[:20])), truth)
    (best, half), judges, drawn = evaluate(SAME, truth, [first, second])
    assert [estimate.value for estimate in best.metrics.values()] == [1]
    assert half.metrics[SCORE].low < 0.5 < half.metrics[SCORE].high
    assert half.value()["metrics"]["score"]["value"] == 0.5
    assert best.truth == best.submission == digest_of(dict(right)) != half.submission
    assert compare(judges, drawn, 0, 1, 0).p < 0.001
    json.dumps(half.value(), allow_nan=False)


def test_what_there_was_nothing_to_measure_for_is_null() -> None:
    nothing = item_task("none", "", (SCORE,), lines, lambda path, truth: {}, lambda truth, answer: [float("nan")])
    (result,), _, _ = evaluate(nothing, {"a": 1}, [{}], 10)
    assert result.value()["metrics"]["score"] == {"better": "higher", "value": None, "low": None, "high": None}


class Entry:
    """An entry point of a package."""

    def __init__(self, name: str, found: Any) -> None:
        self.name, self.value, self.found = name, "toy:task", found

    def load(self) -> Any:
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def test_packages_bring_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        Entry("same", SAME),
        Entry("broken", ImportError("no toy")),
        Entry("odd", 3),
        Entry("two", 1),
        Entry("two", 2),
    ]
    monkeypatch.setattr("holotype.benchmark.task.entry_points", lambda group: found)
    assert task("same", {}) is SAME
    assert task("ours", {"ours": SAME, "same": SAME}) is SAME
    assert task_names(["ours"]) == ["ours", "broken", "odd", "same", "two"]
    for name, said in {
        "broken": "cannot be loaded: no toy",
        "odd": "toy:task is no task called 'odd'",
        "two": "several packages",
        "sane": "did you mean same",
        "zzz": "there are broken, odd",
    }.items():
        with pytest.raises(PredictionError, match=said):
            task(name, {})


def test_digests_tell_kinds_and_shapes_apart() -> None:
    number = np.arange(4)
    digests = [
        digest_of(number),
        digest_of(number.reshape(2, 2)),
        digest_of(number.astype(np.float64)),
        digest_of([0, 1, 2, 3]),
    ]
    assert len(set(digests)) == 4
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})


@pytest.mark.parametrize("resamples", [0, 50])
@pytest.mark.parametrize("values", [[], [1.0], [float("nan")] * 3])
def test_what_is_not_known_is_compared_and_tells_nothing(values: list[float], resamples: int) -> None:
    """No item, one, and none that counts: nobody is told apart, and nobody knows how many items would do it."""
    judges = [means(values), means([0.0] * len(values))]
    drawn = draw(judges, resamples)
    found = compare(judges, drawn, 0, 1, 0)
    assert (found.p, found.needed) == (1.0, None)
    assert ranks(judges, drawn, 0) == [1, 1]
