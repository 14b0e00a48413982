"""The rectangle of cells that scores highest, of all that there are."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from holotype.geometry.values import Bools, Floats, Ints

KEPT: Final = 32
"""Shapes of grids whose rectangles are remembered."""


@lru_cache(maxsize=KEPT)
def rectangles(rows: int, columns: int) -> Ints:
    """All rectangles of a grid, ``(rectangles, 4)``: top, left, bottom and right, the last two of them exclusive.

    >>> rectangles(1, 2).tolist()
    [[0, 0, 1, 1], [0, 0, 1, 2], [0, 1, 1, 2]]
    """
    (top, bottom), (left, right) = (np.triu_indices(length + 1, 1) for length in (rows, columns))
    high, wide = np.repeat(np.arange(len(top)), len(left)), np.tile(np.arange(len(left)), len(top))
    found = np.stack([top[high], left[wide], bottom[high], right[wide]], axis=1)
    found.flags.writeable = False
    return found


def sums(scores: Floats) -> Floats:
    """The sum of the scores ``(rows, columns)`` inside each of `rectangles`, by an integral image."""
    inside = np.pad(scores.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    rows, columns = scores.shape
    top, left, bottom, right = rectangles(rows, columns).T
    return np.asarray(inside[bottom, right] - inside[top, right] - inside[bottom, left] + inside[top, left], np.float64)


def size_prior(rows: int, columns: int, side: float, weight: float) -> Floats:
    """What each of `rectangles` loses for being smaller or larger than `side`, a share of the picture's sides."""
    top, left, bottom, right = rectangles(rows, columns).T
    apart = ((bottom - top) / rows - side) ** 2 + ((right - left) / columns - side) ** 2
    return np.asarray(-weight * rows * columns * apart, np.float64)


def mask(rectangle: Ints, rows: int, columns: int) -> Bools:
    """The cells ``(rows, columns)`` that a rectangle holds."""
    top, left, bottom, right = rectangle.tolist()
    found = np.zeros((rows, columns), np.bool_)
    found[top:bottom, left:right] = True
    return found
