"""One expert instead of a crowd: policies that take one person's votes, or a source's labels, as they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from holotype.consensus.ballot import Ballot
from holotype.consensus.votes import Answer
from holotype.crowd.conclusion import Conclusion, Memory, State, conclusion
from holotype.crowd.port import Page, Sheet
from holotype.errors import CrowdError

NOBODY_CHECKED = "taken on one person's or one source's word; nobody independent has checked them"
"""What is to be said of labels by `Trust` and `Source` that no audit covers."""


LONGEST_NAME: Final = 1000


@dataclass(frozen=True, slots=True)
class Trust:
    """The vote of the worker called `name` decides alone: yes, no, or undecided where they are unsure.

    What they have not answered is open, whatever others say. So ask nobody else: a crowd of other people never ends it
    (`SimulatedExpert` is a crowd of one, `Nobody` asks nobody and leaves the votes that are there). The score is 1, 0
    or a half. Nothing is known of the person's errors: only an audit can tell.
    """

    name: str

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= LONGEST_NAME:
            raise CrowdError(f"who is trusted needs a name, of at most {LONGEST_NAME:,} characters")

    def __str__(self) -> str:
        return f"trust({_quoted(self.name)})"

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task by the person's vote. Raises `CrowdError` for a ballot that does not name workers."""
        if ballot.names is None:
            raise CrowdError(f"{self} goes by who voted, which these votes do not say")
        number = ballot.names.index(self.name) if self.name in ballot.names else -1
        told = np.flatnonzero(ballot.worker == number)
        scores, voted = np.full(ballot.tasks, 0.5), np.zeros(ballot.tasks, bool)
        scores[ballot.task[told]] = ballot.answer[told] / Answer.YES
        voted[ballot.task[told]] = True
        rules = [(voted & (scores > 0.5), State.YES), (voted & (scores < 0.5), State.NO), (voted, State.UNDECIDED)]
        return conclusion(ballot, scores, rules)

    def again(self, ballot: Ballot, _: Memory) -> Conclusion:
        """The same: each task is decided by its own votes."""
        return self.conclude(ballot)


@dataclass(frozen=True, slots=True)
class Source:
    """What a source says is taken as it is, whatever anybody votes; nobody is asked.

    `name` is a source of sightings (``folder:birds``), or what comes before its colon and stands for all of that kind
    (``folder``). A candidate found there is yes; any other is undecided.
    """

    name: str = "folder"

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= LONGEST_NAME:
            raise CrowdError(f"a source needs a name, such as folder, of at most {LONGEST_NAME:,} characters")

    def __str__(self) -> str:
        return f"source({_quoted(self.name)})"

    def conclude(self, ballot: Ballot) -> Conclusion:
        """The state of every task by its source.

        Raises `CrowdError` for a ballot that does not tell sources, and where nothing came from this one.
        """
        if ballot.sources is None:
            raise CrowdError(f"{self} goes by where images were found, which these votes do not say")
        found = ballot.sources
        meant = [name == self.name or name.startswith(f"{self.name}:") for name in found.names]
        if len(found.task) and not any(meant):
            raise CrowdError(f"nothing came from {self.name!r}; there are: {', '.join(found.names)}")
        here = np.bincount(found.task[np.array(meant, bool)[found.source]], minlength=ballot.tasks) > 0
        everything = np.ones(ballot.tasks, bool)
        return conclusion(ballot, np.where(here, 1.0, 0.5), [(here, State.YES), (everything, State.UNDECIDED)])


def _quoted(name: str) -> str:
    return json.dumps(name, ensure_ascii=False)


CURATOR = "curator:"
"""What the policy of an overruled label begins with; the curator's name follows."""


class Nobody:
    """A crowd that nobody is in: what is concluded follows from the votes there are."""

    name = "nobody"

    def post(self, pages: Sequence[Page]) -> None:
        """Nobody sees the pages."""

    def collect(self) -> list[Sheet]:
        """Nothing."""
        return []

    def waiting(self) -> list[Page]:
        """Nothing."""
        return []

    def acknowledge(self, sheets: Sequence[Sheet]) -> None:
        """There is nobody to hear it."""
