"""Spending requests: what the next page of each query is worth by what pages brought before, and which one to ask.

A *way* is a query put to a source. Ways of one rule, source and language are one *arm*: what is learned of an arm is
known of a synset that nothing was asked for yet. Two rates are learned, each as a product of factors: how many *new*
candidates a page brings for each result it may have (by its arm, how deep it lies, how many candidates the synset has
already, and the way itself), and which share of these is clean (by arm, depth, synset and way). Counts are Poisson, and
each factor is gamma with mean 1: what little is known of a way is read in the light of its arm, and what much is known
of speaks for itself.

The next page is chosen by Thompson sampling (Thompson 1933): what is not known for sure is drawn from its posterior,
and the way is asked whose next page is worth most for its cost if the draw is true. As pages bring less and less, the
best next page is the best plan, but for what is learned by the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

PRECISION: Final = 0.1
"""The precision of search results where nothing is known: Deng et al. 2009, section 3.1."""
FRESH: Final = 0.7
"""New candidates for each result that a page may have, where nothing is known."""
BEFORE: Final = 20.0
"""What is believed where nothing is known weighs as much as so many candidates."""
SURE: Final = 0.8
"""The confidence that a candidate's chance is no lower than said."""
ARM, DEPTH, SYNSET, WAY = 4.0, 20.0, 3.0, 3.0
"""Shapes of factors, 1 / variance: how much arms, depths, synsets and ways differ before anything is known of them."""
_ROUNDS: Final = 5
_LEVELS: Final = 20


@dataclass(frozen=True, slots=True)
class Ways:
    """Queries on sources, a row each: columns of ``(ways,)``.

    `synset` and `arm` are numbers from 0; `cost` is that of one request, more than 0, in any unit; `size` the most
    results of a page, and `pages` the most that there are.
    """

    synset: Ints
    arm: Ints
    cost: Floats
    size: Ints
    pages: Ints

    def __len__(self) -> int:
        return len(self.synset)


@dataclass(frozen=True, slots=True)
class Pages:
    """What pages brought that were asked, a row each: columns of ``(rows,)``.

    `way`, and the page's `number` from 1; `held`, the candidates that the synset had before; `fresh`, those of this
    page that it had not; of these so many were `judged` by votes, and so many of them found `clean`; `last`, whether
    the source has no more.
    """

    way: Ints
    number: Ints
    held: Ints
    fresh: Ints
    judged: Ints
    clean: Ints
    last: Bools

    @classmethod
    def none(cls) -> Pages:
        """No page yet."""
        nothing = np.zeros(0, np.int64)
        return cls(nothing, nothing, nothing, nothing, nothing, nothing, np.zeros(0, np.bool_))


@dataclass(frozen=True, slots=True)
class Factor:
    """Gamma posteriors of the levels of a factor: `shape` and `rate`, ``(levels,)``."""

    shape: Floats
    rate: Floats

    @property
    def mean(self) -> Floats:
        """The mean of each level."""
        found: Floats = self.shape / self.rate
        return found

    def drawn(self, rng: np.random.Generator) -> Floats:
        """A draw for each level."""
        found: Floats = rng.standard_gamma(self.shape) / self.rate
        return found


@dataclass(frozen=True, slots=True)
class Product:
    """A rate as a `base` times a level of each of `factors`."""

    base: float
    factors: tuple[Factor, ...]

    @property
    def by_arm(self) -> Floats:
        """The rate of each arm, which is the first factor, where all else is as usual: ``(arms,)``."""
        found: Floats = self.base * self.factors[0].mean
        return found


def fit(
    count: Ints, exposure: Ints, levels: Sequence[Ints], shapes: Sequence[tuple[int, float]], base: float
) -> Product:
    """The rate at which `count` happened in `exposure`, ``(rows,)`` each, as a product of factors.

    `levels` has the level of each row in each factor, ``(rows,)``; `shapes` how many levels a factor has, and the shape
    of the gamma distribution that they come from: 1 / variance. `base` is the rate where nothing is known.
    """
    factors = [Factor(np.full(size, shape), np.full(size, shape)) for size, shape in shapes]
    rate = base
    parts = [factor.mean[level] for factor, level in zip(factors, levels, strict=True)]
    for _ in range(_ROUNDS):
        expected = exposure * np.prod(parts, axis=0)
        rate = (count.sum() + BEFORE) / (expected.sum() + BEFORE / base)
        for at, (level, (size, shape)) in enumerate(zip(levels, shapes, strict=True)):
            others = rate * exposure * np.prod([*parts[:at], *parts[at + 1 :]], axis=0)
            happened, due = (np.bincount(level, number, minlength=size) for number in (count, others))
            factors[at] = Factor(np.asarray(shape + happened, np.float64), np.asarray(shape + due, np.float64))
            parts[at] = factors[at].mean[level]
    return Product(float(rate), tuple(factors))


@dataclass(frozen=True, slots=True)
class Learned:
    """What pages taught of ways: how many new candidates they bring a result, and the share of clean ones."""

    fresh: Product
    clean: Product


