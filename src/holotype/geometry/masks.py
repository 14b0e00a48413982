"""Masks as run lengths, which is how COCO writes them: pixels column by column, background first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.geometry.values import Bools, Floats, Ints

Bits = npt.NDArray[np.uint8]
"""Masks ``(masks, bytes)``, eight pixels a byte."""

_FINER: Final = 5
"""How much finer than pixels the outline of a polygon is drawn (COCO)."""


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """Masks of images: the `runs` of all of them, one mask after the other, where those of each begin ``(masks + 1,)``,
    and the height and width of each ``(masks, 2)``, which runs add up to."""

    runs: Ints
    start: Ints
    size: Ints

    def __len__(self) -> int:
        return len(self.size)

    @staticmethod
    def of(runs: Sequence[Ints], sizes: Iterable[tuple[int, int]]) -> Masks:
        """Masks from the runs and the size of each."""
        start = np.cumsum([0, *map(len, runs)])
        size = np.array(list(sizes), np.int64).reshape(-1, 2)
        return Masks(np.concatenate([np.empty(0, np.int64), *runs]), start, size)

    def take(self, places: Ints) -> Masks:
        """Some of the masks, or all in another order."""
        return Masks.of([self.runs_of(int(at)) for at in places], map(tuple, self.size[places].tolist()))

    def runs_of(self, place: int) -> Ints:
        """The runs of one mask."""
        return self.runs[self.start[place] : self.start[place + 1]]

    def pixels(self, place: int) -> Bools:
        """One mask as pixels ``(height, width)``."""
        runs = self.runs_of(place)
        height, width = self.size[place].tolist()
        return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(width, height).T

    def bits(self, places: Ints) -> Bits:
        """Masks of one size, packed, pixels column by column."""
        return np.stack([np.packbits(self.pixels(int(at)).T.ravel()) for at in places])

    def areas(self) -> Floats:
        """The pixels of each mask ``(masks,)``."""
        within = np.arange(len(self.runs)) - np.repeat(self.start[:-1], np.diff(self.start))
        foreground = np.cumsum(np.concatenate([[0], np.where(within % 2 == 1, self.runs, 0)]))
        return np.diff(foreground[self.start]).astype(np.float64)

    def frames(self) -> Floats:
        """The edges of the box around each mask ``(masks, 4)``: left, top, right and bottom; zeros where it is empty.

        >>> Masks.of([np.array([4, 2, 1, 2, 3])], [(3, 4)]).frames().tolist()
        [[1.0, 1.0, 3.0, 3.0]]
        """
        lengths = np.diff(self.start)
        mask = np.repeat(np.arange(len(self)), lengths)
        before = np.cumsum(self.runs) - self.runs
        first = before - np.repeat(before[np.minimum(self.start[:-1], max(0, len(before) - 1))], lengths)
        shown = ((np.arange(len(self.runs)) - np.repeat(self.start[:-1], lengths)) % 2 == 1) & (self.runs > 0)
        mask, first, last = mask[shown], first[shown], (first + self.runs - 1)[shown]
        height = self.size[mask, 0]
        whole = first // height != last // height  # a run that goes on in the next column
        top, bottom = np.where(whole, 0, first % height), np.where(whole, height, last % height + 1)
        found = np.zeros((len(self), 4))
        starts = np.flatnonzero(np.diff(mask, prepend=-1))
        if len(starts):
            lowest = [np.minimum.reduceat(edge, starts) for edge in (first // height, top)]
            highest = [np.maximum.reduceat(edge, starts) for edge in (last // height + 1, bottom)]
            found[mask[starts]] = np.stack([*lowest, *highest], axis=1)
        return found

    def digests(self) -> Ints:
        """A number for each mask ``(masks,)`` that follows from its pixels alone."""
        told = (
            hashlib.sha256(self.runs_of(at).tobytes() + self.size[at].tobytes()).digest() for at in range(len(self))
        )
        return np.array([int.from_bytes(one[:7], "big") for one in told], np.int64)


def encoded(pixels: Bools) -> Ints:
    """The runs of a mask ``(height, width)``.

    >>> encoded(np.array([[0, 1], [0, 1], [1, 0]], np.bool_)).tolist()
    [2, 3, 1]
    """
    flat = pixels.T.ravel()
    changes = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], changes, [len(flat)]]))
    return np.concatenate([[0], runs]) if len(flat) and flat[0] else runs


def runs_of_text(text: str) -> Ints:
    """The runs that COCO's compressed text holds: numbers in groups of five bits, the lowest first, a sixth bit where
    another group follows, each from the third on less the one two before. Raises ValueError.

    >>> runs_of_text("13311").tolist()
    [1, 3, 3, 4, 4]
    """
    codes = np.frombuffer(text.encode("latin-1", "replace"), np.uint8).astype(np.int64) - ord("0")
    if not text.isascii() or ((codes < 0) | (codes > 63)).any():
        raise ValueError("holds characters that are no run lengths")
    if not len(codes):
        return codes
    last = (codes & 32) == 0
    if not last[-1]:
        raise ValueError("ends in the middle of a run length")
    number = np.concatenate([[0], np.cumsum(last)[:-1]])
    first = np.concatenate([[0], np.flatnonzero(last)[:-1] + 1])
    place = np.arange(len(codes)) - first[number]
    if place.max() > 6:
        raise ValueError("holds a run length without end")
    values = np.bincount(number, (codes & 31) << (5 * place)).astype(np.int64)
    places = place[last] + 1
    values -= np.where(codes[last] & 16, np.int64(1) << (5 * places), 0)
    values[1::2] = np.cumsum(values[1::2])
    if len(values) > 2:
        values[2::2] = np.cumsum(values[2::2])
    return values


def runs_of_polygons(polygons: Sequence[Sequence[float]], height: int, width: int) -> Ints:
    """The runs of the pixels that lie in any of some polygons, each x and y of its corners one after the other.

    As COCO draws them: the outline is walked on a grid five times as fine, and a column's pixels change where it
    crosses the column's middle.
    """
    flat = np.zeros(height * width, np.bool_)
    for polygon in polygons:
        toggles = np.zeros(height * width + 1, np.int64)
        np.add.at(toggles, _crossings(np.array(polygon, np.float64).reshape(-1, 2), height, width), 1)
        flat |= np.cumsum(toggles[:-1]) % 2 == 1
    return encoded(flat.reshape(width, height).T)


def _crossings(corners: Floats, height: int, width: int) -> Ints:
    """Where, column by column, the outline of a polygon is crossed: places from 0 to height times width."""
    points = np.trunc(_FINER * corners + 0.5).astype(np.int64)
    walked = np.concatenate([_line(*pair) for pair in zip(points, np.roll(points, -1, axis=0), strict=True)])
    before, after = walked[:-1], walked[1:]
    moved = before[:, 0] != after[:, 0]
    before, after = before[moved], after[moved]
    x = np.where(after[:, 0] < before[:, 0], after[:, 0], after[:, 0] - 1)
    column = (x + 0.5) / _FINER - 0.5
    within = (np.floor(column) == column) & (column >= 0) & (column <= width - 1)
    row = (np.minimum(before[:, 1], after[:, 1]) + 0.5) / _FINER - 0.5
    row = np.ceil(np.clip(row, 0, height))
    return np.asarray((column * height + row)[within].astype(np.int64))


def _line(start: Ints, end: Ints) -> Ints:
    """The points of a grid from one to another ``(points, 2)``, a step at a time along the longer side."""
    span = np.abs(end - start)
    steps = int(span.max())
    turned = bool((start[0] > end[0]) if span[0] >= span[1] else (start[1] > end[1]))
    low, high = (end, start) if turned else (start, end)
    along, across = (0, 1) if span[0] >= span[1] else (1, 0)
    slope = (high[across] - low[across]) / steps if steps else 0.0
    walk = np.arange(steps + 1)
    found = np.empty((steps + 1, 2), np.int64)
    found[:, along] = low[along] + walk
    found[:, across] = np.trunc(low[across] + slope * walk + 0.5)
    return found[::-1] if turned else found
