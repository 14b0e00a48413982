"""Heat maps laid over their pictures, for people to look at."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from PIL import Image

from holotype.images.flatten import Pixels
from holotype.recognition.heat import Heat

SIDE: Final = 800
"""Pixels of the longer side of what is drawn; larger pictures are drawn so small."""
STRENGTH: Final = 0.75
"""How much of the hottest place is colour, the rest is the picture."""
_THIN: Final = 200
"""Pixels of the longer side for one of the width of a box's line."""


def overlay(pixels: Pixels, heat: Heat, box: Sequence[float] | None = None, strength: float = STRENGTH) -> Pixels:
    """A picture ``(height, width, 3)`` with a map from 0 to 1 of any size laid over all of it, from nothing where it is
    cold over blue and green to red where it is hot, and a box in inclusive pixels of the picture, if there is one;
    ``(height, width, 3)``, the longer side at most `SIDE`."""
    height, width = pixels.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    warm = np.clip(cv2.resize(heat, size, interpolation=cv2.INTER_LINEAR), 0, 1)
    levels = cv2.applyColorMap((warm * 255).astype(np.uint8), cv2.COLORMAP_TURBO)[:, :, ::-1]
    share = (strength * warm)[:, :, None]
    drawn = np.ascontiguousarray((small * (1 - share) + levels * share).round().astype(np.uint8))
    if box is not None and np.isfinite(box).all():
        _draw(drawn, np.asarray(box, np.float64), np.array(size) / (width, height))
    return drawn


def _draw(drawn: Pixels, box: np.ndarray, scale: np.ndarray) -> None:
    """Draw a box into a picture: a white line with dark edges, to be seen on anything."""
    thin = max(1, round(max(drawn.shape[:2]) / _THIN))
    left, top = np.floor(box[:2] * scale).astype(int).tolist()
    right, bottom = (np.ceil((box[2:] + 1) * scale) - 1).astype(int).tolist()
    for colour, thick in (((0, 0, 0), 3 * thin), ((255, 255, 255), thin)):
        cv2.rectangle(drawn, (left, top), (right, bottom), colour, thick)


def png(pixels: Pixels) -> bytes:
    """A picture ``(height, width, 3)`` as a PNG."""
    held = io.BytesIO()
    Image.fromarray(pixels).save(held, "PNG")
    return held.getvalue()
