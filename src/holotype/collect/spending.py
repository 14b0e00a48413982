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
_ROUNDS: Final = 5
_DEPTHS: Final = 12
_HELD: Final = 24


@dataclass(frozen=True, slots=True)
class Ways:
    """Queries on sources, a row each: columns of ``(ways,)``.

    `synset` and `arm` are numbers from 0, `cost` that of one request in any unit, `size` the most results of a page, and
    `pages` the most that there are.
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

    `way`, and the page's `number` from 1; `held`, the candidates that the synset had before; `fresh`, those of this page
    that it had not; of these so many were `judged` by votes, and so many of them found `clean`; `last`, whether the
    source has no more.
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
            factors[at] = Factor(
                shape + np.bincount(level, count, minlength=size), shape + np.bincount(level, others, minlength=size)
            )
            parts[at] = factors[at].mean[level]
    return Product(float(rate), tuple(factors))


@dataclass(frozen=True, slots=True)
class Learned:
    """What pages taught of ways: how many new candidates they bring a result, and the share of clean ones."""

    fresh: Product
    clean: Product


ARM, DEPTH, SYNSET, WAY = 4.0, 20.0, 3.0, 3.0
"""Shapes of factors: 1 / variance of what arms, depths, synsets and ways differ by."""


def learn(ways: Ways, pages: Pages) -> Learned:
    """What pages teach: see the module."""
    arms, synsets = int(ways.arm.max(initial=-1)) + 1, int(ways.synset.max(initial=-1)) + 1
    arm, synset, depth = ways.arm[pages.way], ways.synset[pages.way], _depth(pages.number)
    shared, own = [(arms, ARM), (_DEPTHS, DEPTH)], (len(ways), WAY)
    held = _held(pages.held)
    fresh = fit(pages.fresh, ways.size[pages.way], [arm, depth, held, pages.way], [*shared, (_HELD, DEPTH), own], FRESH)
    clean = fit(pages.clean, pages.judged, [arm, depth, synset, pages.way], [*shared, (synsets, SYNSET), own], PRECISION)
    return Learned(fresh, clean)


def _depth(number: Ints) -> Ints:
    """Depths of pages: 1, 2, 3-4, 5-8, ... are one level each."""
    found: Ints = np.minimum(np.ceil(np.log2(np.maximum(number, 1))), _DEPTHS - 1).astype(np.int64)
    return found


def _held(candidates: Ints) -> Ints:
    """Levels of how many candidates there are: each is twice the one before."""
    found: Ints = np.minimum(np.log2(np.maximum(candidates, 0) / 50 + 1).round(), _HELD - 1).astype(np.int64)
    return found


def next_ways(ways: Ways, pages: Pages, needs: Ints, rng: np.random.Generator, learned: Learned | None = None) -> Ints:
    """The way whose next page to ask for each synset, ``(synsets,)``; -1 where it needs none, or has no page left.

    `needs` is how many clean images each synset lacks, ``(synsets,)``: a page is worth no more than that. `learned` is
    what `learn` makes of `pages`, which is made anew without it.
    """
    worth = worth_of(ways, pages, needs, learned or learn(ways, pages), rng)
    best = np.lexsort((np.arange(len(ways)), -worth, ways.synset))
    synset, first = np.unique(ways.synset[best], return_index=True)
    chosen = np.full(len(needs), -1, np.int64)
    way = best[first]
    chosen[synset] = np.where(worth[way] > 0, way, -1)
    return chosen


def worth_of(ways: Ways, pages: Pages, needs: Ints, learned: Learned, rng: np.random.Generator | None) -> Floats:
    """Clean new images for the cost of each way's next page, ``(ways,)``, as drawn, or as expected without dice; 0 where
    there is no page, or no need of one."""
    asked = np.bincount(pages.way, minlength=len(ways))
    ended = asked >= ways.pages
    ended[pages.way[pages.last]] = True
    have = np.bincount(ways.synset[pages.way], pages.fresh, minlength=len(needs)).astype(np.int64)
    depth = _depth(asked + 1)
    number = np.arange(len(ways))
    fresh = _rate(learned.fresh, [ways.arm, depth, _held(have)[ways.synset], number], rng)
    clean = _rate(learned.clean, [ways.arm, depth, ways.synset, number], rng)
    gain = ways.size * np.minimum(fresh, 1) * np.minimum(clean, 1)
    return np.where(ended, 0.0, np.minimum(gain, needs[ways.synset]) / ways.cost)


def _rate(product: Product, levels: Sequence[Ints], rng: np.random.Generator | None) -> Floats:
    """The rate at levels of its factors, ``(ways,)``, or, with dice, one where the first factor, the arm, and the last,
    the way, are drawn from what is known of them: what all ways share makes none of them better than another."""
    means = [factor.mean for factor in product.factors]
    if rng is not None:
        means[0], means[-1] = product.factors[0].drawn(rng), product.factors[-1].drawn(rng)
    found: Floats = product.base * np.prod([mean[level] for mean, level in zip(means, levels, strict=True)], axis=0)
    return found
