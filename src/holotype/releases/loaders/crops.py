"""Which part of a picture is shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

Box = tuple[float, float, float, float]
"""Left, top, right and bottom edge in pixels of an upright picture; right and bottom are behind its last pixels."""

ATTEMPTS: Final = 10
DRAWS: Final = 2 * ATTEMPTS + 2
"""How many draws `random_box` may need."""


def centre_box(width: int, height: int, size: int, resize: int) -> Box:
    """The central square of `size` pixels of a picture whose shorter side was made `resize` pixels long, in pixels of
    the picture itself; rounded as by torchvision's ``Resize`` and ``CenterCrop``."""
    if width < height:
        wide, high = resize, int(resize * height / width)
    else:
        wide, high = int(resize * width / height), resize
    left, top = round((wide - size) / 2), round((high - size) / 2)
    x, y = width / wide, height / high
    return left * x, top * y, (left + size) * x, (top + size) * y


def random_box(
    width: int, height: int, draws: Sequence[float], scale: tuple[float, float], ratio: tuple[float, float]
) -> Box:
    """A random part of a picture: its share of the area is uniform in `scale`, its width over height log-uniform in
    `ratio` (Szegedy et al., CVPR 2015). `draws` are `DRAWS` numbers from [0, 1).

    The tenth part that does not fit gives way to the largest central one of a fitting ratio. Edges are whole pixels.
    """
    low, high = math.log(ratio[0]), math.log(ratio[1])
    for attempt in range(ATTEMPTS):
        area = width * height * (scale[0] + (scale[1] - scale[0]) * draws[2 * attempt])
        aspect = math.exp(low + (high - low) * draws[2 * attempt + 1])
        wide, tall = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < wide <= width and 0 < tall <= height:
            left, top = int((width - wide + 1) * draws[-2]), int((height - tall + 1) * draws[-1])
            return float(left), float(top), float(left + wide), float(top + tall)
    wide = min(width, max(1, round(height * ratio[1])))
    tall = min(height, max(1, round(width / ratio[0])))
    left, top = (width - wide) // 2, (height - tall) // 2
    return float(left), float(top), float(left + wide), float(top + tall)
