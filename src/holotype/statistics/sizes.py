"""Sizes of images: width, height, pixels and aspect."""

from __future__ import annotations

from dataclasses import dataclass

from holotype.statistics.histogram import Bin, Ints, histogram, median, ranges_of

# Each twice as many pixels as the one before.
_PIXELS = (0, *(1000 * 2**power for power in range(3, 14)))
_ASPECTS = (0, 0.5, 0.74, 0.99, 1.01, 1.351, 2)
_SHAPES = ("under 1:2", "1:2–3:4", "3:4–1:1", "square", "1:1–4:3", "4:3–2:1", "2:1 and more")


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of `images` images, in pixels; `aspects` are width to height, each to within 1 %."""

    images: int
    mean_width: float
    mean_height: float
    median_width: int
    median_height: int
    pixels: tuple[Bin, ...]
    aspects: tuple[Bin, ...]


def sizes(width: Ints, height: Ints, count: Ints) -> Sizes:
    """The sizes of images of which `count` are `width` x `height`; three arrays of one length, positive, not empty.

    >>> import numpy as np
    >>> found = sizes(np.array([500, 400]), np.array([375, 400]), np.array([3, 1]))
    >>> found.images, found.mean_width, found.median_height
    (4, 475.0, 375)
    """
    total = int(count.sum())
    return Sizes(
        total,
        float(width @ count) / total,
        float(height @ count) / total,
        median(width, count),
        median(height, count),
        histogram(width * height, count, _PIXELS, ranges_of(_PIXELS)),
        histogram(width / height, count, _ASPECTS, _SHAPES),
    )
