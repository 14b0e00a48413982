"""Near-duplicates among 256-bit hashes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.engine import Progress, map_batches, no_progress
from holotype.images.near_forest import Forest
from holotype.images.near_join import Found, Rows, join_within, pairs_between, parts_within
from holotype.images.near_pairs import Numbers, Pairs
from holotype.images.near_tables import Bytes, permuted

MAX_DISTANCE: Final = 31
"""Hashes at most this many bits apart are near-duplicates. 1,000 distinct ImageNet photographs are at least 84
bits apart; re-encoding, resizing and brightening move a hash by 4 to 20."""
Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Groups of images: `smallest`, ``(n,)``, has the smallest place that each is connected to. `crowds` are those sets
    of hashes, by how many and the place of one, that were so many with the same bits in a table that comparing them
    took the square of those outside the largest group: blank images, or somebody's attempt."""

    smallest: Numbers
    crowds: tuple[tuple[int, int], ...]


def near_duplicate_groups(hashes: Bytes, mirrored: Bytes | None = None, max_distance: int = MAX_DISTANCE) -> Numbers:
    """The group of each image: the smallest index it is connected to by near-duplicate pairs.

    `hashes` and `mirrored` are ``(n, 32)`` packed bits; two images match if their hashes, or the hash of one
    and the mirrored hash of the other, differ in at most `max_distance` bits. Pairs that share 24 of their bits in one
    of 80 tables are compared (`holotype.images.near_tables`): every pair within 15 bits is found, and of those 16 to 31
    apart 98.3 % (simulated): 99.98 % at 20, 99.6 % at 24, 96.8 % at 28, 91.3 % at 31. Equal images are collapsed
    first. A hash of zeros says that there is nothing to compare; such images stay alone.
    """
    labels = np.arange(len(hashes))
    told_apart = np.flatnonzero(hashes.any(axis=1))
    straight, mirror = hashes[told_apart], None if mirrored is None else mirrored[told_apart]
    first = first_copies(straight, mirror)
    distinct = np.flatnonzero(first == np.arange(len(first)))
    rows = interleaved(straight[distinct], mirror if mirror is None else mirror[distinct])
    found = groups_within(Rows(rows, len(rows), mirror is not None), max_distance)
    first[distinct] = distinct[found.smallest]
    labels[told_apart] = told_apart[first[first]]
    return labels


def groups_within(rows: Rows, max_distance: int = MAX_DISTANCE, progress: Progress = no_progress) -> Groups:
    """The groups of images by the joins of all parts of `rows`; `progress` is told how many are done."""
    forest = Forest(rows.count // 2 if rows.twins else rows.count)
    task, parts = partial(join_within, rows, max_distance), parts_within(rows.count)
    return gathered(forest, told_of(map_batches(task, parts), progress, len(parts)))


def told_of(found: Iterable[Found], progress: Progress, total: int) -> Iterator[Found]:
    """What parts found, with `progress` told how many of a `total` are done."""
    for number, one in enumerate(found, 1):
        yield one
        progress(number, total)


def gathered(forest: Forest, found: Iterable[Found]) -> Groups:
    """The groups of a forest after all that was found; crowds by size, largest first, each image once."""
    crowds: dict[int, int] = {}
    for one in found:
        forest.join(one.left, one.right)
        for size, image in one.crowds:
            crowds[image] = max(size, crowds.get(image, 0))
    told = sorted(((size, image) for image, size in crowds.items()), key=lambda crowd: (-crowd[0], crowd[1]))
    return Groups(forest.groups(), tuple(told))


def interleaved(hashes: Bytes, mirrored: Bytes | None) -> Bytes:
    """Permuted hashes of images, each followed by that of its mirror image where there are such: rows to join."""
    if mirrored is None:
        return permuted(hashes)
    rows = np.empty((len(hashes), 2, 32), np.uint8)
    rows[:, 0], rows[:, 1] = permuted(hashes), permuted(mirrored)
    return rows.reshape(-1, 32)


def first_copies(hashes: Bytes, mirrored: Bytes | None) -> Numbers:
    """The first place with the same hashes, of each; a later one may stand for some copies where digests collide."""
    digests = digest(hashes) if mirrored is None else digest(hashes) ^ digest(mirrored) * np.uint64(3)
    order = np.argsort(digests, kind="stable")
    same = np.flatnonzero(digests[order[1:]] == digests[order[:-1]])
    a, b = order[same], order[same + 1]
    equal = (hashes[a] == hashes[b]).all(axis=1)
    if mirrored is not None:
        equal &= (mirrored[a] == mirrored[b]).all(axis=1)
    new = np.ones(len(hashes), bool)
    new[same[equal] + 1] = False
    first = np.empty(len(hashes), np.int64)
    first[order] = order[np.flatnonzero(new)][np.cumsum(new) - 1]
    return first


def digest(hashes: Bytes) -> Words:
    """64 bits of each hash."""
    found = np.zeros(len(hashes), np.uint64)
    for word in np.ascontiguousarray(hashes).view(np.uint64).T:
        found ^= word
        found *= np.uint64(0x9E3779B97F4A7C15)
        found ^= found >> np.uint64(32)
    return found


def near_pairs(left: Bytes, right: Bytes, max_distance: int = MAX_DISTANCE) -> Iterator[Pairs]:
    """Pairs of a row of `left` and one of `right`, ``(n, 32)`` packed bits, that differ in at most `max_distance` bits.

    Arrays of places in each come one after the other, every pair once. They are found as those of
    `near_duplicate_groups` are, with the same misses, and what is compared at a time is bounded; equal hashes should be
    collapsed before, and those of zeros be left out.
    """
    return pairs_between(permuted(left), permuted(right), max_distance)
