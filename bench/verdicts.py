"""What came of simulated campaigns, and whether it is good enough beside the majority of five."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import binom

from crowds import Cell, Mask
from holotype.consensus.ballot import Ballot
from holotype.consensus.votes import Answer
from holotype.crowd.conclusion import Conclusion, State

PRECISION: Final = 0.97
LOST: Final = 0.02
VOTES: Final = {"weak": 8.0, "half spam": 8.0}
USUAL_VOTES: Final = 5.0
SHARES: Final = 0.05


@dataclass(frozen=True, slots=True)
class Counts:
    """What came of one campaign, or of several: tasks, good ones, accepted ones, accepted and right."""

    tasks: int
    good: int
    accepted: int
    right: int

    @property
    def precision(self) -> float:
        """Of what was accepted; 1 where nothing was."""
        return self.right / self.accepted if self.accepted else 1.0

    @property
    def recall(self) -> float:
        """Of what is good; 1 where nothing is."""
        return self.right / self.good if self.good else 1.0

    @classmethod
    def of(cls, accepted: Mask, truth: Mask) -> Counts:
        """Of tasks and whether they were accepted, both ``(tasks,)``."""
        return cls(len(truth), int(truth.sum()), int(accepted.sum()), int((accepted & truth).sum()))

    @classmethod
    def sum(cls, counts: Sequence[Counts]) -> Counts:
        """Of all together."""
        return cls(*(sum(column) for column in zip(*map(dataclasses.astuple, counts), strict=True)))


@dataclass(frozen=True, slots=True)
class Result:
    """One campaign: the `counts` without gold, all `votes` a task, how many were accepted without a yes (`alone`), how
    many ended without a label (`unlabelled`), the alarms that rang, and the seconds it took."""

    counts: Counts
    votes: float
    alone: int
    unlabelled: int
    alarms: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """A cell over its seeds beside the `majority` of five over all seeds and draws, and the verdict."""

    cell: Cell
    majority: Counts
    results: tuple[Result, ...]

    @property
    def ours(self) -> Counts:
        """All seeds together."""
        return Counts.sum([result.counts for result in self.results])

    @property
    def votes(self) -> float:
        """Votes a task, gold's counted, the mean over seeds."""
        return float(np.mean([result.votes for result in self.results]))

    @property
    def alone(self) -> int:
        """Accepted without a single yes."""
        return sum(result.alone for result in self.results)

    @property
    def unlabelled(self) -> float:
        """The share of tasks that ended neither yes nor no."""
        return sum(result.unlabelled for result in self.results) / self.ours.tasks

    @property
    def spread(self) -> float:
        """By how much the accepted share differs between seeds."""
        shares = [result.counts.accepted / result.counts.tasks for result in self.results]
        return max(shares) - min(shares)

    @property
    def rang(self) -> int:
        """In how many seeds an alarm rang."""
        return sum(bool(result.alarms) for result in self.results)

    @property
    def least(self) -> tuple[float, float]:
        """The precision and the recall that are asked for."""
        return min(PRECISION, self.majority.precision), self.majority.recall - LOST

    @property
    def excess(self) -> dict[str, float]:
        """By how much each criterion is missed; not above 0 where it holds."""
        return {
            "precision": self.least[0] - self.ours.precision,
            "recall": self.least[1] - self.ours.recall,
            "votes": self.votes / VOTES.get(self.cell.crowd, USUAL_VOTES) - 1,
            "alone": self.alone / max(self.ours.accepted, 1),
            "spread": self.spread - SHARES,
        }

    @property
    def missed(self) -> tuple[str, ...]:
        """The criteria that do not hold."""
        return tuple(name for name, by in self.excess.items() if by > 1e-9)

    @property
    def surely(self) -> bool:
        """Whether precision or recall miss by more than chance."""
        told, (precision, recall) = self.ours, self.least
        return bool(
            binom.cdf(told.right, told.accepted, precision) <= 0.05 or binom.cdf(told.right, told.good, recall) <= 0.05
        )

    @property
    def badness(self) -> float:
        """By how much all criteria together are missed: what the worst cells are sorted by."""
        return sum(max(by, 0.0) for by in self.excess.values())

    def row(self) -> dict[str, object]:
        """A row of the table that `--csv` writes."""
        return {
            **dataclasses.asdict(self.cell),
            "precision": self.ours.precision,
            "recall": self.ours.recall,
            "majority_precision": self.majority.precision,
            "majority_recall": self.majority.recall,
            "votes": self.votes,
            "alone": self.alone,
            "unlabelled": self.unlabelled,
            "spread": self.spread,
            "alarms": " ".join(sorted({alarm for result in self.results for alarm in result.alarms})),
            "rang": self.rang,
            "missed": " ".join(self.missed),
            "surely": self.surely,
            "seconds": sum(result.seconds for result in self.results),
        }


def judged(conclusion: Conclusion, ballot: Ballot, truth: Mask, asked: Mask, seconds: float) -> Result:
    """What came of a campaign, by the truth of what was asked, ``(tasks,)`` each."""
    states = np.array([str(state) for state in conclusion.states])[asked]
    yes = states == State.YES
    return Result(
        Counts.of(yes, truth[asked]),
        len(ballot.task) / ballot.tasks,
        int((yes & (ballot.count(Answer.YES)[asked] == 0)).sum()),
        int((~yes & (states != State.NO)).sum()),
        tuple(map(str, getattr(conclusion, "alarms", ()))),
        seconds,
    )
