"""Boxes of imported datasets and of releases as a truth that places are scored against."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import holotype
from conftest import run
from holotype.benchmark.boxed import boxes_of
from holotype.benchmark.values import Boxes
from holotype.errors import PredictionError
from holotype.ontology import Ontology
from holotype.project import Project
from miniatures import CLASSES, pictures
from stages import import_miniature


@pytest.fixture(scope="module")
def filled_once(
    tmp_path_factory: pytest.TempPathFactory, new_project: Callable[[Path], Path], wordnet: Ontology
) -> Path:
    place = tmp_path_factory.mktemp("boxed")
    with holotype.open(new_project(place / "project"), wordnet) as db:
        import_miniature(db, place / "disk")
        db.datasets.fingerprint()
        db.releases.create("v1", outvoted=True)
    return place / "project"


@pytest.fixture
def db(filled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(filled_once)


def placed(truth: Boxes) -> list[tuple[str, str, list[float]]]:
    rows = zip(truth.image.tolist(), truth.label.tolist(), truth.corners.tolist(), strict=True)
    return [(truth.items[image], truth.classes[label], corners) for image, label, corners in rows]


def fed_back(path: Path, truth: Boxes, right: float = 0) -> Path:
    """The truth as five guesses with boxes, moved to the `right`."""
    said = {image: f"{label} {x1 + right} {y1} {x2 + right} {y2}" for image, label, (x1, y1, x2, y2) in placed(truth)}
    path.write_text("ImageId,PredictionString\n" + "".join(f"{image},{one}\n" for image, one in said.items()))
    return path


def test_a_dataset_is_a_truth_of_places(db: Project, tmp_path: Path) -> None:
    truth = db.datasets["ilsvrc2012"].boxes("val")
    val = [one for one in pictures() if one.split == "val"]
    edges = [(one.name, box.wnid, [box.xmin, box.ymin, box.xmax, box.ymax]) for one in val for box in one.boxes]
    assert placed(truth) == sorted(edges)
    assert truth.classes == CLASSES
    assert truth.inclusive
    assert truth.sizes is not None
    assert truth.sizes.tolist() == [[80, 60]] * len(val)
    (error,) = scored(db, fed_back(tmp_path / "a.csv", truth), "--dataset", "ilsvrc2012")
    assert error == 0
    assert scored(db, fed_back(tmp_path / "b.csv", truth, 20), "--dataset", "ilsvrc2012") == [1]


def test_a_release_is_a_truth_of_places(db: Project, tmp_path: Path) -> None:
    release = db.releases["v1"]
    for split in ("train", "val"):
        truth = release.truth_boxes(split)
        rows = [row for row in release.rows() if row["split"] == split]
        assert truth.items == tuple(sorted({row["id"] for row in rows}))
        assert len(truth.image) == sum(row["boxes"] for row in rows)
        assert {tuple(one) for one in truth.corners.tolist()} == {(10, 8, 60, 50)}
    of_val = ("--release", "v1", "--split", "val")
    assert scored(db, fed_back(tmp_path / "a.csv", release.truth_boxes("val")), *of_val) == [0]


def test_what_is_blacklisted_is_not_scored(db: Project, tmp_path: Path) -> None:
    truth = db.datasets["ilsvrc2012"].boxes("val")
    moved = fed_back(tmp_path / "a.csv", truth, 20)
    lines = moved.read_text().splitlines()
    right = fed_back(tmp_path / "b.csv", truth).read_text().splitlines()
    moved.write_text("\n".join([*lines[:2], *right[2:]]) + "\n")
    wrong = tmp_path / "blacklist.txt"
    wrong.write_text(lines[1].partition(",")[0] + "\n")
    assert scored(db, moved, "--dataset", "ilsvrc2012") == [pytest.approx(1 / len(truth.items))]
    assert scored(db, moved, "--dataset", "ilsvrc2012", "--blacklist", wrong) == [0]
    labels = ("evaluate", moved, "--dataset", "ilsvrc2012", "--blacklist", wrong, "-p", db.path)
    assert "does not go by boxes" in run(*labels, expect=2)


def scored(db: Project, path: Path, *truth: object) -> list[float]:
    told = json.loads(
        run("evaluate", path, *truth, "--task", "localisation", "--resamples", 0, "-p", db.path, "--json")
    )
    return [1 - one["value"] if one["better"] == "higher" else one["value"] for one in told["metrics"].values()][:1]


def test_boxes_count_once_and_those_of_other_classes_not() -> None:
    """A box that several files say is a crowd where any of them says so."""
    names, sizes = np.array(["b", "a", "a"], object), np.array([[9, 8], [7, 6], [7, 6]])
    said = np.array(["a", "a", "b", "b"], object)
    corners = np.array([[0, 0, 3, 4], [0, 0, 3, 4], [1, 1, 2, 2], [1, 1, 2, 2]])
    truth = boxes_of(
        names, sizes, ("x", "y"), said, ["x", "x", "z", "y"], corners, np.array([False, True, True, False])
    )
    assert truth.crowd.tolist() == [True, False]
    assert placed(truth) == [("a", "x", [0, 0, 3, 4]), ("b", "y", [1, 1, 2, 2])]
    assert truth.area.tolist() == [20, 4]
    assert truth.sizes is not None
    assert truth.sizes.tolist() == [[7, 6], [9, 8]]
    assert boxes_of(names, sizes * 0, ("x", "y"), said, ["x"] * 4, corners, np.zeros(4, bool)).sizes is None
    with pytest.raises(PredictionError, match="none of the images has a box"):
        boxes_of(names, sizes, ("q",), said, ["x", "x", "z", "y"], corners, np.zeros(4, bool))
