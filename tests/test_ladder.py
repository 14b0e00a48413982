"""What a benchmark's board tells: of whom, how much of the public items, and nothing of the private ones."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import numpy as np
import pytest

from holotype.benchmark.alike import ALIKE, likeness, sketch
from holotype.benchmark.board import Entry, placed
from holotype.benchmark.judged import Floats, Means, Metric, Together, by_item
from holotype.benchmark.kept import Kept, keep, standard_error
from holotype.benchmark.ladder import Rung, Try, climb
from holotype.benchmark.parts import Part, part_of, public_items
from holotype.benchmark.quota import Quota, State, day_of, told_at
from holotype.benchmark.values import Detections, Guesses

ERROR = Metric("error", "lower", "the share of items that are wrong")
SCORE = Metric("score", "higher", "anything")
KEY = b"a key of the tests"


def means(values: Floats | list[float], metric: Metric = ERROR) -> Means:
    column = np.asarray(values, np.float64).reshape(-1, 1)
    return Means([str(item) for item in range(len(column))], (metric,), column)


def kept(values: Floats | list[float], metric: Metric = ERROR, resamples: int = 200) -> Kept:
    return keep(means(values, metric), 0, resamples=resamples)[0]


def tries(*some: Kept, digests: str = "") -> list[Try]:
    names = digests or [str(number) for number in range(len(some))]
    return [Try(number, digest, one) for number, (digest, one) in enumerate(zip(names, some, strict=True), 1)]


def values(rungs: list[Rung]) -> list[float | None]:
    return [None if rung.estimate is None else rung.estimate.value for rung in rungs]


class Halved:
    """A submission whose metric is no mean over items: the square of one."""

    def __init__(self, wrong: Floats) -> None:
        self.items, self.metrics, self._inside = [str(n) for n in range(len(wrong))], (ERROR,), means(wrong)

    def measure(self, weights: Floats) -> Floats:
        return np.asarray(self._inside.measure(weights) ** 2)


def coins(share: float, items: int, seed: int) -> Floats:
    return (np.random.default_rng(seed).random(items) < share).astype(np.float64)


# The Ladder


def test_only_a_step_beyond_the_standard_error_is_told() -> None:
    start = coins(0.5, 1000, 1)
    better, little = start.copy(), start.copy()
    better[np.flatnonzero(start)[:10]] = 0  # 10 of 1,000 items better and none worse: .01, standard error .00315
    little[np.flatnonzero(start)[:1]] = 0  # .001, and its standard error is .001
    found = list(climb(tries(kept(start), kept(little), kept(better), kept(start))))
    first = start.mean()
    assert values(found) == pytest.approx([first, first, first - 0.01, first - 0.01])
    assert [rung.new for rung in found] == [True, False, True, False]
    assert [rung.best for rung in found] == [1, 1, 3, 3]


def test_the_standard_error_is_of_the_paired_difference_by_item() -> None:
    one, other = coins(0.4, 500, 1), coins(0.5, 500, 2)
    assert standard_error(kept(one), kept(other)) == pytest.approx((one - other).std(ddof=1) / np.sqrt(500))
    assert standard_error(kept(one), kept(one)) == 0
    nan = one.copy()
    nan[:100] = np.nan
    assert standard_error(kept(nan), kept(other)) == pytest.approx((one - other)[100:].std(ddof=1) / np.sqrt(400))


def test_what_is_no_mean_is_compared_by_paired_resamples() -> None:
    one, other = coins(0.3, 2000, 1), coins(0.5, 2000, 2)
    squares = [keep(Halved(values), 0, resamples=1000)[0] for values in (one, other)]
    assert squares[0].values is None
    wanted = np.sqrt(((2 * one.mean() * one - 2 * other.mean() * other).var()) / 2000)  # the delta method
    assert standard_error(*squares) == pytest.approx(wanted, rel=0.1)
    assert [rung.new for rung in climb(tries(squares[1], squares[0], squares[1]))] == [True, True, False]


def test_higher_is_better_where_the_metric_says_so() -> None:
    low, high = coins(0.3, 1000, 1), coins(0.6, 1000, 2)
    assert [rung.new for rung in climb(tries(kept(low, SCORE), kept(high, SCORE)))] == [True, True]
    assert [rung.new for rung in climb(tries(kept(high, SCORE), kept(low, SCORE)))] == [True, False]


def test_the_same_file_again_is_told_the_same_number_and_spends_nothing() -> None:
    """Case 49: a resubmission is told what it was told first, even where others came between."""
    worse, better, best = (kept(coins(share, 1000, 1)) for share in (0.5, 0.4, 0.3))
    found = list(climb(tries(worse, better, worse, best, better, digests="abacb")))
    assert values(found)[2] == values(found)[0]
    assert values(found)[4] == values(found)[1]
    assert not found[2].new
    assert not found[4].new
    without = list(climb(tries(worse, better, best, digests="abc")))
    assert values(found)[3] == values(without)[2]


def test_a_number_that_there_is_not_is_never_told() -> None:
    nothing = kept([float("nan")] * 10)
    found = list(climb(tries(nothing, kept([1.0, 0] * 5), nothing)))
    assert values(found) == [None, 0.5, 0.5]
    assert [rung.new for rung in found] == [False, True, False]


def test_what_is_told_has_no_more_digits_than_the_items_have() -> None:
    distances = np.random.default_rng(1).random(50) * 19
    told = next(climb(tries(kept(distances)))).estimate
    assert told is not None
    assert all((one * 50) == pytest.approx(round(one * 50), abs=1e-9) for one in (told.value, told.low, told.high))
    assert told.value == pytest.approx(distances.mean(), abs=0.01)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_boosting_attack_finds_the_board_near_chance_and_the_raw_board_not(seed: int) -> None:
    """Case 49: 400 random submissions on 4,000 items, then the vote of those that the board says are better than chance
    (Blum and Hardt 2015, section 4). A board of plain numbers falls to it; the Ladder's stays within .03 of chance."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(2, size=4000)
    guesses = generator.integers(2, size=(400, 4000))

    def wrong(answers: Floats) -> Kept:
        return kept((answers != truth).astype(np.float64), resamples=2)

    random = [wrong(one) for one in guesses]
    raw = np.array([one.estimate.value for one in random])
    told = np.array([rung.estimate.value for rung in climb(tries(*random)) if rung.estimate])

    def boosted(numbers: Floats) -> Kept:
        votes = np.where((numbers < 0.5)[:, None], guesses, 1 - guesses)
        return wrong((votes.mean(axis=0) > 0.5).astype(np.int64))

    plain = boosted(raw).estimate.value
    final = list(climb(tries(*random, boosted(told))))
    assert plain < 0.45, "the raw board is fooled"
    assert final[-1].estimate is not None
    assert abs(final[-1].estimate.value - 0.5) < 0.03
    assert sum(rung.new for rung in final) < 10


