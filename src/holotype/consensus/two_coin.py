"""Two coins a worker, images that fool everybody, and base rates: the model that one belief about a crowd makes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from holotype.consensus.ballot import UNKNOWN, Ballot, Floats, Ints
from holotype.consensus.em import LEAST, evidence, normalised
from holotype.consensus.votes import Answer

if TYPE_CHECKING:
    from scipy.sparse import csr_array

LEAST_INFORMATION: Final = 0.2
"""Sensitivity less false yes of a worker whose answers tell something."""

PLAIN: Final = 2
"""Kinds of image where none is hard: bad and good. With hard ones there are four: bad, good, hard bad, hard good."""


@dataclass(frozen=True, slots=True)
class Priors:
    """A belief about a crowd before any vote, and how many votes each part of it weighs.

    `sensitivity` is the chance of yes on a good image where not unsure, `false_yes` that on a bad one, `unsure` that of
    an unsure. They start the population's estimate (`population_weight` votes), which in turn is the prior of every
    worker: `worker_weight` says how alike workers are, from 1, each their own, to 1000, all alike. A synset's
    difficulty is likewise drawn to none (`difficulty_weight` votes; infinite: all synsets are as hard).

    A share of the images, `hard` before any vote (`hard_weight` images; 0: there are none), fools everybody: on those
    a worker answers as if it were of the other kind with chance `slip`. So many votes on a hard image say little.

    The base rate of a synset's tasks in a batch is drawn to that of the batch (`synset_weight` tasks), which is drawn
    to that of all (`batch_weight`), which begins at `base_rate`. Gold says nothing of base rates: somebody chose it.
    """

    sensitivity: float = 0.67
    false_yes: float = 0.06
    unsure: float = 0.03
    population_weight: float = 100.0
    worker_weight: float = 30.0
    difficulty_weight: float = np.inf
    hard: float = 0.1
    hard_weight: float = 20.0
    slip: float = 0.3
    base_rate: float = 0.3
    synset_weight: float = 6.0
    batch_weight: float = 2.0

    def __str__(self) -> str:
        values = ", ".join(f"{field.name}={getattr(self, field.name)}" for field in dataclasses.fields(self))
        return f"priors({values})"

    @property
    def kinds(self) -> int:
        """Kinds of image: two, or four where some are hard."""
        return 2 * PLAIN if self.hard else PLAIN

    @property
    def chances(self) -> Floats:
        """Chance of each answer on a bad and on a good image, ``(answers, 2)``."""
        sure = 1 - self.unsure
        yes = np.array([self.false_yes, self.sensitivity])
        return np.stack([sure * (1 - yes), np.full(2, self.unsure), sure * yes])

    def with_hard(self, plain: Floats) -> Floats:
        """Chances on bad and good images, ``(..., 2)``, as chances on all kinds, ``(..., kinds)``."""
        if not self.hard:
            return plain
        return np.concatenate([plain, (1 - self.slip) * plain + self.slip * plain[..., ::-1]], axis=-1)


@dataclass(frozen=True, slots=True)
class Shape:
    """The axes of a model that are not its tasks: how many workers and synsets, the tasks asked about that have votes
    in every group, ``(groups,)``, and each group's batch (`Ballot.groups`)."""

    workers: int
    synsets: int
    sizes: Floats
    batch: Ints


@dataclass(frozen=True, slots=True)
class Sums:
    """What a maximisation step goes by beside votes: sums over tasks, so that those of parts add up.

    `good` ``(groups,)`` is how many tasks asked about are expected to be good, `hard` how many to be hard;
    `difficulty` ``(synsets, answers, 2)`` how often each answer was given on bad and on good ones, None where synsets
    are as hard as each other.
    """

    good: Floats
    hard: float
    difficulty: Floats | None

    def __add__(self, other: Sums) -> Sums:
        both = None if self.difficulty is None or other.difficulty is None else self.difficulty + other.difficulty
        return Sums(self.good + other.good, self.hard + other.hard, both)


