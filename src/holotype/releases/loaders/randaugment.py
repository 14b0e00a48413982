"""RandAugment: a few changes of a fixed strength, drawn at random (Cubuk et al., NeurIPS 2020)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from holotype.images.flatten import Pixels
from holotype.releases.loaders.colours import brightness, contrast, saturation, sharpness

_BINS: Final = 31
_FILL: Final = (0, 0, 0)
_LEVELS: Final = np.arange(256, dtype=np.uint8)


def _moved(pixels: Pixels, matrix: Sequence[Sequence[float]]) -> None:
    """Pixels from where a matrix says, the nearest each; black where that is outside."""
    height, width = pixels.shape[:2]
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    pixels[:] = cv2.warpAffine(pixels, np.array(matrix, np.float64), (width, height), flags=flags, borderValue=_FILL)


def _rotate(pixels: Pixels, degrees: float) -> None:
    height, width = pixels.shape[:2]
    x, y = (width - 1) / 2, (height - 1) / 2
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    _moved(pixels, ((cos, -sin, x - cos * x + sin * y), (sin, cos, y - sin * x - cos * y)))


def _posterize(pixels: Pixels, bits: int) -> None:
    cv2.LUT(pixels, _LEVELS & np.uint8(256 - (1 << (8 - bits))), dst=pixels)


def _solarize(pixels: Pixels, threshold: float) -> None:
    cv2.LUT(pixels, np.where(threshold <= _LEVELS, 255 - _LEVELS, _LEVELS).astype(np.uint8), dst=pixels)


def _autocontrast(pixels: Pixels) -> None:
    for channel in range(3):
        one = np.ascontiguousarray(pixels[:, :, channel])
        low, high, _, _ = cv2.minMaxLoc(one)
        if low < high:
            stretched = np.clip((_LEVELS - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
            pixels[:, :, channel] = cv2.LUT(one, stretched)


def _equalize(pixels: Pixels) -> None:
    """Each channel's levels spread evenly, as Pillow's ``ImageOps.equalize`` does."""
    for channel in range(3):
        one = np.ascontiguousarray(pixels[:, :, channel])
        counts = np.bincount(one.ravel(), minlength=256)
        step = int(counts.sum() - counts[counts > 0][-1]) // 255
        if step:
            levels = np.minimum((step // 2 + np.cumsum(counts) - counts) // step, 255)
            pixels[:, :, channel] = cv2.LUT(one, levels.astype(np.uint8))


_CHANGES: Final[tuple[tuple[str, Callable[[Pixels, float, float], None]], ...]] = (
    ("identity", lambda _p, _s, _w: None),
    ("shear_x", lambda p, s, _: _moved(p, ((1, 0.3 * s, 0), (0, 1, 0)))),
    ("shear_y", lambda p, s, _: _moved(p, ((1, 0, 0), (0.3 * s, 1, 0)))),
    ("translate_x", lambda p, s, _: _moved(p, ((1, 0, -int(150 / 331 * s * p.shape[1])), (0, 1, 0)))),
    ("translate_y", lambda p, s, _: _moved(p, ((1, 0, 0), (0, 1, -int(150 / 331 * s * p.shape[0]))))),
    ("rotate", lambda p, s, _: _rotate(p, 30 * s)),
    ("brightness", lambda p, s, _: brightness(p, 1 + 0.9 * s)),
    ("colour", lambda p, s, _: saturation(p, 1 + 0.9 * s)),
    ("contrast", lambda p, s, _: contrast(p, 1 + 0.9 * s)),
    ("sharpness", lambda p, s, _: sharpness(p, 1 + 0.9 * s)),
    ("posterize", lambda p, _, w: _posterize(p, 8 - round(4 * w))),
    ("solarize", lambda p, _, w: _solarize(p, 255 - 255 * w)),
    ("autocontrast", lambda p, _s, _w: _autocontrast(p)),
    ("equalize", lambda p, _s, _w: _equalize(p)),
)
"""Each change, of pixels, a strength from -1 to 1, and how great it is."""
NAMES: Final = tuple(name for name, _ in _CHANGES)


def change(pixels: Pixels, name: str, strength: float) -> None:
    """Change pixels in place by one of `NAMES`, with a strength from -1 to 1."""
    dict(_CHANGES)[name](pixels, strength, abs(strength))


@dataclass(frozen=True, slots=True)
class RandAugment:
    """`count` of fourteen changes, each drawn from all of them, with a `magnitude` from 0 to 30; those that have a
    direction go either way. The changes and their ranges are those of torchvision's ``RandAugment``."""

    count: int = 2
    magnitude: int = 9

    def __post_init__(self) -> None:
        if self.count < 0 or not 0 <= self.magnitude < _BINS:
            raise ValueError(f"count must be 0 or more, and magnitude from 0 to {_BINS - 1}")

    @property
    def draws(self) -> int:
        """Two for each change: which, and which way."""
        return 2 * self.count

    def apply(self, pixels: Pixels, draws: Sequence[float]) -> None:
        """Change pixels in place, as `draws` have it."""
        great = self.magnitude / (_BINS - 1)
        for number in range(self.count):
            which, way = draws[2 * number : 2 * number + 2]
            _CHANGES[int(which * len(_CHANGES))][1](pixels, great if way < 0.5 else -great, great)
