"""What an export holds of each label and image: numbers in columns, some fifty bytes a label."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holotype.errors import ReleaseError
from holotype.releases.census import batches
from holotype.releases.exports.rows import Numbers
from holotype.releases.keys import Keys, Texts, id_keys
from holotype.releases.layout import MANIFEST, SUMMARY
from holotype.releases.release import Release
from holotype.releases.split import SPLITS

_LINES: Final = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Labels in columns, ``(labels,)`` each: the number of the row of the manifest, the key of the image's id, the
    number of the class, the place of the split in `SPLITS`, and how many bytes the image has."""

    row: npt.NDArray[np.int32]
    key: Keys
    number: npt.NDArray[np.int32]
    split: npt.NDArray[np.int8]
    length: npt.NDArray[np.int64]

    @classmethod
    def of(cls, release: Release) -> Labels:
        """All labels, classes by their place among the wnids of the release. Raises `ReleaseError` where ids are none,
        or wnids or splits are not among those that there are."""
        path = release.path / MANIFEST
        wnids, splits = pa.array(release.wnids, pa.string()), pa.array(SPLITS)
        read: list[tuple[Any, ...]] = [
            (np.zeros(0, np.uint64), np.zeros(0, np.int32), np.zeros(0, np.int8), np.zeros(0, np.int64))
        ]
        for table in batches(path, ("id", "wnid", "split", "length")):
            wnid, split = pc.index_in(table["wnid"], wnids), pc.index_in(table["split"], splits)
            if wnid.null_count:
                raise ReleaseError(f"{path} has classes that {SUMMARY} does not list")
            if split.null_count:
                raise ReleaseError(f"{path} has splits that are none of {', '.join(SPLITS)}")
            numbers = wnid.to_numpy(), split.to_numpy().astype(np.int8), table["length"].to_numpy()
            read.append((_keys(table["id"], release), *numbers))
        columns = list(zip(*read, strict=True))
        read.clear()
        key, number, split, length = (np.concatenate(columns.pop(0)) for _ in range(4))
        return cls(np.arange(len(key), dtype=np.int32), key, number, split, length)

    def __len__(self) -> int:
        return len(self.row)

    def take(self, which: npt.NDArray[Any]) -> Labels:
        """Some of them, by number or mask."""
        return Labels(*(getattr(self, field.name)[which] for field in fields(self)))


def _keys(ids: Texts, release: Release) -> Keys:
    try:
        return id_keys(ids)
    except ReleaseError as error:
        raise ReleaseError(f"{release.path / MANIFEST} has ids that are none: {error}") from error


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Rows by the number that they belong to: those of ``i`` are ``order[starts[i] : starts[i + 1]]``."""

    order: npt.NDArray[np.int32]
    starts: Numbers

    @classmethod
    def of(cls, number: Numbers, count: int) -> Groups:
        """Rows that belong to these numbers below `count`, in the order that they had."""
        starts = np.concatenate([[0], np.cumsum(np.bincount(number, minlength=count))])
        return cls(np.argsort(number, kind="stable").astype(np.int32), starts.astype(np.int32))

    def __getitem__(self, number: int) -> npt.NDArray[np.int32]:
        """The rows of one."""
        return self.order[self.starts[number] : self.starts[number + 1]]

    def of_each(self, numbers: Numbers, skip: int = 0) -> tuple[Numbers, Numbers]:
        """The rows of some, one after the other, but for the first `skip` of each; and how many each has of them."""
        counts = self.starts[numbers + 1] - self.starts[numbers] - skip
        ends = np.cumsum(counts)
        within = np.arange(counts.sum(), dtype=np.int32) + np.repeat(skip - ends + counts, counts)
        return self.order[np.repeat(self.starts[numbers], counts) + within], counts


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Images in columns, ``(images,)`` each, numbered by their first labels: these labels, and the images by id; and,
    ``(labels,)`` each, the keys of ids and the images of all labels."""

    first: npt.NDArray[np.int32]
    by_id: npt.NDArray[np.int32]
    key: Keys
    of_label: npt.NDArray[np.int32]

    @classmethod
    def of(cls, key: Keys) -> Images:
        """The images of labels, by their keys."""
        by_key = np.argsort(key, kind="stable").astype(np.int32)
        ascending = key[by_key]
        new = np.ones(len(key), bool)
        new[1:] = ascending[1:] != ascending[:-1]
        del ascending
        first = by_key[new]
        order = np.argsort(first).astype(np.int32)
        by_id = np.empty_like(order)
        by_id[order] = np.arange(len(order), dtype=np.int32)
        of_label = np.empty_like(by_key)
        of_label[by_key] = by_id[np.cumsum(new, dtype=np.int32) - 1]
        return cls(first[order], by_id, key, of_label)

    def __len__(self) -> int:
        return len(self.first)

    def ids(self, images: Numbers) -> Iterator[str]:
        """The ids of some."""
        for start in range(0, len(images), _LINES):
            yield from (f"{one:016x}" for one in self.key[self.first[images[start : start + _LINES]]].tolist())

    def find(self, keys: Keys) -> npt.NDArray[np.int32]:
        """The image of each key, -1 where it is none's."""
        if not len(self):
            return np.full(len(keys), -1, np.int32)
        ascending = self.key[self.first[self.by_id]]
        place = np.minimum(np.searchsorted(ascending, keys), len(self) - 1)
        return np.where(ascending[place] == keys, self.by_id[place], np.int32(-1))
