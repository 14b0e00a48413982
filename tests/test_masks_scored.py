"""A project's own masks as a truth: scored as the COCO file that they came from, and counted in its statistics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from conftest import encoded, photo, run
from holotype.benchmark.outlined import outlines_of
from holotype.benchmark.place_tasks import SEGMENTATION
from holotype.benchmark.reading.masks import read_outlines, read_segments
from holotype.benchmark.segmentation import segmentation
from holotype.errors import PredictionError
from holotype.geometry.masks import encoded as runs_of
from holotype.geometry.masks import text_of_runs
from holotype.geometry.values import Bools
from holotype.imports.finding import find
from holotype.imports.readings import Told
from holotype.project import Project

DOG, CAT = "n02084071", "n02121808"
WNIDS = {1: DOG, 2: CAT}
WIDTH, HEIGHT, IMAGES = 64, 48, 6


def blob(rng: np.random.Generator) -> Bools:
    """An ellipse somewhere in the picture."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    middle, reach = rng.uniform([5, 5], [WIDTH - 5, HEIGHT - 5]), rng.uniform(4, 22, 2)
    return np.asarray((((x - middle[0]) / reach[0]) ** 2 + ((y - middle[1]) / reach[1]) ** 2) <= 1)


def rle(mask: Bools) -> dict[str, Any]:
    return {"size": list(mask.shape), "counts": text_of_runs(runs_of(mask))}


def files(root: Path) -> tuple[Path, list[dict[str, Any]]]:
    """A dataset of COCO with 24 masks, 3 of them of crowds, and 40 guesses at them."""
    rng = np.random.default_rng(7)
    (root / "val2017").mkdir(parents=True)
    (root / "annotations").mkdir()
    objects, guesses = [], []
    for image in range(1, IMAGES + 1):
        (root / "val2017" / f"{image:012d}.jpg").write_bytes(encoded(photo(image, WIDTH, HEIGHT)))
    for number in range(24):
        mask, image, label = blob(rng), number % (IMAGES - 1) + 1, number % 2 + 1
        crowd = int(number % 8 == 7)
        one = {"id": number + 1, "image_id": image, "category_id": label, "iscrowd": crowd, "bbox": [1, 1, 5, 5]}
        objects.append(one | {"segmentation": rle(mask), "area": int(mask.sum())})
        moved = np.roll(mask, int(rng.integers(0, 6)), axis=1)
        guesses.append(
            {"image_id": image, "category_id": label, "score": float(rng.random()), "segmentation": rle(moved)}
        )
    for _ in range(16):
        image, label = int(rng.integers(1, IMAGES + 1)), int(rng.integers(1, 3))
        guesses.append(
            {"image_id": image, "category_id": label, "score": float(rng.random()), "segmentation": rle(blob(rng))}
        )
    value = {
        "images": [
            {"id": at, "file_name": f"{at:012d}.jpg", "width": WIDTH, "height": HEIGHT} for at in range(1, IMAGES + 1)
        ],
        "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "cat"}],
        "annotations": objects,
    }
    path = root / "annotations/instances_val2017.json"
    path.write_text(json.dumps(value))
    return path, guesses


@pytest.fixture
def imported(project: Project, tmp_path: Path) -> tuple[Project, Path, list[dict[str, Any]]]:
    path, guesses = files(tmp_path / "coco")
    takes = find([tmp_path / "coco"], Told(table={"dog": DOG, "cat": CAT})).takes
    project.datasets.add([take.source for take in takes], "coco")
    project.datasets.fingerprint()
    return project, path, guesses


