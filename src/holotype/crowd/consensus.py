"""From votes to posteriors: hierarchical two-coin maximum a posteriori, and majority as the baseline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from holotype.crowd.ballot import Ballot, Floats, Ints
from holotype.crowd.confusion import LEAST, Gold, Schedule, maximise
from holotype.crowd.port import Answer


@dataclass(frozen=True, slots=True)
class Priors:
    """What is believed before any vote, and how many votes each belief weighs.

    `no_image` and `yes_image` are the chances of (no, unsure, yes) on an image that does not, or does, show the
    synset. They only start the population's estimate (`population_weight` votes), which in turn is the prior of
    every worker (`worker_weight` votes) and of every synset's difficulty (`difficulty_weight` votes). A synset's base
    rate, that of its tasks but gold, is drawn to that of all (`synset_weight` tasks).

    Votes are not independent given the truth: an ambiguous image fools everybody. So each vote counts as `discount` of
    an independent one. A vote on a gold task tells `gold_weight` times as much about its worker as one whose truth is
    itself inferred.
    """

    no_image: tuple[float, float, float] = (0.91, 0.03, 0.06)
    yes_image: tuple[float, float, float] = (0.30, 0.03, 0.67)
    population_weight: float = 40.0
    worker_weight: float = 4.0
    difficulty_weight: float = 500.0
    base_rate: float = 0.3
    synset_weight: float = 6.0
    discount: float = 0.9
    gold_weight: float = 20.0


@dataclass(frozen=True, slots=True)
class Consensus:
    """A fitted model.

    `posterior` ``(tasks,)`` is the probability of yes; `confusion` ``(workers, 2, 3)`` is each worker's chance of
    (no, unsure, yes) on a bad and on a good image, so sensitivity is ``[:, 1, 2]`` and specificity
    ``[:, 0, 0]``; `population` ``(2, 3)`` is the crowd's mean of it; `difficulty` ``(synsets, 2, 3)`` is that of each
    synset; `base_rates` is ``(synsets,)``.

    A posterior states what the model believes. It is not a measured precision: on real votes it over-states
    certainty.
    """

    posterior: Floats
    confusion: Floats
    population: Floats
    difficulty: Floats
    base_rates: Floats


class TwoCoinModel:
    """The maximisation step of `fit`, and the population, difficulties and base rates it found last."""

    def __init__(self, ballot: Ballot, priors: Priors, answers: tuple[Answer, ...] = tuple(Answer)) -> None:
        self._ballot, self._priors, self.discount = ballot, priors, priors.discount
        start = np.array([priors.no_image, priors.yes_image])[:, answers].T
        self._start = start / start.sum(axis=0)
        self._counts = ballot.counts() if ballot.synsets > 1 else None
        self._voted = np.flatnonzero((ballot.votes_per_task > 0) & ballot.asked_about)
        self._synset = ballot.synset[self._voted]
        self.population = self._start
        self.workers = np.broadcast_to(self._start, (ballot.workers, *self._start.shape))
        self.base_rates = np.full(ballot.synsets, priors.base_rate)
        self.difficulty = np.broadcast_to(self._start, (ballot.synsets, *self._start.shape))

    def first(self) -> Floats:
        """Where to start: one expectation step with the prior's confusion for every worker, ``(tasks, 2)``."""
        evidence = self._ballot.counts() @ (self._priors.discount * np.log(np.maximum(self._start, LEAST)))
        odds = evidence[:, 1] - evidence[:, 0] + prior_log_odds(self._ballot, self.base_rates)
        yes = 1 / (1 + np.exp(-np.clip(odds, -500, 500)))
        return np.stack([1 - yes, yes], axis=1)

    def confusion(self, counts: Floats) -> Floats:
        """Each worker's, drawn to the population's."""
        population = counts.sum(axis=0) + self._priors.population_weight * self._start
        self.population = population / population.sum(axis=0)
        workers = counts + self._priors.worker_weight * self.population
        self.workers = np.asarray(workers / workers.sum(axis=1, keepdims=True))
        return self.workers

    def offset(self, probas: Floats) -> Floats:
        """Base rates or the image's own prior, and the synset's difficulty."""
        self.base_rates = self._rates(probas[:, 1])
        odds = prior_log_odds(self._ballot, self.base_rates)
        if self._counts is not None:
            self.difficulty = self._difficulties(probas[:, 1], self._counts)
            ratio = self._priors.discount * np.log(self.difficulty / self.population)
            per_answer = (ratio[:, :, 1] - ratio[:, :, 0])[self._ballot.synset]
            odds = odds + np.einsum("ta,ta->t", self._counts, per_answer)
        return np.stack([np.zeros_like(odds), odds], axis=1)

    def _rates(self, yes: Floats) -> Floats:
        priors = self._priors
        good = np.bincount(self._synset, yes[self._voted], minlength=self._ballot.synsets)
        asked = np.bincount(self._synset, minlength=self._ballot.synsets)
        overall = (good.sum() + priors.base_rate) / (asked.sum() + 1)
        return np.asarray((good + priors.synset_weight * overall) / (asked + priors.synset_weight))

    def _difficulties(self, yes: Floats, given: Ints) -> Floats:
        """Chances of each answer in each synset, ``(synsets, answers, 2)``, drawn to the population's."""
        counts = np.empty((self._ballot.synsets, *self.population.shape))
        for answer in range(counts.shape[1]):
            for truth, chance in enumerate((1 - yes, yes)):
                weight = given[:, answer] * chance
                counts[:, answer, truth] = np.bincount(self._ballot.synset, weight, minlength=self._ballot.synsets)
        counts += self._priors.difficulty_weight * self.population
        return np.asarray(counts / counts.sum(axis=1, keepdims=True))


def prior_log_odds(ballot: Ballot, base_rates: Floats) -> Floats:
    """Log odds of yes before any vote, by the image's own prior or its synset's base rate: ``(tasks,)``, or ``(1,)``
    where all have the same."""
    alone = ballot.synsets == 1 and ballot.prior is None
    rate = base_rates if alone else base_rates[ballot.synset]
    if ballot.prior is not None:
        rate = np.where(np.isnan(ballot.prior), rate, np.clip(ballot.prior, LEAST, 1 - LEAST))
    return np.asarray(np.log(rate / (1 - rate)))


def fit(ballot: Ballot, priors: Priors = Priors(), schedule: Schedule = Schedule()) -> Consensus:
    """Hierarchical two-coin MAP over answers no, unsure, yes.

    Model: Dawid and Skene (1979) for two classes and three answers, with Dirichlet priors whose means are learned
    from the whole crowd, a base rate and a difficulty per synset, and clamped gold. A worker's chance of an answer in
    a synset is their own times the synset's over the population's. Empty ballots have empty or prior results.
    """
    model = TwoCoinModel(ballot, priors)
    gold = Gold.of(ballot.known, priors.gold_weight)
    start = model.first()
    if gold is not None:
        gold.impose(start)
    found = maximise(ballot.incidence(), start, model, ballot.answers, schedule, gold)
    return Consensus(
        found.probas[:, 1],
        model.workers.swapaxes(1, 2),
        model.population.T,
        model.difficulty.swapaxes(1, 2),
        model.base_rates,
    )


def majority(ballot: Ballot) -> npt.NDArray[np.bool_]:
    """Whether more votes say yes than no, ``(tasks,)``; unsure abstains and a tie is no."""
    return np.asarray(ballot.count(Answer.YES) > ballot.count(Answer.NO))
