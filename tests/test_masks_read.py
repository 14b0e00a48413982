"""Masks as COCO's files have them, from files to results."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from holotype.benchmark.place_tasks import ALL_MISSED, SEGMENTATION
from holotype.benchmark.reading.hidden import bare, check_hidden
from holotype.benchmark.reading.limits import Limits
from holotype.benchmark.reading.masks import read_outlines, read_segments
from holotype.benchmark.result import Result, evaluate
from holotype.errors import PredictionError

SQUARE = [2, 2, 8, 2, 8, 8, 2, 8]
Rows = list[dict[str, Any]]


def object_of(image: int, outline: Any, **more: Any) -> dict[str, Any]:
    return {"image_id": image, "category_id": 7, "bbox": [2, 2, 6, 6], "segmentation": outline, "area": 36} | more


def write(folder: Path, name: str, value: Any) -> Path:
    path = folder / name
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def instances(annotations: Rows, sides: dict[str, int] | None = None) -> dict[str, Any]:
    images = [{"id": at, **({"width": 10, "height": 12} if sides is None else sides)} for at in (1, 2)]
    return {"images": images, "categories": [{"id": 7, "name": "cat"}], "annotations": annotations}


TRUE: Rows = [object_of(1, [SQUARE]), object_of(2, {"size": [12, 10], "counts": [24, 60, 36]}, iscrowd=1)]


def result(folder: Path, submission: Any) -> Result:
    truth = SEGMENTATION.read_truth(write(folder, "truth.json", instances(TRUE)))
    said = SEGMENTATION.read_submission(write(folder, "said.json", submission), truth)
    (found,), _, _ = evaluate(SEGMENTATION, truth, [said], 10)
    json.dumps(found.value(), allow_nan=False)
    return found


def test_a_polygon_and_the_same_in_run_lengths(tmp_path: Path) -> None:
    truth = read_outlines(write(tmp_path, "truth.json", instances(TRUE)))
    assert truth.masks.areas().tolist() == [36, 60]
    counts = truth.masks.runs_of(0).tolist()
    same = object_of(1, {"size": [12, 10], "counts": counts}, score=0.5)
    polygon = object_of(1, [SQUARE], score=0.5)
    found = [result(tmp_path, [one]) for one in (same, polygon)]
    assert str(found[0].value()) == str(found[1].value())
    assert found[0].more == {"average precision": {"cat": 1.0}, "pixel IoU": {"cat": 1.0}}
    assert list(found[0].remarks) == ["1 of 2 images have no detection"]


def test_compressed_run_lengths(tmp_path: Path) -> None:
    """The text is that of pycocotools for 24 pixels of nothing, 60 of something, 36 of nothing."""
    said = read_segments(
        write(tmp_path, "said.json", [object_of(2, {"size": [12, 10], "counts": "h0l1T1"}, score=1)]),
        read_outlines(write(tmp_path, "truth.json", instances(TRUE))),
    )
    assert said.masks.runs.tolist() == [24, 60, 36]


def test_what_is_refused_of_masks_does_not_tell_where_hidden_ones_are(tmp_path: Path) -> None:
    """An image without an object and one with a hidden one refuse the same, and read the same."""
    truth = read_outlines(write(tmp_path, "truth.json", instances(TRUE[:1])))
    check_hidden(truth)
    for image in (1, 2):
        wrong = write(tmp_path, "said.json", [object_of(image, {"size": [12, 9], "counts": [108]}, score=1)])
        with pytest.raises(PredictionError, match="a mask of 12 x 9 in an image of 12 x 10"):
            read_segments(wrong, bare(truth))
        said = read_segments(write(tmp_path, "said.json", [object_of(image, [SQUARE], score=1)]), bare(truth))
        assert said.masks.areas().tolist() == [36]
    unknown = instances([object_of(1, {"size": [12, 10], "counts": [24, 60, 36]})], {})
    with pytest.raises(PredictionError, match="width and height of every image"):
        check_hidden(read_outlines(write(tmp_path, "truth.json", unknown)))


@pytest.mark.parametrize("empty", ["", " \n", "[]"])
def test_an_empty_submission_is_all_missed(empty: str, tmp_path: Path) -> None:
    found = result(tmp_path, empty)
    values = [estimate.value for estimate in found.metrics.values()]
    assert all(value == 0 or math.isnan(value) for value in values)
    assert list(found.remarks) == [ALL_MISSED]


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    """Masks of one frame and score differ inside alone."""
    shapes = [{"size": [12, 10], "counts": counts} for counts in ([24, 60, 36], [24, 2, 1, 57, 36], [24, 1, 2, 57, 36])]
    rows = [object_of(image, shape, score=0.5) for shape in shapes for image in (1, 2)]
    found = {str(result(tmp_path, some).value()) for some in (rows, rows[::-1], rows[3:] + rows[:3])}
    assert len(found) == 1


WRONG = {
    "unknown image '3'": object_of(3, [SQUARE], score=1),
    "unknown image 'True'": object_of(True, [SQUARE], score=1),
    "unknown category '8'": object_of(1, [SQUARE], score=1, category_id=8),
    "the score is not a finite number: 'None'": object_of(1, [SQUARE]),
    "the score is not a finite number: '1'": object_of(1, [SQUARE], score="1"),
    "the score is not a finite number: 'True'": object_of(1, [SQUARE], score=True),
    "no outline: 'None'": object_of(1, None, score=1),
    "no polygon of three corners or more: '[1, 2, 3, 4]'": object_of(1, [[1, 2, 3, 4]], score=1),
    "no polygon of three corners or more: '5'": object_of(1, [5], score=1),
    "a corner far outside": object_of(1, [[*SQUARE, 1, 1e9]], score=1),
    "run lengths without their size": object_of(1, {"counts": [120]}, score=1),
    "no size of a mask: '[12, -10]'": object_of(1, {"size": [12, -10], "counts": [120]}, score=1),
    "no size of a mask: '[100000, 100000]'": object_of(1, {"size": [100_000, 100_000], "counts": [10**10]}, score=1),
    "a mask of 10 x 12 in an image of 12 x 10": object_of(1, {"size": [10, 12], "counts": [120]}, score=1),
    "no run lengths: '[1.5]'": object_of(1, {"size": [12, 10], "counts": [1.5]}, score=1),
    "do not fill 12 x 10": object_of(1, {"size": [12, 10], "counts": [119]}, score=1),
    "that do not fill": object_of(1, {"size": [12, 10], "counts": [-1, 121]}, score=1),
    "no run lengths": object_of(1, {"size": [12, 10], "counts": "~"}, score=1),
    "in the middle of a run length": object_of(1, {"size": [12, 10], "counts": "hh"}, score=1),
    "an object was expected": [1],
}


@pytest.mark.parametrize("why", WRONG)
def test_what_is_no_mask_is_refused_with_its_row(why: str, tmp_path: Path) -> None:
    rows = [object_of(1, [SQUARE], score=1), WRONG[why]]
    with pytest.raises(PredictionError, match=r"said\.json, row 2: .*" + re.escape(why)):
        result(tmp_path, rows)


def test_numbers_that_are_not_finite_are_no_json(tmp_path: Path) -> None:
    for text in ("NaN", "1e400"):
        with pytest.raises(PredictionError, match="finite number"):
            result(tmp_path, json.dumps([object_of(1, [SQUARE], score="?")]).replace('"?"', text))


def test_no_more_rows_than_are_allowed(tmp_path: Path) -> None:
    truth = read_outlines(write(tmp_path, "truth.json", instances(TRUE)))
    path = write(tmp_path, "said.json", [object_of(1, [SQUARE], score=1)] * 4)
    with pytest.raises(PredictionError, match="more than the 3 rows"):
        read_segments(path, truth, Limits(rows=3))
    with pytest.raises(PredictionError, match="image '1' has 4 rows, 3 are allowed"):
        read_segments(path, truth, Limits(per_item=3))


def test_a_csv_is_no_masks(tmp_path: Path) -> None:
    truth = read_outlines(write(tmp_path, "truth.json", instances(TRUE)))
    path = tmp_path / "said.csv"
    path.write_text("image,label\n1,cat\n")
    with pytest.raises(PredictionError, match="is no JSON"):
        read_segments(path, truth)


def test_masks_of_an_image_whose_size_nobody_tells_are_of_one_size(tmp_path: Path) -> None:
    small, large = {"size": [2, 2], "counts": [4]}, {"size": [3, 3], "counts": [9]}
    truth = write(tmp_path, "truth.json", instances([object_of(1, small)], {}))
    rows = [object_of(2, small, score=1), object_of(2, large, score=1)]
    with pytest.raises(PredictionError, match=r"row 2: a mask of 3 x 3 in an image of 2 x 2"):
        read_segments(write(tmp_path, "said.json", rows), read_outlines(truth))
    both = write(tmp_path, "both.json", instances([object_of(1, small), object_of(1, large)], {}))
    with pytest.raises(PredictionError, match=r"annotation 2: a mask of 3 x 3"):
        read_outlines(both)
    polygon = write(tmp_path, "polygon.json", instances([object_of(1, [SQUARE])], {}))
    with pytest.raises(PredictionError, match=r"annotation 1: a polygon in an image without width and height"):
        read_outlines(polygon)
