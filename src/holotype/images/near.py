"""Near-duplicates among 256-bit hashes, by banding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

BANDS: Final = 16
MAX_DISTANCE: Final = 31
"""Hashes at most this many bits apart are near-duplicates. 1,000 distinct ImageNet photographs are at least 84
bits apart; re-encoding, resizing and brightening move a hash by 4 to 20."""

PAIRS_AT_ONCE: Final = 1 << 20
"""So many pairs are compared at a time: 100 MB."""
_ROWS: Final = 1 << 16

# A fixed permutation, so that bands mix frequencies: neighbouring coefficients are correlated.
_PERMUTATION = np.random.default_rng(2009).permutation(256)


def near_duplicate_groups(
    hashes: npt.NDArray[np.uint8], mirrored: npt.NDArray[np.uint8], max_distance: int = MAX_DISTANCE
) -> npt.NDArray[np.int64]:
    """The group of each image: the smallest index it is connected to by near-duplicate pairs.

    `hashes` and `mirrored` are ``(n, 32)`` packed bits; two images match if their hashes, or the hash of one
    and the mirrored hash of the other, differ in at most `max_distance` bits. 16 bands of 16 permuted bits
    propose the pairs, all of which are verified: every pair within 15 bits is found (pigeonhole), 98 % of
    those 16 to 31 apart (measured). Equal hashes are collapsed first. A hash of zeros says that there is nothing to
    compare; such images stay alone.
    """
    labels = np.arange(len(hashes))
    told_apart = np.flatnonzero(hashes.any(axis=1))
    labels[told_apart] = told_apart[_groups(hashes[told_apart], mirrored[told_apart], max_distance)]
    return labels


def _groups(hashes: npt.NDArray[np.uint8], mirrored: npt.NDArray[np.uint8], max_distance: int) -> npt.NDArray[np.int64]:
    count = len(hashes)
    if count < 2:
        return np.arange(count)
    distinct, group = np.unique(np.concatenate([hashes, mirrored]), axis=0, return_inverse=True)
    group = group.reshape(-1)
    straight, twin = group[:count], group[count:]
    # Nodes are distinct hashes; an image joins its own hash, and its twin's hash to the images that bear it.
    left, right = zip(*_close_pairs(distinct, max_distance), strict=True)
    a, b = np.concatenate(left), np.concatenate(right)
    first_image = np.full(len(distinct), -1)
    first_image[straight[::-1]] = np.arange(count)[::-1]
    first_twin = np.full(len(distinct), -1)
    first_twin[twin[::-1]] = np.arange(count)[::-1]
    edges = [
        (np.arange(count), first_image[straight]),
        (np.arange(count), first_image[twin]),
        (first_image[a], first_image[b]),
        (first_image[a], first_twin[b]),
        (first_twin[a], first_image[b]),
    ]
    source, target = (np.concatenate(side) for side in zip(*edges, strict=True))
    real = (source >= 0) & (target >= 0)
    return _connected(count, source[real], target[real])


def _close_pairs(
    hashes: npt.NDArray[np.uint8], max_distance: int
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    bands, words = _bands(hashes), np.ascontiguousarray(hashes).view(np.uint64)
    yield np.empty(0, np.int64), np.empty(0, np.int64)
    for band in range(BANDS):
        order = np.argsort(bands[:, band], kind="stable")
        key = bands[order, band]
        head = np.arange(len(order) - 1)
        for lag in range(1, len(order)):
            head = head[head + lag < len(order)]
            head = head[key[head] == key[head + lag]]
            if len(head) == 0:
                break
            a, b = order[head], order[head + lag]
            close = np.bitwise_count(words[a] ^ words[b]).sum(axis=1, dtype=np.int64) <= max_distance
            yield a[close], b[close]


def near_pairs(
    left: npt.NDArray[np.uint8], right: npt.NDArray[np.uint8], max_distance: int = MAX_DISTANCE
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Pairs of a row of `left` and one of `right`, ``(n, 32)`` packed bits, that differ in at most `max_distance` bits.

    Arrays of places in each come one after the other, every pair once. They are found as those of
    `near_duplicate_groups` are, with the same misses, and what is compared at a time is bounded; equal hashes should be
    collapsed before, and those of zeros be left out.
    """
    left_bands, right_bands = _bands(left), _bands(right)
    left_words, right_words = (np.ascontiguousarray(hashes).view(np.uint64) for hashes in (left, right))
    for band in range(BANDS):
        order = np.argsort(left_bands[:, band], kind="stable")
        places = np.argsort(right_bands[:, band], kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(left_bands[:, band], minlength=1 << 16))])
        key = right_bands[places, band].astype(np.int64)
        sizes = starts[key + 1] - starts[key]
        for part in _bounded(sizes):
            a = order[
                np.repeat(starts[key[part]] - np.cumsum(sizes[part]) + sizes[part], sizes[part])
                + np.arange(sizes[part].sum())
            ]
            b = np.repeat(places[part], sizes[part])
            close = np.bitwise_count(left_words[a] ^ right_words[b]).sum(axis=1, dtype=np.int64) <= max_distance
            a, b = a[close], b[close]
            new = ~(left_bands[a, :band] == right_bands[b, :band]).any(axis=1)
            yield a[new], b[new]


def _bounded(sizes: npt.NDArray[np.int64]) -> Iterator[slice]:
    """Slices of rows whose sizes sum to about `PAIRS_AT_ONCE`, or of one row."""
    total = np.cumsum(sizes)
    start = 0
    while start < len(sizes):
        before = int(total[start - 1]) if start else 0
        stop = max(int(np.searchsorted(total, before + PAIRS_AT_ONCE, "right")), start + 1)
        yield slice(start, stop)
        start = stop


def _bands(hashes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint16]:
    """16 bands of 16 permuted bits of each hash, ``(n, 16)``; so many at a time that their bits stay few."""
    bands = np.empty((len(hashes), BANDS), np.uint16)
    for start in range(0, len(hashes), _ROWS):
        bits = np.unpackbits(hashes[start : start + _ROWS], axis=1)[:, _PERMUTATION]
        bands[start : start + _ROWS] = np.ascontiguousarray(np.packbits(bits, axis=1)).view(np.uint16)
    return bands


def _connected(count: int, source: npt.NDArray[np.int64], target: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The smallest node that each of `count` nodes is connected to."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = coo_array((np.ones(len(source), bool), (source, target)), shape=(count, count))
    component = connected_components(edges, directed=False)[1]
    smallest = np.unique(component, return_index=True)[1]
    return np.asarray(smallest[component])
