"""Weakly supervised localisation: how well models that were never shown a box say where things are.

Maps of scores ``(height, width)`` cover a whole image; where the sizes of images are known (`Boxes.sizes`), a map may
be smaller than its image.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.ndimage import find_objects, label
from scipy.sparse import csr_array

from holotype.benchmark.detection.precision import counts
from holotype.benchmark.detection.rules import mean_known
from holotype.benchmark.judged import Means, Metric, share
from holotype.benchmark.values import Boxes, Floats, Ints
from holotype.geometry.boxes import SAME, iou

GT_KNOWN: Final = Metric(
    "GT-known localisation", "higher", "share of images whose box for the true class has IoU >= 0.5 with one of it"
)
MAX_BOX_ACC: Final = Metric(
    "MaxBoxAcc",
    "higher",
    "share of images whose largest component above the best threshold has IoU >= 0.5 (Choe et al., CVPR 2020)",
)
MAX_BOX_ACC_V2: Final = Metric(
    "MaxBoxAccV2",
    "higher",
    "mean over IoU 0.3, 0.5 and 0.7 of the share of images with a component that has it (Choe et al., TPAMI 2022)",
)
POINTING: Final = Metric(
    "pointing game",
    "higher",
    "mean over classes of the share of points that lie on an object (Zhang et al., IJCV 2018)",
)

TOLERANCE: Final = 15.0
"""By how many pixels a point may miss its object (Zhang et al., section 4.2)."""
LEAST: Final = (0.3, 0.5, 0.7)
THRESHOLDS: Final = np.arange(100) / 100
_TOUCHING: Final = np.ones((3, 3), np.int64)
Map = npt.NDArray[np.floating]


def gt_known(truth: Boxes, corners: Floats) -> Means:
    """Whether the box that a submission has for the true class of each image ``(items, 4)`` is right, whatever it would
    have guessed; NaNs for an image without one, which is missed. Images without boxes, or `unplaced`, do not count."""
    overlap = iou(corners[truth.image], truth.corners, truth.inclusive)
    has = np.bincount(truth.image, minlength=len(truth.items)) > 0
    right = np.bincount(truth.image, overlap >= SAME, len(truth.items)) > 0
    values = np.where(has, right, np.nan)
    values[truth.unplaced] = np.nan
    return Means(truth.items, (GT_KNOWN,), values[:, None])


@dataclass(frozen=True, slots=True, eq=False)
class BoxAccuracy:
    """Which images are right by their largest component `alone` ``(items, thresholds)``, and which by `any` of them
    ``(least, items, thresholds)``; `counted` ``(items,)`` is 1 for those that count."""

    items: Sequence[str]
    counted: Floats
    alone: Floats
    any: Floats
    metrics: Sequence[Metric] = (MAX_BOX_ACC, MAX_BOX_ACC_V2)

    def measure(self, weights: Floats) -> Floats:
        """The accuracies ``(rows, 2)`` at the thresholds that are best for these weights."""
        total = weights @ self.counted
        best = [(weights @ right).max(axis=1, initial=0) for right in (self.alone, *self.any)]
        return np.stack([share(best[0], total), share(np.mean(best[1:], axis=0), total)], axis=1)


def box_accuracy(truth: Boxes, maps: Mapping[int, Map], thresholds: Floats = THRESHOLDS) -> BoxAccuracy:
    """How well boxes around what a map shows above a threshold are those of the image.

    `maps` are by the number of an image, for its true class, and scaled from 0 to 1 here, each by itself; one that is
    the same everywhere shows nothing. Components touch by sides or corners, and the largest has most pixels.
    An image without a map is missed; images without boxes, or `unplaced`, do not count.
    """
    counted = np.zeros(len(truth.items))
    counted[truth.image] = 1
    counted[truth.unplaced] = 0
    alone = np.zeros((len(truth.items), len(thresholds)))
    found = np.zeros((len(LEAST), len(truth.items), len(thresholds)))
    for item in np.flatnonzero(counted).tolist():
        if item in maps:
            boxes = truth.corners[truth.image == item]
            size = None if truth.sizes is None else truth.sizes[item]
            alone[item], found[:, item] = _accuracies(maps[item], boxes, size, thresholds, truth.inclusive)
    return BoxAccuracy(truth.items, counted, alone, found)


def _accuracies(
    scores: Map, boxes: Floats, size: Ints | None, thresholds: Floats, inclusive: bool
) -> tuple[Floats, Floats]:
    """Whether the largest component is right ``(thresholds,)``, and whether any is ``(least, thresholds)``."""
    alone, found = np.zeros(len(thresholds)), np.zeros((len(LEAST), len(thresholds)))
    low, high = float(scores.min()), float(scores.max())
    if high <= low:
        return alone, found
    scaled = (scores - low) / (high - low)
    for at, threshold in enumerate(thresholds.tolist()):
        corners, pixels = components(scaled >= threshold)
        if size is not None:
            corners = corners * np.tile(size / scores.shape[::-1], 2)
        overlap = iou((corners - [0, 0, inclusive, inclusive])[:, None], boxes[None], inclusive).max(axis=1)
        alone[at] = overlap[int(pixels.argmax())] >= SAME
        found[:, at] = overlap.max() >= np.array(LEAST)
    return alone, found


def components(shown: npt.NDArray[np.bool_]) -> tuple[Floats, Ints]:
    """The edges of each component of a mask ``(components, 4)``, left, top, right, bottom, and its pixels.

    >>> edges, pixels = components(np.array([[1, 1, 0, 0], [0, 0, 0, 1]], np.bool_))
    >>> edges.tolist(), pixels.tolist()
    ([[0.0, 0.0, 2.0, 1.0], [3.0, 1.0, 4.0, 2.0]], [2, 1])
    """
    labels, number = label(shown, _TOUCHING)
    spans = [(x.start, y.start, x.stop, y.stop) for y, x in find_objects(labels)]
    edges: Floats = np.array(spans, np.float64).reshape(-1, 4)
    return edges, np.bincount(labels.ravel(), minlength=number + 1)[1:]


@dataclass(frozen=True, slots=True, eq=False)
class Pointed:
    """How many points of each class and image ``(classes, items)`` were to be set, and how many `hit`."""

    items: Sequence[str]
    wanted: csr_array
    hit: csr_array
    metrics: Sequence[Metric] = (POINTING,)

    def measure(self, weights: Floats) -> Floats:
        """The mean over classes of hits by points ``(rows, 1)``; a class without any leaves it."""
        return mean_known(share((self.hit @ weights.T).T, (self.wanted @ weights.T).T))[:, None]


def pointing(truth: Boxes, points: Iterable[tuple[int, int, float, float]], tolerance: float = TOLERANCE) -> Pointed:
    """Whether points lie on what they point at: image, label, x and y of each, one for each class that an image has.

    A point hits where it lies in a box of its class, or `tolerance` pixels beside one. Of several for a class of an
    image the first counts, and a class without a point is missed.
    """
    shape = (len(truth.classes), len(truth.items))
    first: dict[tuple[int, int], tuple[float, float]] = {}
    for image, of, x, y in points:
        first.setdefault((image, of), (x, y))
    nowhere = (np.nan, np.nan)
    pairs = list(zip(truth.image.tolist(), truth.label.tolist(), strict=True))
    at: Floats = np.array([first.get(pair, nowhere) for pair in pairs], np.float64).reshape(-1, 2)
    inside = (at >= truth.corners[:, :2] - tolerance) & (at <= truth.corners[:, 2:] + tolerance)
    keys, pair = np.unique(truth.label * max(1, shape[1]) + truth.image, return_inverse=True)
    hit = np.bincount(pair, inside.all(axis=1), len(keys)) > 0
    row, column = keys // max(1, shape[1]), keys % max(1, shape[1])
    return Pointed(truth.items, counts(row, column, shape), counts(row[hit], column[hit], shape))


def peak(scores: Map) -> tuple[float, float]:
    """Where a map is highest, x and y in its pixels; the first such place by rows."""
    row, column = np.unravel_index(int(scores.argmax()), scores.shape)
    return float(column), float(row)
