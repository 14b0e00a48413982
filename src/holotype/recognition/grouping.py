"""Merging segments into ever larger ones, the most alike first (Uijlings et al., IJCV 2013, section 3.2)."""

from __future__ import annotations

import numpy as np

from holotype.geometry.values import Floats, Ints
from holotype.recognition.segments import Segments


def grouped(segments: Segments, likenesses: str) -> Ints:
    """The boxes ``(2 * segments - 1, 4)`` of all segments and of what they become, in the order in which they come to
    be: the last one is that of the whole picture.

    `likenesses` says what makes two alike, the sum of: ``c``, their histograms of colour have in common; ``t``, those
    of texture; ``s``, both are small; ``f``, they fill the box around both. What is merged of two parts is of them in
    proportion to their sizes.
    """
    parts = _Parts(segments, likenesses)
    merged = [parts.merge() for _ in range(len(segments.size) - 1)]
    return np.array([*segments.boxes, *merged], np.int64)


class _Parts:
    """What segments became so far. Each has a row; that of one which was merged into another is out of use."""

    def __init__(self, segments: Segments, likenesses: str) -> None:
        self._likenesses = likenesses
        self._area = segments.area
        self._size, self._boxes = segments.size.astype(np.float64), segments.boxes.copy()
        histograms = {"c": segments.colour, "t": segments.texture}
        self._histograms = [rows.copy() for name, rows in histograms.items() if name in likenesses]
        self._near = segments.near.copy()
        self._alike = np.full(segments.near.shape, -np.inf)
        for row in range(len(self._size)):
            self._compare(row)

    def merge(self) -> Ints:
        """Merge the two that are most alike: the box of what they become. Some two must be near."""
        kept, gone = np.unravel_index(int(self._alike.argmax()), self._alike.shape)
        shares = self._size[[kept, gone]] / (self._size[kept] + self._size[gone])
        for rows in self._histograms:
            rows[kept] = shares @ rows[[kept, gone]]
        self._size[kept] += self._size[gone]
        self._boxes[kept] = _around(self._boxes[kept], self._boxes[gone])
        near = self._near[kept] | self._near[gone]
        near[[kept, gone]] = False
        for one in (kept, gone):
            self._near[one], self._near[:, one] = False, False
            self._alike[one], self._alike[:, one] = -np.inf, -np.inf
        self._near[kept], self._near[:, kept] = near, near
        self._compare(int(kept))
        return np.array(self._boxes[kept])

    def _compare(self, row: int) -> None:
        """Note how alike one is to each that is near."""
        near = np.flatnonzero(self._near[row])
        alike = self._likeness(row, near)
        self._alike[row, near], self._alike[near, row] = alike, alike

    def _likeness(self, row: int, others: Ints) -> Floats:
        alike = np.zeros(len(others))
        for rows in self._histograms:
            alike += np.minimum(rows[row], rows[others]).sum(axis=1)
        both = self._size[row] + self._size[others]
        if "s" in self._likenesses:
            alike += 1 - both / self._area
        if "f" in self._likenesses:
            around = _around(self._boxes[row], self._boxes[others])
            alike += 1 - ((around[:, 2:] - around[:, :2] + 1).prod(axis=1) - both) / self._area
        return alike


def _around(one: Ints, other: Ints) -> Ints:
    """The boxes ``(..., 4)`` around two."""
    return np.concatenate([np.minimum(one[..., :2], other[..., :2]), np.maximum(one[..., 2:], other[..., 2:])], axis=-1)
