"""Piles of groups that are alike, dealt out to splits so that every synset gets close to what it should have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.releases.piles import Numbers, Piles, Reals
from holotype.releases.shares import TRAIN, Table

LONG: Final = 20_000
"""A synset in more piles than this, of several synsets each, comes out close to its shares by the law of large numbers:
piles neither wait for each other nor look at it for its sake."""

_ALMOST_ONE: Final = 1 - 1e-6
_TINY: Final = 1e-12


def deal(piles: Piles, target: Table, trained: npt.NDArray[np.bool_]) -> Numbers:
    """How many groups of each pile go to each split, ``(piles, 3)``.

    `target`, ``(synsets, 3)``, has the number of labels that each split should get of each synset; a row sums to what
    the piles hold of it. `trained`, ``(synsets,)``, says of which synsets something is trained on already.

    Piles are dealt in order, heaviest first. Each goes where something lacks: of each of its synsets a split should
    have its share of all that is dealt so far (least squares over the synsets), so that big groups are spread as fairly
    as small ones, and the single images at the end make up for what is left. While another has room for it, no split
    gets a group that is more than its target, rounded up; but where one label or more is to be trained on, the first
    group of a synset may be, and its last one is if no other is. Piles that share no synset are dealt at once, which
    gives the same as one by one.
    """
    placed = np.zeros_like(target)
    total = target.sum(axis=1)
    share = target / np.maximum(total, 1)[:, None]
    due = (target[:, TRAIN] > _ALMOST_ONE) & ~trained
    dealt = np.zeros((len(piles), target.shape[1]), np.int64)
    heard, last = _heard(piles, len(target))
    following, waiting = _queues(piles, heard)
    for ready in (np.flatnonzero((waiting == 0) & ~last), np.flatnonzero((waiting == 0) & last)):
        while len(ready):
            entries, starts = piles.entries(ready)
            synset, weight = piles.synset[entries], piles.weight[entries, None]
            sizes = np.diff(np.append(starts, len(entries)))
            has = placed[synset] * heard[entries, None]
            groups = piles.groups[ready, None]
            coming = weight * np.repeat(groups, sizes, axis=0)
            untrained = (has[:, TRAIN] == 0) & due[synset]
            last_one = untrained & (has.sum(axis=1) + coming[:, 0] > total[synset] - 0.5)
            may, must = (np.logical_or.reduceat(which, starts) for which in (untrained, last_one))
            shared = _shared(weight, coming, has, target[synset], share[synset], groups, starts, may)
            shared[must] = _with_one_trained(shared[must])
            dealt[ready] = _whole(shared, groups, piles.dither[ready, None])
            _place(placed, synset, weight * np.repeat(dealt[ready], sizes, axis=0), heard[entries])
            following_ones = following[entries]
            following_ones = following_ones[following_ones >= 0]
            np.subtract.at(waiting, following_ones, 1)
            ready = np.unique(following_ones[waiting[following_ones] == 0])
    return dealt


def settle(piles: Piles, dealt: Numbers, over: Table, spare: Numbers, short: Mapping[int, int]) -> Numbers:
    """What is dealt, with single groups of one label moved between train and each split of `short`, until that has as
    many images more as it says, or as many less; nearer if there are too few to move.

    `over`, ``(synsets, 3)``, is by how much each split has more of a synset than it should: the synset that is furthest
    off gives first, and one label at most in a round. Train gives no more than `spare`, ``(synsets,)``.
    """
    synset = piles.synset[piles.start[piles.single : -1]]
    singles, over, spare = dealt[piles.single :].copy(), over[synset], spare[synset]
    for split, left in short.items():
        giver, taker, left = (TRAIN, split, left) if left > 0 else (split, TRAIN, -left)
        while left:
            rows = np.flatnonzero((singles[:, giver] > 0) & ((giver != TRAIN) | (spare > 0)))
            if not len(rows):
                break
            first = np.lexsort((piles.dither[piles.single :][rows], over[rows, taker] - over[rows, giver]))
            rows = rows[first[:left]]
            for column, change in ((giver, -1), (taker, 1)):
                singles[rows, column] += change
                over[rows, column] += change
            spare[rows] += 1 if taker == TRAIN else -1
            left -= len(rows)
    return np.concatenate([dealt[: piles.single], singles])


def _heard(piles: Piles, synsets: int) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Whether the synset of each entry is looked at when its pile is dealt: see `LONG`. And which piles come last, for
    those of such a synset alone can make up for the others."""
    sizes = np.diff(piles.start)
    of_several = np.repeat(sizes > 1, sizes)
    long = np.bincount(piles.synset[of_several], minlength=synsets) > LONG
    heard = ~(of_several & long[piles.synset])
    return heard, (sizes == 1) & long[piles.synset[piles.start[:-1]]]


