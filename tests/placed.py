"""Truths and submissions of boxes, as tests make them, and those of ILSVRC's devkits."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat

from holotype.benchmark.values import Boxes, Detections, Floats, Places

DATA = Path(__file__).resolve().parents[2] / "shared/data/ilsvrc"

Box = tuple[str, str, float, float, float, float]
"""An image, a class, and corners."""
Scored = tuple[str, str, float, float, float, float, float]
"""An image, a class, a score, and corners."""


def needs_devkits() -> None:
    if not DATA.is_dir():
        pytest.skip("ILSVRC's devkits are not at hand")


def boxes(
    rows: Sequence[Box],
    items: Iterable[str] = (),
    classes: Iterable[str] = (),
    *,
    crowd: Sequence[bool] | None = None,
    area: Sequence[float] | None = None,
    ignored: Iterable[tuple[str, str]] = (),
    unplaced: Iterable[str] = (),
    inclusive: bool = True,
    sizes: Sequence[tuple[int, int]] | None = None,
) -> Boxes:
    """True boxes; images and classes are those of `rows`, and more where given."""
    images = tuple(sorted({*items, *(row[0] for row in rows)}))
    names = tuple(sorted({*classes, *(row[1] for row in rows)}))
    corners = np.array([row[2:] for row in rows], np.float64).reshape(-1, 4)
    own = (corners[:, 2] - corners[:, 0] + inclusive) * (corners[:, 3] - corners[:, 1] + inclusive)
    return Boxes(
        images,
        names,
        np.array([images.index(row[0]) for row in rows], np.int64),
        np.array([names.index(row[1]) for row in rows], np.int64),
        corners,
        np.zeros(len(rows), np.bool_) if crowd is None else np.array(crowd, np.bool_),
        own if area is None else np.array(area, np.float64),
        np.array([(images.index(image), names.index(name)) for image, name in ignored], np.int64).reshape(-1, 2),
        np.array([images.index(image) for image in unplaced], np.int64),
        inclusive,
        None if sizes is None else np.array(sizes, np.int64),
    )


def places(truth: Boxes, rows: dict[str, list[tuple[str, float, float, float, float]]], guesses: int = 5) -> Places:
    """Guesses with boxes, by image."""
    found = np.full((len(truth.items), guesses), -1, np.int64)
    corners = np.zeros((len(truth.items), guesses, 4))
    for image, made in rows.items():
        for slot, (name, *box) in enumerate(made):
            found[truth.items.index(image), slot] = truth.classes.index(name)
            corners[truth.items.index(image), slot] = box
    return Places(found, corners)


def detections(truth: Boxes, rows: Sequence[Scored]) -> Detections:
    """Detections, in the order that follows from what they say."""
    columns = np.array(
        [(truth.items.index(image), truth.classes.index(name), *rest) for image, name, *rest in rows], np.float64
    ).reshape(-1, 7)
    return sorted_detections(columns)


def sorted_detections(columns: Floats) -> Detections:
    """Rows of image, label, score and corners ``(n, 7)``."""
    image, label, score, *corners = columns.T
    order = np.lexsort((*corners[::-1], image, -score, label))
    image, label = image[order].astype(np.int64), label[order].astype(np.int64)
    return Detections(image, label, score[order], np.stack(corners, axis=1)[order])


def fed_back(truth: Boxes) -> Detections:
    """A truth as detections."""
    columns = np.column_stack((truth.image, truth.label, np.ones(len(truth.image)), truth.corners)).astype(np.float64)
    return sorted_detections(columns)


def localisation_truth() -> Boxes:
    """The 80,477 boxes of the 50,000 validation images, less the blacklist's 1,762."""
    needs_devkits()
    with (DATA / "LOC_val_solution.csv").open() as lines:
        rows = [(row["ImageId"], row["PredictionString"].split()) for row in csv.DictReader(lines)]
    rows.sort()
    items = tuple(image for image, _ in rows)
    classes = tuple(sorted({word for _, words in rows for word in words[::5]}))
    number = {name: label for label, name in enumerate(classes)}
    counts = np.array([len(words) // 5 for _, words in rows])
    cells = np.array([word for _, words in rows for word in words]).reshape(-1, 5)
    corners = cells[:, 1:].astype(np.float64)
    blacklist = np.array((DATA / "2014/ILSVRC2014_clsloc_validation_blacklist.txt").read_text().split(), np.int64)
    return Boxes(
        items,
        classes,
        np.repeat(np.arange(len(items)), counts),
        np.array([number[name] for name in cells[:, 0]]),
        corners,
        np.zeros(len(corners), np.bool_),
        np.prod(corners[:, 2:] - corners[:, :2] + 1, axis=1),
        unplaced=blacklist - 1,
    )


def detection_truth() -> Boxes:
    """The 55,502 boxes of DET's 20,121 validation images with its blacklist; classes are in the order of their ids."""
    needs_devkits()
    found: dict[str, Any] = loadmat(DATA / "2015/ILSVRC2015_det_validation_ground_truth.mat")
    labels = [label.ravel().astype(np.int64) for label in found["gt_obj_labels"].ravel()]
    corners = [box.T.reshape(-1, 4).astype(np.float64) for box in found["gt_obj_bboxes"].ravel()]
    synsets = loadmat(DATA / "2014/meta_det.mat", squeeze_me=True)["synsets"][:200]
    wnids = [str(synset["WNID"]) for synset in synsets]
    blacklist = [
        line.split() for line in (DATA / "2014/ILSVRC2014_det_validation_blacklist.txt").read_text().split("\n")
    ]
    boxes = np.concatenate(corners)
    return Boxes(
        tuple(line.split()[0] for line in (DATA / "2014/det_lists/val.txt").read_text().splitlines()),
        tuple(wnids),
        np.repeat(np.arange(len(labels)), [len(label) for label in labels]),
        np.concatenate(labels) - 1,
        boxes,
        np.zeros(len(boxes), np.bool_),
        np.prod(boxes[:, 2:] - boxes[:, :2] + 1, axis=1),
        np.array([(int(row[0]) - 1, wnids.index(row[1])) for row in blacklist if row]),
    )


def detection_demo() -> Detections:
    """The demo submission of DET's devkit, 49,013 boxes."""
    needs_devkits()
    columns = np.loadtxt(DATA / "2014/demo.val.pred.det.txt", np.float64)
    columns[:, :2] -= 1
    return sorted_detections(columns)
