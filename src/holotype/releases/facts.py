"""What a release is made from, in columns: votes that count, boxes, and what certificates follow from.

Values of the stage itself: the project makes them of what its catalog knows. Labels and their images come as tables
with the columns of `LABELS` and are put down in a draft (`holotype.releases.draft`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holotype.audits.certificates import NOTHING, Evidence
from holotype.consensus.votes import Answer, is_machine
from holotype.crowd.alarms import Alarm
from holotype.crowd.expert import CURATOR
from holotype.crowd.policy_names import is_unchecked
from holotype.releases.faces import NO_FACES, Faces
from holotype.releases.layout import MASKS_SCHEMA
from holotype.releases.leaks import Check

Numbers = npt.NDArray[np.int64]
Answers = npt.NDArray[np.int64]
"""How often each answer was given, ``(candidates, answers)``."""

LABELS: Final = pa.schema(
    [
        *(("candidate", pa.int64()), ("image", pa.int64()), ("near", pa.int64()), ("wnid", pa.string())),
        *(("rank", pa.int32()), ("score", pa.float64()), ("policy", pa.string()), ("boxes", pa.int32())),
        *(("split", pa.string()), ("sha256", pa.string()), ("name", pa.string()), ("format", pa.string())),
        *(("mode", pa.string()), ("width", pa.int32()), ("height", pa.int32()), ("orientation", pa.int8())),
        *(("origin", pa.string()), ("source", pa.string()), ("query", pa.string()), ("position", pa.int32())),
        *(("licence", pa.string()), ("author", pa.string()), ("url", pa.string())),
        *(("file", pa.int64()), ("offset", pa.int64()), ("length", pa.int64()), ("path", pa.string())),
    ]
)
"""Labels yes and their images as they may go into a release: `candidate` is the id that votes speak of, `image` the one
that boxes do, `near` the number that near-duplicates share, `split` the one that the image came with, or "", `name`
what it is called where it was not read, and `file` the number of what its bytes lie in. Nothing is null: "" and 0 are
what is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """How often people gave each answer: ids of `candidates`, ascending, and `answers` of each."""

    candidates: Numbers
    answers: Answers

    def of(self, candidates: Numbers) -> Answers:
        """The answers to each of some candidates, ``(candidates, answers)``, maybe none."""
        found = np.zeros((len(candidates), len(Answer)), np.int64)
        if len(self.candidates):
            place = np.minimum(np.searchsorted(self.candidates, candidates), len(self.candidates) - 1)
            known = self.candidates[place] == candidates
            found[known] = self.answers[place[known]]
        return found


def tally(candidates: Numbers, answers: npt.NDArray[np.int8]) -> Tally:
    """How often each answer was given, from two columns of votes."""
    numbers, place = np.unique(candidates, return_inverse=True)
    size = len(numbers) * len(Answer)
    return Tally(numbers, np.bincount(place * len(Answer) + answers, minlength=size).reshape(-1, len(Answer)))


@dataclass(frozen=True, slots=True, eq=False)
class Helpers:
    """The machines that voted: a candidate id and the place of a name among `names` each, in order of both; `names` are
    sorted."""

    candidate: Numbers
    name: npt.NDArray[np.int64]
    names: Sequence[str]

    def of(self, candidates: Numbers, heard: npt.NDArray[np.bool_]) -> pa.ListArray:
        """The names of the machines that voted on each of some candidates, where they were `heard`."""
        start, stop = (np.searchsorted(self.candidate, candidates, side) for side in ("left", "right"))
        counts = np.where(heard, stop - start, 0)
        ends = np.concatenate([[0], np.cumsum(counts)])
        inside = np.arange(ends[-1]) - np.repeat(ends[:-1] - start, counts)
        names = pa.array(self.names, pa.string()).take(pa.array(self.name[inside]))
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), names)


