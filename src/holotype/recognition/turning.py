"""Pictures that have no upright: shown turned by any angle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from holotype.images.flatten import Pixels
from holotype.images.part import decode_part


@dataclass(frozen=True, slots=True)
class Turned:
    """A picture turned by a random angle, of which the largest upright rectangle that holds nothing else is shown,
    squeezed to a square; upside down with the chance `flip` (Esteva et al., Nature 2017, Methods)."""

    flip: float = 0.5

    @property
    def draws(self) -> int:
        """One for the angle, and one for the flip."""
        return 2

    def show(self, data: bytes, draws: Sequence[float], out: Pixels) -> None:
        """Write a turned picture to `out`. Raises `Rejected`."""
        size = len(out)
        pixels, _ = decode_part(data, lambda width, height: (0.0, 0.0, width, height), 2 * size, all_rows=True)
        angle = 2 * math.pi * draws[0]
        height, width = pixels.shape[:2]
        wide, high = inscribed(width, height, angle)
        shrunk = min(1.0, size / min(wide, high))
        if shrunk < 1:
            smaller = max(1, round(width * shrunk)), max(1, round(height * shrunk))
            pixels = np.asarray(cv2.resize(pixels, smaller, interpolation=cv2.INTER_AREA), np.uint8)
            wide, high = wide * smaller[0] / width, high * smaller[1] / height
            height, width = pixels.shape[:2]
        upside = -1 if draws[1] < self.flip else 1
        across, down = wide / size, upside * high / size
        cosine, sine = math.cos(angle), math.sin(angle)
        turn = np.array([[cosine * across, -sine * down], [sine * across, cosine * down]])
        centre = np.array([width - 1, height - 1]) / 2 - turn @ np.full(2, (size - 1) / 2)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        back = np.column_stack([turn, centre])
        cv2.warpAffine(pixels, back, (size, size), dst=out, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def inscribed(width: float, height: float, angle: float) -> tuple[float, float]:
    """The width and height of the largest upright rectangle in one that was turned by an angle, in radians.

    >>> inscribed(4, 2, 0.0)
    (4.0, 2.0)
    """
    longer, shorter = max(width, height), min(width, height)
    sine, cosine = abs(math.sin(angle)), abs(math.cos(angle))
    if shorter <= 2 * sine * cosine * longer or abs(sine - cosine) < 1e-9:  # two corners touch the longer sides
        half = shorter / 2
        return (half / sine, half / cosine) if width >= height else (half / cosine, half / sine)
    both = cosine * cosine - sine * sine
    return (width * cosine - height * sine) / both, (height * cosine - width * sine) / both
