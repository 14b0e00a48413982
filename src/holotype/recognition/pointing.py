"""How well heat maps show where things are: the pointing game and its like, beside what needs no network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.benchmark.values import Boxes
from holotype.geometry.boxes import SAME, iou
from holotype.recognition.cam_boxes import THRESHOLD, cam_boxes, centre_boxes
from holotype.recognition.heat import Heat, HeatMaps
from holotype.recognition.shown import Floats, Ints
from holotype.releases.loaders import Samples

Bools = npt.NDArray[np.bool_]
_SCORES: Final = ("pointing", "centre", "energy", "area", "box", "centre_box", "whole")
SHARES: Final = (0.0, 0.25, 0.5, 1.0)
"""Bounds of the share of a picture that its objects cover, between which scores are told."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of so many `pictures`, in each of which boxes of its class cover from `least` to below `most` of it: of
    those where the hottest point of the map, or the `centre` of the picture, is in such a box (`pointing`); the mean
    share of the heat that is (`energy`), and of the picture (`area`); and of those where the box of the map, the
    `centre_box`, or the `whole` picture has IoU >= 0.5 with one (CorLoc). All are NaN where there are no pictures.
    """

    least: float
    most: float
    pictures: int
    pointing: float
    centre: float
    energy: float
    area: float
    box: float
    centre_box: float
    whole: float

    def value(self) -> Mapping[str, Any]:
        """This, of values that JSON has: None for NaN."""
        told = ((name, getattr(self, name)) for name in self.__slots__)
        return {name: None if math.isnan(value) else value for name, value in told}


@dataclass(frozen=True, slots=True, eq=False)
class Pointed:
    """Pictures that were scored, those of the maps at `rows` ``(scored,)``, and for each, ``(scored, 7)``, the `scores`
    that `Shares` tells of from its `pointing` on, of a single picture."""

    rows: Ints
    scores: Floats

    def by_size(self, bounds: Sequence[float] = SHARES) -> tuple[Shares, ...]:
        """The scores of pictures whose objects cover a share between each two `bounds`, and of all of them."""
        return (*(self.between(*both) for both in pairwise(bounds)), self.between(bounds[0], bounds[-1]))

    def between(self, least: float, most: float) -> Shares:
        """The scores of pictures whose objects cover at least a share, and less than another; all is less than 1."""
        area = self.scores[:, _SCORES.index("area")]
        asked = self.scores[(area >= least) & ((area < most) | (most >= 1))]
        told = asked.mean(0).tolist() if len(asked) else [math.nan] * len(_SCORES)
        return Shares(least, most, len(asked), *told)


def pointing_game(
    truth: Boxes, samples: Samples, found: HeatMaps, threshold: float = THRESHOLD, tolerance: float = 0.0
) -> Pointed:
    """Score maps of samples by the boxes of their labels, crowds aside; samples without any are not scored.

    A point hits where it lies in a box, or `tolerance` pixels beside one (Zhang et al., IJCV 2018, section 4.2, who
    take 15; shares here are of pictures, where `holotype.benchmark.weakly.pointing` takes the mean over classes). The
    energy is that of Wang et al., CVPRW 2020, section 4.3. The boxes of maps are those of `cam_boxes`.
    """
    boxes = _by_picture(truth)
    peaks, chosen, middle = found.peaks(), cam_boxes(found, threshold), centre_boxes(found.sizes)
    rows: list[int] = []
    scores: list[tuple[float, ...]] = []
    for row, (image, number) in enumerate(zip(found.ids, found.numbers.tolist(), strict=True)):
        corners = boxes.get((image, samples.classes[samples.labels[number]]))
        if corners is not None:
            rows.append(row)
            pointed = (_hits(point, corners, tolerance) for point in (peaks[row], found.sizes[row] / 2))
            whole = np.array([0, 0, *(found.sizes[row] - 1)])
            placed = iou(np.stack([chosen[row], middle[row], whole])[:, None], corners[None], inclusive=True)
            heat = found.spread(row)
            inside = _covered(corners, found.sizes[row], heat)
            energy = float(heat[inside].sum() / heat.sum()) if heat.any() else 0.0
            scores.append((*pointed, energy, float(inside.mean()), *(placed.max(axis=1) >= SAME)))
    return Pointed(np.array(rows, np.int64), np.array(scores, np.float64).reshape(-1, len(_SCORES)))


def _by_picture(truth: Boxes) -> Mapping[tuple[str, str], Floats]:
    """The boxes of each image and class, crowds aside, in inclusive pixels."""
    corners = truth.corners - np.array([0, 0, not truth.inclusive, not truth.inclusive])
    found: dict[tuple[str, str], list[int]] = {}
    pairs = zip(truth.image.tolist(), truth.label.tolist(), truth.crowd.tolist(), strict=True)
    for place, (image, label, crowd) in enumerate(pairs):
        if not crowd:
            found.setdefault((truth.items[image], truth.classes[label]), []).append(place)
    return {key: corners[places] for key, places in found.items()}


def _covered(corners: Floats, size: Ints, heat: Heat) -> Bools:
    """Which pixels of what a map is laid on are in a box ``(height, width)``."""
    inside = np.zeros(heat.shape, np.bool_)
    edges = (corners + np.array([0, 0, 1, 1])) * np.tile(heat.shape[::-1] / size, 2)
    for left, top, right, bottom in edges.round().astype(int).clip(0).tolist():
        inside[top:bottom, left:right] = True
    return inside


def _hits(point: Floats, corners: Floats, tolerance: float) -> bool:
    """Whether a point lies in a box ``(boxes, 4)`` of inclusive pixels, or so many pixels beside one."""
    first, last = corners[:, :2] - tolerance, corners[:, 2:] + 1 + tolerance
    return bool(((point >= first) & (point < last)).all(axis=1).any())
