"""From votes to posteriors: two-coin models of the beliefs that the votes bear out, averaged; and majority."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import Ballot, Floats, Ints
from holotype.consensus.beliefs import Fit, Shares, choose_beliefs, fit_belief
from holotype.consensus.cliques import as_one, find_cliques
from holotype.consensus.em import Schedule, log_odds
from holotype.consensus.joint import answers_of, by_machines, joint_prior, machines_of, people_of
from holotype.consensus.two_coin import Priors, TwoCoins
from holotype.consensus.votes import Answer

MOST_AVERAGED: Final = 500_000
"""Votes up to which all beliefs with a share are fitted; beyond, the likeliest one."""

VOTES_OF_A_WORKER: Final = 10
"""Votes whose fitting takes as long as fitting one worker more."""

LAPSE: Final = 0.005
"""How often what everybody sees in an image is not what the gloss means: no number of votes is surer than that."""

SCHEDULE: Final = Schedule(rounds=100, tolerance=1e-4)
SHORT: Final = Schedule(rounds=30, tolerance=1e-3)
"""That of ballots with more votes."""


@dataclass(frozen=True, slots=True)
class Consensus:
    """Fitted models, averaged by the shares of their `beliefs`.

    `posterior` ``(tasks,)`` is the probability of yes, `before` ``(tasks,)`` what it was before any vote, `evidence`
    ``(tasks,)`` how much likelier the votes are on a good image than on a bad one, in logs; where all are unsure they
    say nothing. `confusion`
    ``(workers, 2, 3)`` is each worker's chance of (no, unsure, yes) on a bad and on a good image, so sensitivity is
    ``[:, 1, 2]`` and specificity ``[:, 0, 0]``; `population` ``(2, 3)`` is the crowd's mean of it. `base_rates` is
    ``(synsets,)``, `hard` the share of images that fool everybody. `cliques` are sets of workers who answer as one.
    `apart` ``(tasks,)`` is by how much the beliefs' posteriors differ (standard deviation), `rounds` the most that
    one took. Machines are heard before people: `machines` ``(tasks,)`` is what they add to the log odds, and `evidence`
    is of people's votes alone.

    A posterior states what the models believe. It is not a measured precision: on real votes it over-states
    certainty.
    """

    posterior: Floats
    before: Floats
    evidence: Floats
    apart: Floats
    confusion: Floats
    population: Floats
    base_rates: Floats
    hard: float
    beliefs: Shares
    cliques: tuple[tuple[int, ...], ...]
    rounds: int
    machines: Floats


@dataclass(frozen=True, slots=True)
class Fits:
    """A ballot's models: the `ballot` they heard, in which each of the `cliques` is one worker, and a fit and its share
    for each belief, the largest first; and the votes of machines, if there are any, with what those add to the log odds
    of every task, ``(tasks,)``."""

    ballot: Ballot
    fits: tuple[tuple[Fit, float], ...]
    cliques: tuple[Ints, ...]
    machines: tuple[Ballot, Floats] | None = None

    def mean(self, value: Callable[[Fit], Floats]) -> Floats:
        """A value of every fit, averaged by their shares."""
        return np.asarray(sum(share * value(fit) for fit, share in self.fits))


def fit(ballot: Ballot, priors: Priors | None = None) -> Consensus:
    """Hierarchical two-coin over answers no, unsure, yes, under beliefs that the votes bear out, or one that is given.

    Model: Dawid and Skene (1979) for two classes and three answers; Dirichlet priors whose means are learned from the
    whole crowd and whose weights are chosen by held-out votes (`holotype.consensus.beliefs`); images that fool
    everybody; a base rate per synset and batch; clamped gold; cliques that have one vote
    (`holotype.consensus.cliques`). Workers who are machines are one voter together (`holotype.consensus.joint`), which
    people's votes and gold teach and which teaches nobody. Empty ballots have empty or prior results.
    """
    return average(fit_all(ballot, priors))


def fit_all(ballot: Ballot, priors: Priors | None = None) -> Fits:
    """The models that `fit` averages; beyond `MOST_AVERAGED` votes only that of the belief with the largest share."""
    people = people_of(ballot)
    alone = _fit_people(people, priors)
    return alone if people is ballot else _with_machines(ballot, alone)


def _fit_people(ballot: Ballot, priors: Priors | None) -> Fits:
    cliques, schedule = find_cliques(ballot), SCHEDULE
    heard = as_one(ballot, cliques)
    said = said_something(heard) | ~heard.asked_about
    if not said.all():
        heard = heard.keep(said[heard.task])  # what nobody is sure of teaches nothing about anybody
    beliefs = choose_beliefs(heard) if priors is None else ((priors, 1.0, None),)
    if is_large(len(heard.task), heard.workers):
        beliefs, schedule = ((beliefs[0][0], 1.0, beliefs[0][2]),), SHORT
    fits = tuple((fit_belief(heard, belief, schedule, near), share) for belief, share, near in beliefs)
    return Fits(heard, fits, tuple(cliques))


def is_large(votes: int, workers: int) -> bool:
    """Whether only the likeliest belief is fitted to so many votes by so many workers."""
    return votes + VOTES_OF_A_WORKER * workers > MOST_AVERAGED


def _with_machines(ballot: Ballot, alone: Fits) -> Fits:
    """The models of people's votes fitted again, with what machines say before any vote."""
    people, heard = average(alone), alone.ballot
    found = joint_prior(answers_of(ballot), heard, people.posterior, people.before).prior
    moved = np.where(np.isnan(found), 0.0, log_odds(found) - log_odds(people.before))
    own = np.full(heard.tasks, np.nan) if heard.prior is None else heard.prior
    helped, fits = replace(heard, prior=np.where(np.isnan(found), own, found)), alone.fits
    if moved.any():
        schedule = SHORT if is_large(len(heard.task), heard.workers) else SCHEDULE
        fits = tuple((fit_belief(helped, fit.model.priors, schedule, fit), share) for fit, share in fits)
    return Fits(helped, fits, alone.cliques, (ballot.keep(by_machines(ballot)), moved))


