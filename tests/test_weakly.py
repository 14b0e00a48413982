"""Weakly supervised localisation."""

from __future__ import annotations

import numpy as np
import pytest

from holotype.benchmark.intervals import draw
from holotype.benchmark.judged import Judged
from holotype.benchmark.segmentation import pixels_of_maps
from holotype.benchmark.weakly import box_accuracy, components, gt_known, peak, pointing
from placed import boxes

ONE = (0.0, 0.0, 49.0, 49.0)


def test_the_class_is_given_and_the_box_is_not() -> None:
    truth = boxes([("a", "cat", *ONE), ("b", "dog", *ONE), ("c", "dog", *ONE)], items=["d"], unplaced=["c"])
    corners = np.array([[0, 0, 49, 24], [0, 0, 49, 23], [0, 0, 9, 9], [0, 0, 9, 9.0]])
    assert gt_known(truth, corners).values[:, 0].tolist() == pytest.approx([1, 0, np.nan, np.nan], nan_ok=True)
    corners[0] = np.nan
    assert gt_known(truth, corners).measure(np.ones((1, 4))).tolist() == [[0]]


def test_the_threshold_is_the_best_for_all_images_together() -> None:
    """At 0.2 only the first map shows its box, at 0.7 both do, at 0.9 only the second."""
    truth = boxes([("a", "cat", 10, 10, 19, 19), ("b", "cat", 0, 0, 4, 4)])
    first, second = np.zeros((30, 30)), np.zeros((30, 30))
    first[10:20, 10:20], first[12, 12] = 0.75, 1
    second[:, :], second[0:5, 0:5], second[29, 29] = 0.5, 1, 0
    judged = box_accuracy(truth, {0: first, 1: second}, np.array([0.2, 0.7, 0.9]))
    assert judged.alone.tolist() == [[1, 1, 0], [0, 1, 1]]
    assert judged.measure(np.ones((1, 2)))[0, 0] == 1
    apart = box_accuracy(truth, {0: first, 1: second}, np.array([0.2, 0.9]))
    assert apart.measure(np.array([[1.0, 1], [1, 0], [1, 3]]))[:, 0].tolist() == [0.5, 1, 0.75]


def test_the_second_version_takes_any_component_and_three_overlaps() -> None:
    truth = boxes([("a", "cat", 0, 0, 9, 9)])
    shown = np.zeros((40, 40))
    shown[20:40, 20:40] = 1
    shown[0:6, 0:10] = 1
    (found,) = box_accuracy(truth, {0: shown}).measure(np.ones((1, 1))).tolist()
    assert found == [0, pytest.approx(2 / 3)]


def test_maps_may_be_smaller_than_their_images() -> None:
    truth = boxes([("a", "cat", 40, 20, 79, 39)], sizes=[(80, 40)])
    shown = np.zeros((4, 8))
    shown[2:, 4:] = 1
    assert box_accuracy(truth, {0: shown}).measure(np.ones((1, 1))).tolist() == [[1, 1]]


def test_flat_maps_and_missing_ones_show_nothing() -> None:
    truth = boxes([("a", "cat", *ONE), ("b", "cat", *ONE)], items=["c"])
    judged = box_accuracy(truth, {0: np.ones((50, 50))})
    assert judged.measure(np.ones((1, 3))).tolist() == [[0, 0]]
    assert np.isnan(judged.measure(np.array([[0.0, 0, 1]]))).all()


def test_components_touch_by_corners() -> None:
    edges, pixels = components(np.eye(3, dtype=np.bool_))
    assert (edges.tolist(), pixels.tolist()) == ([[0, 0, 3, 3]], [3])


def test_they_get_intervals_as_all_else() -> None:
    truth = boxes([(f"{at:02d}", "cat", *ONE) for at in range(30)])
    shown = np.zeros((50, 50))
    shown[:, :40] = 1
    judges: list[Judged] = [
        box_accuracy(truth, dict.fromkeys(range(20), shown)),
        pointing(truth, [(at, 0, 10.0, 10) for at in range(20)]),
        pixels_of_maps(
            truth.items, ["cat"], [(np.zeros((2, 2), np.int64), np.full((2, 2), at % 2)) for at in range(30)]
        ),
    ]
    for judged in judges:
        first = draw([judged], 100).estimates()[0][0]
        assert 0 < first.low < first.value < first.high < 1


def test_points_hit_what_they_point_at() -> None:
    rows = [("a", "cat", 100.0, 100.0, 149.0, 149.0), ("a", "dog", *ONE), ("b", "cat", *ONE)]
    truth = boxes(rows, classes=["eel"])
    points = [(0, 0, 90.0, 164), (0, 1, 65.0, 0), (0, 1, 0.0, 0), (1, 2, 0.0, 0)]
    judged = pointing(truth, points)
    assert judged.measure(np.ones((1, 2))).tolist() == [[0.25]], "cat 1 of 2, dog 0 of 1, nobody asks for an eel"
    assert judged.measure(np.array([[1.0, 0], [0, 1]])).tolist() == [[0.5], [0]]
    assert pointing(truth, points, tolerance=0).measure(np.ones((1, 2))).tolist() == [[0]]
    assert np.isnan(pointing(boxes([]), []).measure(np.ones((1, 0)))).all()


def test_the_peak_of_a_map() -> None:
    shown = np.zeros((3, 5))
    shown[1, 4] = shown[2, 0] = 2
    assert peak(shown) == (4, 1)
