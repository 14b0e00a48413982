"""What a block of machines earns: the part of what it says that counts, by what that adds on tasks held out.

Whatever error model a block has, people and gold judge it alike, synset by synset.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import UNKNOWN, Ballot, Floats, Ints
from holotype.consensus.em import log_odds

Mask = npt.NDArray[np.bool_]

FOLDS: Final = 4
CERTAIN: Final = 5.0
"""People's log odds count up to here: their models over-state certainty."""
SHARES: Final[Floats] = np.linspace(0, 1, 11)
SYNSET_WEIGHT: Final = 20.0
"""In how much a block earns in a synset, what it earns in all weighs like so many tasks."""
OWN_RATES: Final = 2
"""What base rates were off by: one number for all tasks and one more for gold, which somebody chose."""


@dataclass(frozen=True, slots=True)
class Told:
    """What people say of each task, in log odds: the base rate, the votes beyond it; and a single vote of each answer,
    as far as votes add up."""

    synset: Ints
    base: Floats
    votes: Floats
    answers: Floats
    counts: Ints
    known: Ints

    @classmethod
    def of(cls, ballot: Ballot, posterior: Floats, before: Floats) -> Told:
        """Of the votes of `ballot`, and the chances of yes that they come to and began with, ``(tasks,)``."""
        base = log_odds(before)
        votes = np.clip(log_odds(posterior) - base, -CERTAIN, CERTAIN)
        counts, asked = ballot.counts(), ballot.asked_about
        answers = np.linalg.lstsq(counts[asked].astype(float), votes[asked])[0]
        known = np.full(ballot.tasks, UNKNOWN) if ballot.known is None else ballot.known
        return cls(ballot.synset, base, votes, answers, counts, known)

    @property
    def gold(self) -> Mask:
        return np.asarray(self.known != UNKNOWN)

    @property
    def some(self) -> Mask:
        """Whether anything is told of a task."""
        return np.asarray(self.gold | (self.counts.sum(axis=1) > 0))

    def likelihood(self, odds: Floats, rows: Ints) -> Floats:
        """Log likelihood at `odds` ``(rows, shares)`` of gold given its votes, and of other votes given a first."""
        counts = self.counts[rows]
        cast = counts.sum(axis=1)
        after = np.logaddexp(0, odds + self.votes[rows, None])
        for answer, alone in enumerate(self.answers):
            after -= (counts[:, answer] / np.maximum(cast, 1))[:, None] * np.logaddexp(0, odds + alone)
        after[cast < 2] = 0.0
        gold = np.flatnonzero(self.gold[rows])
        sign = np.where(self.known[rows[gold]] == 1, -1.0, 1.0)[:, None]
        seen = np.clip(counts[gold] @ self.answers, -CERTAIN, CERTAIN)[:, None]
        after[gold] = -np.logaddexp(0, sign * (odds[gold] + seen))
        return after


@dataclass(frozen=True, slots=True)
class MachinePriors:
    """What a block of machines says, and what that is worth.

    `prior` ``(tasks,)`` is a chance of yes from before any vote, for `Ballot.prior`; NaN where the block earned
    nothing, so that the synset's base rate stands. `share` ``(synsets,)`` is the part of its log odds, 0 to 1, that
    counts. `gain` is what that part adds to the log likelihood, in nats per task, of gold and of people's votes after
    a first, all held out.
    """

    prior: Floats
    share: Floats
    gain: float


class Block(Protocol):
    """Machines with one error model, learned from what people say."""

    @property
    def told(self) -> Told:
        """What people say."""

    @property
    def fold(self) -> Ints:
        """The fold of every task, ``(tasks,)``."""

    def shift(self, without: list[int]) -> tuple[Floats, Floats]:
        """What the block adds to each task's log odds, learned without some folds; and what base rates were off by."""


def folds_of(*alike: Ints | Mask) -> Ints:
    """A fold for every task, in turn among those that are alike: of the same synset, and whatever else is given,
    ``(tasks,)`` each."""
    fold = np.empty(len(alike[0]), np.int64)
    fold[np.lexsort(alike[::-1])] = np.arange(len(fold)) % FOLDS
    return fold