def average(fits: Fits) -> Consensus:
    """What the models say together."""
    ballot = fits.ballot
    shares, models = [share for _, share in fits.fits], [fit.model for fit, _ in fits.fits]
    said = mixed(ballot, shares, [fit.yes for fit, _ in fits.fits], [model.before for model in models])
    posterior, before = said.posterior, said.before
    confusion = confusion_of(models, shares, fits.cliques)
    machines = np.zeros(ballot.tasks)
    if fits.machines is not None:
        votes, machines = fits.machines
        numbers = machines_of(votes)
        confusion[numbers] = _confusion(votes, posterior)[numbers]
    return Consensus(
        posterior=posterior,
        before=before,
        evidence=said.evidence,
        apart=said.apart,
        confusion=confusion,
        population=fits.mean(lambda fit: fit.model.population.T),
        base_rates=_of_synsets(ballot, before),
        hard=float(fits.mean(lambda fit: np.array(fit.model.hard))),
        beliefs=tuple((fit.model.priors, share) for fit, share in fits.fits),
        cliques=tuple(tuple(clique.tolist()) for clique in fits.cliques),
        rounds=max(fit.found.rounds for fit, _ in fits.fits),
        machines=machines,
    )


@dataclass(frozen=True, slots=True)
class Said:
    """What several models say of tasks together, ``(tasks,)`` each, as `Consensus` has it."""

    posterior: Floats
    before: Floats
    evidence: Floats
    apart: Floats


def mixed(ballot: Ballot, shares: Sequence[float], yes: Sequence[Floats], before: Sequence[Floats]) -> Said:
    """What models with these shares say of a ballot's tasks; `yes` and `before` are the chances of each model, after
    the votes and before any, ``(tasks,)``."""

    def mean(values: Iterable[Floats]) -> Floats:
        return np.asarray(sum(share * value for share, value in zip(shares, values, strict=True)))

    found, first = mean(yes), mean(before)
    told = mean(log_odds(chance) - log_odds(alone) for chance, alone in zip(yes, before, strict=True))
    evidence = np.where(said_something(ballot), told, 0.0)
    return Said(posterior_of(ballot, found, first), first, evidence, np.sqrt(mean((one - found) ** 2 for one in yes)))


def confusion_of(models: Sequence[TwoCoins], shares: Sequence[float], cliques: Sequence[Ints]) -> Floats:
    """Each worker's chances of every answer on a bad and on a good image, ``(workers, 2, answers)``, of models with
    these shares; members of a clique have those of its first."""
    parts = (share * model.workers.swapaxes(1, 2) for share, model in zip(shares, models, strict=True))
    confusion = np.asarray(sum(parts))
    for clique in cliques:
        confusion[clique] = confusion[clique[0]]
    return confusion


def _confusion(ballot: Ballot, posterior: Floats) -> Floats:
    """How often each worker gave each answer on bad and on good images, a vote on each cell more, as `Consensus` has
    it."""
    cells = ballot.worker.astype(np.int64) * ballot.answers + ballot.answer
    sides = [
        np.bincount(cells, chance[ballot.task], minlength=ballot.workers * ballot.answers)
        for chance in (1 - posterior, posterior)
    ]
    counts = np.stack(sides, axis=1).reshape(ballot.workers, ballot.answers, 2).swapaxes(1, 2) + 1 / ballot.answers
    return np.asarray(counts / counts.sum(axis=2, keepdims=True))


def posterior_of(ballot: Ballot, found: Floats, before: Floats) -> Floats:
    """What is believed of each task, ``(tasks,)``, of what models `found` and what was believed `before`.

    Lapses are never excluded, and what nobody is sure of stays as it was.
    """
    told = np.where(said_something(ballot), (1 - LAPSE) * found + LAPSE * before, before)
    return np.asarray(np.where(ballot.asked_about, told, found))


def said_something(ballot: Ballot) -> npt.NDArray[np.bool_]:
    """Whether a task has a vote that is not unsure, ``(tasks,)``."""
    return np.asarray(ballot.votes_per_task > ballot.count(Answer.UNSURE))


def _of_synsets(ballot: Ballot, before: Floats) -> Floats:
    """The mean chance of yes before any vote over each synset's tasks that are asked about, ``(synsets,)``."""
    asked = ballot.asked_about.astype(np.float64)
    sums, sizes = (np.bincount(ballot.synset, by, minlength=ballot.synsets) for by in (asked * before, asked))
    return np.asarray(np.where(sizes > 0, sums / np.maximum(sizes, 1), Priors().base_rate))


def majority(ballot: Ballot) -> npt.NDArray[np.bool_]:
    """Whether more votes say yes than no, ``(tasks,)``; unsure abstains and a tie is no."""
    return np.asarray(ballot.count(Answer.YES) > ballot.count(Answer.NO))
