"""Rules of detection with one threshold: ILSVRC's and those of PASCAL VOC."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.benchmark.detection.matching import best_only, greedy, outcomes
from holotype.benchmark.detection.overlaps import canonical, overlaps, preferring, unscored
from holotype.benchmark.detection.precision import ALL_POINTS, ELEVEN_POINTS, Curves, Points, curves
from holotype.benchmark.judged import Metric, share
from holotype.benchmark.values import Boxes, Detections, Floats
from holotype.geometry.boxes import SAME, areas

MEAN_AP: Final = Metric(
    "mean AP", "higher", "mean over classes of the area under precision made to fall with recall (ILSVRC, VOC)"
)
MEDIAN_AP: Final = Metric("median AP", "higher", "median over classes of the average precision (ILSVRC)")

ANY_SIZE: Final = (0.0, float("inf"))
SIZES: Final[Mapping[str, tuple[float, float]]] = {
    "small": (0.0, 32.0**2),
    "medium": (32.0**2, 96.0**2),
    "large": (96.0**2, float("inf")),
}
"""Areas of objects in pixels, both bounds within (COCO)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """How detections get true boxes: `least` is the IoU that each box ``(boxes,)`` asks for, `points` where precision
    is averaged. One that `insists` takes the box it overlaps most, and is false where that is taken; by it difficult
    objects are overlapped as any others are, while crowds are by how much of a detection lies in them."""

    name: str
    least: Callable[[Boxes], Floats]
    points: Points = ALL_POINTS
    insists: bool = False


def half(truth: Boxes) -> Floats:
    """IoU >= 0.5 for every box (PASCAL VOC)."""
    return np.full(len(truth.image), SAME)


def tolerant(truth: Boxes) -> Floats:
    """The IoU that a box of w by h asks for, ``min(0.5, w h / ((w + 10) (h + 10)))``: a box drawn five pixels too large
    on each side will do (Russakovsky et al., IJCV 2015, section 4.3).

    >>> from holotype.benchmark.values import Boxes
    >>> corners = np.array([[0.0, 0, 9, 9], [0, 0, 23, 23], [0, 0, 24, 24]])
    >>> none = np.zeros(3, np.int64)
    >>> tolerant(Boxes(("a",), ("cat",), none, none, corners, none > 0, corners[:, 0])).round(4).tolist()
    [0.25, 0.4983, 0.5]
    """
    width = truth.corners[:, 2] - truth.corners[:, 0] + truth.inclusive
    height = truth.corners[:, 3] - truth.corners[:, 1] + truth.inclusive
    return np.minimum(SAME, width * height / ((width + 10) * (height + 10)))


ILSVRC: Final = Rule("ilsvrc", tolerant)
"""ILSVRC 2013 to 2017 (``eval_detection.m``): a detection takes the box it overlaps most of those that are left."""
VOC_ALL: Final = Rule("voc", half, insists=True)
"""PASCAL VOC from 2010; boxes marked as `crowd` are its difficult ones: who overlaps one most is neither true nor false
(``VOCevaldet.m``)."""
VOC_11: Final = Rule("voc-11", half, ELEVEN_POINTS, insists=True)
"""PASCAL VOC until 2009."""
RULES: Final[Mapping[str, Rule]] = {rule.name: rule for rule in (ILSVRC, VOC_ALL, VOC_11)}


@dataclass(frozen=True, slots=True, eq=False)
class Detected:
    """What a submission detected, by class and image."""

    items: Sequence[str]
    classes: Sequence[str]
    curves: Curves
    points: Points
    metrics: Sequence[Metric] = (MEAN_AP, MEDIAN_AP)

    def measure(self, weights: Floats) -> Floats:
        """Mean and median over classes ``(rows, 2)``; a class that has no positive leaves both."""
        by_class = self.curves.average_precision(weights, self.points)
        return np.stack([mean_known(by_class), median_known(by_class)], axis=1)

    def average_precision(self) -> Floats:
        """The average precision of each class ``(classes,)`` on all images, NaN for one without positives."""
        found: Floats = self.curves.average_precision(np.ones((1, len(self.items))), self.points)[0]
        return found


def detection(
    truth: Boxes, detections: Detections, rule: Rule = ILSVRC, size: tuple[float, float] = ANY_SIZE
) -> Detected:
    """Match `detections` by a `rule`, once, so that images can be weighed.

    Detections of pairs of image and class that are not scored (the blacklist of ``eval_detection.m``) are neither true
    nor false, and boxes of such pairs are no positives. So it is with boxes marked as `crowd`, and, where a `size` is
    given, with boxes whose area is outside of it and detections outside of it that found nothing: of boxes within
    reach, those that count come first (unless a rule `insists`), and crowds absorb any number. A class without
    positives leaves the mean.
    Ties of scores go by image and corners, never by the order of a file.
    """
    truth = canonical(truth)
    left_out = unscored(truth, truth)
    aside = left_out | truth.crowd | (truth.area < size[0]) | (truth.area > size[1])
    pairs = overlaps(truth, detections, rule.least(truth), None if rule.insists else truth.crowd)
    pairs = best_only(pairs) if rule.insists else preferring(pairs, aside)
    found = greedy(pairs, len(detections.image), truth.crowd)
    out = unscored(truth, detections)
    if size != ANY_SIZE:
        own = areas(detections.corners, truth.inclusive)
        out |= (own < size[0]) | (own > size[1])
    known = curves(truth, ~aside, detections, outcomes(found, aside, out))
    return Detected(truth.items, truth.classes, known, rule.points)


def by_size(
    truth: Boxes,
    detections: Detections,
    rule: Rule = ILSVRC,
    sizes: Mapping[str, tuple[float, float]] = SIZES,
) -> dict[str, Floats]:
    """The average precision of each class ``(classes,)`` for objects of each of some sizes."""
    return {name: detection(truth, detections, rule, size).average_precision() for name, size in sizes.items()}


def won(average_precisions: Sequence[Floats]) -> list[int]:
    """In how many classes each of several submissions has the highest average precision ``(classes,)``: who wins most
    wins ILSVRC's detection. A class in which several are equal is won by each, one in which nobody found anything by
    none."""
    scores = np.nan_to_num(np.stack(average_precisions))
    best = scores.max(axis=0)
    return [int(number) for number in ((scores == best) & (best > 0)).sum(axis=1)]


def mean_known(values: Floats) -> Floats:
    """The mean of each row ``(rows,)``, NaNs aside; NaN where there is nothing else."""
    known = ~np.isnan(values)
    return share(np.where(known, values, 0).sum(axis=1), known.sum(axis=1))


def median_known(values: Floats) -> Floats:
    """The median of each row ``(rows,)``, NaNs aside; NaN where there is nothing else."""
    if not values.shape[1]:
        return np.full(len(values), np.nan)
    ranked, known = np.sort(values, axis=1), (~np.isnan(values)).sum(axis=1)
    middle = np.stack([(known - 1) // 2, known // 2], axis=1)
    found: Floats = np.take_along_axis(ranked, np.maximum(middle, 0), axis=1).mean(axis=1)
    return found
