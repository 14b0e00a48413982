"""Scale: how many images the synsets have (Deng et al., CVPR 2009, section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.statistics.histogram import Bin, Ints, histogram, median, ranges_of

MANY: Final = 500
"""More than half of ImageNet's first 5,247 synsets had more images than this."""
FEW: Final = 10

_EDGES = (1, 10, 50, *range(100, 1100, 100), 1500, 2000)


@dataclass(frozen=True, slots=True)
class Scale:
    """Images per synset, over the `synsets` that have any; `many` and `few` are shares of these synsets.

    `many` have more than 500 images, `few` fewer than 10. An image that shows two synsets counts for both.
    """

    synsets: int
    images: int
    mean: float
    median: int
    most: int
    many: float
    few: float
    histogram: tuple[Bin, ...]


def scale(images: Ints) -> Scale:
    """The scale of synsets with so many `images` each; zeros are left out.

    >>> found = scale(np.array([0, 4, 600, 1000]))
    >>> found.synsets, found.images, found.median, found.many
    (3, 1604, 600, 0.6666666666666666)
    """
    held = images[images > 0]
    bars = histogram(held, np.ones_like(held), _EDGES, ranges_of(_EDGES))
    if not len(held):
        return Scale(0, 0, 0.0, 0, 0, 0.0, 0.0, bars)
    return Scale(
        len(held),
        int(held.sum()),
        float(held.mean()),
        median(held, np.ones_like(held)),
        int(held.max()),
        float((held > MANY).mean()),
        float((held < FEW).mean()),
        bars,
    )
