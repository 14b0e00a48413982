"""Nearest neighbours among embeddings, by the cosine of the angle between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.engine import Progress, no_progress
from holotype.errors import NotInstalled, RecognitionError

Rows = npt.NDArray[np.floating[Any]]
Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

BLOCK: Final = 4_096
"""Rows that are compared with as many others at once: 64 MB of cosines."""
MOST_PAIRS: Final = 5_000_000
PROBES: Final = 16
"""Cells of `close_pairs_in_cells` that are looked through for each row."""
_PER_CELL: Final = 64


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The nearest rows of each query, nearest first: their places and their cosines, ``(queries, k)`` each."""

    place: Ints
    cosine: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of rows, the most alike first: the places of the one and of the other, and their cosine, ``(pairs,)``
    each; ``left < right``."""

    left: Ints
    right: Ints
    cosine: Floats

    def __len__(self) -> int:
        return len(self.left)

    def take(self, chosen: npt.NDArray[Any]) -> Pairs:
        """Some of the pairs, by a mask or their places."""
        return Pairs(self.left[chosen], self.right[chosen], self.cosine[chosen])


def unit(rows: Rows) -> Floats:
    """Rows ``(n, width)`` of length 1, however large their numbers are; those of zeros stay, and are like nothing."""
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    found = np.divide(rows, largest, out=np.zeros(rows.shape, rows.dtype), where=largest > 0).astype(np.float32)
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return np.asarray(np.divide(found, length, out=found, where=length > 0), np.float32)


def nearest(queries: Rows, rows: Rows, k: int) -> Nearest:
    """The `k` rows ``(n, width)`` that are nearest to each query ``(queries, width)``, or all where there are fewer.

    Exact; memory is bounded by blocks. Of rows that are equally near, which come in may be any.
    """
    parts = [_nearest(unit(queries[start : start + BLOCK]), rows, k) for start in range(0, len(queries), BLOCK)]
    place = np.concatenate([np.zeros((0, min(k, len(rows))), np.int64), *(one.place for one in parts)])
    return Nearest(place, np.concatenate([np.zeros(place[:0].shape, np.float32), *(one.cosine for one in parts)]))


def _nearest(asked: Floats, rows: Rows, k: int) -> Nearest:
    place, cosine = np.zeros((len(asked), 0), np.int64), np.zeros((len(asked), 0), np.float32)
    for start in range(0, len(rows), BLOCK):
        block = unit(rows[start : start + BLOCK])
        here = np.broadcast_to(np.arange(start, start + len(block)), (len(asked), len(block)))
        place, cosine = np.concatenate([place, here], axis=1), np.concatenate([cosine, asked @ block.T], axis=1)
        if cosine.shape[1] > k:
            kept = np.argpartition(-cosine, k - 1, axis=1)[:, :k]
            place, cosine = np.take_along_axis(place, kept, 1), np.take_along_axis(cosine, kept, 1)
    order = np.lexsort((place, -cosine), axis=1)
    return Nearest(np.take_along_axis(place, order, 1), np.take_along_axis(cosine, order, 1))


def close_pairs(rows: Rows, least: float, most: int = MOST_PAIRS, progress: Progress = no_progress) -> Pairs:
    """All pairs of rows ``(n, width)`` with a cosine of at least `least`.

    Exact: every row is compared with every other, a block of them at a time. Raises `RecognitionError` where there are
    more than `most` pairs.
    """
    return _pairs(_by_blocks(rows, least, progress), most)


def _by_blocks(rows: Rows, least: float, progress: Progress) -> Iterator[tuple[Ints, Ints, Floats]]:
    starts = range(0, len(rows), BLOCK)
    total, done = len(starts) * (len(starts) + 1) // 2, 0
    progress(0, total)
    for first in starts:
        one = unit(rows[first : first + BLOCK])
        for second in starts[first // BLOCK :]:
            other = one if second == first else unit(rows[second : second + BLOCK])
            cosine = one @ other.T
            left, right = np.nonzero(cosine >= least)
            apart = left + first < right + second
            left, right = left[apart], right[apart]
            yield left + first, right + second, cosine[left, right]
            done += 1
            progress(done, total)


def close_pairs_in_cells(
    rows: Rows, least: float, most: int = MOST_PAIRS, progress: Progress = no_progress, probes: int = PROBES
) -> Pairs:
    """As `close_pairs`, but rows are compared within `probes` near ones of some cells of k-means alone, by faiss: some
    pairs are missed, and a million rows take minutes where all pairs of them take hours.

    Raises `NotInstalled` where faiss is not there.
    """
    return _pairs(_by_cells(rows, least, probes, progress), most)


def _by_cells(rows: Rows, least: float, probes: int, progress: Progress) -> Iterator[tuple[Ints, Ints, Floats]]:
    try:
        faiss = import_module("faiss")
    except ImportError as error:
        raise NotInstalled("faiss", "neighbours") from error
    cells = max(1, min(int(4 * len(rows) ** 0.5), len(rows) // _PER_CELL))
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(rows.shape[1]), rows.shape[1], cells, faiss.METRIC_INNER_PRODUCT)
    index.cp.max_points_per_centroid, index.cp.min_points_per_centroid = _PER_CELL, 1
    index.nprobe = min(probes, cells)
    drawn = np.random.default_rng(0).permutation(len(rows))[: cells * _PER_CELL]
    below = float(np.nextafter(np.float32(least), np.float32(-np.inf)))  # faiss finds what is above
    progress(0, len(rows))
    if len(rows):
        index.train(unit(rows[np.sort(drawn)]))
    for start in range(0, len(rows), BLOCK):
        index.add(unit(rows[start : start + BLOCK]))
    for start in range(0, len(rows), BLOCK):
        ends, cosine, right = index.range_search(unit(rows[start : start + BLOCK]), below)
        left = np.repeat(np.arange(start, start + len(ends) - 1), np.diff(ends.astype(np.int64)))
        apart = left < right
        yield left[apart], right[apart].astype(np.int64), cosine[apart]
        progress(start + len(ends) - 1, len(rows))


def _pairs(found: Iterator[tuple[Ints, Ints, Floats]], most: int) -> Pairs:
    parts, count = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))], 0
    for part in found:
        count += len(part[0])
        if count > most:
            raise RecognitionError(f"more than {most:,} pairs are so alike: ask for those that are more so")
        parts.append(part)
    left, right, cosine = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((right, left, -cosine))
    return Pairs(left[order], right[order], cosine[order])