# The parts


def test_the_public_items_follow_from_their_ids_and_a_key_alone() -> None:
    items = [f"image-{number}" for number in range(5000)]
    chosen = public_items(items, 0.3, KEY)
    assert chosen.mean() == pytest.approx(0.3, abs=0.02)
    assert (public_items(items[::2], 0.3, KEY) == chosen[::2]).all(), "no item changes its part when others leave"
    assert (public_items(items, 0.5, KEY) >= chosen).all()
    other = public_items(items, 0.3, b"another key")
    assert (other & chosen).mean() == pytest.approx(0.09, abs=0.02), "another key tells nothing of it"


def test_a_part_is_measured_as_if_there_were_no_other_items() -> None:
    wrong, chosen = coins(0.3, 100, 1), np.arange(100) < 40
    weights = np.random.default_rng(2).integers(4, size=(5, 40)).astype(np.float64)
    both = part_of(Together([means(wrong), Halved(wrong)]), chosen)
    assert by_item(both, 0) is not None
    assert both.measure(weights).shape == (5, 2)
    mean, square = part_of(means(wrong), chosen), part_of(Halved(wrong), chosen)
    assert isinstance(mean, Means)
    assert isinstance(square, Part)
    assert mean.items == square.items == [str(number) for number in range(40)]
    assert mean.measure(weights).tolist() == means(wrong[:40]).measure(weights).tolist()
    assert square.measure(weights)[:, 0] == pytest.approx(mean.measure(weights)[:, 0] ** 2)


# The quota


@pytest.mark.parametrize(
    ("states", "left"),
    [
        ("", 2),
        ("scored", 1),
        ("waiting running", 0),
        ("scored scored", 0),
        ("refused", 2),
        ("refused scored", 1),
        ("refused refused", 0),
        ("failed failed", 2),
        ("failed failed failed", 2),
        ("failed failed failed failed", 0),
        ("failed failed failed refused", 0),
        ("failed scored running", 0),
    ],
)
def test_what_counts_against_the_quota(states: str, left: int) -> None:
    """Case 51: what is valid or in flight counts, what cannot be read apart, and not what the evaluator failed at."""
    held = cast(list[State], states.split())
    assert Quota(2).left(held) == left


