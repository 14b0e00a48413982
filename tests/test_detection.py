"""Detection by the rules of ILSVRC and PASCAL VOC."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.benchmark.detection.overlaps import canonical
from holotype.benchmark.detection.precision import HUNDRED_AND_ONE_POINTS
from holotype.benchmark.detection.rules import (
    ILSVRC,
    VOC_11,
    VOC_ALL,
    Rule,
    by_size,
    detection,
    half,
    mean_known,
    median_known,
    tolerant,
    won,
)
from holotype.benchmark.intervals import draw
from holotype.benchmark.values import Boxes, Detections, Floats
from placed import Box, Scored, boxes, detection_demo, detection_truth, detections, fed_back

ONE = (0.0, 0.0, 99.0, 99.0)
TWO = (200.0, 0.0, 299.0, 99.0)
AWAY = (500.0, 500.0, 599.0, 599.0)
CAT: Box = ("a", "cat", *ONE)
CATS: list[Box] = [CAT, ("a", "cat", *TWO)]


def precisions(truth: Boxes, rows: list[Scored], rule: Rule = ILSVRC) -> list[float]:
    return [float(value) for value in detection(truth, detections(truth, rows), rule).average_precision()]


# The devkit's own numbers


def test_the_demo_of_the_devkit_scores_what_its_readme_prints() -> None:
    truth = detection_truth()
    judged = detection(truth, detection_demo())
    found = [f"{value:.3f}" for value in judged.average_precision()]
    assert found[:5] == ["0.564", "0.528", "0.548", "0.626", "0.506"]
    assert found[195:] == ["0.521", "0.646", "0.548", "0.610", "0.772"]
    mean, median = judged.measure(np.ones((1, len(truth.items))))[0]
    assert (round(mean, 6), round(median, 6)) == (0.590061, 0.601199)


@pytest.mark.parametrize(
    ("rule", "inclusive", "blacklist", "mean"),
    [
        (Rule("without tolerance", half), True, True, 0.58224),
        (Rule("edges", lambda truth: tolerant(replace(truth, inclusive=True))), False, True, 0.58253),
        (Rule("claimed as VOC does", tolerant, insists=True), True, True, 0.58977),
        (ILSVRC, True, False, 0.58877),
    ],
    ids=["no tolerance", "edges, not pixels", "claimed as VOC does", "no blacklist"],
)
def test_what_is_not_the_rule_is_seen_in_the_demo(rule: Rule, inclusive: bool, blacklist: bool, mean: float) -> None:
    """Each was measured of other evaluators: 0.59006 is right."""
    truth = replace(detection_truth(), inclusive=inclusive)
    if not blacklist:
        truth = replace(truth, ignored=np.empty((0, 2), np.int64))
    found = float(detection(truth, detection_demo(), rule).average_precision().mean())
    assert found == pytest.approx(mean, abs=1e-5)


def test_the_truth_of_ilsvrc_fed_back_has_every_precision() -> None:
    truth = detection_truth()
    assert set(detection(truth, fed_back(truth)).average_precision().tolist()) == {1.0}


def test_the_demo_resampled() -> None:
    truth = detection_truth()
    judged = detection(truth, detection_demo())
    (mean, median), *_ = draw([judged], 200).estimates()
    assert 0.01 < mean.high - mean.low < 0.03
    assert mean.low < 0.588 < 0.592 < mean.high
    assert 0.01 < median.high - median.low < 0.05


# One rule after the other


def test_half_of_the_union_with_inclusive_pixels_is_enough() -> None:
    truth = boxes([CAT])
    assert precisions(truth, [("a", "cat", 0.9, 0, 0, 99, 49)]) == [1]
    assert precisions(truth, [("a", "cat", 0.9, 0, 0, 99, 48)]) == [0]


def test_small_objects_are_tolerated() -> None:
    truth = boxes([("a", "cat", 0, 0, 9, 9)])
    drawn: list[Scored] = [("a", "cat", 0.9, 0, 0, 19, 19)]
    assert [precisions(truth, drawn, rule) for rule in (ILSVRC, VOC_ALL, VOC_11)] == [[1], [0], [0]]
    sides = np.arange(1.0, 60)
    squares = boxes([("a", "cat", 0, 0, side - 1, side - 1) for side in sides])
    asked = tolerant(squares)
    assert (np.diff(asked) >= 0).all()
    assert (asked[sides >= 25] == 0.5).all()
    assert (asked[sides < 24] < 0.5).all()


def test_a_second_detection_of_an_object_is_false() -> None:
    truth = boxes(CATS)
    assert precisions(truth, [("a", "cat", 0.9, *ONE), ("a", "cat", 0.8, *ONE), ("a", "cat", 0.7, *TWO)]) == [
        pytest.approx(0.5 + 0.5 * 2 / 3)
    ]


def test_the_same_row_again_never_helps() -> None:
    truth = boxes(CATS)
    rows: list[Scored] = [("a", "cat", 0.9, *ONE), ("a", "cat", 0.5, *TWO)]
    assert precisions(truth, rows) == [1]
    assert precisions(truth, [*rows, rows[0]]) == [pytest.approx(0.5 + 0.5 * 2 / 3)]


def test_a_detection_takes_a_box_that_is_left() -> None:
    """Of two truths that overlap, the second detection that likes the same gets the other; VOC calls it false."""
    truth = boxes([("a", "cat", 0, 0, 99, 99), ("a", "cat", 0, 20, 99, 119)])
    rows: list[Scored] = [("a", "cat", 0.9, 0, 0, 99, 99), ("a", "cat", 0.8, 0, 8, 99, 107)]
    assert precisions(truth, rows) == [1]
    assert precisions(truth, rows, VOC_ALL) == [0.5]


def test_many_that_wait_for_one_another() -> None:
    """A row of overlapping boxes, each detection liking best what the one before has."""
    truth = boxes([("a", "cat", 0, 10 * row, 99, 10 * row + 99) for row in range(40)])
    rows: list[Scored] = [("a", "cat", 1 - 0.01 * row, 0, 10 * row + 4, 99, 10 * row + 103) for row in range(-1, 39)]
    assert precisions(truth, rows) == plain(truth, rows)


def test_a_pair_that_is_not_scored_counts_nowhere() -> None:
    """The first of the ranking is ignored: no 0/0, and the rest as if it were not there."""
    truth = boxes([CAT, ("b", "cat", *ONE), ("b", "dog", *ONE)], ignored=[("b", "cat"), ("b", "cat")])
    rows: list[Scored] = [("a", "cat", 0.5, *ONE), ("b", "dog", 0.4, *AWAY), ("b", "dog", 0.3, *ONE)]
    fuzz: list[Scored] = [("b", "cat", 0.9, *AWAY), ("b", "cat", 0.8, *ONE), ("b", "cat", 0.1, *TWO)]
    assert precisions(truth, rows) == precisions(truth, [*rows, *fuzz]) == [1, 0.5]


def test_a_class_without_positives_leaves_the_mean() -> None:
    truth = boxes([CAT, ("a", "dog", *TWO)], classes=["eel"], ignored=[("a", "dog")])
    submission = detections(truth, [("a", "cat", 0.9, *ONE), ("a", "dog", 0.9, *TWO), ("a", "eel", 0.9, *ONE)])
    judged = detection(truth, submission)
    assert np.isnan(judged.average_precision()).tolist() == [False, True, True]
    assert judged.measure(np.ones((1, 1))).tolist() == [[1, 1]]


def test_a_class_nobody_detected_has_none() -> None:
    truth = boxes([CAT, ("a", "dog", *TWO)])
    assert precisions(truth, [("a", "cat", 0.9, *ONE)]) == [1, 0]


def test_the_hundred_and_first_detection_of_an_image_is_heeded() -> None:
    """COCO does not look at it."""
    rows: list[Scored] = [("a", "cat", 0.9 - 0.001 * at, *AWAY) for at in range(100)]
    assert precisions(boxes([CAT]), [*rows, ("a", "cat", 0.1, *ONE)]) == [pytest.approx(1 / 101)]


def test_a_truth_of_one_pixel_is_a_box() -> None:
    point = (5.0, 5.0, 5.0, 5.0)
    assert precisions(boxes([("a", "cat", *point)]), [("a", "cat", 0.9, *point)]) == [1]


def test_no_detections_no_boxes_no_images() -> None:
    truth = boxes([CAT])
    assert precisions(truth, []) == [0]
    nothing = boxes([], items=["a"], classes=["cat"])
    assert np.isnan(precisions(nothing, [("a", "cat", 0.9, *ONE)])).all()
    empty = detection(boxes([]), detections(boxes([]), []))
    assert np.isnan(empty.measure(np.ones((1, 0)))).all()


def test_an_image_without_objects_has_false_positives_alone() -> None:
    truth = boxes([CAT], items=["b"])
    rows: list[Scored] = [("b", "cat", 0.9, *ONE), ("a", "cat", 0.8, *ONE)]
    assert precisions(truth, rows) == [0.5]
    assert precisions(boxes([CAT]), rows[1:]) == [1]


def test_crowds_are_neither_true_nor_false_and_absorb_many() -> None:
    truth = boxes([CAT, ("a", "cat", 200, 0, 499, 299)], crowd=[False, True])
    inside: list[Scored] = [("a", "cat", 0.9 - 0.01 * row, 200 + row, 0, 260 + row, 60) for row in range(9)]
    rows: list[Scored] = [("a", "cat", 0.5, *ONE), ("a", "cat", 0.4, *AWAY)]
    assert precisions(truth, [*rows, *inside]) == [1]
    assert precisions(truth, [("a", "cat", 0.95, *AWAY), *rows]) == [0.5]


def test_difficult_objects_of_voc_are_neither_true_nor_false_and_overlapped_as_any_other() -> None:
    truth = boxes([CAT, ("a", "cat", 200, 0, 299, 99)], crowd=[False, True])
    near: list[Scored] = [("a", "cat", 0.9 - 0.01 * row, 200 + row, 0, 299 + row, 99) for row in range(9)]
    inside: list[Scored] = [("a", "cat", 0.95, 210, 10, 240, 40)]
    found: list[Scored] = [("a", "cat", 0.5, *ONE)]
    for rule in (VOC_ALL, VOC_11):
        assert precisions(truth, [*near, *found], rule) == [1]
        assert precisions(truth, [*inside, *near, *found], rule) == [0.5]
    assert precisions(truth, [*inside, *near, *found]) == [1]


def voc_average_precision(truth: Boxes, said: Detections, label: int, eleven: bool) -> float:
    """The average precision of a class by the algorithm of ``VOCevaldet.m``, a detection after the other."""
    objects = [at for at in range(len(truth.image)) if truth.label[at] == label]
    taken: set[int] = set()
    marks = []
    for at in range(len(said.image)):
        if said.label[at] != label:
            continue
        best, most = -1, float("-inf")
        left, top, right, bottom = said.corners[at].tolist()
        for one in (one for one in objects if truth.image[one] == said.image[at]):
            other = truth.corners[one].tolist()
            width = min(right, other[2]) - max(left, other[0]) + 1
            height = min(bottom, other[3]) - max(top, other[1]) + 1
            if width > 0 and height > 0:
                union = (right - left + 1) * (bottom - top + 1) - width * height
                union += (other[2] - other[0] + 1) * (other[3] - other[1] + 1)
                if width * height / union > most:
                    best, most = one, width * height / union
        if most < 0.5:
            marks.append((0, 1))
        elif truth.crowd[best]:
            marks.append((0, 0))
        else:
            marks.append((0, 1) if best in taken else (1, 0))
            taken.add(best)
    positives = sum(not truth.crowd[one] for one in objects)
    if not positives:
        return float("nan")
    true, false = np.cumsum(np.array(marks, np.float64).reshape(-1, 2), axis=0).T
    recall, precision = true / positives, true / np.maximum(true + false, 1e-300)
    if eleven:
        best_from = [precision[recall >= level - 1e-12].max(initial=0) for level in np.arange(11) / 10]
        return float(sum(best_from)) / 11
    recall, precision = np.array([0, *recall, 1]), np.array([0, *precision, 0])
    for at in range(len(precision) - 2, -1, -1):
        precision[at] = max(precision[at], precision[at + 1])
    return float(((recall[1:] - recall[:-1]) * precision[1:]).sum())


Span = tuple[float, float, float, float]
spans: st.SearchStrategy[Span] = st.tuples(*4 * (st.integers(0, 12),)).map(
    lambda one: (float(one[0]), float(one[1]), float(one[0] + one[2]), float(one[1] + one[3]))
)
named = st.tuples(st.sampled_from("ab"), st.sampled_from(("cat", "dog")))


@settings(max_examples=300)
@given(
    st.lists(st.tuples(named, spans, st.booleans()), min_size=1, max_size=10),
    st.lists(st.tuples(named, spans), max_size=25),
    st.randoms(use_true_random=False),
)
def test_voc_with_difficult_objects_is_what_its_devkit_computes(
    objects: list[tuple[tuple[str, str], Span, bool]],
    said: list[tuple[tuple[str, str], Span]],
    random: Random,
) -> None:
    rows: list[Box] = [(*name, *box) for name, box, _ in objects]
    truth = canonical(boxes(rows, "ab", ("cat", "dog"), crowd=[hard for *_, hard in objects]))
    scores = random.sample(range(100), len(said))
    told = detections(truth, [(*name, score / 100, *box) for (name, box), score in zip(said, scores, strict=True)])
    for rule in (VOC_ALL, VOC_11):
        found = detection(truth, told, rule).average_precision()
        wanted = [voc_average_precision(truth, told, label, rule is VOC_11) for label in range(2)]
        assert found == pytest.approx(wanted, abs=1e-12, nan_ok=True)


def test_an_object_is_preferred_to_the_crowd_it_stands_in() -> None:
    truth = boxes([CAT, ("a", "cat", 0, 0, 499, 499)], crowd=[False, True])
    assert precisions(truth, [("a", "cat", 0.5, 10, 10, 99, 99), ("a", "cat", 0.4, *AWAY)]) == [1]


def test_objects_of_a_size_alone() -> None:
    small, large = (0.0, 0.0, 19.0, 19.0), (100.0, 100.0, 299.0, 299.0)
    truth = boxes([("a", "cat", *small), ("a", "cat", *large)])
    found = by_size(truth, detections(truth, [("a", "cat", 0.9, *large), ("a", "cat", 0.8, 50, 50, 59, 59)]))
    assert {name: value.tolist() for name, value in found.items() if name != "medium"} == {"small": [0], "large": [1]}
    assert np.isnan(found["medium"]).all()


def test_the_three_areas_of_one_curve() -> None:
    """A third of the objects at precision 1: 1/3 of the area, 4 of 11 points, 34 of 101."""
    truth = boxes([*CATS, ("a", "cat", 400, 0, 499, 99)])
    rows: list[Scored] = [("a", "cat", 0.9, *ONE)]
    coco = Rule("", half, HUNDRED_AND_ONE_POINTS)
    found = [precisions(truth, rows, rule)[0] for rule in (ILSVRC, VOC_11, VOC_ALL, coco)]
    assert [f"{value:.4f}" for value in found] == ["0.3333", "0.3636", "0.3333", "0.3366"]


def test_three_of_ten_reach_a_recall_of_three_tenths() -> None:
    """Where points are 0.1, 0.2, 0.1 + 0.2 ..., they do not."""
    truth = boxes([("a", "cat", 200.0 * at, 0, 200.0 * at + 99, 99) for at in range(10)])
    rows: list[Scored] = [("a", "cat", 0.9, 200.0 * at, 0, 200.0 * at + 99, 99) for at in range(3)]
    assert precisions(truth, rows, VOC_11) == [4 / 11]


def test_who_wins_most_classes() -> None:
    scores = [np.array([0.5, 0.2, 0.0, np.nan]), np.array([0.5, 0.3, 0.0, np.nan]), np.array([0.1, 0.1, 0.0, np.nan])]
    assert won(scores) == [1, 2, 0]


def test_medians_leave_out_what_is_not_known() -> None:
    nan = float("nan")
    values = np.array([[3, nan, 1, 2], [1, nan, nan, 2], [nan, nan, nan, nan]])
    assert median_known(values)[:2].tolist() == mean_known(values)[:2].tolist() == [2, 1.5]
    assert np.isnan([median_known(values)[2], mean_known(values)[2]]).all()


# Laws, on random boxes that overlap and tie


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Boxes, list[Scored]]:
    images, names = ["a", "b", "c"], ["cat", "dog"]
    corner = st.tuples(st.sampled_from(images), st.sampled_from(names), *[st.integers(0, 4)] * 2)
    spans = st.integers(1, 4)

    def place(where: tuple[str, str, int, int], width: int, height: int) -> tuple[float, float, float, float]:
        left, top = 6.0 * where[2], 6.0 * where[3]
        return left, top, left + 6 * width - 1, top + 6 * height - 1

    truths = draw(st.lists(st.tuples(corner, spans, spans), max_size=10))
    said = draw(st.lists(st.tuples(corner, spans, spans, st.integers(0, 5)), max_size=25))
    ignored = draw(st.lists(st.tuples(st.sampled_from(images), st.sampled_from(names)), max_size=2))
    truth = boxes([(at[0], at[1], *place(at, w, h)) for at, w, h in truths], images, names, ignored=ignored)
    return truth, [(at[0], at[1], score / 5, *place(at, w, h)) for at, w, h, score in said]


def plain(truth: Boxes, rows: list[Scored], weights: dict[str, int] | None = None) -> list[float]:
    """ILSVRC's rule in plain Python, box by box."""
    found = []
    ignored = {(truth.items[image], truth.classes[label]) for image, label in truth.ignored.tolist()}
    for label, name in enumerate(truth.classes):
        left: dict[str, list[tuple[float, ...]]] = defaultdict(list)
        for image, of, *_, corners in zip(truth.image, truth.label, truth.corners.tolist(), strict=True):
            if of == label and (truth.items[image], name) not in ignored:
                left[truth.items[image]].append(tuple(corners))
        weight = weights or dict.fromkeys(truth.items, 1)
        positives = sum(weight[image] * len(some) for image, some in left.items())
        for some in left.values():
            some.sort()
        ranked = sorted((row for row in rows if row[1] == name), key=lambda row: (-row[2], row[0], row[3:]))
        hits = [(weight[row[0]], _take(left[row[0]], row[3:])) for row in ranked if (row[0], name) not in ignored]
        found.append(_area_under(hits, positives))
    return found


