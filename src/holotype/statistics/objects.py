"""Objects: how many boxes images have, how large they are, and how well one finds them by chance.

Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", IJCV 115 (2015), section 3, and the analysis of
ILSVRC 2012, https://image-net.org/challenges/LSVRC/2012/analysis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.statistics.histogram import Bin, Floats, Ints, histogram, ranges_of

EXACT: Final = 5_000
"""Up to so many boxes of a class, all pairs are compared; beyond, half a million pairs drawn at random."""

_SAMPLED = 500_000
_ROWS = 64
_TENTHS = tuple(n / 10 for n in range(10))
_TENTHS_NAMED = tuple(f"{10 * n}–{10 * n + 10} %" for n in range(10))
_PER_IMAGE = (1, 2, 3, 4, 5, 6, 11, 21)


@dataclass(frozen=True, slots=True)
class ClassBoxes:
    """The boxes of a class: the id of the image each is in, ``(n,)``, its corners, and the size of its image.

    `corners` are inclusive pixels ``x_min, y_min, x_max, y_max``, shape ``(n, 4)``; `sizes` are width and height, shape
    ``(n, 2)``, 0 where not known.
    """

    wnid: str
    images: Ints
    corners: Ints
    sizes: Ints


@dataclass(frozen=True, slots=True)
class BoxedClass:
    """A class with boxes: `boxes` in `images`, and of those in images of known size (`measured`) scale and chance.

    `scale` is the mean share of the image that a box takes, `chance` that of `chance_of_localisation`; None where there
    are too few boxes.
    """

    wnid: str
    images: int
    boxes: int
    measured: int
    scale: float | None
    chance: float | None


@dataclass(frozen=True, slots=True)
class Objects:
    """The boxes of all classes; `images` have any, and `per_image` is how many, of all classes.

    `instances` (boxes of a class per image that has one), `scale` and `chance` are means over classes, as published.
    """

    images: int
    boxes: int
    measured: int
    mean_per_image: float
    per_image: tuple[Bin, ...]
    scales: tuple[Bin, ...]
    instances: float | None
    scale: float | None
    chance: float | None
    classes: tuple[BoxedClass, ...]


def in_image(corners: Ints | Floats, sizes: Ints) -> Floats:
    """Boxes as shares of their images: ``left, top, right, bottom`` from 0 to 1, shape ``(n, 4)``.

    What sticks out of the image is cut off. Boxes in images of unknown size, or outside of them, are left out.

    >>> in_image(np.array([[0, 0, 49, 99], [50, 50, 120, 99]]), np.array([[100, 100], [100, 100]])).tolist()
    [[0.0, 0.0, 0.5, 1.0], [0.5, 0.5, 1.0, 1.0]]
    """
    known = (sizes > 0).all(1)
    size = np.tile(sizes[known], 2)
    found = np.clip((corners[known] + (0, 0, 1, 1)) / size, 0, 1)
    return np.asarray(found[_area(found) > 0], np.float64)


def _area(boxes: Floats) -> Floats:
    return np.asarray(np.prod(np.maximum(boxes[..., 2:] - boxes[..., :2], 0), axis=-1), np.float64)


def chance_of_localisation(boxes: Floats, seed: int = 0) -> float | None:
    """How often a box of a class, put on another image of it, overlaps the box there by IoU >= 0.5.

    ``CPL = sum over i and j != i of [IoU(B_i, B_j) >= 0.5] / (N (N - 1))`` for boxes as shares of their images, shape
    ``(N, 4)``; None for fewer than two. Exact for up to `EXACT` boxes; beyond, an estimate from half a million pairs
    drawn by `seed`, with a standard error below 0.0008. Analysis of ILSVRC 2012, section 2.2
    (whose formula says ``<=`` and means ``>=``).

    >>> chance_of_localisation(np.array([[0, 0, 1, 1], [0, 0, 1, 0.5], [0, 0, 0.5, 0.5]]))
    0.6666666666666666
    """
    number = len(boxes)
    if number < 2:
        return None
    if number <= EXACT:
        hits = sum(_hits(boxes, start) for start in range(0, number, _ROWS))
        return 2 * hits / (number * (number - 1))
    rng = np.random.default_rng(seed)
    first = rng.integers(0, number, _SAMPLED)
    second = (first + rng.integers(1, number, _SAMPLED)) % number
    return float(_overlap(boxes[first], boxes[second]).mean())


def _hits(boxes: Floats, start: int) -> int:
    """Overlapping pairs ``i < j`` with ``i`` among the next rows."""
    rows = boxes[start : start + _ROWS]
    found = _overlap(rows[:, None], boxes[None, start:])
    return int(np.triu(found, 1).sum())


def _overlap(a: Floats, b: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Whether IoU >= 1/2, which is ``3 * intersection >= area + area``; a hair less, for shares are rounded."""
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
    common = np.maximum(width, 0) * np.maximum(height, 0)
    return np.asarray(3 * common >= (_area(a) + _area(b)) * (1 - 1e-9))


def objects(classes: Iterable[ClassBoxes], per_image: Mapping[int, int]) -> Objects:
    """The objects of `classes`, one after the other; `per_image` is how many images have how many boxes, from 1."""
    found, scales = [], np.zeros(len(_TENTHS), np.int64)
    for boxes in classes:
        shares = in_image(boxes.corners, boxes.sizes)
        area = _area(shares)
        scales += [bar.count for bar in histogram(area, np.ones(len(area)), _TENTHS, _TENTHS_NAMED)]
        found.append(
            BoxedClass(
                boxes.wnid,
                len(np.unique(boxes.images)),
                len(boxes.images),
                len(shares),
                float(area.mean()) if len(area) else None,
                chance_of_localisation(shares),
            )
        )
    numbers, images = np.array([*per_image], np.int64), np.array([*per_image.values()], np.int64)
    return Objects(
        int(images.sum()),
        sum(one.boxes for one in found),
        int(scales.sum()),
        float(numbers @ images) / max(1, int(images.sum())),
        histogram(numbers, images, _PER_IMAGE, ranges_of(_PER_IMAGE)),
        tuple(Bin(*bar) for bar in zip(_TENTHS_NAMED, scales.tolist(), strict=True)),
        _mean(one.boxes / one.images for one in found),
        _mean(one.scale for one in found),
        _mean(one.chance for one in found),
        tuple(found),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
