"""Changing the colours of ``(height, width, 3)`` uint8 RGB pixels in place, as Pillow's ``ImageEnhance`` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from holotype.images.flatten import Pixels

_ORDERS: Final = tuple(permutations(range(4)))
_LEVELS: Final = np.arange(256)
_SMOOTH: Final = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]], np.float32) / 13


def brightness(pixels: Pixels, factor: float) -> None:
    """All levels times `factor`."""
    _look_up(pixels, _LEVELS * factor)


def contrast(pixels: Pixels, factor: float) -> None:
    """Distances from the mean grey level times `factor`."""
    mean = int(cv2.mean(_grey(pixels))[0] + 0.5)
    _look_up(pixels, mean + (_LEVELS - mean) * factor)


def saturation(pixels: Pixels, factor: float) -> None:
    """Distances from each pixel's own grey times `factor`."""
    grey = cv2.cvtColor(_grey(pixels), cv2.COLOR_GRAY2RGB)
    cv2.addWeighted(pixels, factor, grey, 1 - factor, 0, dst=pixels)


def sharpness(pixels: Pixels, factor: float) -> None:
    """Distances from a smoothed picture times `factor`; the outermost pixels stay as they are."""
    smooth = cv2.filter2D(pixels, -1, _SMOOTH)
    inner = pixels[1:-1, 1:-1]
    if inner.size:
        inner[:] = cv2.addWeighted(np.ascontiguousarray(inner), factor, smooth[1:-1, 1:-1], 1 - factor, 0)


def hue(pixels: Pixels, turn: float) -> None:
    """Hues turned by a part of the circle, -1/2 to 1/2."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV_FULL)
    hsv[:, :, 0] += np.uint8(round(turn * 256) % 256)
    cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL, dst=pixels)


def _grey(pixels: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def _look_up(pixels: Pixels, levels: npt.NDArray[np.floating]) -> None:
    cv2.LUT(pixels, np.clip(levels, 0, 255).astype(np.uint8), dst=pixels)


@dataclass(frozen=True, slots=True)
class Jitter:
    """Brightness, contrast, saturation and hue changed at random, in a random order.

    Each of the first three is multiplied by a factor from ``[1 - x, 1 + x]`` (never below 0), the hue is turned by up
    to `hue` of the circle, at most 1/2, either way.
    """

    brightness: float = 0.4
    contrast: float = 0.4
    saturation: float = 0.4
    hue: float = 0.0

    @property
    def draws(self) -> int:
        """One for the order, and one for each change."""
        return 5

    def apply(self, pixels: Pixels, draws: Sequence[float]) -> None:
        """Change pixels in place, as `draws` have it."""
        for change in _ORDERS[int(draws[0] * len(_ORDERS))]:
            toward, strength = (
                2 * draws[1 + change] - 1,
                (self.brightness, self.contrast, self.saturation, self.hue)[change],
            )
            if not strength:
                continue
            if change == 3:
                hue(pixels, toward * strength)
            else:
                (brightness, contrast, saturation)[change](pixels, max(0.0, 1 + toward * strength))
