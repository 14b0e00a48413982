"""How good boxes are, where the truth is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from holotype.boxes.values import LEAST_TIGHT, Corners
from holotype.geometry.boxes import SAME, iou


@dataclass(frozen=True, slots=True)
class BoxScore:
    """Of so many `images`, in how many every instance has a box that overlaps it by `SAME` or more (`covered`); of so
    many `boxes`, how many are accurate: round an instance that no other box is round, with an intersection over union
    of `LEAST_TIGHT` or more (see `holotype.simulation.judging.verdict`). `overlap` is the mean over the boxes that are
    round an instance, NaN where there are none."""

    images: int
    covered: int
    boxes: int
    accurate: int
    overlap: float

    @property
    def coverage(self) -> float:
        """The share of images that are fully covered; NaN of none."""
        return self.covered / self.images if self.images else float("nan")

    @property
    def accuracy(self) -> float:
        """The share of boxes that are accurate; NaN of none."""
        return self.accurate / self.boxes if self.boxes else float("nan")


def matched(found: Sequence[Corners], truth: Sequence[Corners]) -> list[float]:
    """The intersection over union of each true instance with its box, 0 where it has none, ``(truth,)``: pairs are
    made from the most alike on, from `SAME` on, one of each."""
    best = [0.0] * len(truth)
    if not found or not truth:
        return best
    alike = iou(np.array(truth, np.float64)[:, None], np.array(found, np.float64)[None], inclusive=True)
    while (highest := float(alike.max())) >= SAME:
        at, box = np.unravel_index(int(alike.argmax()), alike.shape)
        best[at] = highest
        alike[at, :] = alike[:, box] = 0.0
    return best


def score(images: Iterable[tuple[Sequence[Corners], Sequence[Corners]]]) -> BoxScore:
    """How good the boxes of images are, each by what was found and what is true.

    >>> dog, cat = (0, 0, 99, 99), (200, 0, 299, 99)
    >>> score([([dog], [dog]), ([dog, (200, 0, 299, 59)], [dog, cat])])
    BoxScore(images=2, covered=2, boxes=3, accurate=2, overlap=0.8666666666666667)
    """
    count = covered = boxes = accurate = 0
    overlaps: list[float] = []
    for found, truth in images:
        best = matched(found, truth)
        count, boxes = count + 1, boxes + len(found)
        covered += all(best)
        accurate += sum(one >= LEAST_TIGHT for one in best)
        overlaps += [one for one in best if one]
    return BoxScore(count, covered, boxes, accurate, float(np.mean(overlaps)) if overlaps else float("nan"))
