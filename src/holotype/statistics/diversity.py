"""Diversity: how little is left of a synset's images when they are averaged (Deng et al., CVPR 2009, section 3.1).

The more its images differ, the blurrier is their mean, and the fewer bytes it takes without loss. The paper uses
lossless JPEG; we have no codec for it, and PNG takes its place, so bytes are not comparable with the paper's. They are
with each other, for means of equally many images and one build of Pillow.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from holotype.images import Rejected, decode

SIDE: Final = 32
"""Means are so wide and high, as in the paper."""

Grey = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MeanImage:
    """The mean of `images` images, grey from 0 to 255, shape ``(32, 32)``; `rejected` more were no sound images."""

    pixels: Grey
    images: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Diversity:
    """A synset's mean image as PNG; the smaller, the more diverse the synset."""

    wnid: str
    rejected: int
    png: bytes


@dataclass(frozen=True, slots=True)
class Ranking:
    """Synsets by diversity, the most diverse first, each of `images` images; `short` more had too few sound ones."""

    images: int
    synsets: tuple[Diversity, ...]
    short: int


def mean_image(images: Iterable[bytes], wanted: int) -> MeanImage:
    """The mean of the first `wanted` sound images, or of all if there are fewer; one is in memory at a time."""
    total, kept, rejected = np.zeros((SIDE, SIDE)), 0, 0
    for data in images:
        try:
            total += _shrunk(data)
        except Rejected:
            rejected += 1
            continue
        kept += 1
        if kept == wanted:
            break
    return MeanImage(total / max(1, kept), kept, rejected)


def _shrunk(data: bytes) -> Grey:
    """An image averaged over areas to 32 x 32, whatever its aspect."""
    pixels = decode(data, side=8 * SIDE).pixels
    grey = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float64)


def lossless_png(mean: Grey) -> bytes:
    """A mean image as 8-bit grey PNG, packed as well as Pillow can.

    >>> blank = np.full((32, 32), 127.0)
    >>> len(lossless_png(blank)) < len(lossless_png(np.arange(1024.0).reshape(32, 32) % 251))
    True
    """
    buffer = io.BytesIO()
    Image.fromarray(np.rint(mean).astype(np.uint8)).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def diversity(wnid: str, images: Iterable[bytes], wanted: int) -> Diversity | None:
    """The diversity of a synset by `wanted` of its images; None where fewer are sound."""
    mean = mean_image(images, wanted)
    return Diversity(wnid, mean.rejected, lossless_png(mean.pixels)) if mean.images == wanted else None


def rank(found: Iterable[Diversity | None], wanted: int) -> Ranking:
    """Synsets by diversity of `wanted` images each; None stands for one that had too few."""
    tried = list(found)
    kept = sorted((one for one in tried if one is not None), key=lambda one: (len(one.png), one.wnid))
    return Ranking(wanted, tuple(kept), len(tried) - len(kept))
