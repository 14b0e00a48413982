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
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import Ballot, Floats, Ints
from holotype.consensus.earning import (
    OWN_RATES,
    Told,
    ascend,
    earned,
    folds_of,
    own_columns,
    own_rates,
)
from holotype.consensus.earning import MachinePriors as MachinePriors
from holotype.consensus.em import log_odds
from holotype.consensus.posteriors import Consensus
from holotype.errors import CrowdError

Mask = npt.NDArray[np.bool_]

MOST: Final = 2.0
"""The most that a block of scores moves a task's log odds, either way: less than one careful person's yes."""


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
    told = Told.of(ballot, people.posterior, people.base_rates[ballot.synset])
    return earned(_Regression.of(table, told), ballot.synsets)


@dataclass(frozen=True, slots=True)
class _Regression:
    """The regression: its design ``(tasks, columns)``, which slopes may not be negative, their penalties, the folds."""

    design: Floats
    rising: Mask
    penalty: Floats
    fold: Ints
    told: Told

    @classmethod
    def of(cls, scores: Floats, told: Told) -> _Regression:
        columns: list[Floats] = [*own_columns(told).T]
        for model in scores.T:
            columns += _features(model)
        rising = np.arange(len(columns) - OWN_RATES) % 3 < 2
        # However many models there are, together they are as uncertain beforehand as one.
        penalty = np.full(len(columns), float(max(scores.shape[1], 1)))
        penalty[:OWN_RATES] = 0.01
        rises = np.append([False] * OWN_RATES, rising)
        return cls(np.stack(columns, axis=1), rises, penalty, folds_of(told.synset), told)

    def shift(self, without: list[int]) -> tuple[Floats, Floats]:
        """What the block adds to each task's log odds, learned without some folds; and what base rates were off by."""
        rows = np.flatnonzero(self.told.some & ~np.isin(self.fold, without))
        slopes, alone = (
            ascend(self.design[rows], self.rising, self.penalty, self.told, rows),
            own_rates(self.told, rows),
        )
        moved = slopes[0] - alone[0] + self.design[:, OWN_RATES:] @ slopes[OWN_RATES:]
        return np.clip(moved, -MOST, MOST), self.design[:, :OWN_RATES] @ alone


def _features(scores: Floats) -> list[Floats]:
    """A model's column as three of mean 0 and deviation 1: the log odds of its rank above and below the middle, which
    no monotone change of scale alters, and whether it says nothing."""
    silent = np.isnan(scores)
    _, place, ties = np.unique(scores[~silent], return_inverse=True, return_counts=True)
    rank = np.zeros(len(scores))
    rank[~silent] = log_odds(((np.cumsum(ties) - ties / 2) / max(len(place), 1))[place])
    says = [_standard(half(rank, 0.0), ~silent) for half in (np.maximum, np.minimum)]
    return [*says, _standard(silent.astype(float), np.ones(len(scores), bool))]


def _standard(column: Floats, of: Mask) -> Floats:
    """Of mean 0 where `of` and 0 elsewhere, with a deviation of 1 if it varies at all."""
    centred = np.where(of, column - (column[of].mean() if of.any() else 0.0), 0.0)
    spread = np.sqrt(np.mean(centred**2)) if len(centred) else 0.0
    return np.asarray(centred / spread if spread > 1e-9 else np.zeros_like(centred))
