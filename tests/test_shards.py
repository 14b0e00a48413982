"""Votes in shards lead to what all votes at once lead to."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from holotype.consensus.ballot import UNKNOWN, Ballot, Ints
from holotype.consensus.posteriors import average, fit_all
from holotype.consensus.sharded import expect, fit_shards, said_of
from holotype.consensus.shards import SIZE, Shard, Sorting, bounds_of
from holotype.consensus.two_coin import Priors
from holotype.consensus.votes import Answer
from holotype.crowd.conclusion import Conclusion, Policy
from holotype.crowd.guards import Mask
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Fixed, Lead, Posterior, Table
from holotype.crowd.sharded import conclude_shards, goes_by_shards
from holotype.engine import map_batches

NO, UNSURE, YES = Answer.NO, Answer.UNSURE, Answer.YES


def shards_of(ballot: Ballot, folder: Path, most: int = SIZE) -> list[Shard]:
    """A ballot's tasks and votes as shards in a folder, the votes in two parts."""
    sorting, half = Sorting(folder, ballot, bounds_of(ballot.votes_per_task, most)), len(ballot.task) // 2
    for some in (slice(0, half), slice(half, None)):
        sorting.add(ballot.task[some], ballot.worker[some], ballot.answer[some])
    return sorting.shards()


def ballot_of(
    rng: np.random.Generator, truth: Mask, workers: int, votes: int, flip: float = 0.0, unsure: float = 0.03
) -> Ballot:
    """Up to `votes` votes a task by unequal workers, of whom some answer anything; on a share `flip` of the images
    everybody answers as if it were of the other kind."""
    tasks = len(truth)
    worker = np.argsort(rng.random((tasks, workers)), axis=1)[:, :votes].ravel()
    task = np.repeat(np.arange(tasks), votes)
    kept = rng.random(len(task)) < rng.choice([0.3, 1.0], tasks)[task]
    task, worker = task[kept], worker[kept]
    seen = truth ^ (rng.random(tasks) < flip)
    sensitivity, false_yes = rng.beta(8, 3, workers), rng.beta(1, 12, workers)
    chance = np.where(seen[task], sensitivity[worker], false_yes[worker])
    answer = np.where(rng.random(len(task)) < chance, YES, NO)
    answer = np.where(rng.random(len(task)) < unsure, UNSURE, answer)
    return Ballot(task, worker, answer, np.zeros(tasks, np.int64), workers, 1)


def lopsided(rng: np.random.Generator, tasks: int, synsets: int) -> Ints:
    """Synsets of tasks in order, of which the first has most."""
    return np.sort(np.minimum(rng.zipf(1.4, tasks) - 1, synsets - 1))


def plain(seed: int) -> Ballot:
    rng = np.random.default_rng(seed)
    return ballot_of(rng, rng.random(300) < 0.4, 20, 5)


def hard(seed: int) -> Ballot:
    rng = np.random.default_rng(seed)
    return ballot_of(rng, rng.random(300) < 0.4, 20, 12, flip=0.15)


def synsets_and_batches(seed: int) -> Ballot:
    rng = np.random.default_rng(seed)
    synset = lopsided(rng, 400, 9)
    ballot = ballot_of(rng, rng.random(400) < np.linspace(0.05, 0.9, 9)[synset], 25, 5)
    return replace(ballot, synset=synset, synsets=9, batch=(rng.random(400) < 0.3).astype(np.int64))


def gold_priors_and_rulings(seed: int) -> Ballot:
    rng = np.random.default_rng(seed)
    truth = rng.random(300) < 0.5
    ballot = ballot_of(rng, truth, 20, 5)
    known = np.where(rng.random(300) < 0.2, truth, UNKNOWN)
    ruled = np.where(rng.random(300) < 0.05, ~truth, UNKNOWN)
    return replace(ballot, known=known, ruled=ruled, prior=np.where(rng.random(300) < 0.5, 0.8, np.nan))


