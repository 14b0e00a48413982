"""Machines as voters: one voter together, taught by people and gold, who decides nothing unless a policy says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from holotype.consensus.ballot import Ballot
from holotype.consensus.calibration import posterior_of_gold
from holotype.consensus.joint import SILENT, answers_of, machines_of, one_voice, people_of
from holotype.consensus.posteriors import fit
from holotype.consensus.votes import Answer, is_machine
from holotype.crowd.conclusion import Policy, State
from holotype.crowd.policies import Fixed, Lead, Posterior, Table
from holotype.crowd.policy_names import parse_policy
from holotype.crowd.reviews import Timing, Verdict, review_workers
from holotype.errors import CrowdError
from holotype.simulation.replay import replay

Mask = npt.NDArray[np.bool_]
Answers = npt.NDArray[np.int64]
TASKS = 800
PEOPLE = 20


def crowd(
    machines: Answers, votes: int = 2, seed: int = 0, gold: int = 80, synsets: int = 1, good: Mask | None = None
) -> tuple[Ballot, Mask]:
    """Votes of twenty people (sensitivity .75, specificity .9) and of machines, whose answers are ``(tasks, machines)``
    with `SILENT` for none; and the truth, of which the first tasks are gold."""
    rng = np.random.default_rng(seed)
    truth = shown(seed) if good is None else good
    task = np.repeat(np.arange(TASKS), votes)
    worker = np.argsort(rng.random((TASKS, PEOPLE)), axis=1)[:, :votes].ravel()
    answer = np.where(rng.random(len(task)) < np.where(truth, 0.75, 0.1)[task], 2, 0)
    at, model = np.nonzero(machines != SILENT)
    names = (*(f"person {number}" for number in range(PEOPLE)), *(f"machine:{n}" for n in range(machines.shape[1])))
    columns = (
        np.concatenate([task, at]),
        np.concatenate([worker, PEOPLE + model]),
        np.concatenate([answer, machines[at, model]]),
    )
    known = np.where(np.arange(TASKS) < gold, truth, -1)
    return Ballot(*columns, np.arange(TASKS) % synsets, len(names), synsets, known=known, names=names), truth


def shown(seed: int) -> Mask:
    return np.random.default_rng([seed, 1]).random(TASKS) < 0.35


def a_model(truth: Mask, seed: int, sensitivity: float = 0.85, false_yes: float = 0.15) -> Answers:
    """The answers of a model, ``(tasks, 1)``."""
    rng = np.random.default_rng([seed, 2])
    return np.where(rng.random(len(truth)) < np.where(truth, sensitivity, false_yes), 2, 0)[:, None]


def alike(truth: Mask, models: int, seed: int, own: float = 0.05) -> Answers:
    """Models that err together: each is one and the same, but for a share of answers of its own."""
    rng, same = np.random.default_rng([seed, 3]), a_model(truth, seed)
    others = np.where(rng.random((len(truth), models)) < np.where(truth, 0.85, 0.15)[:, None], 2, 0)
    return np.where(rng.random((len(truth), models)) < own, others, same)


def as_people(ballot: Ballot) -> Ballot:
    """The same votes, where nobody knows who is a machine."""
    return replace(ballot, names=tuple(name.replace(":", " ") for name in ballot.names or ()))


def accuracy(posterior: npt.NDArray[np.float64], truth: Mask, ballot: Ballot) -> float:
    asked = ballot.asked_about
    return float(((posterior >= 0.5) == truth)[asked].mean())


def claimed(posterior: npt.NDArray[np.float64], ballot: Ballot) -> float:
    return float(np.minimum(posterior, 1 - posterior)[ballot.asked_about].mean())


def test_a_name_says_who_is_a_machine() -> None:
    assert is_machine("machine:resnet50")
    assert not any(map(is_machine, ("machine", "Machine:x", "a machine:x", "ann", "")))


def test_a_machine_makes_few_votes_better() -> None:
    gains = []
    for seed in range(5):
        ballot, truth = crowd(a_model(shown(seed), seed), seed=seed)
        gains.append(
            accuracy(fit(ballot).posterior, truth, ballot) - accuracy(fit(people_of(ballot)).posterior, truth, ballot)
        )
    assert np.mean(gains) > 0.02


@pytest.mark.parametrize("copies", [1, 4])
def test_a_copy_of_a_model_changes_nothing(copies: int) -> None:
    for seed in range(3):
        models = np.concatenate([a_model(shown(seed), seed), a_model(shown(seed), seed + 50, 0.7)], axis=1)
        once, _ = crowd(models, seed=seed)
        more, _ = crowd(np.concatenate([models, *[models[:, :1]] * copies], axis=1), seed=seed)
        np.testing.assert_allclose(fit(more).posterior, fit(once).posterior, atol=1e-12)


def test_a_model_that_is_nearly_a_copy_changes_next_to_nothing() -> None:
    moved = []
    for seed in range(5):
        models = alike(shown(seed), 2, seed, own=0.02)
        once, _ = crowd(models[:, :1], seed=seed)
        more, _ = crowd(models, seed=seed)
        moved.append(np.abs(fit(more).posterior - fit(once).posterior).mean())
    assert np.mean(moved) < 0.02


def test_models_that_err_together_outvote_people_as_coins_and_not_as_one_voter() -> None:
    """Ten models alike: as workers of their own they are believed against people, and claim ten times too little."""
    joint, coins, people, overconfident = [], [], [], []
    for seed in range(5):
        ballot, truth = crowd(alike(shown(seed), 10, seed), seed=seed)
        found, independent = fit(ballot), fit(as_people(ballot))
        joint.append(accuracy(found.posterior, truth, ballot))
        coins.append(accuracy(independent.posterior, truth, ballot))
        people.append(accuracy(fit(people_of(ballot)).posterior, truth, ballot))
        real = [1 - accuracy(one.posterior, truth, ballot) for one in (found, independent)]
        overconfident.append(
            [wrong / claimed(one.posterior, ballot) for wrong, one in zip(real, (found, independent), strict=True)]
        )
    assert np.mean(joint) > np.mean(people) + 0.01
    assert np.mean(joint) > np.mean(coins) + 0.02
    ours, theirs = np.mean(overconfident, axis=0)
    assert ours < 1.5
    assert theirs > 5


def test_machines_that_say_nothing_of_the_images_change_little() -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        ballot, truth = crowd(rng.choice([0, 1, 2], (TASKS, 5)), seed=seed)
        alone = fit(people_of(ballot))
        assert abs(accuracy(fit(ballot).posterior, truth, ballot) - accuracy(alone.posterior, truth, ballot)) < 0.015


def test_a_model_is_believed_in_the_synsets_where_it_is_right() -> None:
    seed, half = 3, np.arange(TASKS) % 2 == 0
    truth = shown(seed)
    right, noise = a_model(truth, seed, 0.95, 0.05), a_model(np.zeros(TASKS, bool), seed, 0.5, 0.5)
    ballot, _ = crowd(np.where(half[:, None], right, noise), seed=seed, synsets=2, gold=160)
    told = np.abs(fit(ballot).machines)
    assert told[half].mean() > 1
    assert told[~half].mean() < 0.5


def test_what_no_machine_answered_is_as_it_was_and_nobody_hears_their_own_vote() -> None:
    models = a_model(shown(0), 0)
    models[::2] = SILENT
    ballot, _ = crowd(models)
    found = fit(ballot)
    assert not found.machines[::2].any()
    assert found.machines[1::2].any()
    assert (answers_of(ballot)[::2] == SILENT).all()
    assert machines_of(ballot).tolist() == [PEOPLE]


def test_without_machines_and_without_names_nothing_is_new() -> None:
    ballot, _ = crowd(np.zeros((TASKS, 0), np.int64))
    for one in (ballot, replace(ballot, names=None)):
        assert people_of(one) is one
        assert one_voice(one) is one
        np.testing.assert_array_equal(fit(one).posterior, fit(ballot).posterior)


def test_a_machines_errors_are_learned() -> None:
    ballot, _ = crowd(a_model(shown(1), 1, 0.8, 0.05), votes=5, seed=1)
    machine = fit(ballot).confusion[PEOPLE]
    assert machine[1, Answer.YES] == pytest.approx(0.8, abs=0.06)
    assert machine[0, Answer.NO] == pytest.approx(0.95, abs=0.04)


def test_machines_are_reviewed_and_accused_of_no_plot() -> None:
    ballot, _ = crowd(np.repeat(a_model(shown(1), 1), 3, axis=1), votes=5, seed=1)
    rng = np.random.default_rng(0)
    seconds = np.where(np.asarray(ballot.worker) >= PEOPLE, 0.001, rng.uniform(1, 3, len(ballot.task)))
    timing = Timing(seconds, rng.random(len(ballot.task)))
    found = {one.worker: one for one in review_workers(ballot, timing, ballot.names or (), fit(ballot))}
    machine = found["machine:0"]
    assert (machine.votes, machine.gold, machine.verdict) == (TASKS, 80, Verdict.OK)
    assert machine.right > 60
    assert (machine.partners, machine.drift, machine.agreement, machine.pace) == ((), None, None, 1.0)
    assert found["person 0"].pace == pytest.approx(1, abs=0.5)
    noise, _ = crowd(np.random.default_rng(0).choice([0, 2], (TASKS, 1)), votes=5)
    reviews = review_workers(noise, Timing(*np.ones((2, len(noise.task)))), noise.names or (), fit(noise))
    assert reviews[PEOPLE].verdict is Verdict.BLOCK


POLICIES = (Posterior(pilot=0), Posterior(minimum=1, pilot=0), Fixed(1), Lead(1, 3), Table())


def decided(policy: Policy, ballot: Ballot) -> Mask:
    found = policy.conclude(ballot)
    return np.asarray((found.are(State.YES) | found.are(State.NO)) & ballot.asked_about)


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_machines_never_decide_alone(policy: Policy) -> None:
    truth = shown(0)
    perfect = np.repeat(a_model(truth, 0, 1.0, 0.0), 3, axis=1)
    ballot, _ = crowd(perfect, votes=0, gold=400)
    assert not decided(policy, ballot).any()


@pytest.mark.parametrize(
    "policy", [Posterior(pilot=0, min_human=0), Fixed(1, min_human=0), Lead(1, 3, min_human=0)], ids=str
)
def test_machines_decide_alone_where_the_policy_says_so(policy: Policy) -> None:
    ballot, truth = crowd(a_model(shown(0), 0, 0.99, 0.005), votes=0, gold=400)
    found = policy.conclude(ballot)
    asked = ballot.asked_about
    assert decided(policy, ballot)[asked].mean() > 0.9
    assert (found.are(State.YES) == truth)[asked].mean() > 0.97


@pytest.mark.parametrize("number", [1, 2, 3])
def test_so_many_people_must_have_voted(number: int) -> None:
    """Whatever the policy: one that takes two votes, or knows its voters, asks on."""
    for votes in range(1, 4):
        ballot, _ = crowd(a_model(shown(0), 0, 0.95, 0.05), votes=votes, gold=200)
        for policy in (Posterior(pilot=0, min_human=number), Fixed(2, number), Lead(2, 9, number)):
            assert decided(policy, ballot).any() == (votes >= number)


def test_the_yes_must_be_a_persons() -> None:
    """One person says no, machines say yes: nothing is accepted; without people having to vote it may be."""
    models = np.full((TASKS, 1), 2)
    models[shown(0) == 0] = 0
    ballot, _ = crowd(models, votes=1, gold=400)
    found = Posterior(minimum=1, pilot=0).conclude(ballot)
    nobody = (people_of(ballot).count(Answer.YES) == 0) & ballot.asked_about
    assert not (found.are(State.YES) & nobody).any()


def test_machines_are_one_vote_together_for_who_counts() -> None:
    ballot, _ = crowd(np.repeat(np.array([[2], [1], [0], [2]] * (TASKS // 4)), 9, axis=1), votes=1)
    voices = one_voice(ballot)
    assert voices.votes_per_task.tolist() == [2] * TASKS
    assert voices.answer[voices.worker == PEOPLE].tolist() == [2, 1, 0, 2] * (TASKS // 4)
    assert not Fixed(3).conclude(ballot).are(State.YES)[ballot.asked_about].any()
    tied, _ = crowd(np.tile([0, 2], (TASKS, 1)), votes=0)
    assert (one_voice(tied).answer == Answer.UNSURE).all()


@pytest.mark.parametrize(
    ("text", "shows"),
    [
        ("posterior(min_human=0)", "pilot=50, min_human=0)"),
        ("posterior(min_human=1)", "pilot=50)"),
        ("posterior(min_human=3, calibration=calibration(0.5))", "pilot=50, min_human=3, calibration="),
        ("fixed(3, min_human=2)", "fixed(3, min_human=2)"),
        ("fixed(3, min_human=1)", "fixed(3)"),
        ("lead(2, 5, min_human=2)", "lead(2, 5, min_human=2)"),
        ("table(min_human=0)", "max=12, min_human=0)"),
        ("imageable(fixed(3, min_human=0))", "imageable(fixed(3, min_human=0), least=0.05)"),
    ],
)
def test_a_policy_says_how_many_people_it_wants_where_that_is_not_one(text: str, shows: str) -> None:
    policy = parse_policy(text)
    assert shows in str(policy)
    assert parse_policy(str(policy)) == policy


@pytest.mark.parametrize("name", ["posterior", "fixed", "lead", "table"])
def test_fewer_than_no_people_are_refused(name: str) -> None:
    with pytest.raises(CrowdError, match="min_human is a number of people"):
        parse_policy(f"{name}(min_human=-1)")


def test_gold_calibrates_posteriors_that_machines_have_moved() -> None:
    ballot, truth = crowd(a_model(shown(2), 2), votes=5, seed=2)
    for stopping in (None, Posterior().stopping):
        posterior, right = posterior_of_gold(ballot, None, stopping)
        assert right.tolist() == truth[:80].tolist()
        assert ((posterior >= 0.5) == right).mean() > 0.85


def test_a_replay_hears_machines_first_and_counts_people() -> None:
    ballot, _ = crowd(a_model(shown(0), 0), votes=5)
    heard: list[Sequence[int]] = []

    class Listening:
        def conclude(self, votes: Ballot) -> object:
            heard.append((len(people_of(votes).task), len(votes.task)))
            return Fixed(3).conclude(votes)

    _, used = replay(ballot, Listening(), np.random.default_rng(0))  # type: ignore[arg-type]
    assert heard[0] == (0, TASKS)
    assert used.max() == 2
    assert set(used[ballot.asked_about].tolist()) == {2}
