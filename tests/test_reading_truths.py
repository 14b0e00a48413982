"""Truths of every form: tables, Kaggle, the devkits, ReaL, COCO; and blacklists."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from holotype.benchmark.orders import order
from holotype.benchmark.reading.submissions import read_detections, read_guesses, read_places
from holotype.benchmark.reading.truths import read_boxes, read_labels
from holotype.benchmark.reading.vocabularies import read_classes
from holotype.benchmark.values import Boxes, Labels
from holotype.errors import PredictionError
from submitted import csv_of, json_lines, parquet_of, write

DOG, CAT = "n02084071", "n02121808"
WNIDS = order("sorted").wnids
PAIRS = [("b", "dog"), ("a", "cat"), ("b", "cat"), ("c", "")]


def told(truth: Labels) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {item: [] for item in truth.items}
    for image, label in zip(truth.image.tolist(), truth.label.tolist(), strict=True):
        found[truth.items[image]].append(truth.classes[label])
    return found


LABELS = {
    "t.csv": csv_of("image,label", PAIRS),
    "names.csv": csv_of("label,file_name", [pair[::-1] for pair in PAIRS]),
    "t.jsonl": json_lines([{"image": image, "label": label or None} for image, label in PAIRS]),
    "t.json": json.dumps({"a": "cat", "b": ["dog", "cat"], "c": []}).encode(),
    "t.parquet": parquet_of(image=[image for image, _ in PAIRS], label=[label or None for _, label in PAIRS]),
    "t.csv.gz": gzip.compress(csv_of("image,label", PAIRS)),
    "kaggle.csv": csv_of(
        "ImageId,PredictionString", [["b", "dog 1 2 3 4 cat 1 2 3 4 dog 0 0 1 1 "], ["a", "cat 1 2 3 4"], ["c", ""]]
    ),
    "boxes.csv": csv_of("image,label,x1,y1,x2,y2", [[*pair, 1, 2, 3, 4] for pair in PAIRS]),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_are_the_same_in_every_form(tmp_path: Path, name: str) -> None:
    truth = read_labels(write(tmp_path, name, LABELS[name]))
    assert told(truth) == {"a": ["cat"], "b": ["cat", "dog"], "c": []}
    assert (truth.items, truth.classes, truth.numbers) == (("a", "b", "c"), ("cat", "dog"), ())


def test_the_classes_of_labels(tmp_path: Path) -> None:
    path = write(tmp_path, "t.csv", f"image,label\na,{WNIDS[3]}\n")
    assert read_labels(path).classes == WNIDS, "a model of ILSVRC2012 may guess any of its classes"
    assert read_labels(path, (WNIDS[3], WNIDS[1])).classes == (WNIDS[1], WNIDS[3])
    with pytest.raises(PredictionError, match=f"the label '{WNIDS[3]}' is none of the 1 classes"):
        read_labels(path, ("cat",))


def test_labels_that_are_numbers_are_in_an_order(tmp_path: Path) -> None:
    path = write(tmp_path, "t.csv", "image,label\na,1\nb,1000\n")
    assert told(read_labels(path, order="devkit")) == {"a": ["n02119789"], "b": [order("devkit").wnids[1000]]}
    assert told(read_labels(path, order="background"))["a"] == [WNIDS[0]]
    assert read_labels(path).classes == ("1", "1000")
    with pytest.raises(PredictionError, match="'1000' is no class in order sorted"):
        read_labels(path, order="sorted")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "", "is empty: a truth has a header like image,label"),
        ("t.csv", "image,label\n,cat\n", "line 2: no image"),
        ("t.csv", "image,labels\na,cat\n", "has no column label"),
        ("t.csv", "image,label,colour\na,cat,red\n", "columns of no meaning: colour"),
        ("t.csv", "image,label\na\n", "line 2: 1 cells"),
        ("ILSVRC2012_validation_ground_truth.txt", "1\nx\n", "line 2: no number of a class: 'x'"),
        ("ILSVRC2012_validation_ground_truth.txt", "1\n1.5\n", "line 2: no number of a class: '1.5'"),
        ("real.json", "[[1], [2]]", "not a list of labels for each of 50,000 validation images"),
        ("t.json", '{"a": [2000]}', "entry 1: '2000' is no class"),
        ("t.json", '{"a": [null]}', "entry 1: 'None' is no class"),
        ("t.mat", "MATLAB 5.0 MAT-file", "is damaged"),
    ],
)
def test_truths_are_read_strictly(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(PredictionError, match=message):
        read_labels(write(tmp_path, name, text))


BOXES = [("b", "dog", 1, 2, 3.5, 4), ("a", "cat", 0, 0, 9, 9), ("b", "cat", 1, 2, 3, 4), ("b", "dog", 0, 2, 3, 4)]
NAMES = ("image", "label", "x1", "y1", "x2", "y2")
STRINGS = [["b", "dog 1 2 3.5 4 cat 1 2 3 4 dog 0 2 3 4 "], ["a", "cat 0 0 9 9"], ["c", ""]]
BOX_FORMS = {
    "t.csv": csv_of(",".join(NAMES), [*BOXES, ("c", "", "", "", "", "")]),
    "kaggle.csv": csv_of("ImageId,PredictionString", STRINGS),
    "t.jsonl": json_lines(
        [*(dict(zip(NAMES, row, strict=True)) for row in BOXES), {**dict.fromkeys(NAMES), "image": "c"}]
    ),
    "t.parquet": parquet_of(
        **{name: [*(row[at] for row in BOXES), "c" if name == "image" else None] for at, name in enumerate(NAMES)}
    ),
}


def placed(truth: Boxes) -> list[tuple[Any, ...]]:
    columns = (truth.image.tolist(), truth.label.tolist(), truth.corners.tolist())
    return [(truth.items[i], truth.classes[c], *box) for i, c, box in zip(*columns, strict=True)]


@pytest.mark.parametrize("name", BOX_FORMS)
def test_boxes_are_the_same_in_every_form(tmp_path: Path, name: str) -> None:
    truth = read_boxes(write(tmp_path, name, BOX_FORMS[name]))
    assert placed(truth) == sorted(BOXES)
    assert truth.items == ("a", "b", "c")
    assert truth.inclusive
    assert not truth.crowd.any()
    assert truth.area.tolist() == [100, 9, 12, 10.5]


def test_crowds_of_tables(tmp_path: Path) -> None:
    head = "image,label,x1,y1,x2,y2,difficult\n"
    assert read_boxes(write(tmp_path, "t.csv", head + "a,cat,1,2,3,4,1\na,cat,1,2,3,5,0\n")).crowd.tolist() == [1, 0]
    with pytest.raises(PredictionError, match="line 2: crowd is neither 0 nor 1"):
        read_boxes(write(tmp_path, "t.csv", head + "a,cat,1,2,3,4,2\n"))


@pytest.mark.parametrize("cell", ["nan", "inf", "1e400", "", "0x3", "3,5"])
def test_true_boxes_are_numbers(tmp_path: Path, cell: str) -> None:
    with pytest.raises(PredictionError, match="line 2"):
        read_boxes(write(tmp_path, "t.csv", f"image,label,x1,y1,x2,y2\na,cat,1,2,{cell},4\n"))


COCO: dict[str, Any] = {
    "images": [
        {"id": 9, "file_name": "x.jpg", "width": 30, "height": 20},
        {"id": 10, "file_name": "y.jpg", "width": 5, "height": 6},
    ],
    "categories": [{"id": 7, "name": "zebra"}, {"id": 90, "name": "ant"}],
    "annotations": [
        {"id": 1, "image_id": 9, "category_id": 7, "bbox": [1.5, 2, 3, 4], "area": 11.5, "iscrowd": 0},
        {"id": 2, "image_id": 9, "category_id": 90, "bbox": [0, 0, 3, 0], "area": 0, "iscrowd": 1},
    ],
}


def test_cocos_instances(tmp_path: Path) -> None:
    truth = read_boxes(write(tmp_path, "instances_val.json", json.dumps(COCO)))
    assert (truth.items, truth.classes, truth.numbers) == (("10", "9"), ("ant", "zebra"), (90, 7))
    assert placed(truth) == [("9", "ant", 0, 0, 3, 0), ("9", "zebra", 1.5, 2, 4.5, 6)]
    assert (truth.crowd.tolist(), truth.area.tolist(), truth.inclusive) == ([True, False], [0, 11.5], False)
    assert truth.sizes is not None
    assert truth.sizes.tolist() == [[5, 6], [30, 20]]
    assert told(read_labels(tmp_path / "instances_val.json")) == {"10": [], "9": ["ant", "zebra"]}
    result = [{"image_id": 9, "category_id": 7, "bbox": [1.5, 2, 3, 4], "score": 0.5}]
    found = read_detections(write(tmp_path, "results.json", json.dumps(result)), truth)
    assert (found.image.tolist(), found.label.tolist(), found.corners.tolist()) == ([1], [1], [[1.5, 2, 4.5, 6]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"annotations": [{"image_id": 9, "category_id": 7}]}, "annotation 1: lacks image_id"),
        ({"annotations": [{"image_id": 8, "category_id": 7, "bbox": [1, 2, 3, 4]}]}, "annotation 1: unknown image '8'"),
        ({"annotations": [{"image_id": 9, "category_id": 1, "bbox": [1, 2, 3, 4]}]}, "or category '1'"),
        ({"annotations": [{"image_id": 9, "category_id": 7, "bbox": [1, 2, -3, 4]}]}, "annotation 1: its box is none"),
        (
            {"annotations": [{"image_id": 9, "category_id": 7, "bbox": [1, 2, True, 4]}]},
            "annotation 1: its box is none",
        ),
        ({"annotations": [{"image_id": 9, "category_id": 7, "bbox": ["1", 2, 3, 4]}]}, "annotation 1: "),
        ({"categories": [{"id": 7, "name": "ant"}, {"id": 8, "name": "ant"}]}, "a category twice"),
        ({"categories": None}, "is no file of COCO's instances"),
        ({"images": COCO["images"] * 2}, "has an image or a category twice"),
        ({"images": [{"id": 9}, {"id": "9"}]}, "has an image or a category twice"),
        ({"annotations": [{"image_id": [9], "category_id": 7, "bbox": [1, 2, 3, 4]}]}, "unknown image '\\[9\\]'"),
        ({"annotations": [{"image_id": 9, "category_id": {}, "bbox": [1, 2, 3, 4]}]}, "or category '{}'"),
    ],
)
def test_cocos_instances_are_read_strictly(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(PredictionError, match=message):
        read_boxes(write(tmp_path, "instances.json", json.dumps(COCO | change)))


def mat(folder: Path, name: str, **variables: Any) -> Path:
    file = io.BytesIO()
    savemat(file, variables, do_compression=True)
    return write(folder, name, file.getvalue())


def detection_truth(folder: Path, **change: Any) -> Path:
    labels, boxes = np.empty(3, object), np.empty(3, object)
    labels[:] = [np.array([[2.0, 1.0]]), np.empty((0, 0)), np.array([[1.0]])]
    boxes[:] = [np.array([[1.0, 2, 3, 4], [0, 0, 9, 9]]).T, np.empty((0, 0)), np.array([[5.0, 6, 7, 8]]).T]
    said = {"gt_img_ids": np.array([[1, 2, 3]]), "gt_obj_labels": labels, "gt_obj_bboxes": boxes}
    return mat(folder, "det.mat", **(said | change))


def test_the_devkits_truth_of_detection(tmp_path: Path) -> None:
    path = detection_truth(tmp_path)
    truth = read_boxes(path, classes=("dog", "cat"))
    assert truth.items == ("00000001", "00000002", "00000003")
    assert (truth.classes, truth.numbers) == (("cat", "dog"), (2, 1))
    assert placed(truth) == [
        ("00000001", "cat", 1, 2, 3, 4),
        ("00000001", "dog", 0, 0, 9, 9),
        ("00000003", "dog", 5, 6, 7, 8),
    ]
    found = read_detections(write(tmp_path, "d.txt", "3 1 .5 1 2 3 4\n"), truth)
    assert (found.image.tolist(), found.label.tolist()) == ([2], [1])
    assert read_boxes(path).classes == ("1", "2")
    with pytest.raises(PredictionError, match="2 is no number of a class"):
        read_boxes(path, classes=("dog",))
    with pytest.raises(PredictionError, match="or doubled"):
        read_boxes(detection_truth(tmp_path, gt_img_ids=np.array([[1, 2, 2]])))
    with pytest.raises(PredictionError, match="has neither rec nor gt_img_ids"):
        read_boxes(mat(tmp_path, "x.mat", other=np.array([1])))


def test_blacklists(tmp_path: Path) -> None:
    path = detection_truth(tmp_path)
    pairs = read_boxes(path, write(tmp_path, "b.txt", "3 dog\n1 cat\n3 dog\n"), ("dog", "cat"))
    assert pairs.ignored.tolist() == [[0, 0], [2, 1]]
    alone = read_boxes(path, write(tmp_path, "b.txt", "2\n00000003\n\n"), ("dog", "cat"))
    assert alone.unplaced.tolist() == [1, 2]
    table = read_boxes(path, write(tmp_path, "b.csv", "image,label\n00000003,1\n"), ("dog", "cat"))
    assert table.ignored.tolist() == [[2, 1]]
    for text, message in {
        "4\n": "line 1: '4' is no image",
        "1 cow\n": "line 1: unknown class 'cow'",
        "1 2 3\n": "line 1",
    }.items():
        with pytest.raises(PredictionError, match=message):
            read_boxes(path, write(tmp_path, "b.txt", text), ("dog", "cat"))


def test_the_devkits_lines_of_labels(tmp_path: Path) -> None:
    ours = read_labels(write(tmp_path, "ILSVRC2012_validation_ground_truth.txt", "490\n1\n"))
    assert told(ours) == {"ILSVRC2012_val_00000001": ["n01751748"], "ILSVRC2012_val_00000002": ["n02119789"]}
    assert (len(ours.classes), ours.numbers) == (1000, ()), "which have several orders, so none is their own"
    other = read_labels(write(tmp_path, "ILSVRC2010_validation_ground_truth.txt", "2 0\n1 3\n"))
    assert told(other) == {"ILSVRC2010_val_00000001": ["2"], "ILSVRC2010_val_00000002": ["1", "3"]}
    named = read_labels(tmp_path / "ILSVRC2010_validation_ground_truth.txt", ("ant", "cat", "bee"))
    assert (named.classes, named.numbers) == (("ant", "bee", "cat"), (1, 3, 2))
    found = read_guesses(write(tmp_path, "g.txt", "2 3\n1\n"), named)
    assert found.guesses[:, :2].tolist() == [[2, 1], [0, -1]]
    with pytest.raises(PredictionError, match="line 2: 4 is no class of this truth"):
        read_guesses(write(tmp_path, "g.txt", "2 3\n4\n"), named)


def test_the_classes_of_2010_lie_beside_its_truth(shared: Path) -> None:
    """And its demonstration gives the readme's flat errors."""
    folder = shared / "ilsvrc/2010"
    truth = read_labels(folder / "ILSVRC2010_validation_ground_truth.txt")
    found = read_guesses(folder / "demo.val.pred.txt", truth)
    right = (found.guesses == truth.label[:, None]).cumsum(axis=1) > 0
    assert (1 - right.mean(axis=0)).round(4).tolist() == [0.9101, 0.8716, 0.8422, 0.8191, 0.8003]
    assert truth.classes[0].startswith("n0")