def cliques(seed: int) -> Ballot:
    """Five of thirty workers copy one list of random answers."""
    rng = np.random.default_rng(seed)
    ballot = ballot_of(rng, rng.random(400) < 0.5, 30, 12, unsure=0.0)
    listed = np.where(rng.random(400) < 0.5, YES, NO)
    return replace(ballot, answer=np.where(ballot.worker < 5, listed[ballot.task], ballot.answer))


def spammers(seed: int) -> Ballot:
    rng = np.random.default_rng(seed)
    ballot = ballot_of(rng, rng.random(300) < 0.3, 20, 5)
    return replace(ballot, answer=np.where(ballot.worker < 9, YES, ballot.answer))


def nobody_can_see_it(seed: int) -> Ballot:
    """Five noes each, but for a few yeses; a quarter of the images was shown to nobody yet."""
    rng = np.random.default_rng(seed)
    task = np.repeat(np.flatnonzero(np.arange(400) % 4), 5)
    worker = np.argsort(rng.random((300, 20)), axis=1)[:, :5].ravel()
    answer = np.where((rng.random(len(task)) < 0.2) & (task % 40 == 1), YES, NO)
    return Ballot(task, worker, answer, np.arange(400) // 200, 20, 2)


def nobody_sure(seed: int) -> Ballot:
    ballot = plain(seed)
    return replace(ballot, answer=np.where(ballot.task < 40, UNSURE, ballot.answer))


WORLDS = [
    plain,
    hard,
    synsets_and_batches,
    gold_priors_and_rulings,
    cliques,
    spammers,
    nobody_can_see_it,
    nobody_sure,
]


def empty(tasks: int) -> Ballot:
    nothing = np.zeros(0, np.int64)
    return Ballot(nothing, nothing, nothing, np.zeros(tasks, np.int64), 0, 1)


def conclude(ballot: Ballot, policy: Policy, folder: Path, size: int) -> Conclusion:
    return conclude_shards(policy, shards_of(ballot, folder, size), folder).whole()


def same(found: Conclusion, whole: Conclusion) -> None:
    assert np.array_equal(found.state, whole.state)
    assert np.abs(found.scores - whole.scores).max(initial=0) < 1e-10
    assert found.guards == whole.guards
    assert found.alarms == whole.alarms


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.__name__)
def test_shards_conclude_what_all_votes_do(world: object, tmp_path: Path) -> None:
    ballot = world(3)  # type: ignore[operator]
    policy = Imageable(Posterior(pilot=20))
    whole = policy.conclude(ballot)
    sizes = (100_000, 300)
    for size in sizes:
        folder = tmp_path / str(size)
        folder.mkdir()
        found = conclude(ballot, policy, folder, size)
        same(found, whole)
        assert (len(list(folder.glob("[0-9]*.npz"))) > 1) == (size < 100_000)
        mine, theirs = found.memory, whole.memory
        assert mine.useless == pytest.approx(theirs.useless, abs=1e-12)
        for name in ("stranger", "pilot", "hopeless"):
            assert np.array_equal(getattr(mine, name), getattr(theirs, name))
        assert mine.model is not None
        assert theirs.model is not None
        assert [set(one) for one in map(tuple, mine.model.cliques)] == [
            set(one) for one in map(tuple, theirs.model.cliques)
        ]
        for one, other in zip(mine.model.beliefs, theirs.model.beliefs, strict=True):
            assert one.priors == other.priors
            assert one.share == pytest.approx(other.share, abs=1e-9)
            assert np.abs(one.workers - other.workers).max() < 1e-10
            assert np.abs(one.rates - other.rates).max() < 1e-10


def test_the_worlds_are_what_they_are_called() -> None:
    """A test of cliques has one, and so on."""
    assert fit_all(cliques(3)).cliques
    assert any(fit.model.priors.hard for fit, _ in fit_all(hard(3)).fits)
    found = Imageable(Posterior(pilot=20)).conclude(nobody_can_see_it(3))
    assert "abandoned" in found.counts
    assert Imageable(Posterior(pilot=20)).conclude(spammers(3)).guards


@pytest.mark.parametrize("policy", [Fixed(3), Lead(2, 5), Imageable(Lead(2, 5))], ids=str)
def test_policies_without_a_model_conclude_the_same(policy: Policy, tmp_path: Path) -> None:
    ballot = synsets_and_batches(5)
    same(conclude(ballot, policy, tmp_path, 200), policy.conclude(ballot))


