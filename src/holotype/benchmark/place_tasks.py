"""The tasks that ask where things are: localisation, detection by several rules, segmentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from holotype.benchmark import localisation as places
from holotype.benchmark.detection.coco import coco
from holotype.benchmark.detection.overlaps import canonical, unscored
from holotype.benchmark.detection.rules import ILSVRC, VOC_11, VOC_ALL, Rule, detection
from holotype.benchmark.judged import Judged, Means
from holotype.benchmark.reading.masks import read_outlines, read_segments
from holotype.benchmark.reading.submissions import read_detections, read_places
from holotype.benchmark.reading.truths import read_boxes
from holotype.benchmark.segmentation import Outlined, Segments, canonical_outlines, segmentation
from holotype.benchmark.task import Task, digest_of
from holotype.benchmark.values import MISSING, Boxes, Detections, Floats, Places
from holotype.benchmark.weakly import gt_known

ALL_MISSED: Final = "the submission has no box: everything is missed"


def digest(value: Boxes | Places | Detections) -> str:
    """The digest of a truth or of a submission to it: what it says, whatever the order of its rows was."""
    if isinstance(value, Places):
        return digest_of(value.guesses, np.where(value.guesses[..., None] == MISSING, 0, value.corners))
    if isinstance(value, Detections):
        return digest_of(value.image, value.label, value.score, value.corners)
    value = canonical(value)
    columns = value.image, value.label, value.corners, value.crowd, value.area
    sides = np.unique(value.ignored, axis=0), np.unique(value.unplaced)
    return digest_of([value.items, value.classes, value.inclusive], *columns, *sides)


def known(values: Floats, names: Sequence[str]) -> dict[str, float | None]:
    """Numbers of classes by their names, None for one that there is nothing to measure for."""
    return {name: None if value != value else value for name, value in zip(names, values.tolist(), strict=True)}


def _localised(truth: Boxes, submission: Places) -> Mapping[str, Any]:
    """By class: its errors, and what is localised by chance where the sizes of images are known."""
    errors = places.by_class(truth, places.localisation(truth, submission))
    found: dict[str, Any] = {
        metric.name: known(column, truth.classes) for metric, column in zip(places.METRICS, errors.T, strict=True)
    }
    if truth.sizes is not None:
        found["chance of localisation"] = known(places.chance(truth), truth.classes)
    return found


def _placed(_: Boxes, submission: Places) -> Sequence[str]:
    return () if (submission.guesses != MISSING).any() else (ALL_MISSED,)


LOCALISATION: Final = Task(
    "localisation",
    "five guesses of a class and a box, as eval_clsloc.m of ILSVRC's devkits scores them",
    1,
    read_boxes,
    read_places,
    places.localisation,
    digest,
    more=_localised,
    remarks=_placed,
)


def _first_boxes(truth: Boxes, submission: Places) -> Means:
    """Whether the first box of each image is right, whatever class is said of it."""
    none = submission.guesses[:, :1] == MISSING
    return gt_known(truth, np.where(none, np.nan, submission.corners[:, 0]))


GT_KNOWN: Final = Task(
    "gt-known",
    "one box an image, of the class that it is known to have: localisation by models that never saw a box",
    1,
    read_boxes,
    read_places,
    _first_boxes,
    digest,
    remarks=_placed,
)


def _detecting(name: str, about: str, judge: Callable[[Boxes, Detections], Any]) -> Task[Boxes, Detections]:
    """A task of detection; `judge` gives what is judged, that has the `average_precision` of each class."""

    def judged(truth: Boxes, submission: Detections) -> Judged:
        found: Judged = judge(truth, submission)
        return found

    def by_class(truth: Boxes, submission: Detections) -> Mapping[str, Any]:
        return {"average precision": known(judge(truth, submission).average_precision(), truth.classes)}

    return Task(name, about, 1, read_boxes, read_detections, judged, digest, more=by_class, remarks=_detected)


def _by(rule: Rule) -> Callable[[Boxes, Detections], Any]:
    return lambda truth, submission: detection(truth, submission, rule)


def _detected(truth: Boxes, submission: Detections) -> Sequence[str]:
    found = []
    without = len(truth.items) - len(np.unique(submission.image))
    if not len(submission.image):
        found.append(ALL_MISSED)
    elif without:
        found.append(f"{without:,} of {len(truth.items):,} images have no detection")
    counted = ~(truth.crowd | unscored(truth, truth))
    if empty := len(truth.classes) - len(np.unique(truth.label[counted])):
        found.append(f"{empty:,} of {len(truth.classes):,} classes have no object that counts, and leave every mean")
    return found


DETECTION: Final = _detecting(
    "detection", "boxes with scores, as eval_detection.m of ILSVRC's devkits scores them", _by(ILSVRC)
)
VOC: Final = _detecting("voc", "boxes with scores, as PASCAL VOC scores them from 2010 (all points)", _by(VOC_ALL))
VOC_UNTIL_2009: Final = _detecting(
    "voc-11", "boxes with scores, as PASCAL VOC scored them until 2009 (11 points)", _by(VOC_11)
)
COCO: Final = _detecting("coco", "boxes with scores, as COCO scores them (101 points, ten thresholds)", coco)


def digest_of_masks(value: Outlined | Segments) -> str:
    """The digest of true masks or of a submission of some: see `digest`."""
    if isinstance(value, Segments):
        masks, boxes = value.masks, digest(value.said)
    else:
        masks, boxes = canonical_outlines(value)[1], digest(value.boxes)
    return digest_of(boxes, masks.runs, masks.start, masks.size)


def _outlined(truth: Outlined, submission: Segments) -> Mapping[str, Any]:
    judged = segmentation(truth, submission)
    classes, all_images = truth.boxes.classes, np.ones((1, len(truth.boxes.items)))
    return {
        "average precision": known(judged.objects.average_precision(), classes),
        "pixel IoU": known(judged.pixels.by_class(all_images)[0], classes),
    }


def _segmented(truth: Outlined, submission: Segments) -> Sequence[str]:
    return _detected(truth.boxes, submission.said)


SEGMENTATION: Final = Task(
    "segmentation",
    "masks with scores, as COCO scores them, and the overlap of their pixels by class",
    1,
    read_outlines,
    read_segments,
    segmentation,
    digest_of_masks,
    more=_outlined,
    remarks=_segmented,
)

PLACE_TASKS: Final[Mapping[str, Task[Any, Any]]] = {
    one.name: one for one in (LOCALISATION, GT_KNOWN, DETECTION, VOC, VOC_UNTIL_2009, COCO, SEGMENTATION)
}
