"""Localisation as ILSVRC scores it: a class and a place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from holotype.benchmark.localisation import METRICS, by_class, chance, localisation
from holotype.benchmark.values import Boxes, Places
from holotype.geometry.boxes import areas, iou
from placed import boxes, localisation_truth, places

SQUARE = (0.0, 0.0, 49.0, 49.0)
NOTHING: dict[str, list[tuple[str, float, float, float, float]]] = {}


def errors(truth: Boxes, submission: Places) -> dict[str, float]:
    judged = localisation(truth, submission)
    (row,) = judged.measure(np.ones((1, len(truth.items))))
    return {metric.name: float(value) for metric, value in zip(METRICS, row, strict=True)}


def test_half_of_the_union_is_enough_and_a_pixel_less_is_not() -> None:
    truth = boxes([("a", "cat", *SQUARE), ("b", "cat", *SQUARE)])
    found = errors(truth, places(truth, {"a": [("cat", 0, 0, 49, 24)], "b": [("cat", 0, 0, 49, 23)]}))
    assert found == {"localisation error": 0.5, "localisation error@1": 0.5, "top-5 error": 0, "top-1 error": 0}


def test_without_inclusive_pixels_half_a_box_is_measured_by_its_edges() -> None:
    truth = boxes([("a", "cat", 0, 0, 50, 50)], inclusive=False)
    assert errors(truth, places(truth, {"a": [("cat", 0, 0, 50, 25)]}))["localisation error"] == 0
    assert errors(truth, places(truth, {"a": [("cat", 0, 0, 50, 24.9)]}))["localisation error"] == 1


def test_any_box_of_the_class_is_enough() -> None:
    truth = boxes([("a", "cat", *SQUARE), ("a", "cat", 200, 200, 299, 299)])
    assert errors(truth, places(truth, {"a": [("cat", 200, 200, 299, 299)]}))["localisation error"] == 0


def test_a_second_guess_may_bring_another_box_of_the_same_class() -> None:
    truth = boxes([("a", "cat", *SQUARE)])
    found = errors(truth, places(truth, {"a": [("cat", 100, 100, 149, 149), ("cat", *SQUARE)]}))
    assert found == {"localisation error": 0, "localisation error@1": 1, "top-5 error": 0, "top-1 error": 0}


def test_the_right_box_with_a_wrong_class_is_wrong() -> None:
    truth = boxes([("a", "cat", *SQUARE)], classes=["dog"])
    found = errors(truth, places(truth, {"a": [("dog", *SQUARE), ("cat", 100, 100, 149, 149)]}))
    assert found == {"localisation error": 1, "localisation error@1": 1, "top-5 error": 0, "top-1 error": 1}


def test_a_box_of_another_class_is_no_place_of_this_one() -> None:
    truth = boxes([("a", "cat", *SQUARE), ("a", "dog", 100, 100, 149, 149)])
    found = errors(truth, places(truth, {"a": [("cat", 100, 100, 149, 149), ("dog", 100, 100, 149, 149)]}))
    assert (found["localisation error"], found["top-5 error"]) == (0.5, 0)


def test_no_guesses_are_misses() -> None:
    truth = boxes([("a", "cat", *SQUARE)])
    assert set(errors(truth, places(truth, NOTHING)).values()) == {1.0}


def test_no_images_at_all_leave_nothing_to_measure() -> None:
    truth = boxes([])
    assert np.isnan(list(errors(truth, places(truth, NOTHING)).values())).all()


def test_an_image_without_boxes_leaves_both_denominators() -> None:
    truth = boxes([("a", "cat", *SQUARE)], items=["b"])
    assert set(errors(truth, places(truth, {"a": [("cat", *SQUARE)]})).values()) == {0.0}


def test_unplaced_images_leave_localisation_alone() -> None:
    """The devkit blacklists 1,762 images for localisation; its classification error is still over all of them."""
    truth = boxes([("a", "cat", *SQUARE), ("b", "cat", *SQUARE)], classes=["dog"], unplaced=["b"])
    seen = []
    for row in ([("cat", *SQUARE)], [("cat", 300.0, 300.0, 310.0, 310.0)], [("dog", *SQUARE)]):
        found = errors(truth, places(truth, {"a": [("cat", *SQUARE)], "b": row}))
        assert (found["localisation error"], found["localisation error@1"]) == (0, 0)
        seen.append(found["top-5 error"])
    assert seen == [0, 0, 0.5]


def test_a_box_is_shifted_with_its_truth_and_scaled_with_it() -> None:
    one, other = np.array([3.0, 4, 40, 60]), np.array([10.0, 10, 50, 50])
    for inclusive in (True, False):
        assert iou(one + 7, other + 7, inclusive) == iou(one, other, inclusive)
    assert iou(2 * one, 2 * other, False) == iou(one, other, False)
    assert iou(2 * one, 2 * other, True) == pytest.approx(iou(one, other, True), abs=0.01)
    assert iou(2 * one, 2 * other, True) != iou(one, other, True), "a pixel is less of a larger box"


def test_boxes_that_do_not_meet_or_have_no_area() -> None:
    point = np.array([5.0, 5, 5, 5])
    assert (float(areas(point, True)), float(areas(point, False))) == (1, 0)
    assert (float(iou(point, point, True)), float(iou(point, point, False))) == (1, 0)
    assert iou(np.array([0.0, 0, 9, 9]), np.array([10.0, 0, 19, 9]), True) == 0
    assert iou(np.array([0.0, 0, 9, 9]), np.array([9.0, 0, 18, 9]), True) > 0, "they share a column of pixels"


def test_a_crowd_is_measured_by_what_lies_in_it() -> None:
    small, large = np.array([0.0, 0, 10, 10]), np.array([0.0, 0, 100, 100])
    assert iou(small, large, False, np.array(True)) == 1
    assert iou(small, large, False, np.array(False)) == pytest.approx(0.01)


def test_errors_by_class() -> None:
    truth = boxes([("a", "cat", *SQUARE), ("b", "cat", *SQUARE), ("c", "dog", *SQUARE)], classes=["eel"])
    judged = localisation(truth, places(truth, {"a": [("cat", *SQUARE)], "c": [("cat", *SQUARE)]}))
    found = by_class(truth, judged)[:, 0]
    assert found[:2].tolist() == [0.5, 1]
    assert np.isnan(found[2])


def test_what_chance_localises() -> None:
    rows = [("a", "cat", *SQUARE), ("b", "cat", *SQUARE), ("c", "cat", 50.0, 50.0, 99.0, 99.0), ("c", "dog", *SQUARE)]
    truth = boxes(rows, sizes=[(100, 100)] * 3)
    assert chance(truth)[0] == pytest.approx(1 / 3)
    assert np.isnan(chance(truth)[1]), "a single box has nothing to be compared with"
    assert np.isnan(chance(replace(truth, sizes=None))).all()
    edges = boxes([("a", "cat", 0, 0, 50, 50), ("b", "cat", 0, 0, 50, 25)], sizes=[(50, 50)] * 2, inclusive=False)
    assert chance(edges)[0] == 1


def test_the_truth_of_ilsvrc_fed_back_is_free_of_error() -> None:
    truth = localisation_truth()
    guesses = np.full((len(truth.items), 5), -1, np.int64)
    corners = np.zeros((len(truth.items), 5, 4))
    first = np.unique(truth.image, return_index=True)[1]
    guesses[:, 0], corners[:, 0] = truth.label[first], truth.corners[first]
    assert set(errors(truth, Places(guesses, corners)).values()) == {0.0}
    judged = localisation(truth, Places(guesses, corners + np.array([10_000, 0, 10_000, 0])))
    assert (~np.isnan(judged.values)).sum(axis=0).tolist() == [48_238, 48_238, 50_000, 50_000]
    assert judged.measure(np.ones((1, 50_000))).tolist() == [[1, 1, 0, 0]]


def test_localisation_is_never_better_than_classification() -> None:
    random = np.random.default_rng(0)
    rows = [(f"{image:03d}", f"{random.integers(5)}", *SQUARE) for image in range(200)]
    truth = boxes(rows)
    shift = random.integers(0, 60, (200, 5, 1)) * np.array([1, 0, 1, 0])
    judged = localisation(truth, Places(random.integers(-1, 5, (200, 5)), np.array(SQUARE) + shift))
    assert (judged.values[:, 0] >= judged.values[:, 2]).all()
    assert (judged.values[:, 1] >= judged.values[:, 3]).all()
    assert (judged.values[:, :2] != judged.values[:, 2:]).any()