def _take(left: list[tuple[float, ...]], box: tuple[float, ...]) -> bool:
    best, overlap = None, 0.0
    for other in left:
        width = min(box[2], other[2]) - max(box[0], other[0]) + 1
        height = min(box[3], other[3]) - max(box[1], other[1]) + 1
        if width <= 0 or height <= 0:
            continue
        w, h = other[2] - other[0] + 1, other[3] - other[1] + 1
        union = (box[2] - box[0] + 1) * (box[3] - box[1] + 1) + w * h - width * height
        value = width * height / union
        if value >= min(0.5, w * h / ((w + 10) * (h + 10))) and value > overlap:
            best, overlap = other, value
    if best is None:
        return False
    left.remove(best)
    return True


def _area_under(hits: list[tuple[int, bool]], positives: int) -> float:
    if not positives:
        return float("nan")
    said = true = 0
    curve = []
    for weight, hit in hits:
        said += weight
        true += weight * hit
        curve.append((true / positives, true / said if said else 0.0))
    area, before = 0.0, 0.0
    for at, (recall, _) in enumerate(curve):
        area += (recall - before) * max(precision for _, precision in curve[at:])
        before = recall
    return area


@given(scenes())
@settings(deadline=None, max_examples=150)
def test_it_is_what_plain_loops_find(scene: tuple[Boxes, list[Scored]]) -> None:
    truth, rows = scene
    assert precisions(truth, rows) == pytest.approx(plain(truth, rows), abs=1e-12, nan_ok=True)


