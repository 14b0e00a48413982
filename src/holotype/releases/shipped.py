"""What a release ships of what labels follow from, as columns: candidates, what is known of them, and votes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holotype.consensus.ballot import UNKNOWN, Ints
from holotype.consensus.votes import Answer, is_machine
from holotype.crowd.policy_names import IMPORTED
from holotype.errors import ReleaseError
from holotype.releases.joins import NOWHERE, Mask, codes, places, whole
from holotype.releases.layout import EVIDENCE, VOTES

_ANSWERS: Final = {answer.name.lower(): int(answer) for answer in Answer}
_SAID: Final = {"": UNKNOWN, "yes": 1, "no": 0}


@dataclass(frozen=True, slots=True)
class Shipped:
    """The `evidence` and `votes` of a release as its files have them.

    ``(candidates,)``: `synset` are places among the `wnids`, `gold` and `ruling` are 1, 0 or `UNKNOWN`, `dataset` are
    places among the `datasets` that said that a candidate shows its synset, or `NOWHERE`. ``(votes,)``: `row` of the
    evidence that a vote is on, or `NOWHERE`, `worker` among the `workers`, `answer`.
    """

    evidence: pa.Table
    votes: pa.Table
    synset: Ints
    wnids: Sequence[str]
    gold: Ints
    ruling: Ints
    dataset: Ints
    datasets: Sequence[str]
    row: Ints
    worker: Ints
    workers: Sequence[str]
    answer: Ints

    @classmethod
    def of(cls, evidence: pa.Table, votes: pa.Table) -> Shipped:
        """That of two tables. Raises `ReleaseError` where an answer is none."""
        synset, wnids = codes(evidence["wnid"])
        worker, workers = codes(votes["worker"])
        gold, ruling = (_said(evidence, EVIDENCE, name, _SAID) for name in ("gold", "ruling"))
        answer = _said(votes, VOTES, "answer", _ANSWERS).astype(np.int8)
        return cls(
            *(evidence, votes, synset, wnids, gold, ruling, *_datasets(evidence)),
            *(_rows(evidence, votes), worker.astype(np.int32), workers, answer),
        )

    def __len__(self) -> int:
        return len(self.evidence)

    def column(self, name: str) -> npt.NDArray[Any]:
        """A column of numbers of the evidence, ``(candidates,)``."""
        return np.asarray(self.evidence[name].to_numpy())

    def rounds(self, layer: int) -> Ints:
        """The round in which a layer first heard of each candidate, ``(candidates,)``. Raises `ReleaseError` where
        candidates have one of fewer layers."""
        lists = whole(self.evidence["rounds"])
        if layer >= min(pc.list_value_length(lists).to_numpy(zero_copy_only=False), default=layer + 1):
            raise ReleaseError(f"{EVIDENCE} has candidates without a round for each layer of the rule")
        return np.asarray(pc.list_element(lists, layer).to_numpy(zero_copy_only=False), np.int64)

    @property
    def by_machines(self) -> Mask:
        """Which votes are machines', ``(votes,)``."""
        machine = np.array([is_machine(name) for name in self.workers], bool)
        return np.asarray(machine[self.worker]) if len(machine) else np.zeros(0, bool)

    def peoples_answers(self) -> Ints:
        """How often people gave each answer to each candidate, ``(candidates, answers)``."""
        theirs = (self.row != NOWHERE) & ~self.by_machines
        cells = self.row[theirs] * len(Answer) + self.answer[theirs]
        return np.bincount(cells, minlength=len(self) * len(Answer)).reshape(-1, len(Answer))

    def machines(self) -> dict[int, list[str]]:
        """The names of the machines that voted on candidates, sorted, by the candidate's row."""
        found: dict[int, list[str]] = {}
        for vote in np.flatnonzero((self.row != NOWHERE) & self.by_machines).tolist():
            found.setdefault(int(self.row[vote]), []).append(self.workers[self.worker[vote]])
        return {row: sorted(names) for row, names in found.items()}


def _rows(evidence: pa.Table, votes: pa.Table) -> Ints:
    copy = (
        votes["copy"] if "copy" in votes.column_names else pa.chunked_array([pa.array(np.zeros(len(votes), np.int32))])
    )
    names = ("sha256", "wnid")
    return places([*map(votes.column, names), copy], [*map(evidence.column, names), evidence["copy"]])


def _said(table: pa.Table, name: str, column: str, words: Mapping[str, int]) -> Ints:
    code, texts = codes(table[column])
    if not set(texts) <= words.keys():
        raise ReleaseError(f"{name} has a word in its column {column} that is none of {', '.join(filter(None, words))}")
    return np.array([words[text] for text in texts], np.int64)[code] if texts else code


def _datasets(evidence: pa.Table) -> tuple[Ints, list[str]]:
    """The dataset that labels each candidate, as its policy's name."""
    number, source, names = sources_of(evidence)
    said = [place for place, name in enumerate(names) if name.startswith(IMPORTED)]
    found = np.full(len(evidence), NOWHERE)
    for place in said:
        found[number[source == place]] = place
    return found, names


def sources_of(evidence: pa.Table) -> tuple[Ints, Ints, list[str]]:
    """Where candidates were found, ``(sightings,)``: rows of the evidence, places among the names, which come last."""
    lists = whole(evidence["sources"])
    source, names = codes(pc.list_flatten(lists))
    return pc.list_parent_indices(lists).to_numpy().astype(np.int64), source, names
