"""What of a release is exported: images with their labels, boxes and bytes, one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import count
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from holotype.errors import ReleaseError
from holotype.images.formats.magic import sniff
from holotype.releases.exports.samples import Class, ExportedBox, Sample, looked_at, made_discreet
from holotype.releases.layout import MANIFEST
from holotype.releases.release import Release
from holotype.releases.split import SPLITS

Numbers = npt.NDArray[np.int64]
Advance = Callable[[int, int], None]
"""Is told how many images are done, and how many there are."""

_BATCH: Final = 1 << 10
_ID: Final = "^[0-9a-f]{16}$"
_BOX: Final = tuple(field.name for field in fields(ExportedBox))
_OF_THE_IMAGE: Final = ("split", "shard", "offset", "length", "sha256", "format", "width", "height", "orientation")


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """Rows of a table by what they belong to: those of ``i`` are ``order[starts[i] : starts[i + 1]]``."""

    order: Numbers
    starts: Numbers

    @classmethod
    def of(cls, number: Numbers, count: int) -> _Groups:
        """Rows that belong to these numbers below `count`, in the order that they had."""
        starts = np.concatenate([[0], np.cumsum(np.bincount(number, minlength=count))])
        return cls(np.argsort(number, kind="stable"), starts.astype(np.int64))

    @property
    def firsts(self) -> Numbers:
        """The first row of each; there has to be one."""
        return self.order[self.starts[:-1]]

    def take(self, table: pa.Table, numbers: Numbers) -> list[list[dict[str, Any]]]:
        """The rows of some."""
        counts = self.starts[numbers + 1] - self.starts[numbers]
        ends = np.cumsum(counts)
        within = np.arange(counts.sum()) - np.repeat(ends - counts, counts)
        rows = table.take(pa.array(self.order[np.repeat(self.starts[numbers], counts) + within])).to_pylist()
        return [rows[end - count : end] for end, count in zip(ends.tolist(), counts.tolist(), strict=True)]


@dataclass(frozen=True)
class Chosen:
    """Rows of a release's manifest, and the classes that they are numbered by, which may be more than they have."""

    release: Release
    rows: pa.Table
    classes: Sequence[Class]
    whole: bool = True
    """Whether these are all rows that the release has."""

    @classmethod
    def of(cls, release: Release, rows: pa.Table | None = None, splits: Sequence[str] = ()) -> Chosen:
        """These `rows` of the manifest, or all, as far as they are in `splits`, if any are named.

        Classes are those of the rows in all splits, so that exports of one split each number them alike. Raises
        `ReleaseError` for a split that there is not, for ids that are none, a row that is there twice, and rows that
        contradict one another about an image.
        """
        if wrong := [name for name in splits if name not in SPLITS]:
            raise ReleaseError(f"there is no split {wrong[0]!r}; there are: {', '.join(SPLITS)}")
        held = set(release.wnids if rows is None else pc.unique(rows["wnid"]).to_pylist())
        table = release.manifest if rows is None else rows
        if splits:
            table = table.filter(pc.is_in(table["split"], pa.array(splits)))
        chosen = cls(release, table.combine_chunks(), _classes(release, held), rows is None and not splits)
        chosen._check()
        return chosen

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The number of each class by its wnid."""
        return {one.wnid: one.number for one in self.classes}

    @cached_property
    def splits(self) -> list[str]:
        """The splits that have any image, in the order of `SPLITS`."""
        held = set(pc.unique(self.rows["split"]).to_pylist())
        return [name for name in SPLITS if name in held]

    @property
    def images(self) -> int:
        """How many images there are, each once whatever its labels."""
        return len(self._ids.dictionary)

    def by_split(self, advance: Advance, shuffled: bool = False) -> Iterator[tuple[str, Iterator[Sample]]]:
        """Each split that has any image with its `samples`; `advance` is told of each image that was taken."""
        done = count(1)

        def told(split: str) -> Iterator[Sample]:
            for sample in self.samples(split, shuffled):
                yield sample
                advance(next(done), self.images)

        return ((split, told(split)) for split in self.splits)

    def samples(self, split: str = "", shuffled: bool = False) -> Iterator[Sample]:
        """The images of a split, or all, each once, with their bytes: in the order of the manifest, or of their ids,
        which is as good as shuffled and always the same. Raises what `read` does."""
        images = self.images_of(split)
        if shuffled:
            images = images[pc.array_sort_indices(self._ids.dictionary.take(pa.array(images))).to_numpy()]
        return self.read(images)

    def read(self, images: Numbers) -> Iterator[Sample]:
        """These images with their bytes; where the manifest does not know what they are, they are looked at.

        Raises `ReleaseError` where bytes do not have the sha256 that the manifest says, `PackError` or `ArchiveError`
        where they are not there.
        """
        reader = self.release.store()
        try:
            for first in range(0, len(images), _BATCH):
                some = images[first : first + _BATCH]
                places = self.release.places(self.rows.take(pa.array(self.first_rows[some])))
                for number, sample in enumerate(self.described(some)):
                    data = reader.read(places[number])
                    _check_bytes(sample.rows[0], data)
                    yield made_discreet(looked_at(replace(sample, data=data)))
        finally:
            reader.close()

    def described(self, images: Numbers) -> Iterator[Sample]:
        """These images without their bytes."""
        boxed, boxes = self._boxes
        for first in range(0, len(images), _BATCH):
            some = images[first : first + _BATCH]
            for rows, found in zip(self._rows.take(self.rows, some), boxes.take(boxed, some), strict=True):
                yield Sample(rows, [ExportedBox(**{name: box[name] for name in _BOX}) for box in found], b"")

    def images_of(self, split: str = "") -> Numbers:
        """The images of a split, or all, numbered in the order of the manifest."""
        return np.flatnonzero(self._split_of == SPLITS.index(split)) if split else np.arange(self.images)

    @cached_property
    def first_rows(self) -> Numbers:
        """The number of the first row of each image."""
        return self._rows.firsts

    def labelled(self, wnid: str, split: str) -> Numbers:
        """The images of a split that have a label, numbered in the order of the manifest."""
        code = self._labels.dictionary.index(wnid).as_py()
        if code < 0:
            return np.zeros(0, np.int64)
        rows = self._by_label.order[self._by_label.starts[code] : self._by_label.starts[code + 1]]
        images: Numbers = np.unique(self._ids.indices.to_numpy()[rows]).astype(np.int64)
        found: Numbers = images[self._split_of[images] == SPLITS.index(split)]
        return found

    def lengths(self, images: Numbers) -> Numbers:
        """How many bytes these images have."""
        lengths: Numbers = self.rows["length"].take(pa.array(self.first_rows[images])).to_numpy()
        return lengths

    @cached_property
    def _ids(self) -> pa.DictionaryArray:
        return self.rows["id"].combine_chunks().dictionary_encode()

    @cached_property
    def _split_of(self) -> npt.NDArray[np.integer[Any]]:
        """The place of each image's split in `SPLITS`."""
        splits = pc.index_in(self.rows["split"], pa.array(SPLITS)).to_numpy()
        return np.asarray(splits[self.first_rows])

    @cached_property
    def _labels(self) -> pa.DictionaryArray:
        return self.rows["wnid"].combine_chunks().dictionary_encode()

    @cached_property
    def _by_label(self) -> _Groups:
        return _Groups.of(self._labels.indices.to_numpy(), len(self._labels.dictionary))

    @cached_property
    def _rows(self) -> _Groups:
        """The rows by image."""
        return _Groups.of(self._ids.indices.to_numpy(), self.images)

    @cached_property
    def _boxes(self) -> tuple[pa.Table, _Groups]:
        """The boxes of these images, and which are those of each."""
        boxes = self.release.boxes
        image = pc.index_in(boxes["id"], self._ids.dictionary)
        held = boxes.filter(image.is_valid()).combine_chunks()
        return held, _Groups.of(image.drop_null().to_numpy(), self.images)

    def _check(self) -> None:
        where = self.release.path / MANIFEST
        if not pc.all(pc.match_substring_regex(self.rows["id"], _ID)).as_py() and len(self.rows):
            raise ReleaseError(f"{where} has ids that are not 16 hexadecimal digits")
        if len(self.rows) > self.images:
            firsts = pa.array(self.first_rows[self._ids.indices.to_numpy()])
            for name in _OF_THE_IMAGE:
                if not self.rows[name].equals(self.rows[name].take(firsts)):
                    raise ReleaseError(f"{where} says two things of the {name} of an image")
            pairs = pa.table({"id": self.rows["id"], "wnid": self.rows["wnid"]})
            if len(pairs.group_by(["id", "wnid"]).aggregate([])) < len(pairs):
                raise ReleaseError(f"{where} has an image twice with the same label")
        if not set(pc.unique(self.rows["split"]).to_pylist()) <= set(SPLITS):
            raise ReleaseError(f"{where} has splits that are none of {', '.join(SPLITS)}")


def _classes(release: Release, held: set[str]) -> list[Class]:
    entries = sorted((one for one in release.summary["classes"] if one["wnid"] in held), key=lambda one: one["wnid"])
    return [
        Class(number, one["wnid"], [str(lemma) for lemma in one.get("lemmas") or ()], str(one.get("gloss") or ""))
        for number, one in enumerate(entries)
    ]


def _check_bytes(row: Mapping[str, Any], data: bytes) -> None:
    told = row.get("stored") or row["sha256"]
    if not told and not sniff(data):  # nobody read it, and who made the release may have named any file of this disk
        raise ReleaseError(f"{row['shard']} at {row.get('path') or row['offset']} holds no image, but other data")
    if told and hashlib.sha256(data).hexdigest() != told:
        raise ReleaseError(
            f"{row['shard']} at byte {row['offset']:,} does not hold the image {row['id']} any more: its sha256 is "
            "another; get the release again, or bring the file back from a backup"
        )