def earned(block: Block, synsets: int) -> MachinePriors:
    """The chance of yes from before any vote, and the share that the block earns; no task's by its own votes."""
    told = block.told
    odds, shares, gains = told.base.copy(), np.zeros((FOLDS, synsets)), np.zeros(FOLDS)
    pairs = {pair: _gains(block, *pair) for pair in combinations(range(FOLDS), 2)}
    for fold in range(FOLDS):
        seen = [(rows[of != fold], found[of != fold]) for pair, (rows, of, found) in pairs.items() if fold in pair]
        rows, found = (np.concatenate(parts) for parts in zip(*seen, strict=True))
        shares[fold], gains[fold] = _shares(found, told.synset[rows], told.gold[rows], synsets)
        own = block.fold == fold
        odds[own] += (shares[fold][told.synset] * block.shift([fold])[0])[own]
    silent = shares[block.fold, told.synset] == 0
    return MachinePriors(np.where(silent, np.nan, chance_of(odds)), shares.mean(axis=0), float(gains.mean()))


def ascend(design: Floats, rising: Mask, penalty: Floats, told: Told, rows: Ints) -> Floats:
    """Penalised maximum likelihood of people's votes by expectation maximisation, one Newton step a round: slopes,
    ``(columns,)``, of `design` ``(rows, columns)``, of which those `rising` are not negative."""
    base, votes = told.base[rows], told.votes[rows]
    slopes = np.zeros(design.shape[1])
    for _ in range(50):
        odds = base + design @ slopes
        chance = chance_of(odds)
        uphill = design.T @ (chance_of(odds + votes) - chance) - penalty * slopes
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(penalty)
        free = ~(rising & (slopes <= 0) & (uphill <= 0))
        step = np.zeros(design.shape[1])
        step[free] = np.linalg.solve(curve[np.ix_(free, free)], uphill[free])
        moved = slopes + np.clip(step, -2.0, 2.0)
        slopes, before = np.where(rising, np.maximum(moved, 0.0), moved), slopes
        if np.abs(slopes - before).max(initial=0) < 1e-4:
            break
    return slopes


def own_rates(told: Told, rows: Ints) -> Floats:
    """What base rates were off by, ``(OWN_RATES,)``, as far as some tasks tell."""
    design = own_columns(told)
    return ascend(design[rows], np.zeros(OWN_RATES, bool), np.full(OWN_RATES, 0.01), told, rows)


def own_columns(told: Told) -> Floats:
    """Ones for all tasks, and for gold, ``(tasks, OWN_RATES)``."""
    return np.stack([np.ones(len(told.base)), told.gold.astype(float)], axis=1)


def _gains(block: Block, fold: int, other: int) -> tuple[Ints, Ints, Floats]:
    """Tasks of two folds of which something is told, their folds, and what each share gains on them, ``(.., shares)``,
    learned from the other folds."""
    told = block.told
    rows = np.flatnonzero(told.some & np.isin(block.fold, [fold, other]))
    moved, off = block.shift([fold, other])
    found = told.likelihood((told.base + off)[rows, None] + moved[rows, None] * SHARES, rows)
    return rows, block.fold[rows], found - found[:, :1]


def _shares(gains: Floats, synset: Ints, gold: Mask, synsets: int) -> tuple[Floats, float]:
    """The share that the block earns in each synset, and its gain per task.

    In no synset more than in all together, and that less the standard error.
    """
    sure = gains.sum(axis=0) - _error(gains)
    contradicted = gains[gold].sum(axis=0) + _error(gains[gold]) < -1e-9
    best = int(np.argmax(np.round(np.where(contradicted, -np.inf, sure), 9)))
    mean = gains.sum(axis=0) / max(len(gains), 1)
    here = [np.bincount(synset, column, minlength=synsets) for column in gains[:, : best + 1].T]
    chosen = np.argmax(np.stack(here, axis=1) + SYNSET_WEIGHT * mean[: best + 1], axis=1)
    return SHARES[chosen], float(mean[best])


def _error(gains: Floats) -> Floats:
    """Standard error of a sum, about 0: a single task proves nothing."""
    return np.asarray(np.sqrt(np.sum(gains**2, axis=0)))


def chance_of(odds: Floats) -> Floats:
    return np.asarray(0.5 + 0.5 * np.tanh(odds / 2))