@given(scenes(), st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_the_order_of_rows_never_matters(scene: tuple[Boxes, list[Scored]], random: Random) -> None:
    truth, rows = scene
    order = np.random.default_rng(len(rows)).permutation(len(truth.image))
    shuffled = replace(
        truth,
        image=truth.image[order],
        label=truth.label[order],
        corners=truth.corners[order],
        crowd=truth.crowd[order],
        area=truth.area[order],
    )
    again = list(rows)
    random.shuffle(again)
    assert np.array_equal(precisions(truth, rows), precisions(shuffled, again), equal_nan=True)


@given(scenes(), st.lists(st.integers(0, 3), min_size=3, max_size=3))
@settings(deadline=None, max_examples=100)
def test_an_image_that_weighs_twice_is_there_twice(scene: tuple[Boxes, list[Scored]], times: list[int]) -> None:
    truth, rows = scene
    judged = detection(truth, detections(truth, rows))
    weights = np.array([times], np.float64)
    weighed = judged.curves.average_precision(weights)[0]
    assert weighed.tolist() == pytest.approx(
        plain(truth, rows, dict(zip(truth.items, times, strict=True))), abs=1e-12, nan_ok=True
    )
    many, copies = _repeated(truth, rows, times)
    assert weighed.tolist() == pytest.approx(precisions(many, copies), abs=1e-12, nan_ok=True)


def _repeated(truth: Boxes, rows: list[Scored], times: list[int]) -> tuple[Boxes, list[Scored]]:
    copies = {image: [f"{image}{copy}" for copy in range(many)] for image, many in zip(truth.items, times, strict=True)}
    true: list[Box] = [
        (name, truth.classes[label], corners[0], corners[1], corners[2], corners[3])
        for image, label, corners in zip(truth.image, truth.label, truth.corners.tolist(), strict=True)
        for name in copies[truth.items[image]]
    ]
    ignored = [(name, truth.classes[label]) for image, label in truth.ignored for name in copies[truth.items[image]]]
    items = [name for names in copies.values() for name in names]
    said: list[Scored] = [(name, *row[1:]) for row in rows for name in copies[row[0]]]
    return boxes(true, items, truth.classes, ignored=ignored), said


@given(scenes())
@settings(deadline=None, max_examples=60)
def test_scores_matter_by_their_order_alone(scene: tuple[Boxes, list[Scored]]) -> None:
    truth, rows = scene
    for change in (lambda score: score**3, lambda score: 7 * score - 100, np.exp):
        changed: list[Scored] = [(row[0], row[1], float(change(row[2])), *row[3:]) for row in rows]
        assert np.array_equal(precisions(truth, changed), precisions(truth, rows), equal_nan=True)


@given(scenes(), st.integers(-1, 6))
@settings(deadline=None, max_examples=60)
def test_finding_what_was_not_found_never_harms(scene: tuple[Boxes, list[Scored]], score: int) -> None:
    """Finding again what was found does."""
    some, rows = scene
    true = zip(some.image, some.label, some.corners.tolist(), strict=True)
    ignored = [(some.items[image], some.classes[label]) for image, label in some.ignored]
    more: list[Box] = [
        (some.items[image], some.classes[label], at[0], at[1], at[2], at[3]) for image, label, at in true
    ]
    truth = boxes([*more, ("a", "cat", *AWAY)], some.items, some.classes, ignored=ignored)
    before = np.nan_to_num(precisions(truth, rows))
    assert (np.nan_to_num(precisions(truth, [*rows, ("a", "cat", score / 5, *AWAY)])) >= before - 1e-12).all()


@given(scenes())
@settings(deadline=None, max_examples=40)
def test_classes_by_other_names_score_the_same(scene: tuple[Boxes, list[Scored]]) -> None:
    truth, rows = scene
    turned = replace(truth, label=1 - truth.label, ignored=np.abs(truth.ignored - [0, 1]))
    swapped: list[Scored] = [(row[0], {"cat": "dog", "dog": "cat"}[row[1]], *row[2:]) for row in rows]
    assert np.array_equal(precisions(turned, swapped)[::-1], precisions(truth, rows), equal_nan=True)


@given(scenes())
@settings(deadline=None, max_examples=60)
def test_a_false_positive_below_all_others_changes_nothing(scene: tuple[Boxes, list[Scored]]) -> None:
    truth, rows = scene
    more: list[Scored] = [*rows, ("a", "cat", -1, *AWAY)]
    assert np.array_equal(precisions(truth, more), precisions(truth, rows), equal_nan=True)


@given(scenes())
@settings(deadline=None, max_examples=60)
def test_numbers_of_32_bits_and_chunks_change_nothing(scene: tuple[Boxes, list[Scored]]) -> None:
    truth, rows = scene
    found = detections(truth, rows)
    narrow = Detections(found.image, found.label, found.score, found.corners.astype(np.float32).astype(np.float64))
    one, other = detection(truth, found), detection(truth, narrow)
    weights: Floats = np.random.default_rng(0).integers(0, 3, (5, 3)).astype(np.float64)
    apart = np.concatenate([other.measure(row[None]) for row in weights])
    assert np.array_equal(one.measure(weights), apart, equal_nan=True)


def test_large_truths_are_paired_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    spots = random.integers(0, 60, (80, 2))
    truth = boxes([(f"{at % 7}", "cat", x, y, x + 30.0, y + 30.0) for at, (x, y) in enumerate(spots[:30].tolist())])
    rows: list[Scored] = [
        (f"{at % 7}", "cat", 1 / (1 + at), x, y, x + 30.0, y + 30.0) for at, (x, y) in enumerate(spots.tolist())
    ]
    whole = precisions(truth, rows)
    for step in (1, 2, 7, 50):
        monkeypatch.setattr("holotype.benchmark.detection.overlaps._AT_ONCE", step)
        assert precisions(truth, rows) == whole


def test_one_box_perturbed_changes_one_class() -> None:
    truth = boxes([*CATS, ("a", "dog", *ONE), ("b", "eel", *TWO)])
    submission = fed_back(truth)
    moved = submission.corners.copy()
    moved[2] += 300
    perturbed = replace(submission, corners=moved)
    assert detection(truth, submission).average_precision().tolist() == [1, 1, 1]
    changed = detection(truth, perturbed).average_precision() != 1
    assert changed.sum() == 1
    assert changed[submission.label[2]]
