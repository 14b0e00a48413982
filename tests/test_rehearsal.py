from __future__ import annotations

import numpy as np
import pytest

from holotype.crowd import Ballot, Fixed, Posterior, State
from holotype.crowd.replay import replay


def votes_on(tasks: int, workers: int, seed: int = 0) -> Ballot:
    """One vote by everybody on everything, yes and no by a coin that lands yes more often the later the task."""
    rng = np.random.default_rng(seed)
    task, worker = np.divmod(np.arange(tasks * workers), workers)
    answer = np.where(rng.random(len(task)) < task / tasks, 2, 0)
    return Ballot(task, worker, answer, np.zeros(tasks, np.int64), workers, 1)


def test_a_replay_uses_as_many_votes_as_the_policy_asks_for() -> None:
    conclusion, used = replay(votes_on(40, 9), Fixed(5), np.random.default_rng(1))
    assert used.tolist() == [5] * 40
    assert State.OPEN not in conclusion.states


def test_a_replay_with_all_votes_concludes_as_the_policy_does_of_the_ballot() -> None:
    ballot = votes_on(40, 5)
    conclusion, used = replay(ballot, Fixed(5), np.random.default_rng(1))
    assert conclusion.states == Fixed(5).conclude(ballot).states
    assert used.sum() == len(ballot.task)


def test_tasks_out_of_votes_stay_open_with_a_score() -> None:
    ballot = votes_on(40, 9)
    short = ballot.keep(ballot.worker < np.where(ballot.task < 20, 3, 9))
    conclusion, used = replay(short, Fixed(5), np.random.default_rng(1))
    assert used.tolist() == [3] * 20 + [5] * 20
    assert conclusion.states[:20] == [State.OPEN] * 20
    assert conclusion.scores[:20].max() > 0


def test_an_adaptive_policy_stops_early_on_easy_tasks() -> None:
    ballot = votes_on(400, 9)
    conclusion, used = replay(ballot, Posterior(maximum=9), np.random.default_rng(1))
    assert used.min() >= 2
    assert used.mean() < 7
    clear = [state for task, state in enumerate(conclusion.states) if task < 40]
    assert clear.count(State.NO) > 30


def test_the_order_of_a_replay_is_the_generators_alone() -> None:
    ballot = votes_on(60, 9)
    shuffled = ballot.keep(np.random.default_rng(5).permutation(len(ballot.task)))
    first, again = (replay(ballot, Posterior(), np.random.default_rng(3)) for _ in range(2))
    assert first[1].tolist() == again[1].tolist()
    other = replay(shuffled, Posterior(), np.random.default_rng(3))
    assert other[1].sum() == pytest.approx(first[1].sum(), rel=0.2)
    empty = ballot.keep(np.zeros(0, np.int64))
    assert replay(empty, Fixed(3), np.random.default_rng(0))[1].tolist() == [0] * 60
