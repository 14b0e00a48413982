"""What is left to pay: votes, hours and money to finish a campaign, with intervals."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import Ballot, Floats, Ints
from holotype.consensus.posteriors import fit
from holotype.crowd.conclusion import Policy
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Posterior, Table
from holotype.errors import CrowdError
from holotype.simulation.fitting import START, History, Kinds, Patterns, Weights, fit_kinds
from holotype.simulation.rehearsal import Prices, Simulation, Spent, Stage, draw_rows
from holotype.simulation.replay import open_tasks, play
from holotype.simulation.workers import Population

LEAST_TASKS: Final = 50
"""Tasks of a synset that are simulated at least, where it has as many."""

LEAST_WORKERS: Final = 30
"""Workers who are simulated at least, where there are as many."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The median of simulated outcomes, and their 5 % and 95 % quantiles."""

    low: float
    median: float
    high: float

    @classmethod
    def of(cls, outcomes: Sequence[float]) -> Interval:
        """That of some outcomes."""
        return cls(*(float(bound) for bound in np.quantile(outcomes, (0.05, 0.5, 0.95))))


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a policy still needs for `open` tasks: votes, hours of work, dollars.

    `elapsed` is in hours of the clock at the rate at which votes have come in so far, None before there are any.
    """

    policy: str
    open: int
    votes: Interval
    hours: Interval
    dollars: Interval
    elapsed: Interval | None


@dataclass(frozen=True, slots=True)
class Effort:
    """How often a campaign is simulated to its end, and on how many tasks at most."""

    runs: int = 50
    tasks: int = 1000


def forecast(
    history: History,
    population: Population,
    policy: Policy,
    prices: Prices,
    rng: np.random.Generator,
    effort: Effort = Effort(),
) -> Forecast:
    """What is left to spend until `policy` has no open task, by simulating it from the votes there are.

    `population` is best one fitted to this history. Every run draws its unknowns anew: what the crowd is like, by
    fitting it again to a bootstrap of the images, shares of bad, hard and good images per synset from Dirichlet
    distributions, the kind of each open image given its votes, and who will do the work, by a Bayesian bootstrap of the
    workers. The intervals hold what that leaves open, not that the crowd may change or the model be wrong.

    A posterior policy goes on with the belief about the crowd that the votes so far bear out most; choosing anew in
    every simulated round would cost ten times as much.

    Above `effort.tasks` tasks in synsets with open ones, each run simulates another sample, equally many of every
    synset, or whole ones of some, at least `LEAST_TASKS` each, with a like share of the workers, and scales what it
    spent.
    """
    ballot = history.ballot
    waiting = np.zeros(ballot.tasks, bool)
    waiting[open_tasks(policy.conclude(ballot))] = True
    outcomes = [Spent()]
    if waiting.any():
        patterns, stage = Patterns.of(ballot, by_synset=False), Stage(population, history.wnids)
        known = _with_belief(policy, ballot)
        end = _End(ballot, waiting, known, stage, patterns, fit_kinds(patterns), prices.page_size, effort.tasks)
        outcomes = [end.simulate(rng) for _ in range(effort.runs)]
    votes = [spent.votes for spent in outcomes]
    per_hour = history.votes_per_hour
    return Forecast(
        str(policy),
        int(waiting.sum()),
        Interval.of(votes),
        Interval.of([spent.seconds / 3600 for spent in outcomes]),
        Interval.of([prices.dollars(spent.pages) for spent in outcomes]),
        None if per_hour is None else Interval.of([count / per_hour for count in votes]),
    )


def _with_belief(policy: Policy, ballot: Ballot) -> Policy:
    """The policy with the belief that a ballot's votes bear out most, where it would choose among several."""
    if isinstance(policy, Imageable):
        return dataclasses.replace(policy, policy=_with_belief(policy.policy, ballot))
    if not isinstance(policy, Posterior) or policy.priors is not None:
        return policy
    return dataclasses.replace(policy, priors=fit(ballot).beliefs[0][0])


