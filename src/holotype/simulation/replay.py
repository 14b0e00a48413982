"""A campaign over arrays: rounds of votes under a policy, without a catalog, pages or people."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from holotype.consensus.ballot import Ballot, Ints
from holotype.consensus.joint import by_machines, people_of
from holotype.crowd.conclusion import Conclusion, Policy, State

Ask = Callable[[Ballot, Ints], Ballot]
"""From the votes so far and the open tasks ``(open,)`` to the votes with one more on each, where there is one."""


def play(ballot: Ballot, policy: Policy, ask: Ask) -> tuple[Conclusion, Ballot]:
    """Ask about every open task once a round, until `policy` leaves none open or `ask` has no more votes.

    Goes on from the votes of `ballot`. Returns the last conclusion and the votes it is drawn from.
    """
    while True:
        conclusion = policy.conclude(ballot)
        asked = ask(ballot, open_tasks(conclusion))
        if len(asked.task) == len(ballot.task):
            return conclusion, ballot
        ballot = asked


def open_tasks(conclusion: Conclusion) -> Ints:
    """Indices of the tasks that are open, ``(open,)``."""
    return np.flatnonzero(conclusion.are(State.OPEN))


def replay(ballot: Ballot, policy: Policy, rng: np.random.Generator) -> tuple[Conclusion, Ints]:
    """What `policy` would have concluded had the votes of `ballot` come one a round, in a random order per task.

    Machines vote first, and cost nobody's time. Returns the conclusion and the votes of people used on each task,
    ``(tasks,)``. Tasks out of votes stop with what they have; those still open then have no state but a score.
    """
    machine = by_machines(ballot)
    order = np.lexsort((rng.random(len(ballot.task)), ~machine, ballot.task))
    votes, cast, available = ballot.keep(order), ballot.votes_per_task, people_of(ballot).votes_per_task
    turn = np.arange(len(order)) - np.repeat(np.cumsum(cast) - available, cast)
    used = np.zeros_like(available)

    def ask(_: Ballot, tasks: Ints) -> Ballot:
        used[tasks] = np.minimum(used[tasks] + 1, available[tasks])
        return votes.keep(turn < used[votes.task])

    conclusion, _ = play(votes.keep(turn < 0), policy, ask)
    return conclusion, used
