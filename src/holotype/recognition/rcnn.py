"""R-CNN: proposals, described by a network, told apart by linear machines (Girshick et al., CVPR 2014)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.geometry.boxes import non_maximum_suppression
from holotype.geometry.values import Floats
from holotype.images.flatten import Pixels
from holotype.recognition.box_regression import moved
from holotype.recognition.detections import Found
from holotype.recognition.regions import Describe, Propose, normal

OVERLAP: Final = 0.3
"""Objects of a class overlap no surer one by more (section 2.2)."""


@dataclass(frozen=True, slots=True, eq=False)
class RegionHead:
    """What tells regions of `classes` apart, wnids in class order: a region has the score
    ``features @ weights + biases``, with weights ``(width, classes)``; its box is moved by
    ``features @ shifts[:-1] + shifts[-1]``, with `shifts` ``(width + 1, classes, 4)``, see `box_regression.moved`."""

    classes: tuple[str, ...]
    weights: Floats
    biases: Floats
    shifts: Floats

    def scores(self, features: Floats) -> Floats:
        """The scores ``(regions, classes)`` of regions with these features, as `normal` makes them."""
        return np.asarray(features @ self.weights + self.biases)

    def offsets(self, features: Floats, label: int) -> Floats:
        """How the boxes of regions are moved if they are of a class, ``(regions, 4)``."""
        return np.asarray(features @ self.shifts[:-1, label] + self.shifts[-1, label])


@dataclass(frozen=True, slots=True, eq=False)
class RCNN:
    """A detector of what a `head` knows, among the boxes that `propose` gives, by what `describe` says of them; boxes
    stay as they were proposed where they are not `moving`."""

    head: RegionHead
    propose: Propose
    describe: Describe
    moving: bool = True

    @property
    def classes(self) -> tuple[str, ...]:
        """The wnids that labels are indices of."""
        return self.head.classes

    def looked(self, pixels: Pixels) -> tuple[Pixels, Floats]:
        """A picture ``(height, width, 3)`` with its proposals."""
        return pixels, self.propose(pixels)

    def found(self, looked: tuple[Pixels, Floats]) -> Found:
        """The objects in a picture: of each class all that overlap no surer one, whatever their score."""
        pixels, boxes = looked
        return among(self.head, boxes, self.describe(pixels, boxes), pixels.shape[1], pixels.shape[0], self.moving)


def among(
    head: RegionHead, boxes: Floats, features: npt.NDArray[np.floating], width: int, height: int, moving: bool = True
) -> Found:
    """The objects among described boxes ``(boxes, 4)`` of a picture."""
    rows = normal(features)
    scores = head.scores(rows)
    found = []
    for label in range(len(head.classes)):
        corners = moved(boxes, head.offsets(rows, label), width, height) if moving else boxes
        kept = non_maximum_suppression(corners, scores[:, label], OVERLAP, inclusive=True)
        found.append(Found(np.full(len(kept), label), scores[kept, label], corners[kept]))
    columns = zip(*((one.label, one.score, one.corners) for one in found), strict=True)
    return Found(*map(np.concatenate, columns))
