"""Boxes by whom they are, how far labels are covered by them, and how well the drawings of people agree.

Su, Deng and Fei-Fei, "Crowdsourcing Annotations for Visual Object Detection", HCOMP 2012, section 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.geometry.boxes import SAME, iou
from holotype.statistics.histogram import Bin, Floats, Ints, histogram

TIGHT: Final = 0.7
"""The intersection over union from which a drawing confirms a box (`holotype.boxes.instances.AGREED`)."""
_EDGES: Final = (0.5, 0.6, 0.7, 0.8, 0.9)
_NAMED: Final = (".5–.6", ".6–.7", ".7–.8", ".8–.9", ".9–1")


@dataclass(frozen=True, slots=True)
class Side:
    """The boxes that people, machines or archives say (`by`): `boxes` in `images`, their mean `support`, None where
    nobody counted, and how many are flagged as what."""

    by: str
    images: int
    boxes: int
    support: float | None
    truncated: int
    occluded: int
    group_of: int
    difficult: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Labels yes by what became of their boxes: all instances have one (`covered`), there is none (`empty`), a `person`
    must look, people are asked (`open`), or never were (`unasked`)."""

    covered: int = 0
    empty: int = 0
    person: int = 0
    open: int = 0
    unasked: int = 0

    @property
    def asked(self) -> int:
        """Those whose boxes people were ever asked about."""
        return self.covered + self.empty + self.person + self.open


@dataclass(frozen=True, slots=True)
class Agreement:
    """How people's `drawings` of labels with boxes agree with these: `fitting` ones are of some box, by IoU >= .5.

    Of `boxes`, several people drew `redundant` ones; over the drawings of those, `mean` is the mean intersection over
    union with the box, `tight` the share of `TIGHT` or more, and `overlaps` the histogram. None where there are none.
    """

    drawings: int
    fitting: int
    boxes: int
    redundant: int
    mean: float | None
    tight: float | None
    overlaps: tuple[Bin, ...]

    @property
    def share(self) -> float | None:
        """The share of the drawings that are of some box."""
        return self.fitting / self.drawings if self.drawings else None


@dataclass(frozen=True, slots=True)
class Boxing:
    """What is known of boxes beside where they are."""

    sides: tuple[Side, ...]
    coverage: Coverage
    agreement: Agreement | None


def agreement(drawn: Ints, boxes: Ints) -> Agreement:
    """How drawings agree with boxes: of each the label's number and the inclusive corners, ``(n, 5)`` and ``(m, 5)``.

    A drawing is of the box of its label that it overlaps most.

    >>> drawn = np.array([[1, 0, 0, 9, 9], [1, 0, 0, 9, 8], [1, 50, 50, 60, 60]])
    >>> found = agreement(drawn, np.array([[1, 0, 0, 9, 9]]))
    >>> found.drawings, found.fitting, found.redundant, found.mean, found.tight
    (3, 2, 1, 0.95, 1.0)
    """
    box, overlap = _best(drawn, boxes)
    fits = overlap >= SAME
    several = np.bincount(box[fits], minlength=len(boxes)) > 1 if len(boxes) else np.zeros(0, bool)
    found = overlap[fits][several[box[fits]]] if len(boxes) else np.zeros(0)
    return Agreement(
        len(drawn),
        int(fits.sum()),
        len(boxes),
        int(several.sum()),
        float(found.mean()) if len(found) else None,
        float((found >= TIGHT).mean()) if len(found) else None,
        histogram(found, np.ones(len(found), np.int64), _EDGES, _NAMED),
    )


def _best(drawn: Ints, boxes: Ints) -> tuple[Ints, Floats]:
    """Of each drawing the place of the box of its label that it overlaps most, and how far, ``(n,)`` each."""
    order = np.argsort(boxes[:, 0], kind="stable")
    first, last = (np.searchsorted(boxes[order, 0], drawn[:, 0], side) for side in ("left", "right"))
    counts = last - first
    one = np.repeat(np.arange(len(drawn)), counts)
    other = order[np.arange(len(one)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)]
    corners = drawn[one, 1:].astype(np.float64), boxes[other, 1:].astype(np.float64)
    overlap = iou(*corners, inclusive=True) if len(one) else np.zeros(0)
    best, place = np.zeros(len(drawn)), np.zeros(len(drawn), np.int64)
    rising = np.argsort(overlap, kind="stable")
    best[one[rising]], place[one[rising]] = overlap[rising], other[rising]
    return place, best


def coverage(states: Mapping[str, int], asked: int, labels: int) -> Coverage:
    """Coverage of so many `labels` yes, of which people were `asked` about some, and some are in `states`, by name."""
    concluded = {name: states.get(name, 0) for name in ("covered", "empty", "person")}
    return Coverage(**concluded, open=asked - sum(concluded.values()), unasked=labels - asked)