def _place(placed: Table, synset: Numbers, labels: Numbers, heard: npt.NDArray[np.bool_]) -> None:
    """Add labels to what is placed of synsets, which are all different but those that are not heard."""
    placed[synset[heard]] += labels[heard]
    if not heard.all():
        np.add.at(placed, synset[~heard], labels[~heard])


def _queues(piles: Piles, heard: npt.NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """For each entry the pile that is to be dealt next of its synset, or -1; and for how many each pile waits."""
    sizes = np.diff(piles.start)
    entry = np.flatnonzero(heard)
    entry = entry[np.argsort(piles.synset[entry], kind="stable")]
    pile = np.repeat(np.arange(len(piles)), sizes)[entry]
    synset = piles.synset[entry]
    same = np.flatnonzero(synset[1:] == synset[:-1])
    following = np.full(len(heard), -1)
    following[entry[same]] = pile[same + 1]
    return following, np.bincount(pile[same + 1], minlength=len(piles))


def _shared(
    weight: Numbers,
    coming: Numbers,
    has: Table,
    target: Table,
    share: Table,
    groups: Numbers,
    starts: Numbers,
    may: npt.NDArray[np.bool_],
) -> Table:
    """How many groups of some piles should go to each split, fractions of one and all, ``(piles, 3)``.

    `groups` and `may`, whether one may be trained on anyhow, are of the piles; the others of their entries, which begin
    at `starts`.
    """
    behind = share * (has.sum(axis=1, keepdims=True) + coming) - has
    wanted = np.add.reduceat(weight * behind, starts) / np.add.reduceat(weight * weight, starts)
    lacks = target - has
    room = np.maximum(np.minimum.reduceat(np.floor((lacks + _ALMOST_ONE) / weight), starts), 0)
    room[may, TRAIN] = np.maximum(room[may, TRAIN], 1)
    found = np.clip(wanted, 0, room)
    found += _rest(groups, found, room - found)
    crowded = np.flatnonzero(room.sum(axis=1) < groups[:, 0])
    if len(crowded):
        room, lacking = room[crowded], np.add.reduceat(weight * lacks, starts)[crowded]
        lacking = np.where(np.any(lacking > 0, axis=1, keepdims=True), lacking, wanted[crowded])
        found[crowded] = room + _rest(groups[crowded], room, np.maximum(lacking, 0))
    return found


def _with_one_trained(shares: Table) -> Table:
    """The same, but one at least to train."""
    held = shares.sum(axis=1) - shares[:, TRAIN]
    train = np.maximum(shares[:, TRAIN], 1)
    left = held + shares[:, TRAIN] - train
    found = shares * (left / np.maximum(held, _TINY))[:, None]
    found[:, TRAIN] = train
    return np.asarray(found)


def _rest(groups: Numbers, found: Table, into: Table) -> Table:
    """What is missing for rows to sum to `groups`, in proportions of `into`; or too much, in those of `found`."""
    left = groups - found.sum(axis=1, keepdims=True)
    into = np.where(left > 0, into, found)
    return np.asarray(left * into / np.maximum(into.sum(axis=1, keepdims=True), _TINY))


def _whole(shares: Table, groups: Numbers, dither: Reals) -> Numbers:
    """Whole numbers that sum to `groups` in each row, each of `shares` rounded up or down: up as often, over all that
    `dither` can be, as it is near (systematic sampling: Madow, Annals of Mathematical Statistics 20, 1949)."""
    bounds = np.floor(np.round(np.cumsum(shares, axis=1), 6) + dither).astype(np.int64)
    bounds = np.minimum(bounds, groups)
    bounds[:, -1] = groups[:, 0]
    return np.diff(bounds, axis=1, prepend=0)
