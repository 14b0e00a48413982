"""R-CNN without a network: what it learns of planted objects, and what its parts do."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from any_release import CAT, DOG
from holotype.benchmark import evaluate
from holotype.benchmark.boxed import boxes_of_release
from holotype.benchmark.place_tasks import PLACE_TASKS
from holotype.benchmark.values import Boxes
from holotype.errors import OtherRun, RecognitionError
from holotype.geometry.boxes import iou, non_maximum_suppression
from holotype.geometry.values import Floats
from holotype.images.flatten import Pixels
from holotype.ontology import Ontology
from holotype.recognition.box_regression import moved, offsets
from holotype.recognition.boxed import BoxedImages, boxed_images, folded, of_images
from holotype.recognition.detecting import detect
from holotype.recognition.detections import Detected, submission, write_detections
from holotype.recognition.kept_parts import KeptParts
from holotype.recognition.rcnn import RCNN, RegionHead
from holotype.recognition.rcnn_fitting import Fitting, fit_head
from holotype.recognition.regions import NORM, Describe, KeptRegions, describe_regions, normal
from holotype.recognition.relabelling import once
from holotype.recognition.selective_search import selective_search
from holotype.releases import Release
from holotype.releases.loaders import samples_of
from planted import damaged_release, release_of

pytest.importorskip("skimage")
pytest.importorskip("sklearn")

WHIPPET, ANIMAL = "n02091134", "n00015388"
DETECTION = PLACE_TASKS["detection"]
propose = partial(selective_search, mode="single", limit=30)


def describe(pixels: Pixels, boxes: Floats) -> npt.NDArray[np.float32]:
    """A box by its colours: each box made 5 x 5 pixels, and what is around it."""
    rows = []
    for x1, y1, x2, y2 in boxes.astype(int).tolist():
        margin = max(1, (x2 - x1) // 4), max(1, (y2 - y1) // 4)
        around = Image.fromarray(pixels).crop((x1 - margin[0], y1 - margin[1], x2 + margin[0], y2 + margin[1]))
        rows.append(np.asarray(around.resize((6, 6), Image.Resampling.BOX), np.float32).ravel() / 255)
    return np.array(rows, np.float32).reshape(len(boxes), 108)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = tmp_path_factory.mktemp("planted") / "v1"
    return Release(release_of(folder, lambda seed: "train" if seed < 18 else "val"))


@pytest.fixture(scope="module")
def images(release: Release, wordnet: Ontology) -> BoxedImages:
    return boxed_images(samples_of(release, "train"), boxes_of_release(release, "train"), wordnet)


@pytest.fixture(scope="module")
def regions(images: BoxedImages, tmp_path_factory: pytest.TempPathFactory) -> KeptRegions:
    return describe_regions(images, propose, describe, tmp_path_factory.mktemp("regions") / "kept", {})


def mean_ap(truth: Boxes, found: Detected) -> float:
    result, _, _ = evaluate(DETECTION, truth, [submission(truth, found)], resamples=0)
    return result[0]["mean AP"].value


def test_images_have_their_boxes_once(images: BoxedImages, release: Release) -> None:
    assert images.classes == (DOG, CAT)
    assert len(images) == 18
    both = sum(len(images.of(number).label) == 2 for number in range(18))
    assert both == 6
    assert len(images.unboxed) == 0
    table = release.boxes.to_pylist()
    for number in range(18):
        name = images.samples.ids[number].as_py()
        said = sorted(
            [images.classes.index(row["wnid"]), row["x_min"], row["y_max"]] for row in table if row["id"] == name
        )
        found = images.of(number)
        rows = np.column_stack([found.label, found.corners[:, 0], found.corners[:, 3]])
        assert sorted(rows.astype(int).tolist()) == said


def test_planted_objects_are_detected_and_regression_helps(
    release: Release, regions: KeptRegions, tmp_path: Path
) -> None:
    head = fit_head(regions, Fitting(ridge=1.0))
    samples, truth = samples_of(release, "val"), boxes_of_release(release, "val")
    overlaps = {}
    for moving in (True, False):
        found = detect(RCNN(head, propose, describe, moving), samples, most=20)
        assert mean_ap(truth, found) > 0.9
        best = [found.image.tolist().index(number) for number in range(len(found.ids))]
        of = [np.flatnonzero(truth.image == truth.items.index(found.ids[number])) for number in range(len(found.ids))]
        overlaps[moving] = [
            iou(found.corners[[row]], truth.corners[true], inclusive=True).max()
            for row, true in zip(best, of, strict=True)
        ]
    assert np.mean(overlaps[True]) > np.mean(overlaps[False])
    assert np.mean(overlaps[True]) > 0.85


def test_rows_are_read_as_they_are_scored(release: Release, regions: KeptRegions, tmp_path: Path) -> None:
    samples, truth = samples_of(release, "val"), boxes_of_release(release, "val")
    found = detect(RCNN(fit_head(regions), propose, describe), samples, most=9)
    for name in ("d.csv", "d.parquet"):
        write_detections(found, tmp_path / name)
        read = DETECTION.read_submission(tmp_path / name, truth)
        assert DETECTION.digest(read) == DETECTION.digest(submission(truth, found))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "d.csv").read_text())))
    assert list(rows[0]) == ["image", "label", "score", "x1", "y1", "x2", "y2"]
    assert max(np.bincount(found.image)) <= 9
    with pytest.raises(RecognitionError, match=r"written as \.csv or \.parquet, not as 'd\.txt'"):
        write_detections(found, tmp_path / "d.txt")
    (tmp_path / "file").write_text("")
    with pytest.raises(RecognitionError, match="cannot write"):
        write_detections(found, tmp_path / "file" / "d.csv")
    with pytest.raises(ValueError, match="other classes"):
        submission(replace(truth, classes=("a", "b")), found)


def test_the_same_regions_make_the_same_head(regions: KeptRegions) -> None:
    one, other = fit_head(regions), fit_head(regions)
    assert (one.weights == other.weights).all()
    assert (one.shifts == other.shifts).all()


def test_hard_negatives_come_from_outside_the_pool(regions: KeptRegions, release: Release) -> None:
    """A pool of few regions and those that are hard are worth as much as all regions."""
    few = fit_head(regions, Fitting(pool=40, hard=30))
    blind = fit_head(regions, Fitting(pool=40, hard=1))
    whole = fit_head(regions)
    samples, truth = samples_of(release, "val"), boxes_of_release(release, "val")
    worth = {
        name: mean_ap(truth, detect(RCNN(head, propose, describe), samples))
        for name, head in {"few": few, "blind": blind, "whole": whole}.items()
    }
    assert worth["few"] >= worth["whole"] - 0.05
    assert (few.weights != whole.weights).any()
    assert (few.weights != blind.weights).any()


def test_who_is_stopped_goes_on(images: BoxedImages, tmp_path: Path) -> None:
    asked: list[int] = []

    def counting(pixels: Pixels, boxes: Floats) -> npt.NDArray[np.float32]:
        asked.append(len(boxes))
        if len(asked) == 17:
            raise KeyboardInterrupt
        return describe(pixels, boxes)

    with pytest.raises(KeyboardInterrupt):
        describe_regions(images, propose, counting, tmp_path, {"of": "a"})
    told: list[tuple[int, int]] = []
    kept = describe_regions(images, propose, counting, tmp_path, {"of": "a"}, lambda *done: told.append(done))
    assert len(asked) == 17 + 2
    assert told == [(0, 18), (16, 18), (18, 18)]
    with pytest.raises(OtherRun, match="of was a, and is b"):
        describe_regions(images, propose, counting, tmp_path, {"of": "b"})
    part = tmp_path / "000001.npz"
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(RecognitionError, match=r"000001\.npz cannot be read"):
        list(kept.read(0.3))
    (tmp_path / "mine.txt").write_text("stays")
    kept.parts.remove()
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    kept.parts.remove()


def test_detections_are_kept_as_they_come(release: Release, tmp_path: Path) -> None:
    head = RegionHead((DOG, CAT), np.ones((108, 2)), np.zeros(2), np.zeros((109, 2, 4)))
    samples = samples_of(release, "val")
    detector = RCNN(head, propose, describe)
    once = detect(detector, samples)
    again = detect(detector, samples, kept=tmp_path / "kept", identity={"by": 1})
    assert once.table().equals(again.table())
    with pytest.raises(OtherRun):
        detect(detector, samples, kept=tmp_path / "kept", identity={"by": 2})
    with pytest.raises(OtherRun):
        detect(detector, samples, most=3, kept=tmp_path / "kept", identity={"by": 1})


def test_full_disks_and_damaged_notes_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    parts = KeptParts(tmp_path / "file" / "below", 1, 1)
    with pytest.raises(RecognitionError, match="cannot write to"):
        parts.make(lambda _: {}, {})
    (tmp_path / "parts.json").write_text("{")
    with pytest.raises(RecognitionError, match=r"parts\.json is damaged"):
        KeptParts(tmp_path, 1, 1).make(lambda _: {}, {})


def test_damaged_pictures_are_told_and_left_out(tmp_path: Path, wordnet: Ontology) -> None:
    release = damaged_release(tmp_path / "v1", 1)
    samples = samples_of(release, "train")
    images = boxed_images(samples, boxes_of_release(release, "train"), wordnet)
    kept = describe_regions(images, propose, describe, tmp_path / "kept", {})
    assert [(one.number, one.id) for one in kept.damaged] == [(at, samples.ids[at].as_py()) for at in (1, 2)]
    head = fit_head(kept)
    found = detect(RCNN(head, propose, describe), samples)
    assert [one.number for one in found.damaged] == [1, 2]
    assert set(found.image.tolist()) == {0}
    release = damaged_release(tmp_path / "v2", 0)
    images = boxed_images(samples_of(release, "train"), boxes_of_release(release, "train"), wordnet)
    kept = describe_regions(images, propose, describe, tmp_path / "none", {})
    with pytest.raises(RecognitionError, match="none of the images is a sound picture"):
        fit_head(kept)
    assert len(detect(RCNN(head, propose, describe), samples_of(release, "train")).image) == 0


def test_a_class_without_background_cannot_be_fitted(images: BoxedImages, tmp_path: Path) -> None:
    kept = describe_regions(images, lambda _: np.zeros((0, 4)), describe, tmp_path, {})
    assert fit_head(kept).classes == (DOG, CAT), "the boxes of others are background"
    one = replace(images, boxes=replace(images.boxes, label=images.boxes.label * 0), classes=(DOG,))
    alone = describe_regions(one, lambda _: np.zeros((0, 4)), describe, tmp_path / "one", {})
    with pytest.raises(RecognitionError, match="n02084071 has no background"):
        fit_head(alone)


def truth_of(rows: list[tuple[int, str, tuple[int, ...]]], classes: tuple[str, ...], crowd: int = 0) -> Boxes:
    image = np.array([row[0] for row in rows])
    label = np.array([classes.index(row[1]) for row in rows])
    corners = np.array([row[2] for row in rows], np.float64)
    crowds = np.arange(len(rows)) < crowd
    return Boxes(("a", "b", "c"), classes, image, label, corners, crowds, corners[:, 2])


def test_boxes_are_also_those_of_what_is_above(wordnet: Ontology) -> None:
    box = (0, 0, 9, 9)
    truth = truth_of([(0, WHIPPET, box), (1, DOG, box), (2, CAT, box), (2, DOG, box)], (DOG, WHIPPET, CAT))
    found = folded(truth, (ANIMAL, DOG, WHIPPET), wordnet)
    rows = zip(found.image.tolist(), found.label.tolist(), found.crowd.tolist(), strict=True)
    assert sorted(rows) == [
        (0, 0, False), (0, 1, False), (0, 2, False),
        (1, 0, False), (1, 1, False), (1, 2, True),
        (2, 0, False), (2, 1, False), (2, 2, True),
    ]  # fmt: skip
    assert found.classes == (ANIMAL, DOG, WHIPPET)
    none = folded(truth, ("n02958343",), wordnet)
    assert len(none.image) == 0


def test_what_is_labelled_and_has_no_box_is_not_background(release: Release, wordnet: Ontology) -> None:
    boxes = boxes_of_release(release, "train")
    only_dogs = boxes.label == 0
    some = replace(
        boxes, image=boxes.image[only_dogs], label=boxes.label[only_dogs], corners=boxes.corners[only_dogs],
        crowd=boxes.crowd[only_dogs], area=boxes.area[only_dogs],
    )  # fmt: skip
    found = boxed_images(samples_of(release, "train"), some, wordnet)
    assert (found.classes, len(found), len(found.unboxed)) == ((DOG,), 12, 0)
    samples = samples_of(release, "train")
    names = samples.ids.to_pylist()
    both = next(name for name in names if names.count(name) == 2)
    cat = next(name for name, label in zip(names, samples.labels, strict=True) if label == 1 and names.count(name) == 1)
    truth = truth_of([(0, DOG, (0, 0, 9, 9)), (1, CAT, (0, 0, 9, 9))], (DOG, CAT))
    said = replace(truth, items=tuple(sorted((both, cat))), image=np.array([both > cat, both < cat], np.int64))
    kept = boxed_images(samples, said, wordnet)
    place = kept.samples.ids.to_pylist().index(both)
    assert kept.unboxed.tolist() == [[place, 1]]
    assert kept.complete(place).tolist() == [True, False]
    assert kept.complete(1 - place).all()


def test_classes_and_images_that_have_no_boxes_are_told(release: Release, wordnet: Ontology) -> None:
    train, boxes = samples_of(release, "train"), boxes_of_release(release, "train")
    with pytest.raises(RecognitionError, match="there are no boxes of n02958343 to learn from"):
        boxed_images(train, boxes, wordnet, [DOG, "n02958343"])
    with pytest.raises(RecognitionError, match="none of the images has a box"):
        boxed_images(samples_of(release, "val"), boxes, wordnet)
    with pytest.raises(RecognitionError, match="there are no boxes of anything"):
        boxed_images(train, replace(boxes, crowd=np.ones(len(boxes.crowd), np.bool_)), wordnet)


def test_a_truth_of_some_images_is_of_these_alone() -> None:
    truth = truth_of([(0, DOG, (0, 0, 9, 9)), (2, CAT, (1, 1, 9, 9))], (DOG, CAT))
    told = replace(truth, ignored=np.array([[1, 0], [2, 1]]), unplaced=np.array([2]), sizes=np.array([[7, 8]] * 3))
    found = of_images(told, ["c", "b", "other"])
    assert (found.items, found.image.tolist(), found.label.tolist()) == (("b", "c"), [1], [1])
    assert (found.ignored.tolist(), found.unplaced.tolist()) == ([[0, 0], [1, 1]], [1])
    assert found.sizes is not None
    assert len(found.sizes) == 2


def test_features_that_are_no_numbers_are_told(images: BoxedImages, tmp_path: Path) -> None:
    def times(factor: float) -> Describe:
        return lambda pixels, boxes: describe(pixels, boxes) * np.float32(factor)

    with pytest.raises(RecognitionError, match="is no number"):
        describe_regions(images, propose, times(np.nan), tmp_path, {})
    large = describe_regions(images, propose, times(1e6), tmp_path, {})
    assert fit_head(large).classes == (DOG, CAT)


def test_features_have_one_length() -> None:
    found = normal(np.array([[3.0, 4.0], [0, 0]]))
    assert found.tolist() == [[0.6 * NORM, 0.8 * NORM], [0, 0]]


SIDE, LONG = st.integers(0, 50), st.integers(1, 30)
BOX = st.tuples(SIDE, SIDE, LONG, LONG).map(lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3]))


@given(box=BOX, target=BOX)
def test_boxes_move_to_where_they_should(box: tuple[int, ...], target: tuple[int, ...]) -> None:
    one, other = (np.array([corners], np.float64) for corners in (box, target))
    assert np.allclose(moved(one, offsets(one, other), 81, 81), other)


@given(by=st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4))
def test_moved_boxes_stay_in_the_picture(by: list[float]) -> None:
    found = moved(np.array([[5.0, 5, 20, 30]]), np.array([by]), 40, 35)
    assert (found >= 0).all()
    assert (found[:, 2:] >= found[:, :2]).all()
    assert (found <= [39, 34, 39, 34]).all()


@given(boxes=st.lists(BOX, max_size=12))
def test_suppression_keeps_what_overlaps_little_and_loses_nothing(boxes: list[Any]) -> None:
    corners = np.array(boxes, np.float64).reshape(-1, 4)
    scores = np.arange(len(boxes))[::-1] % 3 / 2
    kept = non_maximum_suppression(corners, scores, 0.3, inclusive=True)
    among = iou(corners[:, None], corners[None], inclusive=True)
    assert (np.diff(scores[kept]) <= 0).all()
    assert (among[np.ix_(kept, kept)] - np.eye(len(kept)) <= 0.3).all()
    for lost in set(range(len(boxes))) - set(kept.tolist()):
        assert (among[lost, kept][scores[kept] >= scores[lost]] > 0.3).any()


def test_images_with_several_labels_are_looked_at_once(release: Release) -> None:
    samples = samples_of(release, "train")
    assert len(once(samples)) == 18 < len(samples)
