"""How well heat maps show where things are: the pointing game and its like, beside what needs no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from holotype.benchmark.values import Boxes
from holotype.geometry.boxes import SAME, iou
from holotype.recognition.cam_boxes import THRESHOLD, cam_boxes, centre_boxes
from holotype.recognition.heat import Heat, HeatMaps
from holotype.recognition.shown import Floats, Ints
from holotype.releases.loaders import Samples

SHARES: Final = (0.0, 0.25, 0.5, 1.0)
"""Bounds of the share of a picture that its objects cover, between which scores are told."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of so many `pictures`, in each of which boxes of its class cover from `least` to below `most` of it: of
    those where the hottest point of the map, or the `centre` of the picture, is in such a box (`pointing`); the mean
    share of the heat that is (`energy`), and of the picture (`area`); and of those where the box of the map, the
    `centre_box`, or the `whole` picture has IoU >= 0.5 with one (CorLoc). All are None where there are no pictures.
    """

    least: float
    most: float
    pictures: int
    pointing: float | None
    centre: float | None
    energy: float | None
    area: float | None
    box: float | None
    centre_box: float | None
    whole: float | None

    def value(self) -> Mapping[str, Any]:
        """This, of values that JSON has."""
        return {name: getattr(self, name) for name in self.__slots__}


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
        area = self.scores[:, _AREA]
        asked = self.scores[(area >= least) & ((area < most) | (most >= 1))]
        told = asked.mean(0).tolist() if len(asked) else [None] * self.scores.shape[1]
        return Shares(least, most, len(asked), *told)


_AREA: Final = 3


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
    scores: list[list[float]] = []
    for row, (image, number) in enumerate(zip(found.ids, found.numbers.tolist(), strict=True)):
        corners = boxes.get((image, samples.classes[samples.labels[number]]))
        if corners is None:
            continue
        size = found.sizes[row]
        inside = _covered(corners, size, heat := found.spread(row))
        points = np.stack([peaks[row], size / 2])
        placed = np.stack([chosen[row], middle[row], [0, 0, *(size - 1)]])
        rows.append(row)
        scores.append(
            [
                *_hit(points, corners, tolerance),
                float(heat[inside].sum() / heat.sum()) if heat.any() else 0.0,
                float(inside.mean()),
                *(iou(placed[:, None], corners[None], inclusive=True).max(1) >= SAME).tolist(),
            ]
        )
    return Pointed(np.array(rows, np.int64), np.array(scores, np.float64).reshape(-1, 7))


def _by_picture(truth: Boxes) -> Mapping[tuple[str, str], Floats]:
    """The boxes of each image and class, crowds aside, in inclusive pixels."""
    order = np.lexsort((truth.label, truth.image))[~truth.crowd[np.lexsort((truth.label, truth.image))]]
    keys = np.stack([truth.image[order], truth.label[order]], axis=1)
    starts = np.flatnonzero(np.r_[True, (keys[1:] != keys[:-1]).any(1)][: len(keys)])
    corners = truth.corners[order] - (0 if truth.inclusive else np.array([0, 0, 1, 1]))
    parts = np.split(corners, starts[1:])
    return {
        (truth.items[image], truth.classes[label]): part
        for (image, label), part in zip(keys[starts].tolist(), parts, strict=True)
    }


def _covered(corners: Floats, size: Ints, heat: Heat) -> Any:
    """Which pixels that a map is laid on are in a box ``(height, width)``."""
    scale = heat.shape[::-1] / size
    inside = np.zeros(heat.shape, np.bool_)
    for x_min, y_min, x_max, y_max in (corners + [0, 0, 1, 1]) * np.tile(scale, 2):
        inside[round(y_min) : round(y_max), round(x_min) : round(x_max)] = True
    return inside


def _hit(points: Floats, corners: Floats, tolerance: float) -> Iterator[float]:
    """For each point ``(points, 2)`` 1 where it lies in a box ``(boxes, 4)`` of inclusive pixels."""
    edges = corners + np.array([-tolerance, -tolerance, 1 + tolerance, 1 + tolerance])
    for point in points:
        yield float(((point >= edges[:, :2]) & (point < edges[:, 2:])).all(1).any())
