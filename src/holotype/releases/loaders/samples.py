"""What there is to train on, in columns: where images lie, and what they show."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from holotype.errors import ReleaseError
from holotype.files import local
from holotype.releases.bounds import check_size
from holotype.releases.census import check_columns
from holotype.releases.layout import EXTRAS, MANIFEST, typed_columns
from holotype.releases.loaders.draws import Numbers
from holotype.releases.release import Release
from holotype.releases.split import SPLITS
from holotype.store.places import Places
from holotype.store.store import Store

Labels = npt.NDArray[np.int32]
Ranges = Sequence[tuple[int, int]]
"""Ranges of rank, each ``first <= rank < stop``."""

_COLUMNS: Final = ("id", "wnid", "rank", "shard", "offset", "length", "path")


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Images with their labels: `labels` are indices of `classes`, which are wnids in ascending order.

    An image with several labels is here once for each, ``labels`` is ``(samples,)``; or, after `merged`, once in all,
    and sample ``i`` has ``labels[starts[i]:starts[i + 1]]``. Pickles, and then opens its files anew.
    """

    places: Places
    store: Store
    labels: Labels
    ids: pa.StringArray
    classes: tuple[str, ...]
    starts: Numbers | None = None

    def __len__(self) -> int:
        return len(self.places)

    def read(self, number: int) -> bytes:
        """The encoded bytes of a sample. Raises `PackError` or `ArchiveError` where they are not there any more."""
        return self.store.read(self.places[number])

    def read_many(self, numbers: Sequence[int]) -> list[bytes]:
        """The encoded bytes of some samples: in a bucket neighbours by one request. Raises as `read` does."""
        return self.store.read_many([self.places[number] for number in numbers])

    def take(self, numbers: Numbers) -> Samples:
        """Some samples, in their order, which are not `merged`."""
        places, ids = self.places.take(numbers), self.ids.take(pa.array(numbers))
        return replace(self, places=places, labels=self.labels[numbers], ids=ids)

    def merged(self) -> Samples:
        """Every image once, where it was first, with all of its labels."""
        if self.starts is not None:
            return self
        images = np.asarray(self.ids.dictionary_encode().indices, np.int64)
        order = np.argsort(images, kind="stable")
        starts = np.searchsorted(images[order], np.arange(images.max(initial=-1) + 2))
        first = order[starts[:-1]]
        return replace(
            self,
            places=self.places.take(first),
            labels=self.labels[order],
            ids=self.ids.take(pa.array(first)),
            starts=starts.astype(np.int64),
        )

    def targets(self, numbers: Numbers) -> npt.NDArray[np.int64]:
        """The labels of some samples: ``(numbers,)`` class indices, or of `merged` ones ``(numbers, classes)`` of 0 and
        1. A negative number has -1, or zeros."""
        if self.starts is None:
            found = np.full(len(numbers), -1, np.int64)
            found[numbers >= 0] = self.labels[numbers[numbers >= 0]]
            return found
        several = np.zeros((len(numbers), len(self.classes)), np.int64)
        for row, number in enumerate(numbers.tolist()):
            if number >= 0:
                several[row, self.labels[self.starts[number] : self.starts[number + 1]]] = 1
        return several

    def digest(self) -> str:
        """What tells these samples from others: their ids in order, their labels, and where in their files they lie."""
        told = hashlib.blake2b("\n".join(self.classes).encode(), digest_size=16)
        starts = np.zeros(0, np.int64) if self.starts is None else self.starts
        for column in (
            *_letters(self.ids),
            self.labels,
            starts,
            self.places.file,
            self.places.offset,
            self.places.length,
        ):
            told.update(len(column).to_bytes(8, "big"))
            told.update(np.ascontiguousarray(column).data)
        return told.hexdigest()


def _letters(texts: pa.StringArray) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """The lengths of texts in bytes, and their bytes one after the other."""
    places, data = texts.buffers()[1:]
    ends = np.frombuffer(places, np.int32, len(texts) + 1, 4 * texts.offset) if len(texts) else np.zeros(1, np.int32)
    letters = np.frombuffer(data, np.uint8) if data is not None and data.size else np.zeros(0, np.uint8)
    return np.diff(ends), letters[ends[0] : ends[-1]]


def samples_of(release: Release, split: str, ranges: Ranges | None = None) -> Samples:
    """The images of a split of a release, in its order; with `ranges` those of synsets whose rank is in one of them.

    Labels are class indices of the whole release, whatever part of it is taken. Only the columns that are needed are
    read. Raises `ReleaseError` where there is no such split, or the manifest cannot be read.
    """
    if split not in SPLITS:
        raise ReleaseError(f"a release has the splits {', '.join(SPLITS)}, not {split!r}")
    table = _read(release.path / MANIFEST, split)
    if ranges is not None:
        table = table.filter(pa.array(within(table["rank"].to_numpy(), ranges)))
    classes = tuple(release.wnids)
    labels = class_indices(table["wnid"], classes)
    return Samples(release.places(table), release.store(), labels, one_array(table["id"]), classes)


def _read(path: Path, split: str) -> pa.Table:
    try:
        there = set(pq.read_schema(local(path)).names)
        wanted = [name for name in _COLUMNS if name in there or name not in EXTRAS.names]
        check_size(path, [*wanted, "split"])
        table = pq.read_table(local(path), columns=wanted, filters=pc.field("split") == split)
    except (OSError, pa.ArrowException) as error:
        raise ReleaseError(f"cannot read {path}: {error}") from error
    check_columns(path, table, typed_columns(path.name, wanted))
    return table


def class_indices(wnids: pa.ChunkedArray, classes: Sequence[str]) -> Labels:
    """For each wnid its place among sorted classes. Raises `ReleaseError` where it is none of them."""
    found = pc.index_in(wnids, pa.array(classes, pa.string()))
    if found.null_count:
        lost = pc.unique(wnids.filter(pc.is_null(found))).to_pylist()
        raise ReleaseError(f"{lost[0]} is none of the classes")
    return np.asarray(found.to_numpy(), np.int32)


def one_array(column: pa.ChunkedArray) -> pa.StringArray:
    """A column of text in one piece."""
    found = column.combine_chunks()
    return pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found


def within(ranks: npt.NDArray[np.int32], ranges: Ranges) -> npt.NDArray[np.bool_]:
    """Which ranks are in one of some ranges."""
    found = np.zeros(len(ranks), np.bool_)
    for first, stop in ranges:
        found |= (ranks >= first) & (ranks < stop)
    return found
