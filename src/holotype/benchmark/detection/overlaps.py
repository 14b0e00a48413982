"""Which detections lie on which true boxes: pairs of the same image and class that overlap enough."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.benchmark.values import Bools, Boxes, Detections, Floats, Ints
from holotype.geometry.boxes import iou

_AT_ONCE: Final = 1 << 17
"""Detections, and pairs, that are looked at at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Overlaps:
    """Pairs ``(pairs,)`` of a `detection` and a `truth`, by their places, and their intersection over union.

    Sorted by detection, then by falling `iou`, then by truth.
    """

    detection: Ints
    truth: Ints
    iou: Floats

    def where(self, kept: npt.NDArray[np.bool_] | Ints) -> Overlaps:
        """Some of the pairs, or all in another order."""
        return Overlaps(self.detection[kept], self.truth[kept], self.iou[kept])


def canonical_order(truth: Boxes) -> Ints:
    """An order of boxes that follows from what they are alone: by class, image, corners, crowd and area."""
    return np.lexsort((truth.area, truth.crowd, *truth.corners.T[::-1], truth.image, truth.label))


def canonical(truth: Boxes) -> Boxes:
    """The same boxes in `canonical_order`."""
    return ordered(truth, canonical_order(truth))


def ordered(truth: Boxes, order: Ints) -> Boxes:
    """The same boxes in another order."""
    return replace(
        truth,
        image=truth.image[order],
        label=truth.label[order],
        corners=truth.corners[order],
        crowd=truth.crowd[order],
        area=truth.area[order],
    )


def keys(boxes: Boxes | Detections, items: int) -> Ints:
    """A number ``(boxes,)`` for each class and image, that grows with the class."""
    return boxes.label * max(1, items) + boxes.image


def unscored(truth: Boxes, boxes: Boxes | Detections) -> Bools:
    """Which boxes are of a pair of image and class that is not scored ``(boxes,)``."""
    if not len(truth.ignored):
        return np.zeros(len(boxes.image), np.bool_)
    items = max(1, len(truth.items))
    return np.isin(keys(boxes, items), truth.ignored[:, 1] * items + truth.ignored[:, 0])


def overlaps(truth: Boxes, detections: Detections, least: Floats, absorbing: Bools | None = None) -> Overlaps:
    """The pairs of a detection and a box of `canonical` truth of its image and class, with an IoU of `least`
    ``(boxes,)`` or more. With boxes that are `absorbing` ``(boxes,)``, as COCO's crowds are, the area of the detection
    takes the place of that of the union."""
    found = [
        _enough(truth, detections, detection, box, least, absorbing) for detection, box in _pairs(truth, detections)
    ]
    pairs = joined(found)
    return pairs.where(np.lexsort((pairs.truth, -pairs.iou, pairs.detection)))


def joined(parts: Sequence[Overlaps]) -> Overlaps:
    """The pairs of all of some parts."""
    return Overlaps(
        np.concatenate([np.empty(0, np.int64), *(part.detection for part in parts)]),
        np.concatenate([np.empty(0, np.int64), *(part.truth for part in parts)]),
        np.concatenate([np.empty(0), *(part.iou for part in parts)]),
    )


def _pairs(truth: Boxes, detections: Detections) -> Iterator[tuple[Ints, Ints]]:
    """All pairs of the same image and class, some at a time: places of detections and of boxes."""
    groups, start, size = np.unique(keys(truth, len(truth.items)), return_index=True, return_counts=True)
    if not len(groups):
        return
    for first in range(0, len(detections.image), _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        wanted = detections.label[some] * len(truth.items) + detections.image[some]
        group = np.minimum(np.searchsorted(groups, wanted), len(groups) - 1)
        near = np.flatnonzero(groups[group] == wanted)
        yield from _spread(near + first, start[group[near]], size[group[near]])


def _spread(detection: Ints, start: Ints, size: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Each detection with each of the `size` boxes from `start` on ``(detections,)``, some at a time."""
    ends = np.cumsum(size)
    first = 0
    while first < len(detection):
        before = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + _AT_ONCE, side="right")))
        many = size[first:last]
        within = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
        yield np.repeat(detection[first:last], many), np.repeat(start[first:last], many) + within
        first = last


def _enough(
    truth: Boxes, detections: Detections, detection: Ints, box: Ints, least: Floats, absorbing: Bools | None
) -> Overlaps:
    crowd = absorbing[box] if absorbing is not None and absorbing.any() else None
    found = iou(detections.corners[detection], truth.corners[box], truth.inclusive, crowd)
    kept = found >= least[box]
    return Overlaps(detection[kept], box[kept], found[kept])


def preferring(pairs: Overlaps, aside: Bools) -> Overlaps:
    """The pairs of each detection with boxes that are `aside` ``(boxes,)`` after all others."""
    late = aside[pairs.truth]
    return pairs.where(np.lexsort((late, pairs.detection))) if late.any() else pairs
