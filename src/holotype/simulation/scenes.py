"""Made images: how many instances of a synset they show, of what size, and where."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.boxes.values import Corners
from holotype.errors import CrowdError
from holotype.simulation.drawers import normal_of
from holotype.simulation.drawing import inside, overlaps
from holotype.simulation.workers import draw

MOST: Final = 20
"""Instances in a made image, at most; as in ILSVRC's validation images nearly always."""
APART: Final = 0.4
"""The most by which made instances overlap."""


@dataclass(frozen=True, slots=True)
class Scenes:
    """How many instances images show: one in a share `single` of them, in the others two and `more` on average.

    Raises `CrowdError` for what cannot be.
    """

    single: float
    more: float

    def __post_init__(self) -> None:
        if not (0 <= self.single <= 1 and 0 <= self.more < MOST):
            raise CrowdError(f"a share of images and a number of boxes below {MOST} are wanted, not {self}")

    @classmethod
    def of(cls, boxes: float) -> Scenes:
        """Those of images with so many boxes on average: one in as large a share of them as ILSVRC's ratio has it."""
        if not 1 <= boxes <= 10:
            raise CrowdError(f"images have 1 to 10 boxes on average, not {boxes}")
        single = max(0.3, 1 - 0.384 * (boxes - 1))
        return cls(single, (boxes - single) / (1 - single) - 2 if boxes > 1 else 0.0)

    def count(self, chance: float) -> int:
        """The number of instances in the image that such a share of all images have fewer than, or as many."""
        if chance < self.single or self.single == 1:
            return 1
        rest = (chance - self.single) / (1 - self.single)
        ratio = self.more / (1 + self.more)
        extra = math.floor(math.log(1 - rest) / math.log(ratio)) if ratio > 0 else 0
        return min(2 + extra, MOST)


ILSVRC: Final = Scenes(0.766, 1.6)
"""Boxes of ILSVRC's 50,000 validation images: 1.61 an image, 76.6 % with one (LOC_val_solution.csv)."""
DET: Final = Scenes(0.5, 2.6)
"""2.8 instances an image, as in ILSVRC's detection data (Russakovsky et al., IJCV 2015)."""

_SINGLE: Final = ((0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0), (0.02, 0.128, 0.255, 0.477, 0.759, 0.941, 1.0))
"""The share of the image that the only instance fills, by quantile, in 382 of the validation images."""


@functools.lru_cache(maxsize=100_000)
def made_boxes(sha256: str, wnid: str, width: int, height: int, scenes: Scenes = ILSVRC) -> tuple[Corners, ...]:
    """The instances that an image of so many pixels could show: always the same of one image.

    Sizes are as ILSVRC's validation images have them by the number of instances; they overlap by `APART` at most.
    """
    dice = functools.partial(draw, "scene", sha256, wnid)
    count = scenes.count(dice("count"))
    found: list[Corners] = []
    for number in range(count):
        for turn in range(20):
            box = _placed(width, height, _share(count, functools.partial(dice, number)), *_at(dice, number, turn))
            if not found or overlaps(box, found).max() <= APART:
                found.append(box)
                break
    return tuple(found)


def _share(count: int, dice: functools.partial[float]) -> float:
    """The share of the image that an instance fills, one of so many."""
    if count == 1:
        return float(np.interp(dice("share"), *_SINGLE))
    return min(0.8, 0.37 / count * math.exp(normal_of(dice("share"))))


def _at(dice: functools.partial[float], number: int, turn: int) -> Sequence[float]:
    return dice(number, turn, "x"), dice(number, turn, "y"), dice(number, turn, "ratio")


def _placed(width: int, height: int, share: float, x: float, y: float, ratio: float) -> Corners:
    """A box that fills a share of the picture, of some ratio of its sides, somewhere in it."""
    area, slim = share * width * height, math.exp(0.3 * normal_of(ratio))
    wide = min(width, max(2, round(math.sqrt(area * slim * width / height))))
    high = min(height, max(2, round(area / wide)))
    left, top = round(x * (width - wide)), round(y * (height - high))
    return inside((left, top, left + wide - 1, top + high - 1), width, height)
