"""Who gets which true box: once for each image and class, whatever weights images get afterwards."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.benchmark.detection.overlaps import Overlaps
from holotype.benchmark.values import Bools, Ints

FALSE: Final = 0
TRUE: Final = 1
IGNORED: Final = 2
Outcomes = npt.NDArray[np.int8]
"""What each detection is ``(detections,)``: `FALSE` or `TRUE` positive, or `IGNORED`, which is neither."""

NONE: Final = -1


def greedy(pairs: Overlaps, detections: int, shared: Bools) -> Ints:
    """The true box that each detection gets ``(detections,)``, `NONE` where none is left for it.

    By falling score, each takes the first of its `pairs` whose box nobody has; boxes that are `shared` ``(boxes,)``
    (crowds) can be had by many. Pairs are sorted by detection, and those of one by what it likes best.

    A choice is final once no detection before could still want the same box, and all choices that are final are made
    together: rounds are as many as detections that wait for one another, not as detections.
    """
    found = np.full(detections, NONE, np.int64)
    first_of = np.empty(len(shared), np.int64)
    while len(pairs.detection):
        place = np.arange(len(pairs.detection))
        first_of[pairs.truth[::-1]] = place[::-1]
        best = np.diff(pairs.detection, prepend=NONE) != 0
        final = pairs.where(best & (shared[pairs.truth] | (first_of[pairs.truth] == place)))
        found[final.detection] = final.truth
        gone = np.zeros(len(shared), np.bool_)
        gone[final.truth] = True
        gone &= ~shared
        pairs = pairs.where((found[pairs.detection] == NONE) & ~gone[pairs.truth])
    return found


def best_only(pairs: Overlaps) -> Overlaps:
    """Each detection with the box that it likes best alone, whoever has it (the rule of PASCAL VOC)."""
    return pairs.where(np.diff(pairs.detection, prepend=NONE) != 0)


def outcomes(found: Ints, ignored: Bools, out: Bools) -> Outcomes:
    """What detections are that got the boxes `found`: of those that got one `ignored` ``(boxes,)``, ignored, and so are
    those that got none and are `out` ``(detections,)`` of what is measured."""
    told = np.where(out, np.int8(IGNORED), np.int8(FALSE))
    some = np.flatnonzero(found != NONE)
    told[some] = np.where(ignored[found[some]], IGNORED, TRUE)
    return told