@dataclass(frozen=True, slots=True, eq=False)
class ReleasedVotes:
    """The votes that count, as columns ``(votes,)``: candidate ids, places among the `workers`, answers
    (`holotype.consensus.votes.Answer`), places among the `pages`, seconds taken and Unix times."""

    candidate: Numbers
    worker: npt.NDArray[np.int32]
    answer: npt.NDArray[np.int8]
    page: npt.NDArray[np.int32]
    seconds: npt.NDArray[np.float64]
    at: npt.NDArray[np.float64]
    workers: Sequence[str]
    pages: Sequence[str]

    def take(self, chosen: npt.NDArray[np.bool_]) -> ReleasedVotes:
        """The chosen votes."""
        columns = self.candidate[chosen], self.worker[chosen], self.answer[chosen], self.page[chosen]
        return ReleasedVotes(*columns, self.seconds[chosen], self.at[chosen], self.workers, self.pages)

    @property
    def _by_machines(self) -> npt.NDArray[np.bool_]:
        machine = np.array([is_machine(name) for name in self.workers], bool)
        return np.asarray(machine[self.worker]) if len(self.worker) else np.zeros(0, bool)

    @property
    def peoples_answers(self) -> Tally:
        """How often people gave each answer."""
        people = ~self._by_machines
        return tally(self.candidate[people], self.answer[people])

    @property
    def machines(self) -> Helpers:
        """The machines that voted on each candidate."""
        theirs = self._by_machines
        number, place = np.unique(self.worker[theirs], return_inverse=True)
        said = [self.workers[one] for one in number.tolist()]
        names = sorted(said)
        name = np.array([names.index(one) for one in said], np.int64)[place] if said else np.zeros(0, np.int64)
        order = np.lexsort((name, self.candidate[theirs]))
        return Helpers(self.candidate[theirs][order], name[order], names)


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """What votes speak of: candidate ids, ascending, and the sha256 and wnid of each, ``(candidates,)``."""

    candidate: Numbers
    sha256: pa.Array
    wnid: pa.Array


@dataclass(frozen=True, slots=True, eq=False)
class ReleasedBoxes:
    """Boxes ``(boxes,)``, oldest first: ids of images, wnids, inclusive corners in upright pixels ``(boxes, 4)`` as
    x_min, y_min, x_max, y_max, names of the files that say so; and by whom, their support, and their `flags`
    ``(boxes, 4)`` (`holotype.releases.layout.BOXES_EXTRAS`)."""

    image: Numbers
    wnid: pa.Array
    corners: npt.NDArray[np.int32]
    source: pa.Array
    by: pa.Array
    support: npt.NDArray[np.float64]
    flags: npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class ReleasedMasks:
    """Masks ``(masks,)``, oldest first: ids of images, and the columns of `MASKS_SCHEMA` but for the image's id."""

    image: Numbers
    table: pa.Table


NO_MASKS: Final = ReleasedMasks(np.zeros(0, np.int64), MASKS_SCHEMA.empty_table().drop_columns(["id"]))


@dataclass(frozen=True, slots=True)
class Holder:
    """A file or folder that images lie in, by the number that labels have for it, and its dataset."""

    number: int
    dataset: str
    kind: str
    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What a release follows from beside its labels: the votes that count, and what they speak of, the boxes of its
    images and the files that those lie in, what its splits share with one another and with others, what certificates
    follow from, what the votes cannot tell, how many labels curators made, by policy and state, and the faces
    that are to be blurred; and the masks of its images.
    """

    votes: ReleasedVotes
    spoken: Spoken
    boxes: ReleasedBoxes
    holders: Sequence[Holder]
    evidence: Evidence = NOTHING
    alarms: Sequence[Alarm] = ()
    overruled: Mapping[tuple[str, str], int] = field(default_factory=dict)
    leaks: Sequence[Check] = ()
    faces: Faces = NO_FACES
    masks: ReleasedMasks = NO_MASKS

    def unheard(self) -> Facts:
        """Those of labels that nobody's votes have anything to do with."""
        votes = self.votes.take(np.zeros(len(self.votes.candidate), bool))
        return replace(self, votes=replace(votes, workers=(), pages=()), alarms=(), overruled={})


def is_answered_for(policy: str) -> bool:
    """Whether somebody answers for labels of this policy, whatever the votes say: gold, a curator, an expert, a
    source."""
    return policy == "gold" or policy.startswith(CURATOR) or is_unchecked(policy)