def test_a_dataset_scores_as_the_file_that_its_masks_came_from(
    imported: tuple[Project, Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    db, path, guesses = imported
    (tmp_path / "theirs.json").write_text(json.dumps(guesses))
    named = [
        one | {"image_id": f"val2017/{one['image_id']:012d}.jpg", "category_id": WNIDS[one["category_id"]]}
        for one in guesses
    ]
    (tmp_path / "ours.json").write_text(json.dumps(named))
    theirs, ours = read_outlines(path), db.datasets["coco"].outlines("val")
    weights = np.random.default_rng(1).integers(0, 3, (4, IMAGES)).astype(np.float64)
    weights[0] = 1
    found = [
        segmentation(truth, read_segments(tmp_path / name, truth)).measure(weights)
        for truth, name in ((theirs, "theirs.json"), (ours, "ours.json"))
    ]
    assert 0.1 < found[0][0, 0] < 0.9
    np.testing.assert_array_equal(found[0], found[1])
    told = run(
        *("evaluate", tmp_path / "ours.json", "--task", "segmentation", "--dataset", "coco"),
        *("--resamples", 0, "-p", db.path, "--json"),
    )
    by_file = run(
        *("evaluate", tmp_path / "theirs.json", "--task", "segmentation", "--truth", path),
        *("--resamples", 0, "-p", db.path, "--json"),
    )
    assert json.loads(told)["metrics"] == json.loads(by_file)["metrics"]
    assert len(json.loads(told)["metrics"]) == 13


def test_a_release_scores_as_the_file_that_its_masks_came_from(
    imported: tuple[Project, Path, list[dict[str, Any]]], tmp_path: Path
) -> None:
    db, _, guesses = imported
    release = db.releases.create("v1", query="dataset:coco")
    ids = {row["name"]: row["sha256"][:16] for row in _names(db)}
    named = [
        one
        | {
            "image_id": ids[f"val2017/{one['image_id']:012d}.jpg"],
            "category_id": sorted(WNIDS.values()).index(WNIDS[one["category_id"]]) + 1,
        }
        for one in guesses
        if one["image_id"] < IMAGES  # the last image has no label, and is in no release
    ]
    (tmp_path / "ours.json").write_text(json.dumps(named))
    dataset, ours = db.datasets["coco"].outlines("val"), release.truth_outlines("val")
    back = {digest: name for name, digest in ids.items()}
    (tmp_path / "dataset.json").write_text(json.dumps([one | {"image_id": back[one["image_id"]]} for one in named]))
    found = [
        segmentation(truth, read_segments(tmp_path / name, truth)).measure(np.ones((1, len(truth.boxes.items))))
        for truth, name in ((dataset, "dataset.json"), (ours, "ours.json"))
    ]
    np.testing.assert_array_equal(found[0], found[1])
    told = ("evaluate", tmp_path / "ours.json", "--task", "segmentation", "--release", "v1", "--split", "val")
    assert len(json.loads(run(*told, "--resamples", 0, "-p", db.path, "--json"))["metrics"]) == 13


def _names(db: Project) -> list[dict[str, str]]:
    from sqlalchemy import select

    from holotype.catalog import schema as t

    with db.catalog.read() as connection:
        joined = t.image.join(t.fingerprint, t.fingerprint.c.image_id == t.image.c.id)
        rows = connection.execute(select(t.image.c.name, t.fingerprint.c.sha256).select_from(joined)).all()
    return [row._asdict() for row in rows]


def test_masks_count_once_and_those_of_other_classes_and_sizes_not() -> None:
    names, sizes = np.array(["b", "a", "a"], object), np.array([[2, 2], [2, 2], [2, 2]])
    rows = [
        {"wnid": "x", "width": 2, "height": 2, "counts": "13", "crowd": 0},
        {"wnid": "x", "width": 2, "height": 2, "counts": "13", "crowd": 0},
        {"wnid": "z", "width": 2, "height": 2, "counts": "13", "crowd": 0},
        {"wnid": "y", "width": 2, "height": 3, "counts": "15", "crowd": 0},
    ]
    said = np.array(["a", "a", "a", "b"], object)
    truth = outlines_of(names, sizes, ("x", "y"), said, pa.Table.from_pylist(rows))
    assert (truth.boxes.items, truth.boxes.image.tolist(), truth.masks.areas().tolist()) == (("a", "b"), [0], [3])
    assert truth.boxes.sizes is not None
    SEGMENTATION.digest(truth)
    with pytest.raises(PredictionError, match="none of the images has a mask"):
        outlines_of(names, sizes, ("q",), said, pa.Table.from_pylist(rows))


def test_a_dataset_without_masks_is_no_truth_of_them(project: Project, tmp_path: Path) -> None:
    path, _ = files(tmp_path / "coco")
    value = json.loads(path.read_text())
    for one in value["annotations"]:
        del one["segmentation"]
    path.write_text(json.dumps(value))
    takes = find([tmp_path / "coco"], Told(table={"dog": DOG, "cat": CAT})).takes
    project.datasets.add([take.source for take in takes], "coco")
    (tmp_path / "said.json").write_text("[]")
    told = ("evaluate", tmp_path / "said.json", "--task", "segmentation", "--dataset", "coco", "-p", project.path)
    assert "none of the images has a mask" in run(*told, expect=2)


def test_masks_are_counted(imported: tuple[Project, Path, list[dict[str, Any]]]) -> None:
    db, path, _ = imported
    areas = [one["area"] / (WIDTH * HEIGHT) for one in json.loads(path.read_text())["annotations"]]
    found = db.statistics().masks
    assert found is not None
    assert (found.images, found.masks, found.crowds, found.mean_per_image) == (5, 24, 3, 24 / 5)
    assert sum(one.masks for one in found.classes) == 24
    means = [np.mean([area for at, area in enumerate(areas) if at % 2 == label]) for label in (0, 1)]
    assert found.share == pytest.approx(np.mean(means))
    assert sum(bar.count for bar in found.shares) == 24
    told = run("statistics", "-p", db.path)
    assert "24 masks (3 crowds among them); 5 images have any, 4.80 in the mean; mean over 2 classes" in told