class TwoCoins:
    """The maximisation step of one belief, from sums over tasks, and what it found last.

    `workers` ``(workers, answers, 2)`` and `population` ``(answers, 2)`` are chances of answers on bad and good images,
    `difficulty` ``(synsets, answers, 2)`` those of each synset; `hard` is the share of hard images.

    A worker is never believed to say yes less often on good images than on bad ones, nor is the population.
    """

    def __init__(self, priors: Priors, shape: Shape) -> None:
        self.priors, self._shape = priors, shape
        self.learns_difficulty = shape.synsets > 1 and bool(np.isfinite(priors.difficulty_weight))
        self._batch_sizes = np.bincount(shape.batch, shape.sizes)
        self.population = priors.chances
        self._start = priors.population_weight * self.population
        self.workers = np.broadcast_to(self.population, (shape.workers, *self.population.shape))
        self.difficulty = np.broadcast_to(self.population, (shape.synsets, *self.population.shape))
        self._rate = np.full(len(shape.batch), priors.base_rate)
        self.hard = priors.hard

    @property
    def group_rates(self) -> Floats:
        """The base rate of every group of the ballot (`Ballot.groups`), ``(groups,)``."""
        return self._rate

    @property
    def learned_difficulty(self) -> Floats | None:
        """`difficulty` where it was learned."""
        return self.difficulty if self.learns_difficulty else None

    def take_up(self, workers: Floats) -> None:
        """Begin with what was found of the first workers, ``(workers, answers, 2)``."""
        self.workers = np.concatenate([workers, self.workers[len(workers) :]])

    def number_workers(self, numbers: Ints, workers: int) -> None:
        """Give the workers the numbers ``(workers,)`` they have among more, who are as the population."""
        everybody = np.broadcast_to(self.population, (workers, *self.population.shape)).copy()
        everybody[numbers] = self.workers
        self.workers = everybody

    def begin_at(self, base_rate: float) -> None:
        """Believe that every group has a base rate."""
        self._rate = np.full(len(self._rate), base_rate)

    def confusion(self, counts: Floats) -> Floats:
        """Each worker's chances on every kind, drawn to the population's, ``(workers, answers, kinds)``."""
        plain = self._as_plain(counts)
        population = plain.sum(axis=0) + self._start
        self.population = _no_worse_than_chance(population / population.sum(axis=0))
        self._drawn = self.population * self.priors.worker_weight
        workers = plain + self._drawn
        self.workers = _no_worse_than_chance(workers / workers.sum(axis=1, keepdims=True))
        return self.priors.with_hard(self.workers)

    def learn(self, sums: Sums) -> None:
        """Base rates, the share of hard images and synsets' difficulty, from what posteriors add up to."""
        self._rate = self._rates(sums.good)
        if self.priors.hard:
            hard = sums.hard + self.priors.hard_weight * self.priors.hard
            self.hard = hard / (float(self._shape.sizes.sum()) + self.priors.hard_weight)
        if sums.difficulty is not None:
            counts = sums.difficulty + self.priors.difficulty_weight * self.population
            self.difficulty = np.asarray(counts / counts.sum(axis=1, keepdims=True))

    @property
    def workers_chance(self) -> float:
        """The log chance of workers and population, but for a constant."""
        return float((np.log(np.maximum(self.workers, LEAST)) * self._drawn).sum()) + self.strain

    @property
    def strain(self) -> float:
        """How far the population was drawn from the belief, in logs of the chance that the belief gives it: 0 or less.

        That of the most likely population is 0.
        """
        ratio = np.log(np.maximum(self.population, LEAST) / self.priors.chances)
        return float((self._start * ratio).sum())

    def _as_plain(self, counts: Floats) -> Floats:
        """Counts of answers on every kind as those on bad and good images, ``(workers, answers, 2)``.

        An answer on a hard image counts for the kind as which it was answered.
        """
        if not self.priors.hard:
            return counts
        as_it_is = (1 - self.priors.slip) * self.workers
        as_other = self.priors.slip * self.workers[..., ::-1]
        faithful = as_it_is / np.maximum(as_it_is + as_other, LEAST)
        hard = counts[..., PLAIN:]
        return np.asarray(counts[..., :PLAIN] + faithful * hard + ((1 - faithful) * hard)[..., ::-1])

    def _rates(self, good: Floats) -> Floats:
        """The base rate of every group, which is a synset's tasks in a batch, ``(groups,)``."""
        priors, sizes, batch = self.priors, self._shape.sizes, self._shape.batch
        overall = (good.sum() + priors.base_rate) / (sizes.sum() + 1)
        of_batch = np.bincount(batch, good, minlength=len(self._batch_sizes)) + priors.batch_weight * overall
        of_batch /= self._batch_sizes + priors.batch_weight
        return np.asarray((good + priors.synset_weight * of_batch[batch]) / (sizes + priors.synset_weight))


