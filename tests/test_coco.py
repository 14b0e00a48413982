"""Detection by COCO's rule, beside COCO's own code."""

from __future__ import annotations

import contextlib
import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from holotype.benchmark.detection.coco import METRICS, coco
from holotype.benchmark.detection.overlaps import canonical
from holotype.benchmark.values import Boxes, Detections, Floats
from placed import Scored, boxes, detections, fed_back

ONE = (0.0, 0.0, 100.0, 100.0)
AWAY = (500.0, 500.0, 600.0, 600.0)


def theirs(truth: Boxes, submission: Detections) -> tuple[list[float], Floats]:
    """COCO's twelve numbers, and the precision of each class; NaN where there was nothing to find."""
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = _dataset(truth)
        known.createIndex()
        evaluation = COCOeval(known, known.loadRes(_results(submission)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    precision = evaluation.eval["precision"][:, :, :, 0, 2].mean(axis=(0, 1))
    return [value if value != -1 else float("nan") for value in evaluation.stats], np.where(
        precision == -1, np.nan, precision
    )


def _dataset(truth: Boxes) -> dict[str, Any]:
    truth = canonical(truth)
    rows = zip(truth.image, truth.label, truth.corners, truth.crowd, truth.area, strict=True)
    return {
        "info": {},
        "images": [{"id": at} for at in range(len(truth.items))],
        "categories": [{"id": at} for at in range(len(truth.classes))],
        "annotations": [
            {"id": at + 1, "image_id": int(image), "category_id": int(label), "bbox": _sides(corners)}
            | {"iscrowd": int(crowd), "area": float(area)}
            for at, (image, label, corners, crowd, area) in enumerate(rows)
        ],
    }


def _results(submission: Detections) -> list[dict[str, Any]]:
    rows = zip(submission.image, submission.label, submission.score, submission.corners, strict=True)
    return [
        {"image_id": int(image), "category_id": int(label), "score": float(score), "bbox": _sides(corners)}
        for image, label, score, corners in rows
    ]


def _sides(corners: Floats) -> list[float]:
    left, top, right, bottom = corners.tolist()
    return [left, top, right - left, bottom - top]


def ours(truth: Boxes, submission: Detections) -> list[float]:
    return [float(value) for value in coco(truth, submission).measure(np.ones((1, len(truth.items))))[0]]


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Boxes, Detections]:
    images, names = ["a", "b", "c"], ["cat", "dog"]
    step = draw(st.sampled_from([4.0, 10.0, 40.0]))
    spot = st.tuples(
        st.sampled_from(images), st.sampled_from(names), st.integers(0, 3), st.integers(0, 3), *[st.integers(1, 4)] * 2
    )

    def box(at: tuple[str, str, int, int, int, int]) -> tuple[str, str, float, float, float, float]:
        image, name, x, y, width, height = at
        return image, name, step * x, step * y, step * (x + width), step * (y + height)

    true = draw(st.lists(st.tuples(spot, st.sampled_from([False, False, True])), max_size=10))
    said = draw(st.lists(st.tuples(spot, st.integers(0, 4)), min_size=1, max_size=25))
    truth = boxes([box(at) for at, _ in true], images, names, crowd=[crowd for _, crowd in true], inclusive=False)
    rows: list[Scored] = [(box(at)[0], box(at)[1], score / 4, *box(at)[2:]) for at, score in said]
    return truth, detections(truth, rows)


@given(scenes())
@settings(deadline=None, max_examples=120)
def test_it_is_what_pycocotools_finds(scene: tuple[Boxes, Detections]) -> None:
    """With crowds, all sizes, and scores and overlaps that tie, which the order of rows settles for pycocotools."""
    numbers, by_class = theirs(*scene)
    assert ours(*scene) == pytest.approx(numbers, abs=1e-9, nan_ok=True)
    assert coco(*scene).average_precision().tolist() == pytest.approx(by_class.tolist(), abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_pycocotools_finds_of_many(seed: int) -> None:
    """Boxes with fractions, more than a hundred of a class in an image, and crowds."""
    random = np.random.default_rng(seed)

    def some(count: int) -> tuple[Any, Floats]:
        start = random.uniform(0, 300, (count, 2))
        names = zip(random.integers(0, 6, count).tolist(), random.integers(0, 3, count).tolist(), strict=True)
        return [(f"{image}", f"{name}") for image, name in names], np.hstack(
            [start, start + random.choice([15.0, 60, 200], (count, 2)) * random.uniform(0.6, 1.4, (count, 2))]
        )

    pairs, corners = some(60)
    rows = [(*pair, *box) for pair, box in zip(pairs, corners.tolist(), strict=True)]
    truth = boxes(rows, crowd=(random.random(60) < 0.15).tolist(), inclusive=False)
    pairs, wild = some(2400)
    near = random.integers(0, 60, 1200)
    wild[:1200] = corners[near] + random.normal(0, 4, (1200, 4))
    pairs[:1200] = [rows[at][:2] for at in near]
    wild = np.hstack([np.minimum(wild[:, :2], wild[:, 2:]), np.maximum(wild[:, :2], wild[:, 2:])])
    scores = random.random(2400).round(3).tolist()
    said: list[Scored] = [(*pair, score, *box) for pair, score, box in zip(pairs, scores, wild.tolist(), strict=True)]
    submission = detections(truth, said)
    assert np.bincount(submission.image * 3 + submission.label).max() > 100
    assert ours(truth, submission) == pytest.approx(theirs(truth, submission)[0], abs=1e-9)


def test_the_truth_fed_back_is_perfect_with_crowds_too() -> None:
    truth = boxes([("a", "cat", *ONE), ("a", "cat", *AWAY), ("b", "dog", *ONE)], crowd=[False, True, False])
    found = dict(zip([metric.name for metric in METRICS], ours(truth, fed_back(truth)), strict=True))
    assert (found["AP@[.5:.95]"], found["AR@100"], found["AP large"]) == (1, 1, 1)
    assert np.isnan(found["AP small"])


def test_nothing_detected_is_nothing_found() -> None:
    """Here pycocotools raises IndexError."""
    truth = boxes([("a", "cat", *ONE)], inclusive=False)
    assert ours(truth, detections(truth, []))[:3] == [0, 0, 0]


def test_nothing_to_detect_is_nothing_to_measure() -> None:
    truth = boxes([], ["a"], ["cat"], inclusive=False)
    assert np.isnan(ours(truth, detections(truth, [("a", "cat", 0.9, *ONE)]))).all()
    assert np.isnan(ours(boxes([]), detections(boxes([]), []))).all()


def test_the_hundred_and_first_detection_is_not_heeded() -> None:
    truth = boxes([("a", "cat", *ONE)], inclusive=False)
    rows: list[Scored] = [("a", "cat", 0.9 - 0.001 * at, 500, 500, 510 + at, 600) for at in range(100)]
    assert ours(truth, detections(truth, [*rows, ("a", "cat", 0.1, *ONE)]))[1] == 0
    assert ours(truth, detections(truth, [*rows[1:], ("a", "cat", 0.1, *ONE)]))[1] == pytest.approx(0.01)


def test_the_order_of_rows_never_matters() -> None:
    """400 boxes of one score: pycocotools says .5501, .5000 or .5302, as they come."""
    random = np.random.default_rng(0)
    start = random.integers(0, 40, (400, 2)) * 4.0
    rows = [(f"{at % 20}", "cat", x, y, x + 30, y + 30) for at, (x, y) in enumerate(start.tolist())]
    truth = boxes(rows[:90], inclusive=False)
    said: list[Scored] = [(row[0], row[1], 0.5, *row[2:]) for row in rows]
    seen = set()
    for _ in range(5):
        random.shuffle(said)
        seen.add(str(ours(truth, detections(truth, said))))
    assert len(seen) == 1


@given(scenes(), st.lists(st.integers(0, 3), min_size=3, max_size=3))
@settings(deadline=None, max_examples=40)
def test_an_image_that_weighs_nothing_is_not_there(scene: tuple[Boxes, Detections], times: list[int]) -> None:
    truth, submission = scene
    judged = coco(truth, submission)
    weights = np.array([times], np.float64)
    assert judged.measure(7 * weights)[0].tolist() == pytest.approx(
        judged.measure(weights)[0].tolist(), abs=1e-12, nan_ok=True
    )
    there = np.array(times) > 0
    kept, said = there[truth.image], there[submission.image]
    fewer = replace(
        truth,
        image=truth.image[kept],
        label=truth.label[kept],
        corners=truth.corners[kept],
        crowd=truth.crowd[kept],
        area=truth.area[kept],
    )
    left = Detections(submission.image[said], submission.label[said], submission.score[said], submission.corners[said])
    assert judged.measure((weights > 0).astype(np.float64))[0].tolist() == pytest.approx(
        ours(fewer, left), abs=1e-12, nan_ok=True
    )
