"""Machines as workers: a block of models' scores becomes one prior chance per task, worth at most what it earns.

Models err together, so they are no independent workers: the whole block has one error model, a logistic regression
with non-negative slopes, learned from gold and people's votes. A score can only save votes. What a policy may decide
without people is the policy's to say (its minimum of votes, and the votes' own evidence).

>>> from dataclasses import replace
>>> import numpy as np
>>> from holotype.consensus.ballot import Ballot
>>> from holotype.consensus.machines import machine_priors
>>> from holotype.consensus.posteriors import fit
>>> rng = np.random.default_rng(0)
>>> good = rng.random(1000) < 0.3
>>> task, worker = np.repeat(np.arange(1000), 2), np.tile(np.arange(2), 1000)
>>> answer = np.where(rng.random(2000) < np.where(good, 0.8, 0.1)[task], 2, 0)
>>> people = Ballot(task, worker, answer, np.zeros(1000, int), workers=2, synsets=1)
>>> scores = good[:, None] + rng.normal(size=(1000, 2))
>>> block = machine_priors(scores, people, fit(people))
>>> float(block.prior[good].mean().round(2)), float(block.prior[~good].mean().round(2))
(0.53, 0.23)
>>> helped = replace(people, prior=block.prior)
>>> [float(np.mean((fit(votes).posterior >= 0.5) == good)) for votes in (people, helped)]
[0.825, 0.91]
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import UNKNOWN, Ballot, Floats, Ints
from holotype.consensus.posteriors import Consensus
from holotype.errors import CrowdError

Mask = npt.NDArray[np.bool_]

FOLDS: Final = 4
MOST: Final = 2.0
"""The most that a block of machines moves a task's log odds, either way: less than one careful person's yes."""
CERTAIN: Final = 5.0
"""People's log odds count up to here: their models over-state certainty."""
SHARES: Final[Floats] = np.linspace(0, 1, 11)
SYNSET_WEIGHT: Final = 20.0
"""In how much a block earns in a synset, what it earns in all weighs like so many tasks."""
_OWN_RATES: Final = 2
"""The first columns of a design: one for all tasks and one for gold, which somebody chose."""


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


def machine_priors(scores: npt.ArrayLike, ballot: Ballot, people: Consensus) -> MachinePriors:
    """Prior chances from `scores` ``(tasks, models)``, whatever their scale: the higher, the more they speak for yes.

    Give ranks negated, and NaN where a model says nothing, which may mean something too (not among its first five).
    Only the order of a model's scores counts. `people` is what the votes of `ballot` alone come to: a consensus that
    has seen machines would let them teach themselves, so a ballot with priors is refused.

    The regression maximises the likelihood of people's votes and gold, given each task's base rate, in `FOLDS` folds
    by task: no task's prior is learned from its own votes. It moves log odds by `MOST` at most, times the share that
    earned most, less its standard error, on the other folds: by gold, and by the votes after a task's first given
    that first. What follows a first vote is what a machine may save; it is less than what votes and machines tell
    apart, since both fail on the same images. A likelihood of all votes does not mind that campaigns stop early
    (Rubin, "Inference and missing data", 1976). Where gold contradicts the block, it is worth nothing.

    Raises `CrowdError` for scores of another shape and for a ballot with priors.
    """
    table = np.asarray(scores, np.float64)
    if table.ndim != 2 or not len(table) == len(people.posterior) == ballot.tasks:
        shapes = f"{table.shape} with a consensus of {len(people.posterior)}"
        raise CrowdError(f"machines' scores are (tasks, models) for {ballot.tasks} tasks, not {shapes}")
    if ballot.prior is not None and not np.all(np.isnan(ballot.prior)):
        raise CrowdError("machines learn from people alone: give a ballot without priors, and the consensus of that")
    told = _Told.of(ballot, people)
    block = _Block.of(table, told)
    odds, shares, gains = told.base.copy(), np.zeros((FOLDS, ballot.synsets)), np.zeros(FOLDS)
    pairs = {pair: _gains(block, *pair) for pair in combinations(range(FOLDS), 2)}
    for fold in range(FOLDS):
        seen = [(rows[of != fold], found[of != fold]) for pair, (rows, of, found) in pairs.items() if fold in pair]
        rows, found = (np.concatenate(parts) for parts in zip(*seen, strict=True))
        shares[fold], gains[fold] = _shares(found, told.synset[rows], told.gold[rows], ballot.synsets)
        own = block.fold == fold
        odds[own] += (shares[fold][told.synset] * block.shift([fold])[0])[own]
    silent = shares[block.fold, told.synset] == 0
    return MachinePriors(np.where(silent, np.nan, _chance(odds)), shares.mean(axis=0), float(gains.mean()))


