"""A part of a picture, as so many pixels."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from holotype.images.flatten import Pixels
from holotype.images.scratch import Scratch
from holotype.releases.loaders.crops import Box

# Share of a pixel that is spread to each neighbour before every r-th is taken, by r * r - 1. Pillow's filter is a
# triangle of half-width r, whose second moment is r * r / 6; linear interpolation has 1 / 6 of its own, so a kernel
# (a, 1 - 2a, a), whose moment is 2a, needs a = (r * r - 1) / 12; a little more was nearest on 500 photographs.
_SPREAD: Final = 0.1
_MOST: Final = 0.32
_COARSE: Final = 2.5
"""From this ratio on, three pixels are too few to average, and areas are averaged."""
_SLIGHT: Final = 1.15
"""Up to this ratio spreading changes pixels by a fifth of a grey level, and is not worth its time."""
_MARGIN: Final = 2

_averaged, _turned = Scratch(), Scratch()


def resample(pixels: Pixels, box: Box, size: int, mirrored: bool, out: Pixels) -> None:
    """Write a part of ``(height, width, 3)`` pixels to `out`, ``(size, size, 3)``, mirrored or not.

    Shrinking averages what falls together: the mean difference to Pillow's antialiased bilinear filter is one grey
    level on photographs.
    """
    across, down = (box[2] - box[0]) / size, (box[3] - box[1]) / size
    whole = all(edge == int(edge) for edge in box)
    target = _turned.of(*out.shape) if mirrored else out
    if max(across, down) >= _COARSE:
        left, top, right, bottom = _inside(pixels, box, 0)
        cv2.resize(pixels[top:bottom, left:right], (size, size), dst=target, interpolation=cv2.INTER_AREA)
    elif whole:
        left, top, right, bottom = _inside(pixels, box, 0)
        part = _spread(pixels[top:bottom, left:right], across, down)
        cv2.resize(part, (size, size), dst=target, interpolation=cv2.INTER_LINEAR)
    else:
        left, top, right, bottom = _inside(pixels, box, _MARGIN)
        part = _spread(pixels[top:bottom, left:right], across, down)
        back = np.array([[across, 0, box[0] - left + across / 2 - 0.5], [0, down, box[1] - top + down / 2 - 0.5]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        cv2.warpAffine(part, back, (size, size), dst=target, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    if mirrored:
        cv2.flip(target, 1, dst=out)


def _inside(pixels: Pixels, box: Box, margin: int) -> tuple[int, int, int, int]:
    """The whole pixels around a box, and some more where there are any; at least one."""
    height, width = pixels.shape[:2]
    left = min(max(round(box[0]) - margin, 0), width - 1)
    top = min(max(round(box[1]) - margin, 0), height - 1)
    return (
        left,
        top,
        min(max(round(box[2]) + margin, left + 1), width),
        min(max(round(box[3]) + margin, top + 1), height),
    )


def _spread(pixels: Pixels, across: float, down: float) -> Pixels:
    """Pixels that are spread a little to their neighbours, as far as they are to be shrunk."""
    if max(across, down) < _SLIGHT:
        return pixels
    x, y = (min(max(ratio * ratio - 1, 0) * _SPREAD, _MOST) for ratio in (across, down))
    spread = _averaged.of(*pixels.shape)
    cv2.sepFilter2D(pixels, -1, _kernel(x), _kernel(y), dst=spread, borderType=cv2.BORDER_REPLICATE)
    return spread


def _kernel(share: float) -> npt.NDArray[np.float32]:
    return np.array([share, 1 - 2 * share, share], np.float32)