def test_two_copies_of_the_truth_of_localisation_are_the_same(shared: Path) -> None:
    folder = shared / "ilsvrc"
    kaggle = read_boxes(folder / "LOC_val_solution.csv")
    devkit = read_boxes(folder / "2015/ILSVRC2015_clsloc_validation_ground_truth.mat")
    assert len(kaggle.image) == 80_477
    assert (kaggle.items, kaggle.classes) == (devkit.items, devkit.classes)
    for name in ("image", "label", "corners", "area"):
        assert (getattr(kaggle, name) == getattr(devkit, name)).all()
    lines = read_labels(folder / "2014/ILSVRC2014_clsloc_validation_ground_truth.txt")
    assert (read_labels(folder / "LOC_val_solution.csv").label == lines.label).all()
    without = read_boxes(folder / "LOC_val_solution.csv", folder / "2014/ILSVRC2014_clsloc_validation_blacklist.txt")
    assert len(without.unplaced) == 1762


def test_the_truth_of_detection_and_its_demonstration(shared: Path) -> None:
    folder = shared / "ilsvrc"
    classes = read_classes(folder / "2014/meta_det.mat")
    assert (len(classes), classes[0], classes[-1]) == (200, "n02672831", "n02391049")
    blacklist = folder / "2014/ILSVRC2014_det_validation_blacklist.txt"
    truth = read_boxes(folder / "2015/ILSVRC2015_det_validation_ground_truth.mat", blacklist, classes)
    assert (len(truth.items), len(truth.image), len(truth.ignored)) == (20_121, 55_502, 409)
    demo = folder / "2014/demo.val.pred.det.txt"
    assert len(read_detections(demo, truth, turned=True).image) == 49_013
    with pytest.raises(PredictionError, match="line 56: the box .* ends before it begins"):
        read_detections(demo, truth)


def test_real_leaves_images_without_labels(shared: Path) -> None:
    truth = read_labels(shared / "real/real.json")
    assert (len(truth.items), len(np.unique(truth.image))) == (50_000, 46_837)


def test_a_truth_handed_in_is_read_as_it_is(tmp_path: Path) -> None:
    truth = read_boxes(write(tmp_path, "t.csv", BOX_FORMS["kaggle.csv"]))
    places = read_places(tmp_path / "t.csv", truth)
    assert places.guesses[1, :3].tolist() == [1, 0, 1]
    labels = read_labels(tmp_path / "t.csv")
    assert read_guesses(tmp_path / "t.csv", labels).guesses[1, :3].tolist() == [1, 0, 1]


def test_sizes_that_no_image_has_are_not_known(tmp_path: Path) -> None:
    images = [{"id": 9, "width": 10**30, "height": 1}]
    path = write(tmp_path, "instances.json", json.dumps(COCO | {"images": images}))
    assert read_boxes(path).sizes is None
