"""Calibration, errors on corrupted images, and scores compared among some classes alone."""

from __future__ import annotations

import numpy as np
import pytest

from holotype.benchmark.calibration import are_probabilities, bin_of, calibration, confidences
from holotype.benchmark.classification import flat
from holotype.benchmark.intervals import draw
from holotype.benchmark.judged import Floats
from holotype.benchmark.robustness import ALEXNET, Corrupted, restricted
from holotype.benchmark.robustness import corrupted as corrupted_by
from holotype.benchmark.values import MISSING
from holotype.errors import PredictionError
from labelled import COST, guesses, labels, scored


def sure(confidence: Floats) -> Floats:
    """Scores of four classes with that confidence in class 0, the others alike."""
    rest = (1 - confidence)[:, None] / 3
    return np.hstack([confidence[:, None], rest, rest, rest])


def test_the_calibration_error_is_that_of_its_definition() -> None:
    generator = np.random.default_rng(1)
    confidence = generator.uniform(0.3, 1, 500)
    right = (generator.random(500) < confidence**2).astype(np.float64)
    judged = calibration(labels((1 - right).astype(int).tolist()), scored(sure(confidence)))
    wanted = 0.0
    for at in range(15):
        own = (confidence > at / 15) & (confidence <= (at + 1) / 15)
        if own.any():
            wanted += own.mean() * abs(right[own].mean() - confidence[own].mean())
    assert judged.measure(np.ones((1, 500)))[0, 0] == pytest.approx(wanted, abs=1e-7)
    bins = judged.bins()
    assert sum(one.images for one in bins) == 500
    assert (bins[0].images, np.isnan(bins[0].accuracy)) == (0, True)
    assert bins[14].low == 14 / 15
    assert bins[14].accuracy == pytest.approx(right[confidence > 14 / 15].mean())
    twice = judged.measure(np.full((1, 500), 2.0))
    assert twice[0, 0] == pytest.approx(wanted, abs=1e-7)


def test_a_sure_one_that_is_right_is_calibrated_and_one_that_is_wrong_is_not() -> None:
    ones = np.ones(20)
    for right, error in ((ones, 0), (0 * ones, 1)):
        judged = calibration(labels((1 - right).astype(int).tolist()), scored(sure(ones)))
        assert judged.measure(np.ones((1, 20))).tolist() == [[error]]


def test_edges_belong_to_the_bin_below() -> None:
    edges = np.arange(1, 16) / 15
    assert bin_of(edges).tolist() == list(range(15))
    assert bin_of(np.nextafter(edges[:-1], 1)).tolist() == list(range(1, 15))


def test_scores_that_are_no_probabilities_are_logits() -> None:
    logits = np.random.default_rng(2).normal(0, 3, (700, 9)).astype(np.float32)
    powers = np.exp(logits.astype(np.float64))
    softmax = powers / powers.sum(axis=1, keepdims=True)
    assert not are_probabilities(logits)
    assert are_probabilities(softmax.astype(np.float32))
    assert confidences(logits) == pytest.approx(softmax.max(axis=1), abs=1e-6)
    assert confidences(softmax.astype(np.float32)) == pytest.approx(softmax.max(axis=1), abs=1e-6)
    assert confidences(logits + 1000) == pytest.approx(softmax.max(axis=1), abs=1e-3), "and large ones do not overflow"


def test_without_scores_or_labels_there_is_no_calibration() -> None:
    assert np.isnan(calibration(labels([0]), guesses([[0]])).measure(np.ones((3, 1)))).all()
    several = calibration(labels([[], [0, 1]]), scored([[0, 0, 1, 0], [0, 1, 0, 0]]))
    assert several.measure(np.ones((1, 2))).tolist() == [[0]], "any of the labels is right, and none does not count"


def corrupted(shares: Floats, items: int = 400, seed: int = 0) -> Floats:
    """Errors on 3 corruptions of 5 severities."""
    return (np.random.default_rng(seed).random((items, 3, 5)) < shares[None, :, None]).astype(np.float64)


def test_the_baseline_has_exactly_100_and_others_their_share() -> None:
    names = [str(at) for at in range(400)]
    base, better = corrupted(np.array([0.9, 0.6, 0.3])), corrupted(np.array([0.45, 0.6, 0.15]), seed=1)
    drawn = draw([Corrupted(names, "base", base, base), Corrupted(names, "base", better, base)], 40)
    assert drawn.points[0, 0] == 100
    assert (drawn.samples[:, 0] == 100).all()
    ratios = [better[:, one].sum() / base[:, one].sum() for one in range(3)]
    assert drawn.points[1, 0] == pytest.approx(100 * np.mean(ratios))
    assert drawn.samples[:, 1].min() < drawn.points[1, 0] < drawn.samples[:, 1].max()
    one = Corrupted(names, "base", better, base)
    assert one.by_corruption(np.ones((1, 400)))[0] == pytest.approx(ratios)
    assert one.metrics[0].name == "mCE (base)"


