"""From votes to posteriors: two-coin maximum a posteriori, and majority as the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.crowd.port import Answer

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer]

ANSWERS: Final = len(Answer)


@dataclass(frozen=True, slots=True)
class Ballot:
    """Votes as columns over dense indices, and the synset each task asks about.

    `task`, `worker` and `answer` are ``(votes,)``; `synset` is ``(tasks,)``; `workers` and `synsets` count both.
    """

    task: Ints
    worker: Ints
    answer: Ints
    synset: Ints
    workers: int
    synsets: int

    @property
    def votes_per_task(self) -> Ints:
        """Number of votes on each task, ``(tasks,)``."""
        return np.bincount(self.task, minlength=len(self.synset))

    def count(self, answer: Answer) -> Ints:
        """Number of votes of one kind on each task, ``(tasks,)``."""
        return np.bincount(self.task[self.answer == answer], minlength=len(self.synset))


@dataclass(frozen=True, slots=True)
class Priors:
    """What is believed before any vote, and how many votes each belief weighs.

    `no_image` and `yes_image` are the chances of (no, unsure, yes) on an image that does not, or does, show the
    synset. They only start the population's estimate (`population_weight` votes), which in turn is the prior of
    every worker (`worker_weight` votes). A synset's base rate is drawn to that of all (`synset_weight` tasks).
    """

    no_image: tuple[float, float, float] = (0.91, 0.03, 0.06)
    yes_image: tuple[float, float, float] = (0.30, 0.03, 0.67)
    population_weight: float = 40.0
    worker_weight: float = 8.0
    base_rate: float = 0.3
    synset_weight: float = 6.0


@dataclass(frozen=True, slots=True)
class Consensus:
    """A fitted model.

    `posterior` ``(tasks,)`` is the probability of yes; `confusion` ``(workers, 2, 3)`` is each worker's chance of
    (no, unsure, yes) on a bad and on a good image, so sensitivity is ``[:, 1, 2]`` and specificity
    ``[:, 0, 0]``; `population` ``(2, 3)`` is the crowd's mean of it; `base_rates` is ``(synsets,)``.

    A posterior states what the model believes. It is not a measured precision: on real votes it over-states
    certainty.
    """

    posterior: Floats
    confusion: Floats
    population: Floats
    base_rates: Floats


def fit(ballot: Ballot, priors: Priors = Priors(), tolerance: float = 1e-5, rounds: int = 200) -> Consensus:
    """Two-coin MAP-EM with population priors, a base rate per synset and three answers.

    Model: Dawid and Skene, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm"
    (1979), for two classes and answers no/unsure/yes, with Dirichlet priors whose means are learned from the
    whole crowd. E step: a task's log odds are those of its synset's base rate plus its votes' log likelihood
    ratios. M step: expected counts plus prior counts. Stops when no posterior moves more than `tolerance`.
    """
    start = np.array([priors.no_image, priors.yes_image])
    confusion = np.broadcast_to(start, (ballot.workers, 2, ANSWERS))
    population = start
    base_rates = np.full(ballot.synsets, priors.base_rate)
    voted = ballot.votes_per_task > 0
    cell = ballot.worker * ANSWERS + ballot.answer
    posterior = np.zeros(len(ballot.synset))
    for _ in range(rounds):
        before = posterior
        posterior = _expect(ballot, confusion, base_rates)
        confusion, population = _worker_counts(ballot, cell, posterior, start, priors)
        base_rates = _base_rates(ballot, posterior, voted, priors)
        if np.abs(posterior - before).max(initial=0) < tolerance:
            break
    return Consensus(posterior, confusion, population, base_rates)


def _expect(ballot: Ballot, confusion: Floats, base_rates: Floats) -> Floats:
    evidence = np.log(confusion[:, 1] / confusion[:, 0])[ballot.worker, ballot.answer]
    rate = base_rates[ballot.synset]
    odds = np.log(rate / (1 - rate)) + np.bincount(ballot.task, evidence, minlength=len(ballot.synset))
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -500, 500))))


def _worker_counts(
    ballot: Ballot, cell: Ints, posterior: Floats, start: Floats, priors: Priors
) -> tuple[Floats, Floats]:
    yes = posterior[ballot.task]
    cells = ballot.workers * ANSWERS
    counts = np.stack([np.bincount(cell, weight, minlength=cells) for weight in (1 - yes, yes)])
    counts = counts.reshape(2, ballot.workers, ANSWERS).swapaxes(0, 1)
    population = counts.sum(axis=0) + priors.population_weight * start
    population /= population.sum(axis=1, keepdims=True)
    confusion = counts + priors.worker_weight * population
    return confusion / confusion.sum(axis=2, keepdims=True), population


def _base_rates(ballot: Ballot, posterior: Floats, voted: npt.NDArray[np.bool_], priors: Priors) -> Floats:
    good = np.bincount(ballot.synset[voted], posterior[voted], minlength=ballot.synsets)
    asked = np.bincount(ballot.synset[voted], minlength=ballot.synsets)
    overall = (good.sum() + priors.base_rate) / (asked.sum() + 1)
    return np.asarray((good + priors.synset_weight * overall) / (asked + priors.synset_weight))


def majority(ballot: Ballot) -> npt.NDArray[np.bool_]:
    """Whether more votes say yes than no, ``(tasks,)``; unsure abstains and a tie is no."""
    return np.asarray(ballot.count(Answer.YES) > ballot.count(Answer.NO))
