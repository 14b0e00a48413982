"""Each alarm rings where the votes leave something open, and none does over a good crowd."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from holotype.consensus.ballot import UNKNOWN, Ballot
from holotype.consensus.posteriors import fit
from holotype.consensus.votes import Answer
from holotype.crowd.alarms import alarms_of
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Fixed, Posterior

Chance = float | npt.NDArray[np.float64]


def crowd(
    seed: int, yes: tuple[Chance, Chance], base: float = 0.4, tasks: int = 400, votes: int = 5, workers: int = 30
) -> tuple[Ballot, npt.NDArray[np.bool_]]:
    """Chances of yes on a bad and on a good image, of each worker or of all."""
    generator = np.random.default_rng(seed)
    truth = generator.random(tasks) < base
    worker = np.argsort(generator.random((tasks, workers)), axis=1)[:, :votes].ravel()
    task = np.repeat(np.arange(tasks), votes)
    bad, good = (np.broadcast_to(np.asarray(chance, float), workers)[worker] for chance in yes)
    said_yes = generator.random(len(task)) < np.where(truth[task], good, bad)
    answer = np.where(said_yes, Answer.YES, Answer.NO)
    return Ballot(task, worker, answer, np.zeros(tasks, np.int64), workers, 1), truth


def codes(ballot: Ballot) -> set[str]:
    return {alarm.code for alarm in alarms_of(ballot, fit(ballot))}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_good_crowd_that_saw_both_sides_rings_none(seed: int) -> None:
    ballot, truth = crowd(seed, (0.05, 0.75))
    assert codes(ballot) == set()
    both = np.where(np.arange(400) < 40, truth, UNKNOWN)
    assert codes(replace(ballot, known=both)) == set()


def test_images_of_one_side_ring() -> None:
    assert codes(crowd(1, (0.05, 0.75), base=1.0)[0]) == {"no-bad"}
    assert codes(crowd(1, (0.05, 0.75), base=0.0)[0]) == {"no-good"}


def test_gold_of_the_missing_side_silences() -> None:
    """Twenty gold noes, as siblings lend them, show how often workers say yes to a wrong image."""
    pure, _ = crowd(1, (0.05, 0.75), base=1.0)
    wrong, _ = crowd(2, (0.05, 0.75), base=0.0, tasks=20)
    mixed = Ballot(
        np.concatenate([pure.task, 400 + wrong.task]),
        np.concatenate([pure.worker, wrong.worker]),
        np.concatenate([pure.answer, wrong.answer]),
        np.zeros(420, np.int64),
        30,
        1,
        known=np.concatenate([np.full(400, UNKNOWN), np.zeros(20, np.int64)]),
    )
    assert codes(mixed) == {"one-sided-gold"}
    known = np.array(mixed.known)
    known[:5] = 1
    assert codes(replace(mixed, known=known)) == set()


@pytest.mark.parametrize(("side", "missing"), [(0, "yeses"), (1, "noes")])
def test_gold_of_one_side_rings_and_names_the_other(side: int, missing: str) -> None:
    ballot, truth = crowd(3, (0.05, 0.75))
    known = np.where((truth == side) & (np.arange(400) < 80), side, UNKNOWN)
    told = replace(ballot, known=known)
    (alarm,) = alarms_of(told, fit(told))
    assert (alarm.code, alarm.remedy) == ("one-sided-gold", f"add 10 gold {missing}")
    assert str(alarm) == f"{alarm.message}; {alarm.remedy}"


def test_spammers_ring() -> None:
    spammers = np.arange(30) < 12
    ballot, _ = crowd(4, (np.where(spammers, 1.0, 0.05), np.where(spammers, 1.0, 0.8)))
    assert "spammers" in codes(ballot)


def test_copies_ring() -> None:
    ballot, truth = crowd(5, (0.1, 0.8), votes=7, tasks=600)
    told = np.where(np.random.default_rng(6).random(600) < 0.5, truth, ~truth)
    copied = np.where(told[ballot.task], Answer.YES, Answer.NO)
    ballot = replace(ballot, answer=np.where(ballot.worker < 12, copied, ballot.answer))
    assert "clique" in codes(ballot)
    (alarm,) = (alarm for alarm in alarms_of(ballot, fit(ballot)) if alarm.code == "clique")
    assert alarm.message == "12 workers in 1 groups answer as one, and have one vote a group"


def test_workers_with_few_votes_each_ring() -> None:
    ballot, _ = crowd(7, (0.05, 0.8), workers=2000)
    assert codes(replace(ballot, worker=np.arange(2000))) == {"strangers"}
    assert "strangers" not in codes(crowd(7, (0.05, 0.8), workers=100)[0])


def test_a_crowd_that_tells_little_rings() -> None:
    assert "weak" in codes(crowd(8, (0.3, 0.6), votes=9)[0])


def test_several_explanations_ring() -> None:
    """What is known of `modes`: it is the beliefs' mean difference, and what tells apart is not asked twice."""
    ballot, _ = crowd(9, (0.05, 0.75))
    model = fit(ballot)
    unclear = replace(model, apart=np.full(400, 0.06))
    assert {alarm.code for alarm in alarms_of(ballot, unclear)} == {"modes"}
    assert model.apart.mean() < 0.01


def test_without_votes_nothing_rings() -> None:
    nothing = np.zeros(0, np.int64)
    ballot = Ballot(nothing, nothing, nothing, np.zeros(5, np.int64), 0, 1)
    assert alarms_of(ballot, fit(ballot)) == ()


def test_policies_that_fit_models_pass_alarms_on() -> None:
    ballot, _ = crowd(1, (0.05, 0.75), base=1.0, tasks=100)
    for policy in (Posterior(), Imageable(Posterior())):
        assert [alarm.code for alarm in policy.conclude(ballot).alarms] == ["no-bad"]
    assert Fixed().conclude(ballot).alarms == ()