@dataclass(frozen=True, slots=True)
class _Told:
    """What people say of each task, in log odds: the base rate, the votes beyond it; and a single vote of each answer,
    as far as votes add up."""

    synset: Ints
    base: Floats
    votes: Floats
    answers: Floats
    counts: Ints
    known: Ints

    @classmethod
    def of(cls, ballot: Ballot, people: Consensus) -> _Told:
        base = _log_odds(people.base_rates)[ballot.synset]
        votes = np.clip(_log_odds(people.posterior) - base, -CERTAIN, CERTAIN)
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
class _Block:
    """The regression: its design ``(tasks, columns)``, which slopes may not be negative, their penalties, the folds."""

    design: Floats
    rising: Mask
    penalty: Floats
    fold: Ints
    told: _Told

    @classmethod
    def of(cls, scores: Floats, told: _Told) -> _Block:
        columns: list[Floats] = [np.ones(len(scores)), told.gold.astype(float)]
        for model in scores.T:
            columns += _features(model)
        rising = np.arange(len(columns) - _OWN_RATES) % 3 < 2
        # However many models there are, together they are as uncertain beforehand as one.
        penalty = np.full(len(columns), float(max(scores.shape[1], 1)))
        penalty[:_OWN_RATES] = 0.01
        fold = np.empty(len(scores), np.int64)
        fold[np.argsort(told.synset, kind="stable")] = np.arange(len(scores)) % FOLDS
        return cls(np.stack(columns, axis=1), np.append([False] * _OWN_RATES, rising), penalty, fold, told)

    def shift(self, without: list[int]) -> tuple[Floats, Floats]:
        """What the block adds to each task's log odds, learned without some folds; and what base rates were off by."""
        rows = np.flatnonzero(self.told.some & ~np.isin(self.fold, without))
        slopes, alone = self._slopes(rows, self.design.shape[1]), self._slopes(rows, _OWN_RATES)
        moved = slopes[0] - alone[0] + self.design[:, _OWN_RATES:] @ slopes[_OWN_RATES:]
        return np.clip(moved, -MOST, MOST), self.design[:, :_OWN_RATES] @ alone

    def _slopes(self, rows: Ints, columns: int) -> Floats:
        """Penalised maximum likelihood of people's votes by expectation maximisation, one Newton step a round."""
        design, penalty, rising = self.design[rows, :columns], self.penalty[:columns], self.rising[:columns]
        base, votes = self.told.base[rows], self.told.votes[rows]
        slopes = np.zeros(columns)
        for _ in range(50):
            odds = base + design @ slopes
            chance = _chance(odds)
            uphill = design.T @ (_chance(odds + votes) - chance) - penalty * slopes
            curve = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(penalty)
            free = ~(rising & (slopes <= 0) & (uphill <= 0))
            step = np.zeros(columns)
            step[free] = np.linalg.solve(curve[np.ix_(free, free)], uphill[free])
            moved = slopes + np.clip(step, -2.0, 2.0)
            slopes, before = np.where(rising, np.maximum(moved, 0.0), moved), slopes
            if np.abs(slopes - before).max(initial=0) < 1e-4:
                break
        return slopes


def _features(scores: Floats) -> list[Floats]:
    """A model's column as three of mean 0 and deviation 1: the log odds of its rank above and below the middle, which
    no monotone change of scale alters, and whether it says nothing."""
    silent = np.isnan(scores)
    _, place, ties = np.unique(scores[~silent], return_inverse=True, return_counts=True)
    rank = np.zeros(len(scores))
    rank[~silent] = _log_odds(((np.cumsum(ties) - ties / 2) / max(len(place), 1))[place])
    says = [_standard(half(rank, 0.0), ~silent) for half in (np.maximum, np.minimum)]
    return [*says, _standard(silent.astype(float), np.ones(len(scores), bool))]


def _standard(column: Floats, of: Mask) -> Floats:
    """Of mean 0 where `of` and 0 elsewhere, with a deviation of 1 if it varies at all."""
    centred = np.where(of, column - (column[of].mean() if of.any() else 0.0), 0.0)
    spread = np.sqrt(np.mean(centred**2)) if len(centred) else 0.0
    return np.asarray(centred / spread if spread > 1e-9 else np.zeros_like(centred))


def _gains(block: _Block, fold: int, other: int) -> tuple[Ints, Ints, Floats]:
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


def _chance(odds: Floats) -> Floats:
    return np.asarray(0.5 + 0.5 * np.tanh(odds / 2))


def _log_odds(chance: Floats) -> Floats:
    inside = np.clip(chance, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(inside / (1 - inside)))
