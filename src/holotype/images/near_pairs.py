"""Pairs of hashes that share the bits of a table, compared in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.images.near_tables import Bytes

Numbers = npt.NDArray[np.int64]
Pairs = tuple[Numbers, Numbers]
Key = npt.NDArray[np.uint16] | npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Places of so many hashes with the same key that their pairs are not told one by one: of all with each other, or,
    of two collections, of `left` with `right`."""

    left: Numbers
    right: Numbers

    def pairs(self) -> Iterator[Pairs]:
        """All pairs of one of `left` and one of `right`, some at a time."""
        step = max(PAIRS_AT_ONCE // max(len(self.right), 1), 1)
        for start in range(0, len(self.left), step):
            some = self.left[start : start + step]
            yield np.repeat(some, len(self.right)), np.tile(self.right, len(some))


PAIRS_AT_ONCE: Final = 1 << 18
"""So many pairs are compared at a time, but for those of one row with all of a bucket: 20 MB."""
CROWD: Final = 512
"""Hashes that share the bits of a table, from so many on, are a crowd: they are compared one with all, and told of."""


def close(rows: Bytes, others: Bytes, a: Numbers, b: Numbers, most: int) -> npt.NDArray[np.bool_]:
    """Whether `rows` at `a` and `others` at `b`, ``(n, 32)`` each, differ in at most `most` bits, 255 or fewer."""
    words = rows.view(np.uint64).take(a, axis=0)
    words ^= others.view(np.uint64).take(b, axis=0)
    return _few(words, most)


def _few(words: npt.NDArray[np.uint64], most: int) -> npt.NDArray[np.bool_]:
    counts = np.bitwise_count(words).view(np.uint32).reshape(-1)
    counts *= np.uint32(0x01010101)  # the upper byte is now the sum of all four, 256 as 0
    few = (counts >> np.uint32(24)) <= most
    few[few] = np.bitwise_count(words[few]).sum(axis=1, dtype=np.int64) <= most
    return few


def alike(key: Key) -> Iterator[Pairs | Crowd]:
    """All pairs of places that have the same key, some at a time, or those of a crowd together."""
    order = np.argsort(key, kind="stable")
    ordered = key.take(order)
    same = np.zeros(len(key), bool)
    np.equal(ordered[1:], ordered[:-1], out=same[:-1])
    for start, stop in _crowds(ordered):
        same[start:stop] = False
        yield Crowd(order[start:stop], np.empty(0, np.int64))
    head, lag = np.flatnonzero(same), 1
    while len(head):
        for start in range(0, len(head), PAIRS_AT_ONCE):
            part = head[start : start + PAIRS_AT_ONCE]
            yield order.take(part), order.take(part + lag)
        head = head[same.take(head + lag)]
        lag += 1


def _crowds(ordered: Key) -> Iterator[tuple[int, int]]:
    far = CROWD - 1
    if len(ordered) <= far:
        return
    for value in np.unique(ordered[far:][ordered[far:] == ordered[:-far]]):
        yield int(np.searchsorted(ordered, value)), int(np.searchsorted(ordered, value, "right"))


def meeting(ordered: Key, order: npt.NDArray[np.integer], key: Key) -> Iterator[Pairs | Crowd]:
    """All pairs of a place in `order`, whose keys are `ordered`, and one in `key` that have the same, some at a time,
    or those of a crowd together."""
    starts = np.searchsorted(ordered, key)
    sizes = np.searchsorted(ordered, key, "right") - starts
    same, counts = np.unique(key, return_index=True, return_counts=True)[1:]
    crowded = np.zeros(len(key), bool)
    for first in same[sizes[same] * counts >= CROWD * CROWD // 2]:
        here = np.flatnonzero(key == key[first])
        crowded[here] = True
        yield Crowd(order[starts[first] : starts[first] + sizes[first]].astype(np.int64), here)
    places = np.flatnonzero(~crowded & (sizes > 0))
    starts, sizes = starts[places], sizes[places]
    for part in _bounded(sizes):
        many = sizes[part]
        first_of = np.repeat(starts[part] - np.cumsum(many) + many, many)
        yield order[first_of + np.arange(len(first_of))].astype(np.int64), np.repeat(places[part], many)


def _bounded(sizes: Numbers) -> Iterator[slice]:
    """Slices of rows whose sizes sum to about `PAIRS_AT_ONCE`, or of one row."""
    total = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        before = int(total[start - 1]) if start else 0
        stop = max(int(np.searchsorted(total, before + PAIRS_AT_ONCE, "right")), start + 1)
        yield slice(start, stop)
        start = stop


def crowd_pairs(rows: Bytes, twins: npt.NDArray[np.bool_], first: int, most: int) -> Pairs:
    """Pairs that connect what all close pairs of a crowd do, at most as many as it has rows.

    Pairs are of one of the `first` rows and any other, not both `twins`. One row is compared with all that are not
    connected with it yet, then left out: memory grows with the rows, time with the rows outside the largest group
    times all, so that a million copies of almost blank images cost little, and as many strangers their square.
    """
    label, alive = np.arange(len(rows)), np.ones(len(rows), bool)
    words = rows.view(np.uint64)
    left, right = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    todo = np.arange(first)
    while len(todo):
        largest = int(np.bincount(label[alive]).argmax())
        outside = todo[label[todo] != largest]
        row = int(outside[0] if len(outside) else todo[0])
        others = np.flatnonzero(alive & (label != label[row]))
        if not len(others):
            todo = todo[label[todo] != label[row]]
            continue
        near = others[_few(words[others] ^ words[row], most)]
        near = near[~(twins[near] & twins[row])]
        met = np.unique(label[near], return_index=True)[1]
        left.append(np.full(len(met), row))
        right.append(near[met])
        joined = np.zeros(len(rows), bool)
        joined[label[near]] = True
        label[joined[label]] = label[row]
        alive[row] = False
        todo = todo[todo != row]
    return np.concatenate(left), np.concatenate(right)
