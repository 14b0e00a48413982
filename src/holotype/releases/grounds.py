"""What labels follow from, as a release ships it: candidates, accepted or not, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from holotype.consensus.ballot import Floats, Ints
from holotype.consensus.votes import Ruling
from holotype.releases.layout import EVIDENCE_SCHEMA, VOTES_EXTRAS

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

    def vote_rows(self, candidate: Ints, votes: pa.Table) -> pa.Table:
        """Those of the votes, whose candidates' ids are ``(votes,)``, that labels follow from; with the copy that each
        is on where there are any."""
        numbers = self.candidates.number
        order = np.argsort(numbers)
        at = np.minimum(np.searchsorted(numbers, candidate, sorter=order), max(len(numbers) - 1, 0))
        place = order[at] if len(numbers) else np.zeros(len(candidate), np.int64)
        here = numbers[place] == candidate if len(numbers) else np.zeros(len(candidate), bool)
        votes = votes if here.all() else votes.filter(pa.array(here))
        if not self.candidates.copy.any():
            return votes
        copies = self.candidates.copy[place[here]].astype(np.int32)
        return votes.append_column(VOTES_EXTRAS.field("copy"), pa.array(copies))


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
