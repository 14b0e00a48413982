"""Faces that nobody is to recognise: blurred as ImageNet's were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil, floor
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from holotype.images.flatten import Pixels

Edges = Sequence[float]
"""Left, top, right and bottom edge in pixels of the upright picture."""
PADDING: Final = 0.1
"""What a box grows by on each side, in lengths of its longer side."""
RADIUS: Final = 0.1
"""The standard deviation of the blur, in lengths of the box's longer side."""
_REACH: Final = 3
"""How many standard deviations Pillow's blur, three boxes one after the other, reaches at most."""


def blur(pixels: Pixels, boxes: Iterable[Edges]) -> Pixels:
    """A copy of a picture, ``(height, width)`` grey or ``(height, width, 3)`` RGB, with what is in `boxes` blurred.

    The recipe is that of Yang et al., A Study of Face Obfuscation in ImageNet (ICML 2022, appendix; the authors' code
    takes the longer side for the diagonal): each box grows by a tenth of its longer side on all sides, the picture is
    blurred by a Gaussian of another tenth, and laid over the original through a mask of the box that is blurred as
    much, so that no edge is seen. There the largest box of a picture gives the radius for all, which leaves small
    faces beside a large one nearly as they were, as the mask fades with it; here every box has a radius of its own,
    which with one box is the same.

    Boxes may overlap and leave the picture; empty ones, and what is outside, do nothing. Blurs reach a pixel at least.

    >>> dots = np.zeros((40, 40), np.uint8)
    >>> dots[::2] = 255
    >>> blurred = blur(dots, [(10, 10, 30, 30)])
    >>> int(np.ptp(dots[18:22, 20])), int(np.ptp(blurred[18:22, 20])) < 30, bool((blurred[:2] == dots[:2]).all())
    (255, True, True)
    """
    found = pixels.copy()
    for box in boxes:
        _blur_one(found, box)
    return found


def _blur_one(pixels: Pixels, box: Edges) -> None:
    left, top, right, bottom = box
    side = max(right - left, bottom - top)
    if right <= left or bottom <= top:
        return
    pad, radius = max(1.0, PADDING * side), max(1.0, RADIUS * side)
    grown = left - pad, top - pad, right + pad, bottom + pad
    reach = ceil(2 * _REACH * radius) + 3  # the mask spreads so far, and what is blurred there comes from as far again
    height, width = pixels.shape[:2]
    x, y = max(0, floor(grown[0]) - reach), max(0, floor(grown[1]) - reach)
    part = pixels[y : min(height, ceil(grown[3]) + reach), x : min(width, ceil(grown[2]) + reach)]
    if not part.size or grown[2] <= 0 or grown[3] <= 0 or grown[0] >= width or grown[1] >= height:
        return
    picture, gaussian = Image.fromarray(part), ImageFilter.GaussianBlur(radius)
    mask = Image.new("L", picture.size)
    corners = (floor(grown[0]) - x, floor(grown[1]) - y, ceil(grown[2]) - x - 1, ceil(grown[3]) - y - 1)
    ImageDraw.Draw(mask).rectangle(corners, fill=255)
    part[:] = np.asarray(Image.composite(picture.filter(gaussian), picture, mask.filter(gaussian)))
