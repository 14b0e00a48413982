"""What is concluded of tasks: a state and a score each, what held some back, and what the votes cannot tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import UNKNOWN, Ballot, Floats, Ints
from holotype.consensus.recall import Recall
from holotype.crowd.alarms import Alarm
from holotype.crowd.guards import Guard, Mask

Codes = npt.NDArray[np.int8]


class State(StrEnum):
    """What is concluded of a task.

    `OPEN` asks for more votes; `UNDECIDED` had its maximum without certainty; `ABANDONED` is of a synset that nobody
    can see.
    """

    OPEN = "open"
    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"
    ABANDONED = "abandoned"


STATES: Final = tuple(State)
GUARDS: Final = tuple(Guard)
FREE: Final = -1
"""In `Conclusion.guard`: no guard holds the task."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a policy learned from all votes and needs to conclude of a few tasks again; all of it on the ballot's axes.

    `model` is what was fitted; `useless` the share of the votes that say nothing, `stranger` ``(workers,)`` who is not
    known yet, `pilot` the tasks of the pilot, by place; `hopeless` the groups (`group_keys`) that nobody can see.
    """

    model: Recall | None = None
    useless: float = 0.0
    stranger: Mask | None = None
    pilot: Ints | None = None
    hopeless: Ints | None = None


@dataclass(frozen=True, slots=True)
class Conclusion:
    """One state and one score in [0, 1] per task, in the order of the ballot's tasks, as columns.

    `state` ``(tasks,)`` are places in `STATES`; `guard` ``(tasks,)`` is the place in `GUARDS` of the guard that held a
    task from being decided, or `FREE`, and None where there are no guards; `alarms` say what the votes cannot tell;
    `memory` is what it takes to conclude of a few tasks again.
    """

    state: Codes
    scores: Floats
    guard: Codes | None = None
    alarms: tuple[Alarm, ...] = ()
    memory: Memory = Memory()

    @classmethod
    def of(cls, states: Sequence[State], scores: Floats) -> Conclusion:
        """That of states one by one."""
        return cls(np.array([STATES.index(state) for state in states], np.int8), scores)

    @property
    def states(self) -> list[State]:
        """The state of every task."""
        return list(map(STATES.__getitem__, self.state.tolist()))

    @property
    def guards(self) -> Mapping[int, Guard]:
        """The guard that held a task from being decided, by the place of the task."""
        if self.guard is None:
            return {}
        held = np.flatnonzero(self.guard != FREE)
        return dict(zip(held.tolist(), map(GUARDS.__getitem__, self.guard[held].tolist()), strict=True))

    def are(self, state: State) -> Mask:
        """Which tasks are of a state, ``(tasks,)``."""
        return np.asarray(self.state == STATES.index(state))

    def take(self, places: Ints) -> Conclusion:
        """What is concluded of some tasks, by their places."""
        guard = None if self.guard is None else self.guard[places]
        return replace(self, state=self.state[places], scores=self.scores[places], guard=guard)

    @property
    def counts(self) -> dict[str, int]:
        """Number of tasks by state, of states that there are."""
        sizes = np.bincount(self.state, minlength=len(STATES)).tolist()
        return {str(state): size for state, size in zip(STATES, sizes, strict=True) if size}


class Policy(Protocol):
    """A rule from votes to conclusions: a pure function of the ballot."""

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task; gold tasks have their known answer, others the answer that a curator gave."""


@runtime_checkable
class Incremental(Protocol):
    """A policy that can conclude of a few tasks by what it learned of all."""

    def again(self, ballot: Ballot, memory: Memory, /) -> Conclusion:
        """What is concluded of the tasks of a ballot, which has only those, all of their votes, and the axes of the
        ballot that `memory` was learned from; workers who are new come after the others."""


def conclusion(
    ballot: Ballot, scores: Floats, rules: list[tuple[Mask, State]], guards: Mapping[Guard, Mask] | None = None
) -> Conclusion:
    """The state of the first rule that holds, open where none does; what a guard holds back is not decided."""
    held = guards or {}
    free = ~np.any(list(held.values()), axis=0) if held else np.ones(ballot.tasks, bool)
    rules = [(mask & free if state in (State.YES, State.NO) else mask, state) for mask, state in rules]
    for said in (ballot.ruled, ballot.known):
        if said is not None:
            rules = [(said == 1, State.YES), (said == 0, State.NO), *rules]
            scores = np.where(said == UNKNOWN, scores, said)
    chosen = np.select([mask for mask, _ in rules], [STATES.index(state) for _, state in rules], 0)
    asked = ballot.left_to_policy & (ballot.votes_per_task > 0)
    named = None
    if held:
        named = np.full(ballot.tasks, FREE, np.int8)
        for guard, mask in held.items():
            named[mask & asked] = GUARDS.index(guard)
    return Conclusion(chosen.astype(np.int8), scores, named)
