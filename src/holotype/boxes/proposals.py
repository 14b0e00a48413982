"""Boxes that machines propose: as they are laid on the pixels of a picture, and which of them are asked about."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import numpy as np

from holotype.boxes.values import Corners
from holotype.geometry.boxes import iou

REPEATED: Final = 0.7
"""The intersection over union from which two proposals are of one instance, and only the surer one is asked about."""


class Hindrance(StrEnum):
    """Why a proposal is not asked about: it ends before it begins, lies outside of the picture, repeats a surer one, or
    is less sure than wanted."""

    INVERTED = "inverted"
    OUTSIDE = "outside"
    REPEATED = "repeated"
    UNSURE = "unsure"


def laid(corners: Sequence[float], width: int, height: int) -> tuple[Corners, bool] | Hindrance:
    """A proposal on the pixels of a picture, rounded, and whether it was clipped at its edges.

    >>> laid((-3.2, 10.4, 59.6, 40), 50, 60)
    ((0, 10, 49, 40), True)
    >>> laid((50, 10, 59, 40), 50, 60)
    <Hindrance.OUTSIDE: 'outside'>
    """
    x_min, y_min, x_max, y_max = (math.floor(one + 0.5) for one in corners)
    if x_max < x_min or y_max < y_min:
        return Hindrance.INVERTED
    if x_max < 0 or y_max < 0 or x_min >= width or y_min >= height:
        return Hindrance.OUTSIDE
    box = max(x_min, 0), max(y_min, 0), min(x_max, width - 1), min(y_max, height - 1)
    return box, box != (x_min, y_min, x_max, y_max)


def repeats(boxes: Sequence[Corners], scores: Sequence[float | None], there: Iterable[Corners] = ()) -> list[bool]:
    """Of each box of one image and synset, whether it overlaps a surer one, or one that is `there` already, by
    `REPEATED` or more; without a score one is less sure than those before it."""
    kept = [np.array(box, np.float64) for box in there]
    found = [False] * len(boxes)
    for place in sorted(range(len(boxes)), key=lambda one: -_sure(scores[one])):
        corners = np.array(boxes[place], np.float64)
        if kept and float(iou(np.array(kept), corners, inclusive=True).max()) >= REPEATED:
            found[place] = True
        else:
            kept.append(corners)
    return found


def _sure(score: float | None) -> float:
    return -math.inf if score is None else score
