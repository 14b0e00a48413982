"""What no prior, base rate, calibration or machine may overrule: the votes themselves must speak for an answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.consensus.ballot import Ballot, Floats
from holotype.consensus.votes import Answer

Mask = npt.NDArray[np.bool_]

LEAST_EVIDENCE: Final = float(np.log(2))
"""The least log likelihood ratio, good image over bad, of votes that accept."""

MOST_UNSURE: Final = 5
"""Votes after which a task that nobody is sure of is left undecided."""


class Guard(StrEnum):
    """Why a task that would have been decided is not.

    `NO_YES`: it would be accepted, but nobody said yes. `NO_NO`: it would be rejected, but nobody said no. `EVIDENCE`:
    its votes by themselves do not speak for yes. `MISS`: its votes are too likely on a good image to reject it.
    """

    NO_YES = "no yes"
    NO_NO = "no no"
    EVIDENCE = "evidence"
    MISS = "miss"


def guards_of(
    ballot: Ballot, evidence: Floats, likely: Mask, unlikely: Mask, miss: float, against: Floats | None = None
) -> dict[Guard, Mask]:
    """Which tasks that are `likely`, or `unlikely`, enough to be decided each guard holds back, ``(tasks,)``.

    `evidence` is the log likelihood ratio of each task's votes, good image over bad. Votes reject only where they are
    at most `miss` times as likely on a good image: those of `evidence`, or, where given, of `against`, which has
    machines' as well.
    """
    against = evidence if against is None else against
    none_yes, none_no = ballot.count(Answer.YES) == 0, ballot.count(Answer.NO) == 0
    return {
        Guard.NO_YES: likely & none_yes,
        Guard.NO_NO: unlikely & none_no,
        Guard.EVIDENCE: likely & ~none_yes & (evidence < LEAST_EVIDENCE),
        Guard.MISS: unlikely & ~none_no & (against > np.log(miss)),
    }


def nobody_sure(ballot: Ballot) -> Mask:
    """Whether a task has had `MOST_UNSURE` votes and all were unsure, ``(tasks,)``."""
    return np.asarray((ballot.votes_per_task >= MOST_UNSURE) & (ballot.count(Answer.UNSURE) == ballot.votes_per_task))
