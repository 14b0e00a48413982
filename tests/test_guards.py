"""What must hold of every policy: nothing is decided that no vote speaks for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.consensus.ballot import UNKNOWN, Ballot
from holotype.consensus.posteriors import fit
from holotype.consensus.two_coin import Priors
from holotype.consensus.votes import Answer
from holotype.crowd.conclusion import Policy, State
from holotype.crowd.guards import LEAST_EVIDENCE, MOST_UNSURE, Guard, guards_of, nobody_sure
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Posterior
from holotype.crowd.policy_names import parse_policy

NO, UNSURE, YES = Answer.NO, Answer.UNSURE, Answer.YES
WORKERS = 8

POLICIES = [
    "posterior",
    "posterior(accept=0.51, reject=0.5, min=1, max=3, miss=1, pilot=0)",
    "posterior(accept=0.6, reject=0.4, min=1, max=4, miss=1, pilot=0, calibration(slope=0.01, shift=9.0))",
    "posterior(accept=0.6, reject=0.4, min=1, max=4, miss=1, pilot=0, calibration(slope=0.01, shift=-9.0))",
    "imageable(posterior(pilot=0), least=0.05)",
    "lead(1, 3)",
    "lead",
    "fixed(1)",
    "fixed(4)",
    "table(accept=0.51, reject=0.5, seeds=1, max=10)",
    "table",
]
every = pytest.mark.parametrize("policy", list(map(parse_policy, POLICIES)), ids=str)


@st.composite
def ballots(draw: st.DrawFn) -> Ballot:
    """Few tasks with some votes each, some of them gold, ruled on, or with priors that are all but certain."""
    of_task = st.lists(st.sampled_from([*Answer, YES, NO]), max_size=WORKERS)
    given_votes = draw(st.lists(of_task, min_size=1, max_size=12))
    rows = [(task, worker, answer) for task, some in enumerate(given_votes) for worker, answer in enumerate(some)]
    task, worker, answer = np.array(rows, np.int64).reshape(-1, 3).T
    tasks = len(given_votes)

    def column(values: list[float]) -> Any:
        drawn = draw(st.lists(st.sampled_from(values), min_size=tasks, max_size=tasks))
        return np.array(drawn) if draw(st.booleans()) else None

    known, ruled = (column([UNKNOWN, UNKNOWN, UNKNOWN, 0, 1]) for _ in range(2))
    prior = column([np.nan, 0.001, 0.999])
    synsets = draw(st.integers(1, 3))
    synset = np.arange(tasks) % synsets
    return Ballot(task, worker, answer, synset, WORKERS, synsets, known=known, prior=prior, ruled=ruled)


def answered(ballot: Ballot, policy: Policy) -> None:
    """Check that votes speak for whatever is decided and neither gold nor ruled on."""
    found = policy.conclude(ballot)
    yes, no = ballot.count(YES), ballot.count(NO)
    free = ballot.left_to_policy
    for task, state in enumerate(found.states):
        if free[task]:
            assert state is not State.YES or yes[task] > 0
            assert state is not State.NO or no[task] > 0
            assert task not in found.guards or state not in (State.YES, State.NO), "a guard holds what it names"
    for task, guard in found.guards.items():
        assert free[task]
        assert ballot.votes_per_task[task] > 0
        assert {Guard.NO_YES: yes[task] == 0, Guard.NO_NO: no[task] == 0}.get(guard, True)
        assert {Guard.EVIDENCE: yes[task] > 0, Guard.MISS: no[task] > 0}.get(guard, True)


@every
@given(ballot=ballots())
@settings(max_examples=12)
def test_nothing_is_accepted_without_a_yes_or_rejected_without_a_no(policy: Policy, ballot: Ballot) -> None:
    answered(ballot, policy)


def of(*given_votes: list[Answer], prior: float = np.nan) -> Ballot:
    """One task for each list of answers, by workers 0, 1, 2, ..."""
    rows = [(task, worker, answer) for task, some in enumerate(given_votes) for worker, answer in enumerate(some)]
    task, worker, answer = np.array(rows, np.int64).reshape(-1, 3).T
    tasks = len(given_votes)
    return Ballot(task, worker, answer, np.zeros(tasks, np.int64), 12, 1, prior=np.full(tasks, prior))


@pytest.mark.parametrize("prior", [0.001, 0.999])
@every
def test_no_prior_decides_against_all_votes(policy: Policy, prior: float) -> None:
    contrary, opposite = (NO, State.YES) if prior > 0.5 else (YES, State.NO)
    ballot = of(*[[contrary] * 10] * 20, [UNSURE] * 10, [], prior=prior)
    states = policy.conclude(ballot).states
    assert opposite not in states
    assert states[20] in (State.UNDECIDED, State.OPEN)
    assert states[21] in (State.UNDECIDED, State.OPEN)


def test_a_label_says_which_guard_held_it() -> None:
    """Under one belief, a prior that is all but certain and no pilot."""
    policy = Posterior(minimum=2, maximum=12, miss=0.2, pilot=0, priors=Priors(hard=0.0))
    sure = of([NO, NO], [UNSURE, UNSURE], [YES, *[NO] * 4], [YES, YES], prior=0.9999)
    found = policy.conclude(sure)
    assert found.guards == {0: Guard.NO_YES, 1: Guard.NO_YES, 2: Guard.EVIDENCE}
    assert found.states == [State.OPEN, State.OPEN, State.OPEN, State.YES]
    never = of([YES, YES], [UNSURE, UNSURE], [YES, YES, NO], [NO, NO], prior=0.00001)
    found = policy.conclude(never)
    assert found.guards == {0: Guard.NO_NO, 1: Guard.NO_NO, 2: Guard.MISS}
    assert found.states == [State.OPEN, State.OPEN, State.OPEN, State.NO]


def test_a_guarded_task_is_asked_until_its_maximum() -> None:
    ballot = of(*[[NO] * 3] * 5, prior=0.9999)
    priors = Priors(hard=0.0)
    for maximum, state in ((4, State.OPEN), (3, State.UNDECIDED)):
        found = Posterior(maximum=maximum, pilot=0, priors=priors).conclude(ballot)
        assert set(found.states) == {state}
        assert set(found.guards.values()) == {Guard.NO_YES}


def test_gold_and_rulings_are_held_by_no_guard() -> None:
    ballot = of([NO, NO], [NO, NO], [NO, NO], prior=0.9999)
    said = replace(ballot, known=np.array([1, UNKNOWN, UNKNOWN]), ruled=np.array([UNKNOWN, 1, UNKNOWN]))
    found = Imageable(Posterior(pilot=0, priors=Priors(hard=0.0))).conclude(said)
    assert found.states[:2] == [State.YES, State.YES]
    assert found.guards == {2: Guard.NO_YES}, "what wraps a policy keeps its guards"


@pytest.mark.parametrize("text", ["posterior", "lead", "table", "imageable(posterior, least=0.05)"])
def test_what_leaves_everybody_unsure_is_given_up_after_five_votes(text: str) -> None:
    ballot = of([UNSURE] * MOST_UNSURE, [UNSURE] * (MOST_UNSURE - 1), [*[UNSURE] * MOST_UNSURE, YES], [])
    assert nobody_sure(ballot).tolist() == [True, False, False, False]
    states = parse_policy(text).conclude(ballot).states
    if text != "table":  # whose seed needs ten votes
        assert states[:2] == [State.UNDECIDED, State.OPEN]
    assert not {State.YES, State.NO} & set(states[:2])
    assert states[3] is State.OPEN


def test_guards_are_the_votes_word_against_the_models() -> None:
    ballot = of([NO], [YES], [YES, NO], [YES, NO], [NO])
    evidence = np.array([9.0, LEAST_EVIDENCE, LEAST_EVIDENCE - 0.01, -2.0, 0.0])
    everything, nothing = np.ones(5, bool), np.zeros(5, bool)
    found = guards_of(ballot, evidence, everything, nothing, 0.5)
    assert {guard: np.flatnonzero(mask).tolist() for guard, mask in found.items() if mask.any()} == {
        Guard.NO_YES: [0, 4],
        Guard.EVIDENCE: [2, 3],
    }
    found = guards_of(ballot, evidence, nothing, everything, 0.5)
    assert {guard: np.flatnonzero(mask).tolist() for guard, mask in found.items() if mask.any()} == {
        Guard.NO_NO: [1],
        Guard.MISS: [0, 2, 4],
    }


def test_a_stricter_miss_rejects_less_and_only_what_votes_speak_against() -> None:
    generator = np.random.default_rng(3)
    truth = generator.random(300) < 0.2
    worker = np.argsort(generator.random((300, 30)), axis=1)[:, :3].ravel()
    task = np.repeat(np.arange(300), 3)
    yes = generator.random(900) < np.where(truth, 0.7, 0.05)[task]
    ballot = Ballot(task, worker, np.where(yes, YES, NO), np.zeros(300, np.int64), 30, 1)
    evidence, rejected = fit(ballot).evidence, []
    for miss in (0.01, 0.1, 0.35, 1.0):
        no = np.array(Posterior(miss=miss, pilot=0).conclude(ballot).states) == State.NO
        assert (evidence[no] <= np.log(miss)).all()
        rejected.append(no.sum())
    assert rejected == sorted(rejected)
    assert rejected[-1] > 0
