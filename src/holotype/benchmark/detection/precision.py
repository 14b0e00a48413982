"""Average precision for any weights of the images, from detections that were matched once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from scipy.sparse import csr_array

from holotype.benchmark.detection.matching import FALSE, TRUE, Outcomes
from holotype.benchmark.values import Bools, Boxes, Detections, Floats, Ints

Points = Floats | None
"""The recalls at which precision is averaged; None for all of them, which is the area under the curve."""

ALL_POINTS: Final = None
"""The whole area: PASCAL VOC from 2010, and ILSVRC (``VOCap`` in ``eval_detection.m``)."""
ELEVEN_POINTS: Final = np.arange(11) / 10
"""PASCAL VOC until 2009 (Everingham et al., IJCV 2010, section 4.2)."""
HUNDRED_AND_ONE_POINTS: Final = np.linspace(0, 1, 101)
"""COCO."""

_AT_ONCE: Final = 4_000_000
"""Numbers that are held at a time, of true positives by weights."""


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Precision and recall of each class, as far as they are the same for all weights of images.

    True positives come by class and falling score: the `image` of each ``(trues,)``, those of class c from ``start[c]``
    to ``start[c + 1]``; `false` ``(trues, items)`` are the false positives of each image between a true positive and
    the one before. Those after the last one change no area. `positives` ``(classes, items)`` are the true boxes.
    """

    image: Ints
    start: Ints
    false: csr_array
    positives: csr_array

    def average_precision(self, weights: Floats, points: Points = ALL_POINTS) -> Floats:
        """The average precision ``(rows, classes)`` where images count as often as `weights` ``(rows, items)`` say:
        the area under precision, made to fall with recall; NaN for classes without positives, which leave every mean.
        """
        return np.concatenate([self._areas(rows, points) for rows in self._few(weights)])

    def _areas(self, weights: Floats, points: Points) -> Floats:
        columns = np.ascontiguousarray(weights.T)
        positives = self.positives @ columns
        false, true = self.false @ columns, columns[self.image]
        found = np.where(positives > 0, 0.0, np.nan)
        for label, (start, end) in enumerate(pairwise(self.start)):
            if end > start:
                found[label] = _area(true[start:end], false[start:end], positives[label], points)
        return found.T

    def _few(self, weights: Floats) -> Iterator[Floats]:
        step = max(1, _AT_ONCE // max(1, len(self.image), self.positives.shape[1]))
        for start in range(0, max(1, len(weights)), step):
            yield weights[start : start + step]


def _area(true: Floats, false: Floats, positives: Floats, points: Points) -> Floats:
    """The area under the curve of one class ``(rows,)``, from true and false positives by score ``(trues, rows)``."""
    found = np.cumsum(true, axis=0)
    said = found + np.cumsum(false, axis=0)
    precision = np.divide(found, said, out=np.zeros_like(found), where=said > 0)
    precision = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    reached, whole = found, positives
    if points is not None:
        recall = np.divide(found, positives, out=np.zeros_like(found), where=positives > 0)
        reached, whole = np.searchsorted(points, recall, side="right").astype(np.float64), np.full(1, len(points))
    areas = (precision * np.diff(reached, axis=0, prepend=0.0)).sum(axis=0)
    return np.where(positives > 0, areas / np.where(whole > 0, whole, 1), np.nan)


def curves(truth: Boxes, counted: Bools, detections: Detections, outcomes: Outcomes) -> Curves:
    """The curves of `detections` with their `outcomes`, where the boxes that are `counted` were to be found."""
    shape = (len(truth.classes), len(truth.items))
    hit = outcomes == TRUE
    true = np.flatnonzero(hit)
    start = np.searchsorted(detections.label[true], np.arange(shape[0] + 1))
    image, bounds = _between(detections, np.flatnonzero(outcomes == FALSE), true)
    false = csr_array((np.ones(len(image)), image, bounds), (len(true), shape[1]))
    return Curves(detections.image[true], start, false, counts(truth.label[counted], truth.image[counted], shape))


def _between(detections: Detections, false: Ints, true: Ints) -> tuple[Ints, Ints]:
    """The images of the `false` positives that have a true one of their class behind them, and where those between each
    `true` one and the one before begin and end ``(trues + 1,)``."""
    end = np.searchsorted(false, true)
    of_class = np.searchsorted(detections.label[false], detections.label[true])
    begin = np.maximum(np.roll(end, 1), of_class)
    begin[:1] = of_class[:1]
    bounds = np.concatenate([[0], np.cumsum(end - begin)])
    places = np.arange(bounds[-1]) + np.repeat(begin - bounds[:-1], end - begin)
    return detections.image[false[places]], bounds


def counts(row: Ints, column: Ints, shape: tuple[int, int], times: Ints | None = None) -> csr_array:
    """How often each row and column is said, or `times` for each that is said."""
    values = np.ones(len(row)) if times is None else times.astype(np.float64)
    return csr_array((values, (row, column)), shape)
