"""What of a release is exported: images with their labels, boxes and bytes, one after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from holotype.errors import ReleaseError
from holotype.images.formats.magic import sniff
from holotype.releases.ahead import read_in_order
from holotype.releases.census import batches
from holotype.releases.exports.columns import Groups, Images, Labels
from holotype.releases.exports.rows import Numbers, rows_of
from holotype.releases.exports.samples import Class, ExportedBox, ExportedMask, Sample, looked_at, made_discreet
from holotype.releases.keys import id_keys
from holotype.releases.layout import BOXES, MANIFEST, MASKS
from holotype.releases.release import Release, columns_of
from holotype.releases.split import SPLITS

Advance = Callable[[int, int], None]
"""Is told how many images are done, and how many there are."""

_BOX: Final = tuple(field.name for field in fields(ExportedBox))
_MASK: Final = tuple(field.name for field in fields(ExportedMask))
_OF_THE_IMAGE: Final = ("split", "shard", "offset", "length", "sha256", "format", "width", "height", "orientation")


@dataclass(frozen=True)
class Chosen:
    """Labels of a release, and the classes that they are numbered by, which may be more than they have.

    Rows of tables are read when it is their turn; where that is another than the file's, by way of `scratch`, a folder.
    """

    release: Release
    labels: Labels
    columns: Sequence[str]
    """The columns of the manifest."""
    classes: Sequence[Class]
    whole: bool = True
    """Whether these are all labels that the release has."""
    scratch: Path | None = None

    @classmethod
    def of(
        cls,
        release: Release,
        rows: Numbers | None = None,
        splits: Sequence[str] = (),
        scratch: Path | None = None,
    ) -> Chosen:
        """The `rows` of the manifest with these numbers, or all, as far as they are in `splits`, if any are named.

        Classes are those of the rows in all splits, so that exports of one split each number them alike. Raises
        `ReleaseError` for a split that there is not, for ids that are none, a row that is there twice, and an image in
        two splits.
        """
        if wrong := [name for name in splits if name not in SPLITS]:
            raise ReleaseError(f"there is no split {wrong[0]!r}; there are: {', '.join(SPLITS)}")
        columns, labels, held = columns_of(release.path / MANIFEST), Labels.of(release), release.wnids
        if rows is not None:
            labels = labels.take(rows)
            places, number = np.unique(labels.number, return_inverse=True)
            labels, held = replace(labels, number=number.astype(np.int32)), [held[place] for place in places]
        if splits:
            labels = labels.take(np.isin(labels.split, [SPLITS.index(name) for name in splits]))
        chosen = cls(release, labels, columns, _classes(release, held), rows is None and not splits, scratch)
        chosen._check()
        return chosen

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """The number of each class by its wnid."""
        return {one.wnid: one.number for one in self.classes}

    @cached_property
    def splits(self) -> list[str]:
        """The splits that have any image, in the order of `SPLITS`."""
        return [SPLITS[place] for place in np.unique(self.labels.split)]

    @cached_property
    def images(self) -> Images:
        """The images, each once whatever its labels, in the order of the manifest."""
        return Images.of(self.labels.key)

    def by_split(self, advance: Advance, shuffled: bool = False) -> Iterator[tuple[str, Iterator[Sample]]]:
        """Each split that has any image with its `samples`; `advance` is told of each image that was taken."""
        done = count(1)

        def told(split: str) -> Iterator[Sample]:
            for sample in self.samples(split, shuffled):
                yield sample
                advance(next(done), len(self.images))

        return ((split, told(split)) for split in self.splits)

    def samples(self, split: str = "", shuffled: bool = False) -> Iterator[Sample]:
        """The images of a split, or all, each once, with their bytes: in the order of the manifest, or of their ids,
        which is as good as shuffled and always the same. Raises what `read` does."""
        return self.read(self.images_of(split, shuffled))

    def read(self, images: Numbers) -> Iterator[Sample]:
        """These images with their bytes; where the manifest does not know what they are, they are looked at.

        Raises `ReleaseError` where bytes do not have the sha256 that the manifest says, or rows contradict one another
        about an image; `PackError` or `ArchiveError` where bytes are not there.
        """
        reader = self.release.store()
        try:
            for rows, samples in self._some(images):
                places = self.release.places(rows)
                for sample, data in zip(samples, read_in_order(reader, places, range(len(places))), strict=True):
                    _check_bytes(sample.rows[0], data)
                    yield made_discreet(looked_at(replace(sample, data=data)))
        finally:
            reader.close()

    def described(self, images: Numbers) -> Iterator[Sample]:
        """These images without their bytes. Raises `ReleaseError` where rows contradict one another about one."""
        return (sample for _, samples in self._some(images) for sample in samples)

    def images_of(self, split: str = "", shuffled: bool = False) -> Numbers:
        """The images of a split, or all, in the order of the manifest or of their ids."""
        images = self.images.by_id if shuffled else np.arange(len(self.images), dtype=np.int32)
        return images[self._split_of[images] == SPLITS.index(split)] if split else images

    def labelled(self, wnid: str, split: str) -> Numbers:
        """The images of a split that have a label, in the order of the manifest."""
        images: Numbers = np.unique(self.images.of_label[self._by_class[self.numbers[wnid]]])
        found: Numbers = images[self._split_of[images] == SPLITS.index(split)]
        return found

    def lengths(self, images: Numbers) -> Numbers:
        """How many bytes these images have."""
        lengths: Numbers = self.labels.length[self.images.first[images]]
        return lengths

    def pairs(self) -> Numbers:
        """The labels as pairs of image and class, see `pair`, ascending."""
        return np.sort(self.pair(self.images.of_label, self.labels.number))

    def pair(self, image: Numbers, number: Numbers) -> Numbers:
        """One number for each image and number of a class."""
        return image.astype(np.int64) * len(self.classes) + number

    def tables(self, labels: Numbers | None = None) -> Iterator[pa.Table]:
        """The rows of the manifest of all labels, or some, a few at a time."""
        rows = self.labels.row if labels is None else self.labels.row[labels]
        return rows_of(self.release.path / MANIFEST, rows, self.scratch)

    def _some(self, images: Numbers) -> Iterator[tuple[pa.Table, list[Sample]]]:
        """These images without their bytes, a few at a time, with the first row of the manifest of each."""
        others, more = self._by_image.of_each(images, skip=1)
        rows, boxed = self._boxes.of_each(images)
        other = _dictionaries(self.tables(others))
        boxes = _dictionaries(rows_of(self.release.path / BOXES, rows, self.scratch))
        masks, masked = self._masked(images)
        counts = zip(more, boxed, masked, strict=True)
        for table in self.tables(self.images.first[images]):
            yield (
                table,
                [
                    Sample(
                        _of_one_image(row, islice(other, labels)),
                        [
                            ExportedBox(**{name: box[name] for name in _BOX if name in box})
                            for box in islice(boxes, own)
                        ],
                        b"",
                        [ExportedMask(**{name: mask[name] for name in _MASK}) for mask in islice(masks, outlined)],
                    )
                    for row, (labels, own, outlined) in zip(table.to_pylist(), islice(counts, len(table)), strict=True)
                ],
            )

    def _masked(self, images: Numbers) -> tuple[Iterator[dict[str, Any]], Numbers]:
        """The masks of these images, one after the other, and how many each has."""
        path = self.release.path / MASKS
        if not path.exists():
            return iter(()), np.zeros(len(images), np.int64)
        rows, counts = self._masks.of_each(images)
        return _dictionaries(rows_of(path, rows, self.scratch)), counts

    @cached_property
    def _split_of(self) -> Numbers:
        """The place of each image's split in `SPLITS`."""
        return self.labels.split[self.images.first]

    @cached_property
    def _by_class(self) -> Groups:
        return Groups.of(self.labels.number, len(self.classes))

    @cached_property
    def _by_image(self) -> Groups:
        return Groups.of(self.images.of_label, len(self.images))

    @cached_property
    def _boxes(self) -> Groups:
        """The rows of ``boxes.parquet`` that are of each image."""
        return self._rows_of(BOXES)

    @cached_property
    def _masks(self) -> Groups:
        """The rows of ``masks.parquet`` that are of each image."""
        return self._rows_of(MASKS)

    def _rows_of(self, file: str) -> Groups:
        ids = (id_keys(table["id"]) for table in batches(self.release.path / file, ["id"]))
        image = self.images.find(np.concatenate([np.zeros(0, np.uint64), *ids]))
        rows = np.flatnonzero(image >= 0).astype(np.int32)
        groups = Groups.of(image[rows], len(self.images))
        return Groups(rows[groups.order], groups.starts)

    def _check(self) -> None:
        where = self.release.path / MANIFEST
        if len(self.labels) > len(self.images):
            if (self._split_of[self.images.of_label] != self.labels.split).any():
                raise ReleaseError(f"{where} says two things of the split of an image")
            pairs = self.pairs()
            if (pairs[1:] == pairs[:-1]).any():
                raise ReleaseError(f"{where} has an image twice with the same label")


