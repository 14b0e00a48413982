"""Two releases that are compared: their labels held against each other, and what both ship of those that only one has.

Tables are read a piece at a time, and of candidates and votes, which are many, only those are kept that are on images
with such labels: what else there is has no say in why these are in one release alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.consensus.ballot import Ints
from holotype.engine import map_batches
from holotype.releases.census import batches
from holotype.releases.joins import NOWHERE, Mask, Rows
from holotype.releases.keys import Keys, text_keys
from holotype.releases.layout import EVIDENCE, MANIFEST, VOTES, typed_columns
from holotype.releases.release import Release

_LABELS: Final = ("id", "wnid", "sha256", "split", "group", "score", "policy")
_CANDIDATES: Final = ("sha256", "wnid", "state", "gold", "ruling")
_VOTES: Final = ("sha256", "wnid", "worker", "answer")
_MARKS: Final = 22


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """The labels of a release, held against those of another, ``(labels,)`` each: the row that the other has the same
    `image` at, and the same `label`, the first of several or `NOWHERE`; and whether a row is the `first` of its
    image."""

    table: pa.Table
    image: Ints
    label: Ints
    first: Mask

    @property
    def alone(self) -> Mask:
        """Which labels the other does not have, ``(labels,)``."""
        return np.asarray(self.label == NOWHERE)

    @property
    def images(self) -> int:
        """How many images there are."""
        return int(np.count_nonzero(self.first))

    @property
    def lost(self) -> int:
        """How many images the other does not have."""
        return int(np.count_nonzero(self.first & (self.image == NOWHERE)))


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One of two releases: its labels that the other has not, whether the other has their images, `known`,
    ``(labels,)``; the candidates with the sha256 of any such image of either; and those votes on these that the other
    does not have, with whether their workers have any votes there, `away`, ``(votes,)``."""

    labels: pa.Table
    known: Mask
    evidence: pa.Table
    votes: pa.Table
    away: Mask


def held_against(before: Release, after: Release) -> tuple[Manifest, Manifest]:
    """The labels of two releases, held against each other. Raises `ReleaseError` where they cannot be read."""
    old, new = map_batches(_labels, (before.path, after.path))
    images = [Rows.of(table["id"]) for table in (old, new)]
    labels = [Rows.of(table["id"], table["wnid"]) for table in (old, new)]
    one, other = (
        Manifest(table, image.found_in(images[at]), label.found_in(labels[at]), image.first())
        for table, image, label, at in zip((old, new), images, labels, (1, 0), strict=True)
    )
    return one, other


def sides_of(releases: Sequence[Release], manifests: Sequence[Manifest]) -> tuple[Side, Side]:
    """What two releases ship of labels that only one of them has. Raises `ReleaseError` as `held_against`."""
    labels = [held.table.filter(pa.array(held.alone)) for held in manifests]
    marks = _Marks.of([table["sha256"] for table in labels])
    shipped = list(map_batches(lambda release: _shipped(release.path, marks), releases))
    one, other = (
        Side(
            labels[at],
            manifests[at].image[manifests[at].alone] != NOWHERE,
            shipped[at].candidates,
            *_lost(shipped[at], shipped[1 - at]),
        )
        for at in (0, 1)
    )
    return one, other


@dataclass(frozen=True, slots=True, eq=False)
class _Shipped:
    """Candidates and votes on some images, and the names of all workers."""

    candidates: pa.Table
    votes: pa.Table
    workers: pa.Array


@dataclass(frozen=True, slots=True, eq=False)
class _Marks:
    """Whether a text is among some, by the first bits of its key: some others are taken for one of them, too."""

    marked: Mask

    @classmethod
    def of(cls, columns: Sequence[pa.ChunkedArray]) -> _Marks:
        marked = np.zeros(1 << _MARKS, bool)
        for column in columns:
            marked[_first_bits(text_keys(column))] = True
        return cls(marked)

    def on(self, table: pa.Table) -> pa.Table:
        """The rows whose sha256 is among them."""
        return table.filter(pa.array(self.marked[_first_bits(text_keys(table["sha256"]))]))


def _first_bits(keys: Keys) -> Keys:
    return np.asarray(keys >> np.uint64(64 - _MARKS))


def _labels(folder: Path) -> pa.Table:
    return _joined(MANIFEST, _LABELS, batches(folder / MANIFEST, _LABELS))


def _shipped(folder: Path, marks: _Marks) -> _Shipped:
    known = batches(folder / EVIDENCE, _CANDIDATES) if (folder / EVIDENCE).exists() else iter(())
    candidates = _joined(EVIDENCE, _CANDIDATES, map(marks.on, known))
    votes, workers = list[pa.Table](), pa.array([], pa.string())
    for table in batches(folder / VOTES, _VOTES):
        votes.append(marks.on(table))
        workers = pc.unique(pa.chunked_array([workers, *table["worker"].chunks]))
    return _Shipped(candidates, _joined(VOTES, _VOTES, iter(votes)), workers)


def _joined(name: str, columns: Sequence[str], tables: Iterator[pa.Table]) -> pa.Table:
    return pa.concat_tables([typed_columns(name, columns).empty_table(), *tables])


def _lost(mine: _Shipped, theirs: _Shipped) -> tuple[pa.Table, Mask]:
    """The votes that the other does not have, and which are of workers who have none there."""
    here, there = (Rows.of(*(one.votes[name] for name in _VOTES)) for one in (mine, theirs))
    lost = mine.votes.filter(pa.array(here.found_in(there) == NOWHERE))
    return lost, np.asarray(pc.invert(pc.is_in(lost["worker"], theirs.workers)).to_numpy(), bool)
