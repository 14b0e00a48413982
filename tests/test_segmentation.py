"""Segmentation by pixels and by masks, beside COCO's own code."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as theirs
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from holotype.benchmark.segmentation import (
    METRICS,
    Outlined,
    Segments,
    canonical_outlines,
    pixels_of_maps,
    segmentation,
)
from holotype.benchmark.segmentation import segments as segments_of
from holotype.benchmark.values import Boxes, Detections, Floats
from holotype.geometry.masks import Masks, encoded, runs_of_text, text_of_runs, tidied
from holotype.geometry.outlines import outline, runs_of_polygons
from placed import boxes

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools

HEIGHT, WIDTH = 24, 30


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 40), st.floats(0, 1))
@settings(deadline=None, max_examples=100)
def test_run_lengths_are_those_of_coco(seed: int, height: int, width: int, share: float) -> None:
    pixels = np.random.default_rng(seed).random((height, width)) < share
    told = theirs.encode(np.asfortranarray(pixels.astype(np.uint8)))
    runs = runs_of_text(told["counts"].decode())
    assert runs.tolist() == encoded(pixels).tolist()
    assert text_of_runs(runs) == told["counts"].decode()
    masks = Masks.of([runs], [(height, width)])
    assert (masks.pixels(0) == pixels).all()
    assert masks.areas().tolist() == [pixels.sum()]
    left, top, right, bottom = masks.frames()[0].tolist()
    assert [left, top, right - left, bottom - top] == theirs.toBbox(told).tolist()


@given(st.lists(st.integers(0, 2**20), max_size=30))
@settings(deadline=None, max_examples=100)
def test_any_run_lengths_are_written_as_coco_writes_them(counts: list[int]) -> None:
    runs = np.array([*counts, 1], np.int64)
    text = text_of_runs(runs)
    assert runs_of_text(text).tolist() == runs.tolist()
    told = theirs.frPyObjects({"counts": runs.tolist(), "size": [int(runs.sum()), 1]}, int(runs.sum()), 1)
    assert text == told["counts"].decode()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_runs_of_nothing_are_tidied_away(counts: list[int]) -> None:
    runs = np.array([*counts, 1], np.int64)
    size = (int(runs.sum()), 1)
    assert tidied(runs).tolist() == encoded(Masks.of([runs], [size]).pixels(0)).tolist()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([[0.0, 0.0, 4.0]], "no polygon of three corners"),
        ([[0.0] * 400_000], "no polygon of three corners"),
        ([[0, 0, 4, float("nan"), 4, 4]], "far outside"),
        ([[0, 0, 4, float("inf"), 4, 4]], "far outside"),
        ([[0, 0, 4, True, 4, 4]], "far outside"),
        ([[0, 0, 1e9, 0, 4, 4]], "far outside"),
        ([[0, 0, 5000, 0, 5000, 5000] * 400], "longer than"),
        ("here", "no outline"),
        ({"size": [1 << 20, 1 << 20], "counts": [1 << 40]}, "no size of a mask"),
        ({"size": [40, 41], "counts": [1640]}, "a mask of 40 x 41 in an image of 5000 x 5000"),
        ({"size": [5000, 5000], "counts": [1]}, "do not fill"),
        ({"size": [5000, 5000], "counts": [-1, 25_000_001]}, "do not fill"),
        ({"size": [5000, 5000], "counts": [1.5]}, "no run lengths"),
        ({"size": [5000, 5000], "counts": None}, "no run lengths"),
        ({"size": [5000]}, "without their size"),
    ],
)
def test_outlines_that_are_none_are_refused_with_the_reason(value: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        outline(value, (5000, 5000))


@pytest.mark.parametrize("text", ["é", "1 2", "p", "oooooooo1", "~"])
def test_what_is_no_run_lengths_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="run length"):
        runs_of_text(text)


@given(
    st.lists(st.lists(st.floats(-5, 45), min_size=6, max_size=20).filter(lambda at: len(at) % 2 == 0), max_size=3),
    st.integers(1, 40),
    st.integers(1, 40),
)
@settings(deadline=None, max_examples=80)
def test_polygons_are_filled_as_coco_fills_them(polygons: list[list[float]], height: int, width: int) -> None:
    runs = runs_of_polygons(polygons, height, width)
    wanted = np.zeros((height, width), np.bool_)
    if polygons:
        wanted = theirs.decode(theirs.merge(theirs.frPyObjects(polygons, height, width))) > 0
    assert (Masks.of([runs], [(height, width)]).pixels(0) == wanted).all()


Shape = tuple[int, int, int, int, int, int]
"""Image, label, and a rectangle, from which a corner is cut."""


def pixels(shape: Shape) -> Any:
    _, _, left, top, width, height = shape
    found = np.zeros((HEIGHT, WIDTH), np.bool_)
    found[3 * top : 3 * (top + height), 3 * left : 3 * (left + width)] = True
    found[3 * top, 3 * left] = False
    return found


def outlined(shapes: list[Shape], crowd: list[bool]) -> Outlined:
    masks = Masks.of([encoded(pixels(shape)) for shape in shapes], [(HEIGHT, WIDTH)] * len(shapes))
    rows = [
        (f"{shape[0]}", f"{shape[1]}", *edges) for shape, edges in zip(shapes, masks.frames().tolist(), strict=True)
    ]
    area = masks.areas().tolist()
    return Outlined(boxes(rows, "012", "01", crowd=crowd, area=area, inclusive=False), masks)


def segments(shapes: list[Shape], scores: list[float]) -> Segments:
    masks = Masks.of([encoded(pixels(shape)) for shape in shapes], [(HEIGHT, WIDTH)] * len(shapes))
    places = np.array([shape[:2] for shape in shapes], np.int64).reshape(-1, 2)
    return segments_of(places[:, 0], places[:, 1], np.array(scores, np.float64), masks)


def measured(truth: Outlined, submission: Segments) -> dict[str, float]:
    (row,) = segmentation(truth, submission).measure(np.ones((1, 3)))
    return {metric.name: float(value) for metric, value in zip(METRICS, row, strict=True)}


def of_coco(truth: Outlined, submission: Segments) -> list[float]:
    true, masks = canonical_outlines(truth)
    said = submission.said
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = {
            "info": {},
            "images": [{"id": at, "height": HEIGHT, "width": WIDTH} for at in range(3)],
            "categories": [{"id": 0}, {"id": 1}],
            "annotations": [
                {"id": at + 1, "bbox": [0, 0, 1, 1], "segmentation": _rle(masks, at), **_of(true, at)}
                | {"iscrowd": int(true.crowd[at]), "area": float(true.area[at])}
                for at in range(len(masks))
            ],
        }
        known.createIndex()
        results = [
            {"score": float(said.score[at]), "segmentation": _rle(submission.masks, at), **_of(said, at)}
            for at in range(len(submission.masks))
        ]
        evaluation = COCOeval(known, known.loadRes(results), "segm")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [value if value != -1 else float("nan") for value in evaluation.stats]


def _of(rows: Boxes | Detections, at: int) -> dict[str, int]:
    return {"image_id": int(rows.image[at]), "category_id": int(rows.label[at])}


def _rle(masks: Masks, at: int) -> dict[str, Any]:
    found: dict[str, Any] = theirs.encode(np.asfortranarray(masks.pixels(at).astype(np.uint8)))
    return found


SHAPES = st.tuples(
    st.integers(0, 2), st.integers(0, 1), st.integers(0, 5), st.integers(0, 4), st.integers(1, 5), st.integers(1, 4)
)


@given(
    st.lists(st.tuples(SHAPES, st.sampled_from([False, False, True])), max_size=8),
    st.lists(st.tuples(SHAPES, st.integers(0, 4)), min_size=1, max_size=16),
)
@settings(deadline=None, max_examples=80)
def test_masks_score_what_pycocotools_says(true: list[tuple[Shape, bool]], said: list[tuple[Shape, int]]) -> None:
    truth = outlined([shape for shape, _ in true], [crowd for _, crowd in true])
    submission = segments([shape for shape, _ in said], [score / 4 for _, score in said])
    found = list(measured(truth, submission).values())[:12]
    assert found == pytest.approx(of_coco(truth, submission), abs=1e-9, nan_ok=True)


def test_the_truth_fed_back_is_perfect() -> None:
    shapes: list[Shape] = [(0, 0, 0, 0, 3, 3), (0, 0, 2, 2, 4, 4), (1, 1, 0, 0, 5, 5), (2, 0, 1, 1, 2, 2)]
    found = measured(outlined(shapes, [False, False, False, True]), segments(shapes, [1.0] * 4))
    assert (found["AP@[.5:.95]"], found["pixel IoU"]) == (1, 1)


def test_nothing_said_and_nothing_to_say() -> None:
    shapes: list[Shape] = [(0, 0, 0, 0, 3, 3)]
    found = measured(outlined(shapes, [False]), segments([], []))
    assert (found["AP@[.5:.95]"], found["pixel IoU"]) == (0, 0)
    assert np.isnan(list(measured(outlined([], []), segments([], [])).values())).all()
    assert measured(outlined([], []), segments(shapes, [1.0]))["pixel IoU"] == 0


def test_pixels_in_a_crowd_do_not_count() -> None:
    crowd: Shape = (0, 0, 0, 0, 3, 3)
    found = measured(
        outlined([crowd, (0, 0, 5, 4, 4, 3)], [True, False]), segments([crowd, (0, 0, 5, 4, 4, 3)], [1, 1])
    )
    assert found["pixel IoU"] == 1


def test_the_overlap_of_maps_is_a_ratio_of_sums_over_images() -> None:
    true = [np.array([[0, 0, 1, 255]]), np.array([[1, 1, 1, 1]])]
    said = [np.array([[0, 1, 1, 0]]), np.array([[1, 0, 255, 1]])]
    judged = pixels_of_maps(["a", "b"], ["cat", "dog", "eel"], zip(true, said, strict=True))
    by_class: Floats = judged.by_class(np.ones((1, 2)))
    assert by_class[0, :2].tolist() == [1 / 3, 3 / 6]
    assert np.isnan(by_class[0, 2])
    assert judged.measure(np.array([[1.0, 1], [1, 0]])).tolist() == [[(1 / 3 + 1 / 2) / 2], [0.5]]
    assert judged.measure(np.array([[2.0, 2]])).tolist() == judged.measure(np.ones((1, 2))).tolist()
