"""Two releases that are compared: their labels held against each other, and what both ship of those that only one has.

Tables are read a piece at a time, and of candidates and votes, which are many, only those are kept that are on images
with such labels: what else there is has no say in why these are in one release alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from holotype.consensus.ballot import Ints
from holotype.engine import map_batches
from holotype.releases.census import batches
from holotype.releases.joins import NOWHERE, Mask, Rows, column_keys, longer_keys
from holotype.releases.keys import Keys, mixed, text_keys
from holotype.releases.layout import EVIDENCE, MANIFEST, VOTES, typed_columns
from holotype.releases.release import Release

_LABELS: Final = ("id", "wnid", "sha256", "split", "group", "score", "policy", "licence")
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
    """One of two releases: the `table` of its labels that the other has not, whether the other has their images,
    `known`, ``(labels,)``; and the `evidence` on any such image of either. `labels` and `candidates` are the rows of
    these tables by sha256 and wnid.

    `votes` are those on these images that the other does not have, by the keys of sha256 and wnid, and `away` whether
    their workers have no votes there at all, ``(votes,)``.
    """

    table: pa.Table
    labels: Rows
    known: Mask
    evidence: pa.Table
    candidates: Rows
    votes: Rows
    away: Mask


def held_against(before: Release, after: Release) -> tuple[Manifest, Manifest]:
    """The labels of two releases, held against each other. Raises `ReleaseError` where they cannot be read."""
    old, new = map_batches(_labels, (before.path, after.path), kind="threads")
    images = [Rows.of(table["id"]) for table in (old, new)]
    labels = [Rows.of(table["id"], table["wnid"]) for table in (old, new)]
    one, other = (
        Manifest(table, image.found_in(images[at]), label.found_in(labels[at]), image.first())
        for table, image, label, at in zip((old, new), images, labels, (1, 0), strict=True)
    )
    return one, other


def sides_of(releases: Sequence[Release], manifests: Sequence[Manifest]) -> tuple[Side, Side]:
    """What two releases ship of labels that only one of them has. Raises `ReleaseError` as `held_against`."""
    marks = _Marks.of(held.table["sha256"].filter(pa.array(held.alone)) for held in manifests)
    old, new = map_batches(lambda release: _shipped(release.path, marks), releases, kind="threads")
    return _side(manifests[0], old, new), _side(manifests[1], new, old)


@dataclass(frozen=True, slots=True, eq=False)
class _Votes:
    """Votes by keys alone, ``(votes,)`` each: of sha256 and wnid, of these with worker and answer, and of the worker.
    Which votes there are a release may say as it likes, so nobody gains by making such that have one key."""

    pair: Keys
    vote: Rows
    worker: Keys


@dataclass(frozen=True, slots=True, eq=False)
class _Shipped:
    """Candidates and votes on some images, and the keys of all workers."""

    evidence: pa.Table
    candidates: Rows
    votes: _Votes
    workers: Keys


@dataclass(frozen=True, slots=True, eq=False)
class _Marks:
    """Whether a text is among some, by the first bits of its key: some others are taken for one of them, too."""

    marked: Mask

    @classmethod
    def of(cls, columns: Iterable[pa.ChunkedArray]) -> _Marks:
        marked = np.zeros(1 << _MARKS, bool)
        for column in columns:
            marked[_first_bits(text_keys(column))] = True
        return cls(marked)

    def on(self, keys: Keys) -> Mask:
        """Which texts are, by their keys, ``(texts,)``."""
        return np.asarray(self.marked[_first_bits(keys)])


def _first_bits(keys: Keys) -> Keys:
    return keys >> np.uint64(64 - _MARKS)


def _labels(folder: Path) -> pa.Table:
    return _joined(MANIFEST, _LABELS, batches(folder / MANIFEST, _LABELS))


def _joined(name: str, columns: Sequence[str], tables: Iterable[pa.Table]) -> pa.Table:
    return pa.concat_tables([typed_columns(name, columns).empty_table(), *tables])


def _pairs(table: pa.Table) -> Rows:
    return Rows.of(table["sha256"], table["wnid"])


def _shipped(folder: Path, marks: _Marks) -> _Shipped:
    """What is on images that are marked; where none is, nothing is read."""
    there = marks.marked.any()
    known = batches(folder / EVIDENCE, _CANDIDATES) if there and (folder / EVIDENCE).exists() else ()
    kept = (table.filter(pa.array(marks.on(text_keys(table["sha256"])))) for table in known)
    evidence = _joined(EVIDENCE, _CANDIDATES, kept)
    return _Shipped(evidence, _pairs(evidence), *_cast(batches(folder / VOTES, _VOTES) if there else (), marks))


def _cast(tables: Iterable[pa.Table], marks: _Marks) -> tuple[_Votes, Keys]:
    """The votes on images that are marked, and the keys of all workers."""
    none = np.zeros(0, np.uint64)
    kept, workers = [(none, none, none)], none
    for table in tables:
        image, wnid, worker, answer = (column_keys(table[name]) for name in _VOTES)
        pair, here = longer_keys(mixed(image), wnid), marks.on(image)
        kept.append((pair[here], longer_keys(longer_keys(pair, worker), answer)[here], worker[here]))
        workers = np.unique(np.concatenate([workers, worker]))
    pairs, votes, people = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    return _Votes(pairs, Rows.keyed(votes), people), workers


def _side(manifest: Manifest, mine: _Shipped, theirs: _Shipped) -> Side:
    alone, votes = manifest.alone, mine.votes
    table = manifest.table.filter(pa.array(alone))
    lost = votes.vote.found_in(theirs.votes.vote) == NOWHERE
    known = pc.is_in(pa.array(votes.worker[lost]), pa.array(theirs.workers)).to_numpy(zero_copy_only=False)
    return Side(
        *(table, _pairs(table), manifest.image[alone] != NOWHERE, mine.evidence, mine.candidates),
        *(Rows.keyed(votes.pair[lost]), ~np.asarray(known, bool)),
    )
