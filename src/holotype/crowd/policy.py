"""When to stop asking, and what is then concluded."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from holotype.crowd.ballot import Ballot
from holotype.crowd.consensus import fit, majority
from holotype.crowd.port import Answer
from holotype.errors import CrowdError


class State(StrEnum):
    """What is concluded of a task. `OPEN` asks for more votes; `UNDECIDED` had its maximum without certainty."""

    OPEN = "open"
    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Conclusion:
    """One `State` and one score in [0, 1] per task, in the order of the ballot's tasks."""

    states: list[State]
    scores: npt.NDArray[np.float64]


class Policy(Protocol):
    """A rule from votes to conclusions: a pure function of the ballot."""

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """Ask until the two-coin posterior is above `accept` or below `reject`, with `minimum` to `maximum` votes.

    ImageNet's dynamic consensus (Deng et al., CVPR 2009, section 3.2) with a worker model instead of a table.
    """

    accept: float = 0.98
    reject: float = 0.05
    minimum: int = 2
    maximum: int = 12

    def __post_init__(self) -> None:
        if not (0 < self.reject < self.accept < 1 and 1 <= self.minimum <= self.maximum):
            raise CrowdError(f"a policy needs 0 < reject < accept < 1 and 1 <= minimum <= maximum, not {self}")

    def __str__(self) -> str:
        return f"posterior(accept={self.accept}, reject={self.reject}, min={self.minimum}, max={self.maximum})"

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task under the fitted model."""
        posterior = fit(ballot).posterior
        votes = ballot.votes_per_task
        conditions = [
            votes < self.minimum,
            posterior >= self.accept,
            posterior <= self.reject,
            votes >= self.maximum,
        ]
        states = (State.OPEN, State.YES, State.NO, State.UNDECIDED)
        chosen = np.select(conditions, range(4), 0)
        return Conclusion([states[number] for number in chosen], posterior)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Ask `votes` workers about everything and take the majority; the score is the share of yes."""

    votes: int = 5

    def __str__(self) -> str:
        return f"fixed({self.votes})"

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task by majority."""
        asked = ballot.votes_per_task
        won = majority(ballot)
        states = [
            State.OPEN if count < self.votes else State.YES if yes else State.NO
            for count, yes in zip(asked, won, strict=True)
        ]
        return Conclusion(states, ballot.count(Answer.YES) / np.maximum(asked, 1))
