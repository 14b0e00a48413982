"""Which image goes to train, val or test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holotype.releases.dealing import deal, settle
from holotype.releases.keys import Keys, dealt_order, draw
from holotype.releases.labels import Integers, Labels
from holotype.releases.piles import Numbers, Piles, Places, pile_up
from holotype.releases.shares import Counts, Shares, Table, too_few, wanted

SPLITS: Final = ("train", "val", "test")
"""The splits, by number; the higher it is, the less of them training must see."""
TRAIN, VAL, TEST = range(3)

Splits = npt.NDArray[np.int8]
"""Places in `SPLITS`, -1 for none."""


@dataclass(frozen=True, slots=True, eq=False)
class Splitting:
    """The split of each image, ``(n,)``, -1 of one without labels; and what came of it.

    `synsets` are numbers, ascending. `wanted` and `counts`, ``(synsets, 3)``, are numbers of labels of each in each
    split; `too_few` says which synsets have fewer than the numbers that were asked of each. `fixed` images came with a
    split, of which `moved` are in another, more held out, with a member of their group that came with that.
    """

    split: Splits
    synsets: Numbers
    wanted: Table
    counts: Numbers
    too_few: npt.NDArray[np.bool_]
    fixed: int
    moved: int

    @property
    def names(self) -> pa.DictionaryArray:
        """The name of each image's split, ``(n,)``, null for none."""
        places = pa.array(self.split, pa.int8(), mask=self.split < 0)
        return pa.DictionaryArray.from_arrays(places, pa.array(SPLITS, pa.string()))

    @property
    def images(self) -> dict[str, int]:
        """How many images each split has."""
        return {name: int(np.count_nonzero(self.split == number)) for number, name in enumerate(SPLITS)}

    @property
    def off(self) -> npt.NDArray[np.float64]:
        """By how many labels the split that is furthest from what is wanted is off, of each synset, ``(synsets,)``."""
        return np.asarray(np.abs(self.counts - self.wanted).max(axis=1, initial=0))


def split(labels: Labels, groups: Numbers, shares: Shares, seed: int, fixed: Splits | None = None) -> Splitting:
    """The split of each image: stratified by synset, seeded, the images of a group together.

    `groups`, ``(n,)``, has the group of each image, a number from 0 to n - 1, as of `holotype.releases.together`.
    Images that `fixed`, ``(n,)``, has a split of came with it and keep it; a group goes where that of its members is
    that is most held out. They count in the shares of `shares`: the others make up for what they lack.

    A synset's labels are off what is wanted by less than 1 where its images are single ones, and else as close as its
    groups let them be (see `holotype.releases.dealing.deal`). Which of two neighbouring numbers it is, is drawn, so
    that small synsets together have the shares too. A synset's only image is trained on. `Counts` of all together come
    out exactly, as long as there are single images of one synset to move.

    A pure function of the labels, groups and seed: the order of labels and images does not matter; and, of single
    images, one more in a synset moves two others at most.

    Raises `ReleaseError` where more images are to be held out than there are, `ValueError` where columns do not fit.
    """
    if groups.shape != labels.keys.shape or (fixed is not None and fixed.shape != labels.keys.shape):
        raise ValueError(f"{len(labels.keys):,} images need a group each, and a split each or none")
    synsets, number = labels.numbered()
    group = np.asarray(groups, np.int32)[labels.image]
    of_group = _came_with(labels.image, group, fixed, len(groups))
    came = _tally(number, of_group[group], len(synsets))
    total = np.bincount(number, minlength=len(synsets))
    shown = np.zeros(len(groups), bool)
    shown[labels.image] = True
    target = wanted(shares, total, came, int(np.count_nonzero(shown)))
    free = slice(None) if fixed is None else np.flatnonzero(of_group[group] < 0)
    piles, pile = pile_up(synsets, number[free], group[free], len(groups), seed)
    dealt = deal(piles, target - came, came[:, TRAIN] > 0)
    stacks = _stack(piles, pile, _group_keys(labels, group), seed)
    del pile
    of_group[stacks.group] = stacks.splits(dealt)
    if isinstance(shares, Counts) and not shares.each:
        images = np.bincount(of_group[groups[shown]], minlength=3)
        short = {VAL: shares.val - int(images[VAL]), TEST: shares.test - int(images[TEST])}
        counts = _tally(number, of_group[group], len(synsets))
        dealt = settle(piles, dealt, counts - target, counts[:, TRAIN] - min(1, shares.train), short)
        of_group[stacks.group] = stacks.splits(dealt)
    found = np.where(shown, of_group[groups], np.int8(-1))
    counts = _tally(number, of_group[group], len(synsets))
    kept, moved = _count_kept(found, fixed)
    return Splitting(found, synsets, target, counts, too_few(shares, total), kept, moved)


@dataclass(frozen=True, slots=True, eq=False)
class _Stacks:
    """Groups, one pile after the other and each in a random order; and of each its place in its pile and the pile."""

    group: Places
    position: Places
    pile: Places

    def splits(self, dealt: Numbers) -> Splits:
        """The split of each group: of a pile the first go to test, the next to val."""
        test = dealt[:, TEST].astype(np.int32)
        held_out = test + dealt[:, VAL].astype(np.int32)
        found = np.where(self.position < held_out[self.pile], np.int8(VAL), np.int8(TRAIN))
        found[self.position < test[self.pile]] = TEST
        return found


def _stack(piles: Piles, pile: Places, keys: Keys, seed: int) -> _Stacks:
    group = np.flatnonzero(pile >= 0).astype(np.int32)
    if len(group) < len(pile):
        keys, pile = keys[group], pile[group]
    order = dealt_order(pile, draw(keys, seed, "split")).astype(np.int32)
    pile = pile[order]
    first = np.cumsum(piles.groups) - piles.groups
    position = np.arange(len(pile), dtype=np.int32)
    position -= first.astype(np.int32)[pile]
    return _Stacks(group[order], position, pile)


def _group_keys(labels: Labels, group: Places) -> Keys:
    """The smallest key of the labelled images of each group, ``(n,)``."""
    keys = np.full(len(labels.keys), np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(keys, group, labels.keys[labels.image])
    return keys


def _came_with(image: Integers, group: Places, fixed: Splits | None, groups: int) -> Splits:
    """The split of each group that has members who came with one, the most held out of theirs; -1 of the others."""
    found = np.full(groups, -1, np.int8)
    if fixed is not None:
        came = fixed[image]
        for number in range(len(SPLITS)):
            found[group[came == number]] = number
    return found


def _count_kept(found: Splits, fixed: Splits | None) -> tuple[int, int]:
    """How many images came with a split, and how many of them are in another."""
    if fixed is None:
        return 0, 0
    came = (fixed >= 0) & (found >= 0)
    return int(np.count_nonzero(came)), int(np.count_nonzero(came & (found != fixed)))


def _tally(number: Places, splits: Splits, synsets: int) -> Numbers:
    """How many labels of each synset are in each split, ``(synsets, 3)``; those in none are not counted."""
    columns = len(SPLITS) + 1
    entry = number * np.int32(columns)
    entry += splits
    entry += 1
    return np.bincount(entry, minlength=synsets * columns).reshape(-1, columns)[:, 1:]
