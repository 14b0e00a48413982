"""Masks as run lengths, which is how COCO writes them: pixels column by column, background first."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.geometry.values import Bools, Floats, Ints, Numbers

Bits = npt.NDArray[np.uint8]
"""Masks ``(masks, bytes)``, eight pixels a byte."""


_GROUPS: Final = 13
"""Groups of five bits that any number has at most."""


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


def shrunk(pixels: Bools, size: tuple[int, int]) -> Bools:
    """A mask ``(height, width)`` in a picture of another height and width: a pixel is in it where its middle was.

    >>> shrunk(np.eye(4, dtype=np.bool_), (2, 2)).tolist()
    [[True, False], [False, True]]
    """
    rows, columns = ((2 * np.arange(new) + 1) * old // (2 * new) for new, old in zip(size, pixels.shape, strict=True))
    return np.asarray(pixels[np.ix_(rows, columns)])


def runs_of_values(values: Numbers, most: int, most_runs: int = 1 << 22) -> Iterator[tuple[int, Ints]]:
    """Each value of a map ``(height, width)`` with the runs of its pixels, by value.

    Raises ValueError where there are more than `most` values, or `most_runs` runs of pixels of one value, as in noise.

    >>> [(value, runs.tolist()) for value, runs in runs_of_values(np.array([[0, 7], [7, 7]]), 9)]
    [(0, [0, 1, 3]), (7, [1, 3, 0])]
    """
    flat = values.T.ravel()
    changed = flat[1:] != flat[:-1]
    if np.count_nonzero(changed) >= most_runs:
        raise ValueError(f"a map of more than {most_runs:,} runs")
    first = np.concatenate([[0], np.flatnonzero(changed) + 1])
    behind = np.concatenate([first[1:], [len(flat)]])
    order = np.argsort(flat[first], kind="stable")
    value, begin = np.unique(flat[first][order], return_index=True)
    if len(value) > most:
        raise ValueError(f"a map of more than {most:,} values")
    for one, places in zip(value.tolist(), np.split(order, begin[1:]), strict=True):
        edges = np.stack([first[places], behind[places]], axis=1).ravel()
        yield one, np.diff(np.concatenate([[0], edges, [len(flat)]])).astype(np.int64)


def tidied(runs: Ints) -> Ints:
    """The same pixels in as few runs as can be: none of no pixels but, maybe, the first.

    >>> tidied(np.array([2, 0, 1, 3, 0, 1])).tolist()
    [3, 4]
    """
    ends = np.cumsum(runs)
    total = int(ends[-1]) if len(ends) else 0
    place, times = np.unique(ends[:-1], return_counts=True)
    return np.diff(np.concatenate([[0], place[(times % 2 == 1) & (place < total)], [total]])).astype(np.int64)


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


def text_of_runs(runs: Ints) -> str:
    """The compressed text of runs that COCO writes, which `runs_of_text` reads.

    >>> text_of_runs(np.array([1, 3, 3, 4, 4]))
    '13311'
    """
    left = np.array(runs, np.int64)
    left[3:] -= runs[1:-2]
    codes = np.zeros((len(left), _GROUPS), np.uint8)
    used = np.zeros((len(left), _GROUPS), np.bool_)
    more = np.ones(len(left), np.bool_)
    for place in range(_GROUPS):
        group, left = left & 31, left >> 5
        used[:, place] = more
        more = more & (left != np.where(group & 16, -1, 0))
        codes[:, place] = group | (more << 5)
    return bytes((codes + ord("0"))[used]).decode("ascii")
