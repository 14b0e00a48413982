"""What labels follow from, as a release ships it: candidates, accepted or not, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holotype.consensus.ballot import Floats, Ints
from holotype.consensus.votes import Ruling
from holotype.releases.facts import ReleasedVotes
from holotype.releases.layout import EVIDENCE_SCHEMA

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The candidates that labels follow from, by rank and sha256, ``(candidates,)`` each.

    `number` are the ids that votes speak of, `copy` tells those of the same bytes and synset apart. `rounds`
    ``(candidates, layers)`` are those in which they were first asked about, `prior` 0 where there is none.
    """

    number: Ints
    sha256: Sequence[str]
    wnid: Sequence[str]
    rank: Ints
    copy: Ints
    asked: Mask
    state: Sequence[str]
    rounds: Ints
    prior: Floats


@dataclass(frozen=True, slots=True)
class Grounds:
    """What labels follow from: the `rule` they are drawn by, "" where none were drawn, the candidates, and by their ids
    what gold and curators say and where they were found."""

    rule: str
    candidates: Candidates
    gold: Mapping[int, bool]
    rulings: Mapping[int, Ruling]
    sources: Mapping[int, Sequence[str]]

    def table(self, hide: Callable[[str], str]) -> pa.Table:
        """The rows of ``evidence.parquet``; `hide` hashes the names of curators."""
        held = self.candidates
        numbers = held.number.tolist()
        curators = {one: hide(one) for one in {ruling.curator for ruling in self.rulings.values()}}
        ruled = [self.rulings.get(number) for number in numbers]
        columns = [
            pa.array(held.sha256, pa.string()),
            pa.array(held.wnid, pa.string()),
            pa.array(held.rank, pa.int32()),
            pa.array(held.copy, pa.int32()),
            pa.array(held.asked, pa.bool_()),
            pa.array(held.state, pa.string()),
            _lists(held.rounds),
            pa.array(held.prior, pa.float64()),
            pa.array([_said(self.gold.get(number)) for number in numbers], pa.string()),
            pa.array([_said(None if one is None else one.answer) for one in ruled], pa.string()),
            pa.array(["" if one is None else curators[one.curator] for one in ruled], pa.string()),
            pa.array([self.sources.get(number, ()) for number in numbers], pa.list_(pa.string())),
        ]
        return pa.Table.from_arrays(columns, schema=EVIDENCE_SCHEMA)

    @classmethod
    def nothing(cls) -> Grounds:
        """Those of a release whose labels follow from nothing but a dataset's word."""
        none = np.zeros(0, np.int64)
        empty = Candidates(none, (), (), none, none, np.zeros(0, bool), (), np.zeros((0, 1), np.int64), np.zeros(0))
        return cls("", empty, {}, {}, {})

    def heard(self, votes: ReleasedVotes) -> ReleasedVotes:
        """The votes on these candidates: no others are heard, such as those on images that are withdrawn."""
        here = np.isin(votes.candidate, self.candidates.number)
        return votes if here.all() else votes.take(here)

    def copy_of(self, candidate: Ints) -> npt.NDArray[np.int32] | None:
        """The copies that candidates are, by their ids; None where there are none."""
        held = self.candidates
        if not held.copy.any():
            return None
        order = np.argsort(held.number)
        return held.copy[order[np.searchsorted(held.number, candidate, sorter=order)]].astype(np.int32)


def _lists(values: Ints) -> pa.ListArray:
    """Rows as lists, int32."""
    offsets = np.arange(len(values) + 1, dtype=np.int32) * np.int32(values.shape[1])
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values.reshape(-1), pa.int32()))


def _said(answer: bool | None) -> str:
    return "" if answer is None else "yes" if answer else "no"


def copies_of(sha256: Sequence[str], wnid: Sequence[str]) -> Ints:
    """How often each pair came before, ``(candidates,)``."""
    seen: dict[tuple[str, str], int] = {}
    found = np.zeros(len(sha256), np.int32)
    for place, pair in enumerate(zip(sha256, wnid, strict=True)):
        found[place] = seen.get(pair, 0)
        seen[pair] = int(found[place]) + 1
    return found