def _classes(release: Release, held: Iterable[str]) -> list[Class]:
    entries = {one["wnid"]: one for one in release.summary["classes"]}
    return [
        Class(number, wnid, list(entries[wnid].get("lemmas") or ()), str(entries[wnid].get("gloss") or ""))
        for number, wnid in enumerate(held)
    ]


def _dictionaries(tables: Iterable[pa.Table]) -> Iterator[dict[str, Any]]:
    return (row for table in tables for row in table.to_pylist())


def _of_one_image(first: dict[str, Any], others: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of an image. Raises `ReleaseError` where they contradict one another about it."""
    rows = [first]
    for row in others:
        if wrong := [name for name in _OF_THE_IMAGE if row[name] != first[name]]:
            raise ReleaseError(f"{MANIFEST} says two things of the {wrong[0]} of an image")
        rows.append(row)
    return rows


def _check_bytes(row: Mapping[str, Any], data: bytes) -> None:
    told = row.get("stored") or row["sha256"]
    if not told and not sniff(data):  # nobody read it, and who made the release may have named any file of this disk
        raise ReleaseError(f"{row['shard']} at {row.get('path') or row['offset']} holds no image, but other data")
    if told and hashlib.sha256(data).hexdigest() != told:
        raise ReleaseError(
            f"{row['shard']} at byte {row['offset']:,} does not hold the image {row['id']} any more: its sha256 is "
            "another; get the release again, or bring the file back from a backup"
        )