class TwoCoinModel(TwoCoins):
    """The maximisation step (see `holotype.consensus.em.Model`) of one belief about the votes of a ballot."""

    def __init__(self, ballot: Ballot, priors: Priors) -> None:
        self._ballot = ballot
        self._asked = voted_on(ballot)
        self._group, batch = ballot.groups()
        sizes = np.asarray(np.bincount(self._group, self._asked, minlength=len(batch)), np.float64)
        super().__init__(priors, Shape(ballot.workers, ballot.synsets, sizes, batch))
        self._counts = ballot.counts() if self.learns_difficulty else None
        self._one = len(batch) == 1 and ballot.prior is None

    @property
    def before(self) -> Floats:
        """The chance of yes before any vote, by the image's own prior or its base rate, ``(tasks,)``."""
        return before_votes(self._rate[self._group], self._ballot.prior)

    def first(self, base_rate: float) -> Floats:
        """Where to start: one expectation step in which all but the base rate is as believed, ``(tasks, kinds)``."""
        self.begin_at(base_rate)
        chances = np.log(np.maximum(self.priors.with_hard(self.population), LEAST))
        return normalised(self._ballot.counts() @ chances + self._prior_odds())

    def with_workers(self, votes: csr_array) -> Floats:
        """Where to start with the workers that were taken up, ``(tasks, kinds)``; `votes` is the incidence."""
        return normalised(evidence(votes, self.priors.with_hard(self.workers)) + self._prior_odds())

    def log_chance(self, scores: Floats) -> float:
        """The log chance of votes, workers and population, but for a constant; what maximisation raises.

        `scores` ``(tasks, kinds)`` are the logs of the votes' likelihoods on every kind.
        """
        return chance_of_votes(scores + self._offset, self._ballot.known) + self.workers_chance

    @property
    def useless(self) -> float:
        """The share of the votes that are by workers who say yes hardly more often to good images than to bad ones."""
        votes = np.bincount(self._ballot.worker, minlength=self._ballot.workers)
        return useless_votes(votes, self.workers[:, Answer.YES, 1] - self.workers[:, Answer.YES, 0])

    def offset(self, probas: Floats) -> Floats:
        """Base rates or the image's own prior, the share of hard images, and the synset's difficulty."""
        self.learn(sums_of(self._ballot, probas, self._group, len(self._rate), self._asked, self._counts))
        odds = self._prior_odds()
        if self._counts is not None:
            ratio = np.log(self.difficulty / self.population)[self._ballot.synset]
            odds = odds + difficulty_odds(self._counts, ratio, self.priors)
        self._offset = odds
        return odds

    def _prior_odds(self) -> Floats:
        """Logs of every kind's chance before any vote, ``(tasks, kinds)``, or ``(1, kinds)`` if all have the same."""
        return prior_odds(self._rate if self._one else self.before, self.hard, self.priors)


def voted_on(ballot: Ballot) -> Floats:
    """1 for a task that is asked about and has votes, else 0, ``(tasks,)``."""
    return (ballot.asked_about & (ballot.votes_per_task > 0)).astype(np.float64)


