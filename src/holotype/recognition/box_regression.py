"""Boxes that are moved and stretched towards what they are of (Girshick et al., CVPR 2014, appendix C)."""

from __future__ import annotations

from typing import Final

import numpy as np

from holotype.geometry.values import Floats

_LAST: Final = np.array([0.0, 0, 1, 1])
_LARGEST: Final = np.log(1000 / 16)
"""The most that a side is stretched, as a logarithm: a classifier that has gone astray overflows nothing."""


def offsets(boxes: Floats, targets: Floats) -> Floats:
    """How boxes become targets, both ``(boxes, 4)`` in inclusive pixels: the way of the centre in widths and heights of
    the box, and the logarithms of how often as wide and high the target is, ``(boxes, 4)``.

    >>> offsets(np.array([[0.0, 0, 9, 9]]), np.array([[5.0, 0, 24, 9]])).round(3).tolist()
    [[1.0, 0.0, 0.693, 0.0]]
    """
    centre, size = _centres(boxes)
    to, large = _centres(targets)
    return np.concatenate([(to - centre) / size, np.log(large / size)], axis=1)


def moved(boxes: Floats, by: Floats, width: int, height: int) -> Floats:
    """Boxes ``(boxes, 4)`` moved by `offsets`, in inclusive pixels with fractions, within a picture; each is left a
    pixel at least."""
    centre, size = _centres(boxes)
    middle = centre + by[:, :2] * size
    half = size * np.exp(np.minimum(by[:, 2:], _LARGEST)) / 2
    first = np.clip(middle - half, 0, [width - 1, height - 1])
    last = np.clip(middle + half - 1, first, [width - 1, height - 1])
    return np.concatenate([first, last], axis=1)


def _centres(boxes: Floats) -> tuple[Floats, Floats]:
    edges = boxes + _LAST
    return (edges[:, :2] + edges[:, 2:]) / 2, edges[:, 2:] - edges[:, :2]