@pytest.mark.parametrize("priors", [Priors(), Priors(difficulty_weight=100.0), Priors(hard=0.0)], ids=str)
def test_one_belief_is_fitted_as_to_all_votes(priors: Priors, tmp_path: Path) -> None:
    """From two starts, of which the likelier end is kept; synsets with a difficulty of their own."""
    ballot = synsets_and_batches(7)
    whole = average(fit_all(ballot, priors))
    fits = fit_shards(shards_of(ballot, tmp_path, 250), tmp_path, priors)
    told = [said_of(shard, fits.told) for shard in fits.heard]
    for name in ("posterior", "before", "evidence", "apart"):
        assert np.abs(np.concatenate([getattr(one, name) for one in told]) - getattr(whole, name)).max() < 1e-9
    assert np.abs(fits.confusion - whole.confusion).max() < 1e-10
    assert max(fit.rounds for fit, _ in fits.fits) == whole.rounds


def test_of_many_votes_the_same_sample_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beliefs and cliques are found on samples, and the likeliest belief alone is fitted."""
    monkeypatch.setattr("holotype.consensus.beliefs.MOST_COMPARED", 600)
    monkeypatch.setattr("holotype.consensus.cliques.MOST_VOTES", 900)
    monkeypatch.setattr("holotype.consensus.posteriors.MOST_AVERAGED", 1000)
    ballot = cliques(1)
    policy = Posterior(pilot=20)
    same(conclude(ballot, policy, tmp_path, 500), policy.conclude(ballot))


def test_votes_may_come_in_any_order(tmp_path: Path) -> None:
    ballot = plain(2)
    order = np.random.default_rng(0).permutation(len(ballot.task))
    mixed = ballot.keep(order)
    read = [shard.read() for shard in shards_of(mixed, tmp_path, 150)]
    assert len(read) > 3
    starts = np.cumsum([0, *(part.tasks for part in read)])
    task = np.concatenate([part.task + start for part, start in zip(read, starts.tolist(), strict=False)])
    rows = (task, np.concatenate([part.worker for part in read]), np.concatenate([part.answer for part in read]))
    stable = mixed.keep(np.argsort(mixed.task, kind="stable"))
    assert np.array_equal(np.stack(rows), np.stack([stable.task, stable.worker, stable.answer]))


def test_a_synset_with_more_votes_than_a_shard_is_split_by_images() -> None:
    votes = np.array([3, 0, 40, 2, 2, 2])
    assert bounds_of(votes, 9).tolist() == [0, 2, 3, 6]
    assert bounds_of(np.zeros(0, np.int64), 9).tolist() == [0, 0]
    assert bounds_of(np.zeros(5, np.int64), 2).tolist() == [0, 2, 4, 5]


@pytest.mark.parametrize("tasks", [0, 3])
def test_without_votes_nothing_is_decided(tasks: int, tmp_path: Path) -> None:
    ballot, policy = empty(tasks), Imageable(Posterior())
    same(conclude(ballot, policy, tmp_path, 2), policy.conclude(ballot))


def test_an_expectation_step_is_a_pure_function_that_another_process_may_compute(tmp_path: Path) -> None:
    """Twice it says the same, so a shard whose worker was lost is done again."""
    fits = fit_shards(shards_of(plain(4), tmp_path, 200), tmp_path, Priors())
    step = partial(expect, now=fits.recalled[0], before=None, groups=1, learns_difficulty=False)
    there = list(map_batches(step, fits.heard, workers=1, kind="processes"))
    for shard, other in zip(fits.heard, there, strict=True):
        here = step(shard)
        assert np.array_equal(here.counts, other.counts)
        assert np.array_equal(here.sums.good, other.sums.good)


def test_machines_and_tables_are_for_all_votes_at_once() -> None:
    assert goes_by_shards(Imageable(Posterior()), ("ann", "bob"))
    assert not goes_by_shards(Posterior(), ("ann", "machine:resnet50"))
    assert not goes_by_shards(Table(), ("ann",))
