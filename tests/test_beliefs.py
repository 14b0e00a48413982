"""What the votes of a crowd bear out: crowds that fooled a model, and what must hold whatever the votes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.consensus.ballot import UNKNOWN, Ballot
from holotype.consensus.beliefs import LEAST_SHARE, choose_beliefs
from holotype.consensus.cliques import as_one, find_cliques
from holotype.consensus.posteriors import fit, majority
from holotype.consensus.two_coin import Priors
from holotype.consensus.votes import Answer
from holotype.crowd.conclusion import State
from holotype.crowd.policies import Posterior
from holotype.simulation.replay import replay

NO, UNSURE, YES = Answer.NO, Answer.UNSURE, Answer.YES
Truth = npt.NDArray[np.bool_]


def crowd(
    seed: int,
    tasks: int,
    votes: int,
    workers: int,
    base: float = 0.5,
    yes: tuple[float | npt.NDArray[np.float64], float | npt.NDArray[np.float64]] = (0.2, 0.8),
) -> tuple[Ballot, Truth]:
    """Chances of yes on a bad and on a good image, of each worker or of all."""
    generator = np.random.default_rng(seed)
    truth = generator.random(tasks) < base
    worker = np.argsort(generator.random((tasks, workers)), axis=1)[:, :votes].ravel()
    task = np.repeat(np.arange(tasks), votes)
    bad, good = (np.broadcast_to(np.asarray(chance, float), workers)[worker] for chance in yes)
    answer = np.where(generator.random(len(task)) < np.where(truth[task], good, bad), YES, NO)
    return Ballot(task, worker, answer, np.zeros(tasks, np.int64), workers, 1), truth


def accuracy(ballot: Ballot, truth: Truth) -> float:
    return float(np.mean((fit(ballot).posterior > 0.5) == truth))


# Crowds


@pytest.mark.parametrize("seed", [1, 2])
def test_strangers_are_not_taken_for_one_mind(seed: int) -> None:
    """One vote a worker: nothing tells workers apart, and yes to everything explains as much to a model of each."""
    ballot, truth = crowd(seed, 400, 5, 2000)
    ballot = replace(ballot, worker=np.arange(2000))
    assert accuracy(ballot, truth) >= np.mean(majority(ballot) == truth) - 0.01 > 0.9


@pytest.mark.parametrize("seed", [1, 2])
def test_half_the_crowd_may_say_yes_to_everything(seed: int) -> None:
    spammers = np.arange(40) < 20
    ballot, truth = crowd(seed, 600, 5, 40, 0.3, (np.where(spammers, 1.0, 0.05), np.where(spammers, 1.0, 0.75)))
    model = fit(ballot)
    assert np.mean((model.posterior > 0.5) == truth) > np.mean(majority(ballot) == truth) + 0.1
    information = model.confusion[:, 1, YES] - model.confusion[:, 0, YES]
    assert information[spammers].max() < information[~spammers].min()


def with_copies(ballot: Ballot, truth: Truth, members: int, right: float, seed: int = 9) -> Ballot:
    """The ballot whose first workers give the answers of one of them, right so often."""
    generator = np.random.default_rng(seed)
    told = np.where(generator.random(len(truth)) < right, truth, ~truth)
    copied = np.where(told[ballot.task], YES, NO)
    return replace(ballot, answer=np.where(ballot.worker < members, copied, ballot.answer))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_clique_has_one_vote(seed: int) -> None:
    """Forty per cent of a crowd share answers that are right half of the time."""
    honest, truth = crowd(seed, 600, 7, 30, 0.4, (0.1, 0.8))
    ballot = with_copies(honest, truth, 12, 0.5)
    model = fit(ballot)
    assert model.cliques == (tuple(range(12)),)
    assert np.mean((model.posterior > 0.5) == truth) > np.mean(majority(ballot) == truth) + 0.05
    (clique,) = find_cliques(ballot)
    one = as_one(ballot, [clique])
    assert not np.isin(one.worker, clique[1:]).any()
    assert (np.bincount(one.task[one.worker == 0], minlength=600) <= 1).all()
    assert (model.confusion[1:12] == model.confusion[0]).all(), "each of them is what they are together"


@pytest.mark.parametrize(
    "yes",
    [
        (0.1, 0.8),
        (0.02, 0.98),
        (np.where(np.arange(30) < 10, 0.01, 0.25), np.where(np.arange(30) < 10, 0.99, 0.7)),
        (np.linspace(0.6, 0.05, 30), np.linspace(0.7, 0.95, 30)),
        (np.where(np.arange(30) < 10, 1.0, 0.1), np.where(np.arange(30) < 10, 1.0, 0.8)),
    ],
    ids=["alike", "all experts", "ten experts", "from bad to good", "ten say yes to all"],
)
def test_who_agrees_because_of_the_images_is_no_clique(yes: tuple[float, float]) -> None:
    assert [find_cliques(crowd(seed, 500, 7, 30, 0.4, yes)[0]) for seed in range(3)] == [[], [], []]


def test_a_hard_set_whose_workers_all_voted_on_everything_has_no_clique() -> None:
    """As bluebirds: 39 workers, 108 images, a species that many take for another one."""
    generator = np.random.default_rng(5)
    skill = generator.uniform(-0.1, 0.45, 39)
    ballot, truth = crowd(5, 108, 39, 39, 0.44, (0.5 - skill, 0.5 + skill))
    assert find_cliques(ballot) == []
    assert accuracy(ballot, truth) > 0.9


def test_a_folder_of_right_images_is_accepted() -> None:
    """No wrong image shows how often workers say yes to one."""
    skill = np.random.default_rng(1).uniform(0.45, 0.8, 40)
    ballot, _ = crowd(1, 200, 12, 40, 1.0, (0.04, skill))
    found, used = replay(ballot, Posterior(), np.random.default_rng(1))
    assert np.mean(np.array(found.states) == State.YES) > 0.9
    assert used.mean() < 6
    assert "no-bad" in {alarm.code for alarm in found.alarms}


def test_a_new_bad_batch_is_not_judged_by_the_purity_of_the_old_one() -> None:
    ballot, _ = crowd(3, 400, 2, 40, 0.0, (0.06, 0.65))
    generator = np.random.default_rng(4)
    old = ballot.task < 200
    truth = np.arange(400) < 200
    answer = np.where(old, np.where(generator.random(len(old)) < 0.65, YES, NO), ballot.answer)
    mixed = replace(ballot, answer=answer)
    batches = replace(mixed, batch=(np.arange(400) >= 200).astype(np.int64))
    together, apart = fit(mixed), fit(batches)
    one_yes = ~truth & (mixed.count(YES) == 1)
    assert one_yes.any()
    assert apart.posterior[one_yes].mean() < together.posterior[one_yes].mean()
    assert apart.before[truth].mean() > 0.8 > 0.2 > apart.before[~truth].mean()
    assert not np.any(np.array(Posterior(pilot=0).conclude(batches).states)[~truth] == State.YES)


# Gold


def test_gold_of_one_side_informs_that_side_only() -> None:
    ballot, truth = crowd(6, 400, 3, 40, 0.5, (0.1, 0.7))
    blind = fit(ballot)
    for side in (True, False):
        known = np.where((truth == side) & (np.arange(400) < 100), truth, UNKNOWN)
        told = fit(replace(ballot, known=known))
        asked = known == UNKNOWN
        assert np.mean((told.posterior > 0.5)[asked] == truth[asked]) > np.mean((blind.posterior > 0.5) == truth) - 0.03
        assert told.base_rates[0] == pytest.approx(truth[asked].mean(), abs=0.1), "gold is no draw of the candidates"
        other = int(not side)
        assert told.population[other, YES] == pytest.approx((0.1, 0.7)[other], abs=0.1)


@pytest.mark.parametrize("said", [0, 1])
def test_gold_that_nobody_voted_on_says_nothing(said: int) -> None:
    ballot, _ = crowd(7, 200, 3, 20)
    more = replace(
        ballot, synset=np.zeros(260, np.int64), known=np.concatenate([np.full(200, UNKNOWN), np.full(60, said)])
    )
    assert fit(more).posterior[:200] == pytest.approx(fit(ballot).posterior, abs=0.02)


def test_images_that_leave_all_unsure_say_nothing_of_the_others() -> None:
    ballot, truth = crowd(11, 200, 5, 40, 0.3, (0.05, 0.7))
    silent, _ = crowd(12, 100, 5, 40)
    more = replace(
        ballot,
        task=np.concatenate([ballot.task, 200 + silent.task]),
        worker=np.concatenate([ballot.worker, silent.worker]),
        answer=np.concatenate([ballot.answer, np.full(len(silent.task), UNSURE)]),
        synset=np.zeros(300, np.int64),
    )
    model = fit(more)
    assert np.mean((model.posterior[:200] > 0.5) == truth) >= accuracy(ballot, truth) - 0.01
    assert model.posterior[200:] == pytest.approx(truth.mean(), abs=0.1)


# Laws


answers = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 5), st.sampled_from([NO, NO, UNSURE, YES, YES])),
    max_size=60,
    unique_by=lambda vote: vote[:2],
)


def of(votes: list[tuple[int, int, Answer]], tasks: int = 12, synsets: int = 1) -> Ballot:
    task, worker, answer = np.array(votes, np.int64).reshape(-1, 3).T
    return Ballot(task, worker, answer, np.arange(tasks) % synsets, 6, synsets)


@given(answers, st.sampled_from([1, 3, 12]))
@settings(max_examples=15)
def test_no_worker_is_believed_to_say_yes_less_often_to_the_right_ones(
    votes: list[tuple[int, int, Answer]], synsets: int
) -> None:
    ballot = of(votes, synsets=synsets)
    model = fit(ballot)
    for chances in (model.confusion, model.population[None]):
        assert chances.sum(axis=-1) == pytest.approx(np.ones(chances.shape[:2]))
        odds = chances[:, 1, YES] * chances[:, 0, NO] - chances[:, 0, YES] * chances[:, 1, NO]
        assert (odds >= -1e-9).all()
    assert np.isfinite(model.posterior).all()
    assert np.isfinite(model.evidence).all()
    silent = ballot.votes_per_task == ballot.count(UNSURE)
    assert (model.posterior[silent] == model.before[silent]).all()
    assert (model.evidence[silent] == 0).all()
    assert sum(share for _, share in model.beliefs) == pytest.approx(1)


def test_the_same_votes_are_the_same_consensus() -> None:
    ballot, _ = crowd(8, 300, 4, 30)
    one, two = fit(ballot), fit(ballot)
    assert one.beliefs == two.beliefs
    assert (one.posterior == two.posterior).all()
    assert all(share >= LEAST_SHARE for _, share, _ in choose_beliefs(ballot))


def test_names_and_order_decide_next_to_nothing() -> None:
    """Folds are drawn by place, so shares of beliefs differ a little, and posteriors with them."""
    ballot, _ = crowd(9, 300, 5, 30, 0.4, (0.1, 0.7))
    generator = np.random.default_rng(9)
    tasks, workers, order = (generator.permutation(size) for size in (300, 30, 1500))
    renamed = replace(
        ballot, task=tasks[ballot.task][order], worker=workers[ballot.worker][order], answer=ballot.answer[order]
    )
    before, after = fit(ballot).posterior, fit(renamed).posterior[tasks]
    assert np.mean((before > 0.5) == (after > 0.5)) > 0.99
    assert np.abs(before - after).mean() < 0.02
    one, other = fit(ballot, Priors()).posterior, fit(renamed, Priors()).posterior[tasks]
    assert one == pytest.approx(other, abs=1e-6), "under one belief nothing is drawn"


def test_small_ballots_have_a_consensus() -> None:
    nothing = np.zeros(0, np.int64)
    empty = Ballot(nothing, nothing, nothing, nothing, 0, 0)
    assert fit(empty).posterior.tolist() == []
    assert fit(of([])).posterior == pytest.approx([Priors().base_rate] * 12)
    for answer in Answer:
        alone = fit(of([(0, 0, answer)], 1))
        assert 0 < alone.posterior[0] < 1
    ordered = [fit(of([(0, 0, answer)], 1)).posterior[0] for answer in (NO, YES)]
    assert ordered[0] < Priors().base_rate < ordered[1]


def test_synsets_of_one_image_share_what_is_known_of_the_crowd() -> None:
    ballot, truth = crowd(10, 200, 5, 20, 0.3, (0.05, 0.75))
    alone = replace(ballot, synset=np.arange(200), synsets=200)
    model = fit(alone)
    assert np.mean((model.posterior > 0.5) == truth) > 0.95
    assert model.base_rates.shape == (200,)
    assert model.base_rates.mean() == pytest.approx(truth.mean(), abs=0.1)