def sums_of(ballot: Ballot, probas: Floats, group: Ints, groups: int, asked: Floats, counts: Ints | None) -> Sums:
    """What the posteriors `probas` ``(tasks, kinds)`` of a ballot's tasks add up to.

    `group` ``(tasks,)`` is that of each task, `asked` ``(tasks,)`` as `voted_on`; with `counts` ``(tasks, answers)``,
    the votes on each task, synsets have a difficulty of their own.
    """
    some = probas.shape[1] > PLAIN
    yes = probas[:, 1] + probas[:, 3] if some else probas[:, 1]
    good = np.asarray(np.bincount(group, yes * asked, minlength=groups), np.float64)
    hard = float(asked @ (probas[:, 2] + probas[:, 3])) if some else 0.0
    return Sums(good, hard, None if counts is None else _answers_given(ballot, yes, counts))


def _answers_given(ballot: Ballot, yes: Floats, given: Ints) -> Floats:
    """How often each answer was given on bad and on good images in each synset, ``(synsets, answers, 2)``."""
    counts = np.empty((ballot.synsets, ballot.answers, PLAIN))
    for answer in range(ballot.answers):
        for truth, chance in enumerate((1 - yes, yes)):
            weight = given[:, answer] * chance
            counts[:, answer, truth] = np.bincount(ballot.synset, weight, minlength=ballot.synsets)
    return counts


def chance_of_votes(scores: Floats, known: Ints | None) -> float:
    """The log chance of votes, of which `scores` ``(tasks, kinds)`` are the logs of every kind's chance with them.

    `known` ``(tasks,)`` is the class of gold. `scores` are used up.
    """
    if known is not None:
        rows = np.flatnonzero(known != UNKNOWN)
        scores[rows] = np.where(np.arange(scores.shape[1]) % PLAIN == known[rows, None], scores[rows], -np.inf)
    top = scores.max(axis=1, initial=-np.inf)
    return float((top + np.log(np.exp(scores - top[:, None]).sum(axis=1))).sum())


def before_votes(rates: Floats, own: Floats | None) -> Floats:
    """The chance of yes before any vote, by an image's `own` prior where it has one, or its base rate, ``(tasks,)``."""
    return rates if own is None else np.where(np.isnan(own), rates, np.clip(own, LEAST, 1 - LEAST))


def prior_odds(before: Floats, hard: float, priors: Priors) -> Floats:
    """Logs of every kind's chance before any vote, ``(tasks, kinds)``; `hard` is the share of hard images."""
    rate = np.clip(before, LEAST, 1 - LEAST)
    plain = np.log(np.stack([1 - rate, rate], axis=1))
    if not priors.hard:
        return np.asarray(plain)
    return np.concatenate([plain + np.log1p(-hard), plain + np.log(hard)], axis=1)


def difficulty_odds(counts: Ints, ratio: Floats, priors: Priors) -> Floats:
    """What a synset's difficulty adds to the logs of every kind, ``(tasks, kinds)``.

    `counts` ``(tasks, answers)`` are a task's votes, `ratio` ``(tasks, answers, 2)`` the logs of its synset's chances
    over the population's.
    """
    return np.tile(np.einsum("ta,tac->tc", counts, ratio), priors.kinds // PLAIN)


def useless_votes(votes: Ints, information: Floats) -> float:
    """The share of the votes by workers whose `information` ``(workers,)``, sensitivity less false yes, tells nothing;
    0 without votes. `votes` ``(workers,)`` is how many each cast."""
    return float(votes[information < LEAST_INFORMATION].sum() / max(votes.sum(), 1))


def _no_worse_than_chance(chances: Floats) -> Floats:
    """Chances ``(..., answers, 2)``, alike on bad and good images where yes would speak for a bad one."""
    odds = chances[..., Answer.YES, :] * chances[..., Answer.NO, ::-1]
    inverted = odds[..., 1] < odds[..., 0]
    if not inverted.any():
        return chances
    return np.where(inverted[..., None, None], chances.mean(axis=-1, keepdims=True), chances)
