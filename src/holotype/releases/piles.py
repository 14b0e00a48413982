"""Groups of images that have the same labels lie on one pile, so that what is decided is decided once for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holotype.releases.keys import Keys, chance, draw, mixed

Numbers = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]
Reals = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Piles:
    """Piles of groups with the same labels, those with most labels first; the last are of single labels.

    Pile `p` has ``groups[p]`` groups, each with ``weight[i]`` labels of the synset ``synset[i]``, a place among the
    synsets, for `i` from ``start[p]`` to ``start[p + 1]``, by ascending synset. `dither` are numbers from 0 to below 1,
    drawn of the pile's labels, by which shares are rounded. From pile `single` on groups are one label each.
    """

    start: Numbers
    synset: Numbers
    weight: Numbers
    groups: Numbers
    dither: Reals
    single: int

    def __len__(self) -> int:
        return len(self.groups)

    def entries(self, piles: Numbers) -> tuple[Numbers, Numbers]:
        """The places in `synset` and `weight` of some piles, one pile after the other; and where each pile's start."""
        sizes = self.start[piles + 1] - self.start[piles]
        return _ranges(self.start[piles], sizes), np.cumsum(sizes) - sizes


def pile_up(synsets: Numbers, number: Places, group: Places, groups: int, seed: int) -> tuple[Piles, Places]:
    """The piles of labels, and the pile of each group, ``(groups,)``, -1 of one without labels.

    `number`, ``(m,)``, has the synsets of labels, as places among `synsets`, the numbers that stand for them; `group`
    the group of each label's image, from 0 to ``groups - 1``. Groups are known to have the same labels by a sum of
    64-bit keys of them: with a chance of 2^-64 two are taken to be alike which are not, and then only count as if.
    """
    labels = np.bincount(group, minlength=groups)
    alone = (labels == 1)[group]
    del labels
    pile = np.full(groups, -1, np.int32)
    single = np.bincount(number[alone], minlength=len(synsets))
    several = _several(synsets, number[~alone], group[~alone], seed)
    pile[several.group] = several.pile
    shown = np.flatnonzero(single)
    place = np.zeros(len(synsets), np.int32)
    place[shown] = len(several.groups) + np.arange(len(shown), dtype=np.int32)
    pile[group[alone]] = place[number[alone]]
    one = np.ones(len(shown), np.int64)
    piles = Piles(
        start=np.cumsum(np.concatenate([[0], several.sizes, one])),
        synset=np.concatenate([several.synset, shown]),
        weight=np.concatenate([several.weight, one]),
        groups=np.concatenate([several.groups, single[shown]]),
        dither=chance(np.concatenate([several.alike, _alike(synsets[shown], one)]), seed, "dither"),
        single=len(several.groups),
    )
    return piles, pile


@dataclass(frozen=True, slots=True, eq=False)
class _Several:
    """The piles of groups with several labels: see `Piles`; `alike` are keys of their labels, `sizes` the numbers of
    their synsets. And such groups, with the pile of each."""

    synset: Numbers
    weight: Numbers
    sizes: Numbers
    groups: Numbers
    alike: Keys
    group: Places
    pile: Numbers


def _several(synsets: Numbers, number: Places, group: Places, seed: int) -> _Several:
    """Piles of groups with several labels, those with most labels first, then those of most synsets, then by a draw."""
    pair = group.astype(np.int64)
    pair *= len(synsets)
    pair += number
    pair.sort()
    first = _starts(pair)
    weight = np.diff(np.append(first, len(pair)))
    pair = pair[first]
    shown = pair % max(len(synsets), 1)
    pair //= max(len(synsets), 1)
    start = _starts(pair)
    sums = (
        (np.add.reduceat(_alike(synsets[shown], weight), start), np.add.reduceat(weight, start)) if len(start) else ()
    )
    alike, labels = sums or (np.empty(0, np.uint64), np.empty(0, np.int64))
    sizes = np.diff(np.append(start, len(pair)))
    found, example, pile, groups = np.unique(alike, return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((draw(found, seed, "piles"), -sizes[example], -labels[example]))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    example = example[order]
    entries = _ranges(start[example], sizes[example])
    return _Several(
        *(shown[entries], weight[entries], sizes[example], groups[order], found[order]),
        *(pair[start].astype(np.int32), rank[pile]),
    )


def _alike(synsets: Numbers, weight: Numbers) -> Keys:
    """A key of so many labels of a synset; a group's keys are summed."""
    return mixed((synsets.astype(np.uint64) << np.uint64(32)) | weight.astype(np.uint64))


def _starts(column: Numbers) -> Numbers:
    """Where each run of equal values of a sorted column starts."""
    return np.flatnonzero(np.concatenate([[len(column) > 0], column[1:] != column[:-1]])[: len(column)])


def _ranges(starts: Numbers, sizes: Numbers) -> Numbers:
    """The numbers from each start on, so many as its size, one range after the other."""
    before = np.cumsum(sizes) - sizes
    return np.repeat(starts - before, sizes) + np.arange(int(sizes.sum()))