def test_days_are_of_utc() -> None:
    midnight = 1_700_006_400.0  # 2023-11-15 00:00 UTC
    assert day_of(midnight) == day_of(midnight - 0.001) + 1 == day_of(midnight + 86_399)


def test_a_team_is_told_at_times_that_do_not_follow_from_how_long_it_took() -> None:
    assert len({told_at(1000.5, 1000.5 + took) for took in (0, 0.001, 1, 59.9, 60)}) == 1
    times = sorted({told_at(0, took) for took in range(3600)})
    assert times[0] == 60
    assert all(later == 2 * sooner for sooner, later in pairwise(times))


# The board


def entries(*numbers: float | None, items: int = 2000) -> list[Entry]:
    """Entries with so many wrong of all items, each other ones wrong, that came one after the other."""
    found = []
    for at, number in enumerate(numbers):
        wrong = np.full(items, np.nan)
        if number is not None:
            wrong = (np.random.default_rng(at).permutation(items) < number * items).astype(np.float64)
        found.append(Entry(f"team {at}", at, float(at), kept(wrong)))
    return found


def test_who_cannot_be_told_from_the_best_shares_its_rank() -> None:
    found = placed(entries(0.5, 0.2, 0.205, 0.3))
    assert [(one.rank, one.team) for one in found] == [(1, "team 1"), (1, "team 2"), (3, "team 3"), (4, "team 0")]


def test_what_has_no_number_is_never_ranked_and_not_left_out() -> None:
    """Case 52."""
    found = placed(entries(None, 0.4, None, 0.2))
    assert [(one.rank, one.team) for one in found] == [(1, "team 3"), (2, "team 1"), (None, "team 0"), (None, "team 2")]
    assert found[-1].estimate is None
    assert placed([]) == []
    assert [one.rank for one in placed(entries(None))] == [None]


@pytest.mark.parametrize("metric", [ERROR, SCORE])
def test_of_equal_ones_who_came_first_is_first_and_they_share_the_rank(metric: Metric) -> None:
    wrong, other = coins(0.4, 500, 1), coins(0.9, 500, 2)
    some = [Entry(f"at {at}", at, at, kept(one, metric)) for at, one in ((3, wrong), (1, wrong), (2, other))]
    found = [(one.rank, one.team) for one in placed(some)]
    equal = [(rank, name) for rank, name in found if name != "at 2"]
    assert [name for _, name in equal] == ["at 1", "at 3"]
    assert len({rank for rank, _ in equal}) == 1
    assert found[0][1] == ("at 1" if metric is ERROR else "at 2")


# What is alike


def test_the_likeness_of_answers_is_the_share_that_is_the_same() -> None:
    answers = {f"image-{number}": f"n{number % 7:08d}" for number in range(20_000)}
    for share in (0.02, 0.3):
        changed = {item: "n1" if number < share * 20_000 else one for number, (item, one) in enumerate(answers.items())}
        assert likeness(sketch(answers), sketch(changed)) == pytest.approx(1 - share, abs=0.03)
    shuffled = dict(sorted(answers.items(), key=lambda pair: pair[0][::-1]))
    assert likeness(sketch(answers), sketch(shuffled)) == 1
    assert likeness(sketch(answers), sketch({})) == 0


def test_of_guesses_the_first_says_what_it_is() -> None:
    generator = np.random.default_rng(1)
    guesses = np.argsort(generator.random((5000, 20)), axis=1)[:, :5]
    moved, other = guesses.copy(), guesses.copy()
    moved[:, 1:] = moved[:, :0:-1]
    other[:, 0] = generator.integers(20, size=5000)
    assert likeness(sketch(Guesses(guesses)), sketch(Guesses(moved))) == 1
    assert likeness(sketch(Guesses(guesses)), sketch(Guesses(other))) < 0.15 < ALIKE


def test_boxes_are_alike_to_the_pixel_whatever_their_scores() -> None:
    generator = np.random.default_rng(1)
    image, label = generator.integers(50, size=3000), generator.integers(9, size=3000)
    corners = generator.integers(1, 400, size=(3000, 4)).astype(np.float64)
    one = Detections(image, label, generator.random(3000), corners)
    other = Detections(image, label, generator.random(3000), corners + 0.2)
    far = Detections(image, label, one.score, corners + 3)
    assert likeness(sketch(one), sketch(other)) == 1
    assert likeness(sketch(one), sketch(far)) < 0.01
    assert likeness(sketch(one), sketch("no task of ours")) == 0
