"""How much a team may submit, and when it is told what became of it; by rules that are written here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

DAY: Final = 86_400
STEP: Final = 60.0
"""Seconds after which a team is told first."""

State = Literal["waiting", "running", "scored", "refused", "failed"]
"""What becomes of a submission: it waits, is being evaluated, was scored, cannot be read as what was asked for, which
is its own fault, or was not evaluated because the evaluator failed, which is not."""
IN_FLIGHT: Final = frozenset({"waiting", "running"})


@dataclass(frozen=True, slots=True)
class Quota:
    """What a team may submit on a day: `a_day` that count, as many again that cannot be read, and as many that the
    evaluator fails at, for which nothing counts at all. Days are of UTC, and a submission is of the day it came."""

    a_day: int

    def left(self, states: Iterable[State]) -> int:
        """How many more may be submitted on a day on which so much became of those submitted so far."""
        held = list(states)
        counting = sum(state == "scored" or state in IN_FLIGHT for state in held)
        own = held.count("refused") + max(0, held.count("failed") - self.a_day)
        return max(0, self.a_day - counting) if own < self.a_day else 0

    @property
    def rule(self) -> str:
        """The rule in words."""
        few = f"{self.a_day:,} submission{'' if self.a_day == 1 else 's'}"
        return (
            f"{few} a day, from midnight to midnight UTC. What was scored and what waits count. A file that cannot be "
            f"read counts apart: {self.a_day:,} of those end the day too. Where the evaluator fails, nothing is "
            f"counted, up to {self.a_day:,} times a day. The same file again is the submission that it was."
        )


def day_of(at: float) -> int:
    """The number of a Unix time's day, UTC.

    >>> day_of(86_399.9), day_of(86_400.0)
    (0, 1)
    """
    return int(at // DAY)


def told_at(came: float, ended: float) -> float:
    """When a team is told of what came at a Unix time and was evaluated at another: 1, 2, 4, 8, ... minutes after it
    came. So how long an evaluation took, which may depend on what is hidden, cannot be read off.

    >>> told_at(0, 3), told_at(0, 60), told_at(0, 61), told_at(0, 500)
    (60.0, 60.0, 120.0, 960.0)
    """
    step = STEP
    while came + step < ended:
        step *= 2
    return came + step