def test_scaling_the_baseline_leaves_the_order_of_others() -> None:
    names = [str(at) for at in range(400)]
    models = [corrupted(np.array([share, 0.5, 0.4]), seed=at) for at, share in enumerate((0.2, 0.5, 0.8))]
    for scale in (1, 0.5):
        rates = scale * np.array([0.9, 0.6, 0.3])
        found = [Corrupted(names, "fixed", one, rates).measure(np.ones((1, 400)))[0, 0] for one in models]
        assert found == sorted(found)


def test_errors_of_alexnet_are_its_own_baseline() -> None:
    rates = np.array(list(ALEXNET.values()))
    as_images = np.broadcast_to(rates[None, :, None], (2, 15, 5))
    assert Corrupted(("a", "b"), "AlexNet", as_images, rates).measure(np.ones((1, 2)))[0, 0] == pytest.approx(100)
    assert rates.mean() == pytest.approx(0.7890, abs=5e-4)


def test_corruptions_are_scored_by_what_was_guessed_of_them() -> None:
    truth = labels([0, 1, 2, 3])
    half, none = guesses([[0], [1], [0], [0]]), guesses([[0], [1], [2], [3]])
    said = {"fog": [half, none], "snow": [none, half]}
    judged = corrupted_by(truth, said, {"snow": 0.5, "fog": 0.25}, "fixed")
    assert judged.measure(np.ones((1, 4)))[0, 0] == 100 * (0.25 / 0.25 + 0.25 / 0.5) / 2
    assert corrupted_by(truth, said, said, "itself").measure(np.ones((1, 4)))[0, 0] == 100
    with pytest.raises(PredictionError, match="fixed has other corruptions: frost, snow"):
        corrupted_by(truth, said, {"frost": 0.5, "fog": 0.25}, "fixed")
    with pytest.raises(PredictionError, match="the same severities"):
        corrupted_by(truth, said | {"fog": [half]}, said, "itself")
    with pytest.raises(PredictionError, match="the same severities"):
        corrupted_by(truth, said, said | {"fog": 0.5}, "mixed")


def test_some_classes_are_compared_among_themselves() -> None:
    truth = labels([0, 1, 3, [0, 2]])
    said = scored([[1, 0, 9, 2], [5, 4, 0, 3], [9, 9, 9, 1], [0, 3, 1, 2]])
    part, among = restricted(truth, said, ["class 003", "class 000"])
    assert part.items == ("image 00000", "image 00002", "image 00003")
    assert part.classes == ("class 000", "class 003")
    assert part.label.tolist() == [0, 1, 0]
    assert part.hierarchy is not None
    assert part.hierarchy.cost.tolist() == COST[np.ix_([0, 3], [0, 3])].tolist()
    assert among.guesses.tolist() == [[1, 0, *[MISSING] * 3], [0, 1, *[MISSING] * 3], [1, 0, *[MISSING] * 3]]
    assert flat(part, among).values[:, 0].tolist() == [1, 1, 1]
    assert among.remarks == ("compared among 2 classes; 1 image of others is left out",)


def test_a_subset_of_all_classes_changes_nothing() -> None:
    truth = labels(np.random.default_rng(1).integers(4, size=50).tolist())
    said = scored(np.random.default_rng(2).normal(size=(50, 4)))
    part, among = restricted(truth, said, list(truth.classes))
    assert (flat(part, among).values == flat(truth, said).values).all()


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["class 000", "cat"], "1 of these 2 are no classes of the truth: 'cat'"),
        (["class 000", "class 000"], "'class 000' is there twice"),
        (["class 002"], "no image has a label"),
    ],
)
def test_subsets_that_make_no_sense_are_refused(classes: list[str], message: str) -> None:
    with pytest.raises(PredictionError, match=message):
        restricted(labels([0, 1]), scored(np.eye(4)[:2]), classes)


def test_guesses_cannot_be_restricted() -> None:
    with pytest.raises(PredictionError, match="that takes their scores"):
        restricted(labels([0]), guesses([[0]]), ["class 000"])
