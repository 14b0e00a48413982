"""Machines as workers: a block of scores earns a prior by what it adds to people's votes, and never more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from holotype.consensus.ballot import Ballot
from holotype.consensus.machines import MOST, MachinePriors, machine_priors
from holotype.consensus.posteriors import fit
from holotype.errors import CrowdError

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def crowd(
    tasks: int = 600, votes: int = 3, seed: int = 0, rates: tuple[float, ...] = (0.3,), gold: int = 0
) -> tuple[Ballot, Mask, np.random.Generator]:
    """Votes of twenty workers (sensitivity .8, specificity .9) over synsets with these base rates, and the truth."""
    rng = np.random.default_rng(seed)
    synset = np.arange(tasks) % len(rates)
    good = rng.random(tasks) < np.array(rates)[synset]
    task = np.repeat(np.arange(tasks), votes)
    worker = np.argsort(rng.random((tasks, 20)), axis=1)[:, :votes].ravel()
    answer = np.where(rng.random(len(task)) < np.where(good, 0.8, 0.1)[task], 2, 0)
    known = np.where(np.arange(tasks) < gold, good, -1)
    return Ballot(task, worker, answer, synset, 20, len(rates), known=known if gold else None), good, rng


def weighed(scores: npt.ArrayLike, ballot: Ballot) -> MachinePriors:
    return machine_priors(scores, ballot, fit(ballot))


def accuracy(ballot: Ballot, good: Mask, prior: Floats | None = None) -> float:
    return float(np.mean((fit(replace(ballot, prior=prior)).posterior >= 0.5) == good))


def test_good_models_earn_a_prior_that_improves_few_votes() -> None:
    gains = []
    for seed in range(5):
        ballot, good, rng = crowd(votes=2, seed=seed)
        block = weighed(good[:, None] + rng.normal(size=(600, 5)), ballot)
        assert block.share[0] > 0.5
        assert block.gain > 0
        gains.append(accuracy(ballot, good, block.prior) - accuracy(ballot, good))
    assert np.mean(gains) > 0.02


def test_noise_earns_next_to_nothing() -> None:
    shares, differences = [], []
    for seed in range(20):
        ballot, good, rng = crowd(seed=seed)
        block = weighed(rng.normal(size=(600, 5)), ballot)
        shares.append(block.share[0])
        differences.append(accuracy(ballot, good, block.prior) - accuracy(ballot, good))
    assert np.mean(shares) < 0.1
    assert np.median(shares) == 0
    assert np.abs(differences).max() < 0.01


def test_twenty_copies_of_a_model_say_no_more_than_one() -> None:
    ballot, good, rng = crowd()
    model = good + rng.normal(size=600)
    one, many = weighed(model[:, None], ballot), weighed(np.repeat(model[:, None], 20, axis=1), ballot)
    np.testing.assert_allclose(one.prior, many.prior, atol=1e-3)
    np.testing.assert_array_equal(one.share, many.share)


@pytest.mark.parametrize(
    "scores",
    [
        pytest.param(lambda good, rng: -1.0 * good[:, None] + rng.normal(size=(600, 5)), id="inverted"),
        pytest.param(lambda good, rng: np.ones((600, 3)), id="constant"),
        pytest.param(lambda good, rng: np.full((600, 3), np.nan), id="silent"),
        pytest.param(lambda good, rng: np.zeros((600, 0)), id="no models"),
        pytest.param(lambda good, rng: np.arange(600.0)[:, None], id="the number of the task"),
    ],
)
def test_a_block_that_helps_nothing_leaves_base_rates_as_they_are(scores: Any) -> None:
    ballot, good, rng = crowd()
    block = weighed(scores(good, rng), ballot)
    assert np.isnan(block.prior).all()
    assert block.share.tolist() == [0.0]
    assert block.gain == 0


def test_scores_that_name_every_task_cannot_repeat_its_votes() -> None:
    ballot, _, rng = crowd(votes=5)
    coins = replace(ballot, answer=np.repeat(rng.choice([0, 2], 600), 5))
    block = weighed(np.eye(600)[:, :300], coins)
    assert block.share[0] <= 0.1
    told = block.prior[~np.isnan(block.prior)]
    assert abs(told - 0.5).max(initial=0) < 0.1


def test_a_prior_does_not_see_the_votes_of_its_own_task() -> None:
    ballot, good, rng = crowd()
    scores, people = good[:, None] + rng.normal(size=(600, 3)), fit(ballot)
    before = machine_priors(scores, ballot, people).prior
    for task in range(0, 600, 97):
        other = people.posterior.copy()
        other[task] = 1 - other[task]
        after = machine_priors(scores, ballot, replace(people, posterior=other)).prior
        assert after[task] == before[task]
        assert not np.array_equal(after, before)


def test_only_the_order_of_scores_counts_and_the_same_input_gives_the_same_bits() -> None:
    ballot, good, rng = crowd()
    scores = good[:, None] + rng.normal(size=(600, 3))
    scores[rng.random((600, 3)) < 0.2] = np.nan
    before = weighed(scores, ballot)
    np.testing.assert_array_equal(weighed(scores, ballot).prior, before.prior)
    np.testing.assert_array_equal(weighed(np.exp(5 * scores) - 7, ballot).prior, before.prior)


def test_infinite_scores_and_perfect_separation_move_no_more_than_the_most() -> None:
    ballot, good, _ = crowd()
    people = fit(ballot)
    block = machine_priors(np.where(good, np.inf, -np.inf)[:, None], ballot, people)
    rate = people.base_rates[0]
    moved = np.log(block.prior / (1 - block.prior)) - np.log(rate / (1 - rate))
    assert np.abs(moved).max() <= MOST + 1e-9
    assert block.prior[good].min() > 0.7
    assert block.prior[~good].max() < 0.1


def test_two_hundred_models_on_fifty_tasks_do_no_harm() -> None:
    for seed in range(3):
        ballot, good, rng = crowd(50, 3, seed)
        block = weighed(rng.normal(size=(50, 200)), ballot)
        assert accuracy(ballot, good, block.prior) >= accuracy(ballot, good) - 0.021


@pytest.mark.parametrize(("tasks", "votes"), [(1, 3), (600, 0), (0, 0)])
def test_without_votes_to_learn_from_nothing_is_said(tasks: int, votes: int) -> None:
    ballot, _, rng = crowd(tasks, votes)
    assert np.isnan(weighed(rng.normal(size=(tasks, 2)), ballot).prior).all()


def test_a_first_vote_alone_earns_nothing_and_gold_does() -> None:
    ballot, good, rng = crowd(votes=1)
    scores = good[:, None] + rng.normal(size=(600, 3))
    assert np.isnan(weighed(scores, ballot).prior).all()
    known = np.where(np.arange(600) < 60, good, -1)
    assert weighed(scores, replace(ballot, known=known)).share[0] > 0.5


def test_priors_start_from_the_base_rate_of_the_synset() -> None:
    ballot, good, rng = crowd(800, 2, rates=(0.1, 0.8))
    prior = weighed(good[:, None] + rng.normal(size=(800, 3)), ballot).prior
    rare, common = (prior[ballot.synset == synset] for synset in range(2))
    assert np.mean(rare) < 0.25
    assert np.mean(common) > 0.6


def test_a_model_that_is_right_in_one_synset_earns_there_only() -> None:
    ballot, good, rng = crowd(1200, 2, rates=(0.3, 0.3))
    signal = np.where(ballot.synset == 0, 2.0 * good, 0.0)
    share = weighed(signal[:, None] + rng.normal(size=(1200, 2)), ballot).share
    assert share[0] > 0.5
    assert share[1] < 0.1


def test_what_gold_contradicts_is_worth_nothing_though_the_crowd_agrees_with_it() -> None:
    rng = np.random.default_rng(5)
    good, lie = rng.random((2, 800)) < 0.4
    ballot, _, _ = crowd(800)
    answer = np.where(rng.random(2400) < 0.9, lie[ballot.task], ~lie[ballot.task]) * 2
    fooled = replace(ballot, answer=answer)
    scores = lie[:, None] + 0.3 * rng.normal(size=(800, 2))
    assert weighed(scores, fooled).share[0] > 0.5
    known = np.where(np.arange(800) < 40, good, -1)
    assert weighed(scores, replace(fooled, known=known)).share[0] == 0


def test_gold_of_one_side_does_not_move_base_rates() -> None:
    ballot, good, rng = crowd(800, 2)
    scores = good[:, None] + rng.normal(size=(800, 2))
    known = np.where((np.arange(800) < 200) & good, 1, -1)
    told = replace(ballot, known=known)
    people, asked = fit(told), told.asked_about
    block = machine_priors(scores, told, people)
    assert abs(block.prior[asked].mean() - people.base_rates[0]) < 0.05
    assert accuracy(told, good, block.prior) > accuracy(told, good)


def test_what_cannot_be_is_refused() -> None:
    ballot, _, _ = crowd(20)
    people = fit(ballot)
    for scores in (np.zeros(20), np.zeros((19, 2))):
        with pytest.raises(CrowdError, match="for 20 tasks, not"):
            machine_priors(scores, ballot, people)
    with pytest.raises(CrowdError, match="learn from people alone"):
        machine_priors(np.zeros((20, 1)), replace(ballot, prior=np.full(20, 0.5)), people)
