"""The consensus of more votes than fit in memory, shard by shard: what `holotype.consensus.posteriors.fit` finds.

What it takes from all votes are sums over tasks, so a round of expectation maximisation is a pure function of each
shard and of what is believed of workers and synsets; its sums go back, and the maximisation step is of them alone.
Cliques and beliefs are found on the same samples of votes as where all are in memory. Sums are taken in the order of
shards, whoever computes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from holotype.consensus.ballot import Ballot, Floats, Ints
from holotype.consensus.beliefs import STARTS, Chosen, Fit, choose_by, most_compared, of_few
from holotype.consensus.cliques import as_one, cliques_among, compared, known_right, right_on_gold, sure_votes
from holotype.consensus.em import Gold, Schedule, expected_counts, normalised
from holotype.consensus.posteriors import SCHEDULE, SHORT, Said, confusion_of, is_large, mixed, said_something
from holotype.consensus.recall import Learned, group_keys
from holotype.consensus.shards import Shard, joined
from holotype.consensus.two_coin import (
    PLAIN,
    Priors,
    Shape,
    Sums,
    TwoCoins,
    before_votes,
    chance_of_votes,
    sums_of,
    voted_on,
)
from holotype.engine import map_batches

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Believed = Learned | Floats
"""What posteriors come from: what was learned of workers and synsets, or posteriors of all tasks, ``(tasks, kinds)``,
where a fit of the same votes begins."""


@dataclass(frozen=True, slots=True)
class Census:
    """What is counted of all votes before any model: of every worker the `votes` and those on tasks that others voted
    on too (`shared`), ``(workers,)`` each, and `right_on_gold`; how many are not unsure; and the keys of all groups,
    ``(groups,)``."""

    votes: Ints
    shared: Ints
    on_gold: tuple[Ints, Ints]
    sure: int
    groups: Ints

    def __add__(self, other: Census) -> Census:
        gold = self.on_gold[0] + other.on_gold[0], self.on_gold[1] + other.on_gold[1]
        groups = np.union1d(self.groups, other.groups)
        return Census(self.votes + other.votes, self.shared + other.shared, gold, self.sure + other.sure, groups)


@dataclass(frozen=True, slots=True)
class ShardFit:
    """One belief fitted: the model, what its last posteriors came `of`, and the rounds it took."""

    model: TwoCoins
    of: Believed
    rounds: int


@dataclass(frozen=True, slots=True)
class ShardFits:
    """The models of all shards' votes, as `holotype.consensus.posteriors.Fits`: the shards that they `heard`, in which
    each of the `cliques` is one worker, and the `census` of those that were cast."""

    heard: tuple[Shard, ...]
    fits: tuple[tuple[ShardFit, float], ...]
    cliques: tuple[Ints, ...]
    census: Census

    @property
    def confusion(self) -> Floats:
        """As `holotype.consensus.posteriors.Consensus.confusion`."""
        shares = [share for _, share in self.fits]
        return confusion_of([fit.model for fit, _ in self.fits], shares, self.cliques)

    @property
    def population(self) -> Floats:
        """As `holotype.consensus.posteriors.Consensus.population`."""
        return np.asarray(sum(share * fit.model.population.T for fit, share in self.fits))

    @property
    def told(self) -> list[tuple[Believed, Floats, float]]:
        """What it takes to say what the models say of a shard (`said_of`)."""
        return [(fit.of, fit.model.group_rates, share) for fit, share in self.fits]

    @property
    def recalled(self) -> tuple[Learned, ...]:
        """What was learned by every belief."""
        return tuple(Learned.of_model(fit.model, share) for fit, share in self.fits)


def fit_shards(shards: Sequence[Shard], folder: Path, priors: Priors | None = None) -> ShardFits:
    """The models that `holotype.consensus.posteriors.fit_all` fits to people's votes, of votes in shards.

    `folder` is for shards of what is heard of them. Machines' votes are not for this: they are one voter together, of
    whom all votes tell.
    """
    census = total(list(map_batches(census_of, shards)))
    cliques = _cliques(shards, census)
    write = partial(_heard, folder=folder, cliques=cliques, groups=census.groups)
    heard, sizes = zip(*map_batches(write, shards), strict=True)
    votes, workers = sum(shard.votes for shard in heard), len(census.votes)
    shape = Shape(workers, shards[0].synsets, np.sum(sizes, axis=0), _batches(census.groups, shards[0]))
    beliefs: Chosen = _beliefs(heard, workers) if priors is None else ((priors, 1.0, None),)
    schedule = SCHEDULE
    if is_large(votes, workers):
        beliefs, schedule = ((beliefs[0][0], 1.0, beliefs[0][2]),), SHORT
    fits = tuple((_fit_belief(heard, shape, priors, schedule, near), share) for priors, share, near in beliefs)
    return ShardFits(tuple(heard), fits, tuple(cliques), census)


def total(parts: Sequence[Census]) -> Census:
    """What all parts come to; there is one at least."""
    found = parts[0]
    for part in parts[1:]:
        found = found + part
    return found


def census_of(shard: Shard) -> Census:
    """What is counted of a shard."""
    ballot = shard.read()
    shared = ballot.worker[ballot.votes_per_task[ballot.task] >= 2]
    votes, company = (np.bincount(worker, minlength=ballot.workers) for worker in (ballot.worker, shared))
    groups = np.arange(ballot.synsets) if ballot.batch is None else np.unique(group_keys(ballot))
    return Census(votes, company, right_on_gold(ballot), sure_votes(ballot), groups)


def _batches(groups: Ints, shard: Shard) -> Ints:
    """The batch of each group."""
    return np.asarray(groups // max(shard.synsets, 1))


# Cliques and beliefs, on samples


def _cliques(shards: Sequence[Shard], census: Census) -> list[Ints]:
    parts = list(map_batches(partial(_compared, sure=census.sure), shards))
    return cliques_among(joined(parts), known_right(*census.on_gold))


def _compared(shard: Shard, sure: int) -> Ballot:
    """The tasks and votes of a shard by which workers are compared."""
    ballot = shard.read()
    some = ballot.keep(compared(ballot, sure, shard.start))
    return some.of_tasks(np.unique(some.task))


def _heard(shard: Shard, folder: Path, cliques: list[Ints], groups: Ints) -> tuple[Shard, Ints]:
    """What models hear of a shard, with the group of every task; and the tasks asked about of every group that have
    votes then."""
    ballot = as_one(shard.read(), cliques)
    said = said_something(ballot) | ~ballot.asked_about
    ballot = ballot.keep(said[ballot.task])  # what nobody is sure of teaches nothing about anybody
    group = np.searchsorted(groups, group_keys(ballot))
    sizes = np.bincount(group, voted_on(ballot), minlength=len(groups))
    return shard.write(folder / f"heard-{shard.path.name}", ballot, group), sizes


def _beliefs(heard: Sequence[Shard], workers: int) -> Chosen:
    """The beliefs that a sample of the votes bears out: the one that `choose_beliefs` draws."""
    rng, most = np.random.default_rng(0), most_compared(workers)
    if sum(shard.votes for shard in heard) <= most:
        whole = joined([shard.read() for shard in heard])
        return choose_by(whole, np.arange(workers), workers, rng)
    chosen = _drawn(heard, most, rng)
    return choose_by(*of_few(joined(list(map_batches(partial(_of_tasks, chosen=chosen), heard)))), rng)


def _drawn(heard: Sequence[Shard], most: int, rng: np.random.Generator) -> Ints:
    """The first tasks, sorted, of a random order that have more than `most` votes."""
    tasks = heard[-1].stop
    order, size = rng.permutation(np.arange(tasks, dtype=np.int32)), most
    while True:
        first = order[:size]
        cast = np.empty(len(first), np.int64)
        for shard in heard:
            mine = np.flatnonzero((first >= shard.start) & (first < shard.stop))
            cast[mine] = shard.votes_per_task()[first[mine] - shard.start]
        votes = np.cumsum(cast)
        if votes[-1] >= most or size >= tasks:
            return np.sort(first[: int(np.searchsorted(votes, most)) + 1])
        size *= 4


def _of_tasks(shard: Shard, chosen: Ints) -> Ballot:
    """The chosen tasks of a shard, of all, sorted, and the votes on them."""
    mine = chosen[np.searchsorted(chosen, shard.start) : np.searchsorted(chosen, shard.stop)]
    return shard.read().of_tasks(mine.astype(np.int64) - shard.start)


# Expectation maximisation


@dataclass(frozen=True, slots=True)
class Expected:
    """What an expectation step finds in a shard, or in several: how often each worker gave each answer on each kind of
    image, ``(workers, answers, kinds)``, sums over tasks, and by how much a posterior moved at most."""

    counts: Floats
    sums: Sums
    moved: float

    def __add__(self, other: Expected) -> Expected:
        return Expected(self.counts + other.counts, self.sums + other.sums, max(self.moved, other.moved))


def expect(shard: Shard, now: Believed, before: Believed | None, groups: int, learns_difficulty: bool) -> Expected:
    """The expectation step of a shard: what posteriors come to by what is believed `now`, and how far they moved from
    what was believed `before`. A pure function; so many `groups` have base rates."""
    heard = _Heard.of(shard)
    ballot, probas, moved = heard.ballot, _posteriors(heard, now), 0.0
    if before is not None:
        moved = float(np.abs(probas - _posteriors(heard, before)).max(initial=0))
    counts = ballot.counts() if learns_difficulty else None
    sums = sums_of(ballot, probas, heard.group, groups, voted_on(ballot), counts)
    return Expected(expected_counts(heard.votes, probas, ballot.answers), sums, moved)


@dataclass(frozen=True, slots=True)
class _Heard:
    """A shard that models hear, in memory."""

    shard: Shard
    ballot: Ballot
    group: Ints
    votes: csr_array

    @classmethod
    def of(cls, shard: Shard) -> _Heard:
        ballot, group = shard.grouped()
        return cls(shard, ballot, group, ballot.incidence())


def _posteriors(heard: _Heard, of: Believed) -> Floats:
    """The probabilities of every kind, ``(tasks, kinds)``, gold in its place."""
    shard, ballot = heard.shard, heard.ballot
    if isinstance(of, Learned):
        probas = normalised(of.scores(ballot, heard.group, heard.votes))
    else:
        probas = of[shard.start : shard.stop].copy()
    gold = Gold.of(ballot.known, classes=PLAIN)
    if gold is not None:
        gold.impose(probas)
    return probas


def _fit_belief(heard: Sequence[Shard], shape: Shape, priors: Priors, schedule: Schedule, near: Fit | None) -> ShardFit:
    """As `holotype.consensus.beliefs.fit_belief`."""
    if near is not None:
        return _maximise(heard, shape, TwoCoins(priors, shape), schedule, near)
    ends = [_maximise(heard, shape, TwoCoins(priors, shape), schedule, rate) for rate in STARTS]
    return max(ends, key=lambda end: _log_chance(heard, end))


def _maximise(heard: Sequence[Shard], shape: Shape, model: TwoCoins, schedule: Schedule, near: Fit | float) -> ShardFit:
    """As `holotype.consensus.em.maximise`, from where a near fit ended, or from a base rate."""
    step = partial(_expect_all, heard, model, len(shape.sizes), schedule.tolerance)
    now, before = _start(model, near, heard[-1].stop), None
    for done in range(schedule.rounds + 1):
        found = step(now, before)
        model.confusion(found.counts)
        model.learn(found.sums)
        if done == schedule.rounds or (done and found.moved < schedule.tolerance):
            break
        now, before = Learned.of_model(model), now
    return ShardFit(model, now, done)


def _start(model: TwoCoins, near: Fit | float, tasks: int) -> Believed:
    if isinstance(near, Fit):
        model.take_up(near.model.workers)
        if len(near.found.probas) == tasks:
            return near.as_kinds(model.priors.kinds)
    else:
        model.begin_at(near)
    return replace(Learned.of_model(model), difficulty=None)


def _expect_all(
    heard: Sequence[Shard], model: TwoCoins, groups: int, tolerance: float, now: Believed, before: Believed | None
) -> Expected:
    """The expectation step of all shards. Where a posterior of the first has moved by `tolerance`, how far others have
    decides nothing, and is not computed."""
    step = partial(expect, now=now, groups=groups, learns_difficulty=model.learns_difficulty)
    found = step(heard[0], before=before)
    for part in map_batches(partial(step, before=before if found.moved < tolerance else None), heard[1:]):
        found = found + part
    return found


def _log_chance(heard: Sequence[Shard], end: ShardFit) -> float:
    """As `holotype.consensus.two_coin.TwoCoinModel.log_chance`."""
    return sum(map_batches(partial(_votes_chance, of=Learned.of_model(end.model)), heard)) + end.model.workers_chance


def _votes_chance(shard: Shard, of: Learned) -> float:
    heard = _Heard.of(shard)
    return chance_of_votes(of.scores(heard.ballot, heard.group, heard.votes), heard.ballot.known)


# What it comes to


def said_of(shard: Shard, fits: Sequence[tuple[Believed, Floats, float]]) -> Said:
    """What models say of a shard that they heard, with what their last posteriors came of, their base rates and shares:
    see `ShardFits.told`."""
    heard = _Heard.of(shard)
    yes = [_posteriors(heard, of)[:, 1::2].sum(axis=1) for of, _, _ in fits]
    before = [before_votes(rates[heard.group], heard.ballot.prior) for _, rates, _ in fits]
    return mixed(heard.ballot, [share for _, _, share in fits], yes, before)