def learn(ways: Ways, pages: Pages) -> Learned:
    """What pages teach: see the module."""
    arms, synsets = int(ways.arm.max(initial=-1)) + 1, int(ways.synset.max(initial=-1)) + 1
    arm, synset = ways.arm[pages.way], ways.synset[pages.way]
    depth = _level((pages.number - 1) * ways.size[pages.way])
    shared, own = [(arms, ARM), (_LEVELS, DEPTH)], (len(ways), WAY)
    held = _level(pages.held)
    fresh = fit(
        pages.fresh, ways.size[pages.way], [arm, depth, held, pages.way], [*shared, (_LEVELS, DEPTH), own], FRESH
    )
    clean = fit(
        pages.clean, pages.judged, [arm, depth, synset, pages.way], [*shared, (synsets, SYNSET), own], PRECISION
    )
    return Learned(fresh, clean)


def _level(number: Ints) -> Ints:
    """Levels of a rank, or of how many candidates there are: each begins at about twice what the one before does."""
    found: Ints = np.minimum(np.log2(number / 50 + 1).round(), _LEVELS - 1).astype(np.int64)
    return found


def ended(ways: Ways, pages: Pages) -> Bools:
    """Whether a way has no more pages, ``(ways,)``."""
    found: Bools = _asked(ways, pages) >= ways.pages
    found[pages.way[pages.last]] = True
    return found


def _asked(ways: Ways, pages: Pages) -> Ints:
    """The last page that each way was asked for, ``(ways,)``."""
    found = np.zeros(len(ways), np.int64)
    np.maximum.at(found, pages.way, pages.number)
    return found


def worth_of(ways: Ways, pages: Pages, needs: Ints, learned: Learned, rng: np.random.Generator | None) -> Floats:
    """How many clean images that are new the next page of each way brings for its cost, ``(ways,)``: as drawn, or as
    expected where there are no dice; 0 where there is no such page, or no need of one.

    `needs` is how many clean images each synset lacks, ``(synsets,)``: a page is worth no more than that.
    """
    have = np.bincount(ways.synset[pages.way], pages.fresh, minlength=len(needs))
    depth, number = _level(_asked(ways, pages) * ways.size), np.arange(len(ways))
    fresh = _rate(learned.fresh, [ways.arm, depth, _level(have)[ways.synset], number], rng)
    clean = _rate(learned.clean, [ways.arm, depth, ways.synset, number], rng)
    gain = np.minimum(ways.size * np.minimum(fresh, 1) * np.minimum(clean, 1), needs[ways.synset])
    found: Floats = np.where(ended(ways, pages), 0.0, gain / ways.cost)
    return found


def _rate(product: Product, levels: Sequence[Ints], rng: np.random.Generator | None) -> Floats:
    """The rate at levels of its factors, ``(ways,)``, or, with dice, one where the first factor, the arm, and the last,
    the way, are drawn from what is known of them: what all ways share makes none of them better than another."""
    means = [factor.mean for factor in product.factors]
    if rng is not None:
        means[0], means[-1] = product.factors[0].drawn(rng), product.factors[-1].drawn(rng)
    found: Floats = product.base * np.prod([mean[level] for mean, level in zip(means, levels, strict=True)], axis=0)
    return found


def next_ways(ways: Ways, pages: Pages, needs: Ints, rng: np.random.Generator) -> Ints:
    """The way whose next page to ask for each synset, ``(synsets,)``; -1 where it needs none, or has no page left.

    `needs` is how many clean images each synset lacks, ``(synsets,)``. To leave a way alone, because it is being asked
    or its source wants a rest, give it no `pages`.

    >>> one = np.ones(2, np.int64)
    >>> ways = Ways(one * 0, np.array([0, 1]), one * 1.0, one * 50, one * 20)
    >>> said = [np.array(column) for column in ([0, 1], [1, 1], [0, 40], [40, 40], [40, 40], [2, 12])]
    >>> pages = Pages(*said, np.zeros(2, bool))
    >>> dice = np.random.default_rng(1)
    >>> [int(next_ways(ways, pages, np.array([500]), dice)[0]) for _ in range(8)]
    [1, 1, 1, 1, 1, 1, 1, 1]
    """
    return best_of(ways, worth_of(ways, pages, needs, learn(ways, pages), rng), len(needs))


def best_of(ways: Ways, worth: Floats, synsets: int) -> Ints:
    """The way that is worth most for each synset, the first of equals, ``(synsets,)``; -1 where none is worth any."""
    best = np.lexsort((-worth, ways.synset))
    synset, first = np.unique(ways.synset[best], return_index=True)
    chosen = np.full(synsets, -1, np.int64)
    chosen[synset] = np.where(worth[best[first]] > 0, best[first], -1)
    return chosen


def chances(judged: npt.ArrayLike, clean: npt.ArrayLike) -> Floats:
    """The chance that a candidate of each arm is clean, by how many were `judged` and found clean, ``(arms,)`` each.

    It is the precision that the arm exceeds with a confidence of `SURE`, where what is believed of it beforehand is the
    precision of all arms together, with the weight of `BEFORE` candidates: two lucky finds of two do not make an arm
    precise, and a thousand say what they say. An arm of which nothing was judged has none (nan).

    >>> chances([0, 2, 20, 2000], [0, 2, 8, 800]).round(2)
    array([ nan, 0.36, 0.33, 0.39])
    """
    from scipy.special import betaincinv

    asked, right = np.asarray(judged, np.int64), np.asarray(clean, np.int64)
    mean = (right.sum() + BEFORE * PRECISION) / (asked.sum() + BEFORE)
    found = betaincinv(BEFORE * mean + right, BEFORE * (1 - mean) + asked - right, 1 - SURE)
    return np.where(asked > 0, found, np.nan)
