"""How well one box of an image holds its objects: precision and recall of pixels, and CorLoc."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.geometry.boxes import SAME, areas, iou
from holotype.geometry.values import Floats
from holotype.recognition.report.applied import Placed

WORDS: Final = "words"
AS_LARGE: Final = "centre box, as large"
HALF: Final = "centre box, half of the picture"
WHOLE: Final = "whole picture"


@dataclass(frozen=True, slots=True)
class Held:
    """Of one box: the share of its area that is of objects, the share of the objects' area that is in it, and whether
    its intersection over union with some object is at least one half."""

    precision: float
    recall: float
    right: bool


def held(box: Floats, known: Floats) -> Held:
    """How well a box ``(4,)`` holds objects whose boxes ``(objects, 4)`` are known, at least one, all of them edges in
    the same units (shares of the picture, or pixels whose last one is exclusive).

    Precision and recall as in section 4.3 of Deng et al. (CVPR 2009), where they are of all pixels; the third is the
    measure of Deselaers, Alexe and Ferrari (IJCV 2012).
    """
    common = np.concatenate([np.maximum(known[:, :2], box[:2]), np.minimum(known[:, 2:], box[2:])], axis=1)
    common = common[(common[:, :2] < common[:, 2:]).all(axis=1)]
    inside = union_area(common)
    right = iou(box[None], known, inclusive=False).max() >= SAME
    return Held(inside / float(areas(box, inclusive=False)), inside / union_area(known), bool(right))


def union_area(boxes: Floats) -> float:
    """The area that boxes ``(boxes, 4)`` cover together.

    >>> union_area(np.array([[0.0, 0, 2, 2], [1, 1, 3, 3]]))
    7.0
    """
    if not len(boxes):
        return 0.0
    across, down = (np.unique(boxes[:, side::2]) for side in (0, 1))
    middles = np.meshgrid((across[1:] + across[:-1]) / 2, (down[1:] + down[:-1]) / 2, indexing="ij")
    covered = np.zeros((len(across) - 1, len(down) - 1), np.bool_)
    for left, top, right, bottom in boxes.tolist():
        covered |= (middles[0] > left) & (middles[0] < right) & (middles[1] > top) & (middles[1] < bottom)
    return float((covered * np.outer(np.diff(across), np.diff(down))).sum())


def centred(width: float, height: float) -> Floats:
    """A box of so much of a picture's width and height, in its middle.

    >>> centred(0.5, 1.0).tolist()
    [0.25, 0.0, 0.75, 1.0]
    """
    return np.array([(1 - width) / 2, (1 - height) / 2, (1 + width) / 2, (1 + height) / 2])


def mean(of: Sequence[Held]) -> tuple[float, float, float]:
    """The means of precision, recall and of right ones, of at least one box."""
    told = np.array([[one.precision, one.recall, one.right] for one in of]).mean(axis=0)
    return float(told[0]), float(told[1]), float(told[2])


def beside(box: Floats, known: Floats) -> dict[str, Held]:
    """How well a box ``(4,)`` in shares holds known objects ``(objects, 4)``, and beside it what takes no look at the
    picture: boxes in the middle, and all of it."""
    width, height = (box[2:] - box[:2]).tolist()
    boxes = {WORDS: box, AS_LARGE: centred(width, height), HALF: centred(0.5**0.5, 0.5**0.5), WHOLE: centred(1, 1)}
    return {method: held(one, known) for method, one in boxes.items()}


def placed(of: Sequence[Mapping[str, Held]]) -> tuple[Placed, ...]:
    """The means over images of what `beside` found, by method; nothing of no images."""
    if not of:
        return ()
    return tuple(Placed(method, *mean([one[method] for one in of])) for method in of[0])
