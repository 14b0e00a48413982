"""Outlines of masks for people to look at, as paths of SVG."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

SIDE: Final = 800
"""Pixels of the longer side that an outline follows; larger masks are looked at so small."""
_MOST: Final = 20_000
"""Corners of a path; noise has more, of which these are shown."""


def path_of(pixels: npt.NDArray[np.bool_]) -> str:
    """The outline of a mask ``(height, width)`` as data of an SVG path, in pixels of the picture, edges between them;
    to be filled by the rule ``evenodd``.

    >>> path_of(np.array([[0, 0, 0], [0, 1, 1], [0, 1, 1]], np.bool_))
    'M1 1L1 3L3 3L3 1Z'
    """
    height, width = pixels.shape
    scale = min(1.0, SIDE / max(height, width))
    small = max(1, round(width * scale)), max(1, round(height * scale))
    shown = np.asarray(cv2.resize(pixels.astype(np.uint8), small, interpolation=cv2.INTER_NEAREST), np.uint8)
    doubled = np.repeat(np.repeat(shown, 2, axis=0), 2, axis=1)  # so that every corner of a pixel is a point of its own
    found, _ = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    across, down = width / small[0], height / small[1]
    left, lines = _MOST, []
    for contour in sorted(found, key=len, reverse=True):
        corners = (contour[:, 0, :] + contour[:, 0, :] % 2) / 2 * [across, down]
        if (left := left - len(corners)) < 0:
            break
        lines.append("M" + "L".join(f"{x:.6g} {y:.6g}" for x, y in corners.tolist()) + "Z")
    return "".join(lines)
