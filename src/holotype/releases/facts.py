"""What a release is made from: accepted labels with their images, votes that count, and what certificates follow from.

Values of the stage itself: the project makes them of what its catalog knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from holotype.audits.certificates import NOTHING, Evidence
from holotype.consensus.votes import Answer, is_machine
from holotype.crowd.alarms import Alarm
from holotype.crowd.expert import CURATOR
from holotype.crowd.policy_names import is_unchecked
from holotype.store.location import Location

Answers = npt.NDArray[np.int64]
"""How often each answer was given, by candidate id and answer."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an image was first found for its synset, or the dataset that it came in."""

    origin: str
    source: str
    query: str = ""
    position: int = 0
    licence: str = ""
    author: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class ReleasedBox:
    """A box in inclusive upright pixels, and the name of the file that says so."""

    wnid: str
    x_min: int
    y_min: int
    x_max: int
    y_max: int
    source: str


@dataclass(frozen=True, slots=True)
class ReleasedLabel:
    """A label yes and its image as they go into a release.

    `candidate` is the id that votes speak of, `near_duplicates` the id that near-duplicates share, and `split` the one
    that the image came with, or "".
    """

    candidate: int
    wnid: str
    rank: int
    score: float
    policy: str
    boxes: int
    split: str
    sha256: str
    format: str
    mode: str
    width: int
    height: int
    orientation: int
    near_duplicates: int
    location: Location
    provenance: Provenance


@dataclass(frozen=True, slots=True)
class ReleasedVotes:
    """The votes that count, as columns ``(votes,)``: candidate ids, places among the `workers`, answers
    (`holotype.consensus.votes.Answer`), places among the `pages`, seconds taken and Unix times."""

    candidate: npt.NDArray[np.int64]
    worker: npt.NDArray[np.int32]
    answer: npt.NDArray[np.int8]
    page: npt.NDArray[np.int32]
    seconds: npt.NDArray[np.float64]
    at: npt.NDArray[np.float64]
    workers: Sequence[str]
    pages: Sequence[str]

    @property
    def _by_machines(self) -> npt.NDArray[np.bool_]:
        machine = np.array([is_machine(name) for name in self.workers], bool)
        return np.asarray(machine[self.worker]) if len(self.worker) else np.zeros(0, bool)

    @property
    def peoples_answers(self) -> Answers:
        """How often people gave each answer, by candidate id and answer."""
        people = ~self._by_machines
        return count_answers(self.candidate[people], self.answer[people])

    @property
    def machines(self) -> dict[int, list[str]]:
        """The names of the machines that voted on a candidate, sorted, by its id."""
        theirs = self._by_machines
        found: dict[int, list[str]] = {}
        for candidate, worker in zip(self.candidate[theirs].tolist(), self.worker[theirs].tolist(), strict=True):
            found.setdefault(candidate, []).append(self.workers[worker])
        return {candidate: sorted(names) for candidate, names in found.items()}


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a release follows from: its labels, the votes that count with the (sha256, wnid) of their candidates,
    the boxes of its images by sha256, what certificates follow from, what the votes cannot tell, and how many labels
    curators made, by policy and state.
    """

    labels: Sequence[ReleasedLabel]
    votes: ReleasedVotes
    pairs: Mapping[int, tuple[str, str]]
    boxes: Mapping[str, Sequence[ReleasedBox]] = field(default_factory=dict)
    evidence: Evidence = NOTHING
    alarms: Sequence[Alarm] = ()
    overruled: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @property
    def outvoted(self) -> int:
        """How many labels are outvoted: see `is_outvoted`."""
        counts = self.votes.peoples_answers
        return sum(is_outvoted(label.policy, label.candidate, counts) for label in self.labels)


def count_answers(candidates: npt.NDArray[np.int64], answers: npt.NDArray[np.int8]) -> Answers:
    """How often each answer was given, from two columns of votes."""
    top = int(candidates.max(initial=0)) + 1
    return np.bincount(candidates * len(Answer) + answers, minlength=top * len(Answer)).reshape(-1, len(Answer))


def votes_on(candidate: int, counts: Answers) -> npt.NDArray[np.int64]:
    """How often each answer was given to a candidate, ``(answers,)``, maybe to nothing."""
    return counts[candidate] if candidate < len(counts) else np.zeros(len(Answer), np.int64)


def is_outvoted(policy: str, candidate: int, counts: Answers) -> bool:
    """Whether a candidate labelled yes by `policy` has more of people's noes than yeses, and nobody answers for it: no
    gold, curator, expert or source."""
    given = votes_on(candidate, counts)
    return bool(given[Answer.NO] > given[Answer.YES]) and not (
        policy == "gold" or policy.startswith(CURATOR) or is_unchecked(policy)
    )