@dataclass(frozen=True, slots=True)
class _End:
    """What is simulated: the open tasks `waiting` ``(tasks,)`` of a ballot until none is, on at most `limit` tasks."""

    ballot: Ballot
    waiting: npt.NDArray[np.bool_]
    policy: Policy
    stage: Stage
    patterns: Patterns
    crowd: Kinds
    page_size: int
    limit: int

    def simulate(self, rng: np.random.Generator) -> Spent:
        """One way it may go."""
        tasks, scale = self._sample(rng)
        ballot = self.ballot.of_tasks(tasks)
        stage = self._bootstrap(rng)
        kinds = draw_rows(stage.kinds(ballot, self._shares(stage, rng)), rng)
        activity = self._activity(len(tasks), rng)
        simulation = Simulation(stage, activity, kinds, scale, self.page_size, rng)
        play(ballot, self.policy, simulation.ask)
        spent, stood_for = simulation.spent, float(scale @ self.waiting[tasks])
        factor = float(self.waiting.sum()) / stood_for if stood_for else 0.0
        return Spent(spent.votes * factor, spent.seconds * factor, spent.pages * factor)

    def _sample(self, rng: np.random.Generator) -> tuple[Ints, Floats]:
        """Tasks of synsets with open ones, and how many of its synset each stands for, ``(sample,)`` both."""
        synset, synsets = self.ballot.synset, self.ballot.synsets
        concerned = np.bincount(synset[self.waiting], minlength=synsets) > 0
        order = np.lexsort((rng.random(len(synset)), rng.permutation(synsets)[synset]))
        order = order[concerned[synset[order]]]
        sizes = np.bincount(synset[order], minlength=synsets)
        starts = np.flatnonzero(np.r_[True, synset[order][1:] != synset[order][:-1]])
        place = np.arange(len(order)) - np.repeat(starts, np.diff(np.r_[starts, len(order)]))
        most = max(self.limit // int(concerned.sum()), LEAST_TASKS)
        if len(order) > self.limit:
            if isinstance(self.policy.policy if isinstance(self.policy, Imageable) else self.policy, Table):
                raise CrowdError(
                    f"the seeds of {self.policy} are whole synsets, so {len(order):,} tasks cannot be forecast from a "
                    f"sample of {self.limit:,}: rehearse policies instead"
                )
            order = np.sort(order[place < most][: self.limit])
        taken = np.bincount(synset[order], minlength=synsets)
        return order, (sizes / np.maximum(taken, 1))[synset[order]]

    def _bootstrap(self, rng: np.random.Generator) -> Stage:
        """The crowd as it may be; without votes, only the shares of kinds are in doubt."""
        if not len(self.patterns.images):
            shares = np.maximum(self.stage.shares.mean(axis=0), 0.001)
            drawn = rng.dirichlet(Weights().share * shares)
            return self.stage.moved(Kinds(START.chances, shares[None]), Kinds(START.chances, drawn[None]))
        total = self.patterns.images.sum()
        again = rng.multinomial(total, self.patterns.images / total)
        return self.stage.moved(self.crowd, fit_kinds(dataclasses.replace(self.patterns, images=again), rounds=500))

    def _shares(self, stage: Stage, rng: np.random.Generator) -> Floats:
        """Shares of bad, hard and good images as they may be, ``(synsets, 3)``."""
        voted = self.ballot.synset[self.ballot.votes_per_task > 0]
        asked = np.bincount(voted, minlength=self.ballot.synsets)[:, None]
        shares = rng.gamma(np.maximum((asked + Weights().share) * stage.shares, 0.01))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))

    def _activity(self, tasks: int, rng: np.random.Generator) -> Floats:
        """How active the workers are, ``(workers,)``: fewer where tasks are only a sample, so that each votes as often
        as in the whole, which policies heed."""
        activity = self.stage.activity * rng.exponential(size=len(self.stage.activity))
        active = np.flatnonzero(activity)
        share = tasks / np.isin(self.ballot.synset, self.ballot.synset[self.waiting]).sum()
        rest = rng.permutation(active)[max(LEAST_WORKERS, round(share * len(active))) :]
        activity[rest] = 0
        return np.asarray(activity)
