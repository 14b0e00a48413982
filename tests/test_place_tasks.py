"""The tasks of places, from files to results."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from holotype.benchmark.judged import Metric
from holotype.benchmark.place_tasks import ALL_MISSED, PLACE_TASKS, digest
from holotype.benchmark.reading.submissions import read_detections
from holotype.benchmark.reading.truths import read_boxes
from holotype.benchmark.result import Result, evaluate
from placed import DATA, boxes, detection_truth, needs_devkits

TRUTH = """image,label,x1,y1,x2,y2
a,cat,0,0,99,99
a,dog,200,0,299,99
b,cat,0,0,9,9
"""
SAID = ["a,cat,0.9,0,0,99,49", "a,dog,0.8,200,0,299,99", "b,cat,0.7,0,0,19,19"]
DETECTIONS = "image,label,score,x1,y1,x2,y2\n"
PLACES = "image,rank,label,x1,y1,x2,y2\n"


def result(name: str, folder: Path, text: str) -> Result:
    (folder / "truth.csv").write_text(TRUTH)
    (folder / "said.csv").write_text(text)
    task = PLACE_TASKS[name]
    truth = task.read_truth(folder / "truth.csv")
    submission = task.read_submission(folder / "said.csv", truth)
    (found,), _, _ = evaluate(task, truth, [submission], 20)
    json.dumps(found.value(), allow_nan=False)
    return found


def values(found: Result) -> dict[str, float]:
    return {metric.name: estimate.value for metric, estimate in found.metrics.items()}


@pytest.mark.parametrize(
    ("name", "by_class"),
    [("detection", [1, 1]), ("voc", [0.5, 1]), ("voc-11", [6 / 11, 1])],
)
def test_detections_by_three_rules(name: str, by_class: list[float], tmp_path: Path) -> None:
    """A box that is half of its object in pixels, one that is exact, and one that only ILSVRC tolerates."""
    found = result(name, tmp_path, DETECTIONS + "\n".join(SAID) + "\n")
    assert list(found.more["average precision"].values()) == by_class
    assert values(found)["mean AP"] == pytest.approx(np.mean(by_class))
    assert (found.task, found.items, found.remarks) == (name, 2, [])


def test_detections_by_coco(tmp_path: Path) -> None:
    found = values(result("coco", tmp_path, DETECTIONS + "\n".join(SAID) + "\n"))
    assert found["AP@.5"] == pytest.approx((51 / 101 + 1) / 2)
    assert found["AR@100"] == pytest.approx((0.05 + 1) / 2)
    assert len(found) == 12


def test_places(tmp_path: Path) -> None:
    rows = ["a,1,cat,0,0,99,49", "b,1,dog,0,0,9,9", "b,2,cat,0,0,9,9"]
    found = result("localisation", tmp_path, PLACES + "\n".join(rows) + "\n")
    assert values(found) == {
        "localisation error": 0.25,
        "localisation error@1": 0.75,
        "top-5 error": 0.25,
        "top-1 error": 0.75,
    }, "of the two classes of the first image one was not guessed"
    assert found.more["localisation error"] == {"cat": 0.25, "dog": 0.5}


@pytest.mark.parametrize("name", ["localisation", "gt-known", "detection", "voc", "voc-11", "coco"])
def test_an_empty_submission_is_all_missed(name: str, tmp_path: Path) -> None:
    for text in ("", PLACES if name in ("localisation", "gt-known") else DETECTIONS):
        found = result(name, tmp_path, text)
        assert all(_worst(metric, estimate.value) for metric, estimate in found.metrics.items())
        assert ALL_MISSED in found.remarks


def _worst(metric: Metric, value: float) -> bool:
    """Of no objects of a size there is nothing to measure."""
    return value != value or value == {"lower": 1.0, "higher": 0.0}[metric.better]


@pytest.mark.parametrize("name", ["detection", "voc", "voc-11", "coco"])
def test_the_order_of_rows_changes_neither_number_nor_digest(name: str, tmp_path: Path) -> None:
    tied = [row.replace("0.8", "0.9").replace("0.7", "0.9") for row in SAID] + ["a,cat,0.9,0,0,99,99"]
    one = result(name, tmp_path, DETECTIONS + "\n".join(tied) + "\n")
    other = result(name, tmp_path, DETECTIONS + "\n".join(tied[::-1]) + "\n")
    assert str(one.value()) == str(other.value())


def test_a_digest_tells_what_changes_a_number() -> None:
    truth = boxes([("a", "cat", 0, 0, 9, 9), ("b", "cat", 0, 0, 9, 9)])
    order = np.array([1, 0])
    shuffled = replace(truth, image=truth.image[order], corners=truth.corners[order])
    assert digest(shuffled) == digest(truth)
    others = [
        replace(truth, inclusive=False),
        replace(truth, crowd=np.array([True, False])),
        replace(truth, ignored=np.array([[0, 0]])),
        replace(truth, unplaced=np.array([0])),
        replace(truth, corners=truth.corners + 1),
    ]
    assert len({digest(one) for one in [truth, *others]}) == 6
    assert digest(replace(truth, ignored=np.array([[0, 0], [0, 0]]))) == digest(others[2])


def test_a_box_for_the_class_that_is_known(tmp_path: Path) -> None:
    """The first box of an image counts, whatever class is said of it."""
    found = result("gt-known", tmp_path, PLACES + "a,1,dog,0,0,99,49\nb,1,dog,50,50,99,99\nb,2,cat,0,0,9,9\n")
    assert values(found) == {"GT-known localisation": 0.5}


def test_classes_without_objects_are_told(tmp_path: Path) -> None:
    """Where all labels are of ILSVRC2012, so are the classes."""
    (tmp_path / "truth.csv").write_text("image,label,x1,y1,x2,y2\na,n01440764,0,0,9,9\n")
    (tmp_path / "said.csv").write_text(DETECTIONS + "a,n01440764,1,0,0,9,9\n")
    task = PLACE_TASKS["detection"]
    truth = task.read_truth(tmp_path / "truth.csv")
    (found,), _, _ = evaluate(task, truth, [task.read_submission(tmp_path / "said.csv", truth)], 0)
    assert values(found)["mean AP"] == 1
    assert found.remarks == ["999 of 1,000 classes have no object that counts, and leave every mean"]


def test_the_official_files_give_the_official_numbers() -> None:
    needs_devkits()
    truth = read_boxes(
        DATA / "2015/ILSVRC2015_det_validation_ground_truth.mat",
        DATA / "2014/ILSVRC2014_det_validation_blacklist.txt",
        detection_truth().classes,
    )
    demo = read_detections(DATA / "2014/demo.val.pred.det.txt", truth, turned=True)
    (result,), _, _ = evaluate(PLACE_TASKS["detection"], truth, [demo], 0)
    assert {name: round(value, 6) for name, value in values(result).items()} == {
        "mean AP": 0.590061,
        "median AP": 0.601199,
    }
    printed = {"n02672831": "0.564", "n02691156": "0.528", "n02219486": "0.548", "n02391049": "0.772"}
    assert {wnid: f"{result.more['average precision'][wnid]:.3f}" for wnid in printed} == printed


def test_the_official_truth_of_localisation_as_a_submission() -> None:
    needs_devkits()
    task = PLACE_TASKS["localisation"]
    truth = task.read_truth(DATA / "LOC_val_solution.csv")
    again = task.read_submission(DATA / "LOC_val_solution.csv", truth)
    assert task.judge(truth, again).measure(np.ones((1, 50_000))).tolist() == [[0, 0, 0, 0]]


def test_images_without_detections_are_told(tmp_path: Path) -> None:
    assert result("detection", tmp_path, DETECTIONS + SAID[0] + "\n").remarks[0] == "1 of 2 images have no detection"
