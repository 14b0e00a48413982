"""Detection by COCO's rule: ten thresholds, three sizes of objects, and at most so many detections an image and class.

Lin et al., "Microsoft COCO", ECCV 2014, and ``pycocotools.cocoeval``, whose numbers these are where no scores tie.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.benchmark.detection.matching import IGNORED, TRUE, Outcomes, greedy, outcomes
from holotype.benchmark.detection.overlaps import Overlaps, canonical, keys, overlaps, unscored
from holotype.benchmark.detection.precision import HUNDRED_AND_ONE_POINTS, counts, curves
from holotype.benchmark.detection.rules import mean_known
from holotype.benchmark.judged import Metric, share
from holotype.benchmark.values import Bools, Boxes, Detections, Floats, Ints
from holotype.geometry.boxes import SAME, areas

THRESHOLDS: Final = np.linspace(0.5, 0.95, 10)
AREAS: Final[Mapping[str, tuple[float, float]]] = {
    "": (0.0, 1e10),
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, 1e10),
}
"""Areas of objects in pixels, both bounds within."""
MOST: Final = (1, 10, 100)
"""How many detections of an image and class are heeded, those of the highest scores."""

AP: Final = Metric(
    "AP@[.5:.95]", "higher", "mean over classes and ten thresholds of the precision at 101 recalls (COCO)"
)
METRICS: Final = (
    AP,
    Metric("AP@.5", "higher", "mean over classes of the precision at 101 recalls, IoU >= 0.5 (COCO)"),
    Metric("AP@.75", "higher", "mean over classes of the precision at 101 recalls, IoU >= 0.75 (COCO)"),
    *(Metric(f"AP {size}", "higher", f"AP@[.5:.95] of {size} objects (COCO)") for size in list(AREAS)[1:]),
    *(Metric(f"AR@{most}", "higher", f"mean recall of {most} detections an image and class (COCO)") for most in MOST),
    *(Metric(f"AR {size}", "higher", f"AR@100 of {size} objects (COCO)") for size in list(AREAS)[1:]),
)


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What became of detections where objects of some area count: the `counted` boxes ``(boxes,)``, and the `outcomes`
    at each threshold ``(thresholds, detections)``."""

    counted: Bools
    outcomes: Outcomes


@dataclass(frozen=True, slots=True, eq=False)
class CocoDetected:
    """What a submission detected at each threshold, for each of `AREAS`."""

    truth: Boxes
    detections: Detections
    rank: Ints
    found: Sequence[Found]
    metrics: Sequence[Metric] = METRICS

    @property
    def items(self) -> Sequence[str]:
        """The ids of the images."""
        return self.truth.items

    @property
    def classes(self) -> Sequence[str]:
        """The names of the classes."""
        return self.truth.classes

    def measure(self, weights: Floats) -> Floats:
        """COCO's twelve numbers ``(rows, 12)``; a class without objects to be found leaves a mean."""
        by_area = [self._precision(found, weights) for found in self.found]
        recalls = [self._recall(self.found[0], weights, most) for most in MOST]
        recalls += [self._recall(found, weights, MOST[-1]) for found in self.found[1:]]
        every = by_area[0]
        columns = [every.mean(axis=0), every[0], every[5], *(one.mean(axis=0) for one in by_area[1:]), *recalls]
        return np.stack([mean_known(column) for column in columns], axis=1)

    def average_precision(self) -> Floats:
        """The AP@[.5:.95] of each class ``(classes,)``, NaN for one without objects."""
        found: Floats = self._precision(self.found[0], np.ones((1, len(self.items)))).mean(axis=0)[0]
        return found

    def _precision(self, found: Found, weights: Floats) -> Floats:
        """The average precision ``(thresholds, rows, classes)``."""
        made = (curves(self.truth, found.counted, self.detections, told) for told in found.outcomes)
        return np.stack([one.average_precision(weights, HUNDRED_AND_ONE_POINTS) for one in made])

    def _recall(self, found: Found, weights: Floats, most: int) -> Floats:
        """The mean recall over thresholds ``(rows, classes)``."""
        shape = len(self.classes), len(self.items)
        heeded = (found.outcomes == TRUE) & (self.rank < most)
        times = heeded.sum(axis=0)
        hit = np.flatnonzero(times)
        true = counts(self.detections.label[hit], self.detections.image[hit], shape, times[hit])
        positives = counts(self.truth.label[found.counted], self.truth.image[found.counted], shape)
        return share((true @ weights.T).T / len(found.outcomes), (positives @ weights.T).T)


def coco(truth: Boxes, detections: Detections) -> CocoDetected:
    """Match `detections` as COCO does, once, so that images can be weighed.

    Greedy by falling score: each detection takes the box it overlaps most of those that are left, objects that count
    before those that do not, and any number fit a crowd. Neither true nor false is who took what does not count, and
    who took nothing and has another size. Where nothing else tells, the last box in canonical order is taken.
    Ties of scores go by image and corners; ``pycocotools`` leaves them to the order of the file.
    """
    truth = canonical(truth)
    pairs = overlaps(truth, detections, np.full(len(truth.image), SAME), truth.crowd)
    return by_thresholds(truth, detections, pairs, areas(detections.corners, truth.inclusive))


def by_thresholds(truth: Boxes, detections: Detections, pairs: Overlaps, own: Floats) -> CocoDetected:
    """What follows from the `pairs` of detections whose areas are `own` ``(detections,)`` with `canonical` truth."""
    rank = ranks(detections, len(truth.items))
    late = rank >= MOST[-1]
    pairs = pairs.where(~late[pairs.detection])
    late |= unscored(truth, detections)
    left_out = unscored(truth, truth) | truth.crowd
    found = []
    for low, high in AREAS.values():
        aside = left_out | (truth.area < low) | (truth.area > high)
        liked = pairs.where(np.lexsort((-pairs.truth, -pairs.iou, aside[pairs.truth], pairs.detection)))
        odd = (own < low) | (own > high)
        told = [_at(liked, threshold, truth, aside, late, odd) for threshold in THRESHOLDS]
        found.append(Found(~aside, np.stack(told)))
    return CocoDetected(truth, detections, rank, found)


def _at(liked: Overlaps, threshold: float, truth: Boxes, aside: Bools, late: Bools, odd: Bools) -> Outcomes:
    got = greedy(liked.where(liked.iou >= threshold), len(late), truth.crowd)
    told = outcomes(got, aside, odd)
    told[late] = IGNORED
    return told


def ranks(detections: Detections, items: int) -> Ints:
    """The place of each detection among those of its image and class by falling score ``(detections,)``, from 0."""
    group = keys(detections, items)
    order = np.argsort(group, kind="stable")
    group = group[order]
    found = np.empty(len(order), np.int64)
    found[order] = np.arange(len(order)) - np.searchsorted(group, group)
    return found
