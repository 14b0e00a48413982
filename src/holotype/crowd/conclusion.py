"""What is concluded of tasks: a state and a score each, what held some back, and what the votes cannot tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

import numpy as np

from holotype.consensus.ballot import UNKNOWN, Ballot, Floats
from holotype.crowd.alarms import Alarm
from holotype.crowd.guards import Guard, Mask


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


_STATES: Final = tuple(State)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """One `State` and one score in [0, 1] per task, in the order of the ballot's tasks.

    `guards` names, by task, the guard that held it from being decided; `alarms` say what the votes cannot tell.
    """

    states: list[State]
    scores: Floats
    guards: Mapping[int, Guard] = field(default_factory=dict)
    alarms: tuple[Alarm, ...] = ()


class Policy(Protocol):
    """A rule from votes to conclusions: a pure function of the ballot."""

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task; gold tasks have their known answer, others the answer that a curator gave."""


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
    chosen = np.select([mask for mask, _ in rules], [_STATES.index(state) for _, state in rules], 0)
    asked = ballot.left_to_policy & (ballot.votes_per_task > 0)
    named = {int(task): guard for guard, mask in held.items() for task in np.flatnonzero(mask & asked)}
    return Conclusion([_STATES[number] for number in chosen], scores, named)
