"""The confidence table of ImageNet: the chance that an image is good, given its yes and no votes, synset by synset.

Deng et al., "ImageNet: A Large-Scale Hierarchical Image Database", CVPR 2009, section 3.2 and figure 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import Floats, Ints

SEED_VOTES: Final = 10
"""Votes on each image of the seed, at least, as in the paper."""

SMOOTHING: Final = 2.0
"""Seed images that the independent model weighs in each cell of a table, so that unseen cells have a value."""

RATES: Final = (0.3, 0.67, 0.06)
"""Base rate, chance of yes on a good and on a bad image where there is no seed at all."""


@dataclass(frozen=True, slots=True)
class ConfidenceTable:
    """What a seed taught about one synset.

    `confidence` ``(size + 1, size + 1)``: the chance that an image with [#yes, #no] votes is good, at the seed's
    `base_rate`. `seeds` is the number of images it was learned from.
    """

    confidence: Floats
    base_rate: float
    seeds: int

    def look_up(self, yes: Ints, no: Ints) -> Floats:
        """The confidence of images with so many votes, ``(n,)``; beyond the table at its edge, in proportion."""
        size = len(self.confidence) - 1
        scale = np.minimum(1.0, size / np.maximum(np.maximum(yes, no), 1))
        cells = (np.rint(scale * count).astype(np.int64) for count in (yes, no))
        return np.asarray(self.confidence[tuple(cells)])

    def at(self, base_rate: float) -> ConfidenceTable:
        """The table where a share `base_rate` of images is good: a table learned at one rate is wrong at another."""
        shift = np.log(base_rate / (1 - base_rate)) - np.log(self.base_rate / (1 - self.base_rate))
        odds = np.log(self.confidence / (1 - self.confidence)) + shift
        return ConfidenceTable(1 / (1 + np.exp(-odds)), base_rate, self.seeds)


def learn_table(yes: Ints, no: Ints, size: int = SEED_VOTES) -> ConfidenceTable:
    """The table of a seed of images with `yes` and `no` votes each, ``(images,)``, about `SEED_VOTES` or more in all.

    An image of the seed is good if more say yes than no. Each cell counts, over all ways to draw so many votes from an
    image's, how often the image was good; that is exact, nothing is sampled.
    """
    good = yes > no
    steps = np.arange(size + 1)
    every = _log_choose((yes + no)[:, None, None], steps[:, None] + steps)
    drawn = _log_choose(yes[:, None], steps)[:, :, None] + _log_choose(no[:, None], steps)[:, None, :]
    drawn = np.exp(drawn - np.where(np.isfinite(every), every, 0.0))
    base, sensitivity, false_yes = _rates(yes, no, good)
    model = independent(steps[:, None], steps, (base, sensitivity, false_yes))
    confidence = (drawn[good].sum(axis=0) + SMOOTHING * model) / (drawn.sum(axis=0) + SMOOTHING)
    return ConfidenceTable(np.clip(confidence, 1e-6, 1 - 1e-6), base, len(yes))


def independent(yes: Ints, no: Ints, rates: tuple[float, float, float] = RATES) -> Floats:
    """The chance of good after `yes` and `no` independent votes; `rates` are the base rate, the chance of yes on a good
    image, and on a bad one."""
    base, sensitivity, false_yes = rates
    good = base * sensitivity**yes * (1 - sensitivity) ** no
    return np.asarray(good / (good + (1 - base) * false_yes**yes * (1 - false_yes) ** no))


def look_up(yes: Ints, no: Ints, synset: Ints, synsets: int, seed: npt.NDArray[np.bool_]) -> Floats:
    """The confidence of every task, ``(tasks,)`` as all arguments but `synsets`, by its synset's table.

    A synset's table is learned from its tasks in `seed` (a mask); where there are none, from all in the seed.
    """
    order = np.argsort(synset, kind="stable")
    ends = np.searchsorted(synset[order], np.arange(synsets + 1))
    whole = learn_table(yes[seed], no[seed])
    found = np.empty(len(yes))
    for first, last in pairwise(ends):
        mine = order[first:last]
        learned = mine[seed[mine]]
        table = learn_table(yes[learned], no[learned]) if len(learned) else whole
        found[mine] = table.look_up(yes[mine], no[mine])
    return found


def _rates(yes: Ints, no: Ints, good: npt.NDArray[np.bool_]) -> tuple[float, float, float]:
    """Base rate and chances of yes, each drawn to `RATES` by two images or votes."""
    shares = [(good.sum(), len(good))] + [(yes[of].sum(), (yes + no)[of].sum()) for of in (good, ~good)]
    base, sensitivity, false_yes = (
        float((hits + 2 * start) / (total + 2)) for (hits, total), start in zip(shares, RATES, strict=True)
    )
    return base, sensitivity, false_yes


def _log_choose(held: Ints, taken: Ints) -> Floats:
    """Logs of the ways to take `taken` of `held` votes."""
    from scipy.special import gammaln

    left = held - taken
    logs = gammaln(held + 1.0) - gammaln(taken + 1.0) - gammaln(np.maximum(left, 0) + 1.0)
    return np.where(left < 0, -np.inf, logs)
