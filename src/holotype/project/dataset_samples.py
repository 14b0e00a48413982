"""An imported dataset as something to train from, where it lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection

from holotype.benchmark.boxed import AS_CROWDS, boxes_of
from holotype.benchmark.labelled import labels_of_samples
from holotype.benchmark.outlined import outlines_of
from holotype.benchmark.segmentation import Outlined
from holotype.benchmark.values import Boxes, Labels
from holotype.catalog import masks, releases
from holotype.catalog import samples as questions
from holotype.catalog.annotations import Flags
from holotype.catalog.samples import Labelled
from holotype.errors import ArchiveError
from holotype.ontology.senses import Senses
from holotype.project.parts import Parts
from holotype.project.release_shelf import ranges_under
from holotype.releases.loaders import Samples
from holotype.releases.loaders.loadable import Loadable
from holotype.releases.loaders.samples import Ranges, within
from holotype.store.location import TREE
from holotype.store.places import Places
from holotype.store.store import Store

_MASK: Final = pa.schema(
    [
        ("wnid", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("counts", pa.string()),
        ("crowd", pa.int32()),
    ]
)


@dataclass(frozen=True, slots=True)
class ImportedDataset(Loadable):
    """A dataset in the archives or folders that it was imported from: nothing of it is copied.

    Its labels are those that stand now, what the dataset says and what people made of it; its classes all synsets that
    any of its images is labelled yes for. Images that are known to be unsound are left out, and so are those that were
    withdrawn or that somebody asks to be taken down.
    """

    name: str
    _number: int
    _parts: Parts
    _senses: Senses

    def samples(self, split: str, under: str | Sequence[str] = ()) -> Samples:
        """Where the images of a split lie, and their labels, in the order in which they were imported.

        An ambiguous lemma means the sense that the dataset has labels of, in whatever split. Raises `ArchiveError`
        where it has no such split, `UnknownSynset`, or `AmbiguousLemma` where it has labels of several senses.
        """
        with self._parts.catalog.read() as connection:
            held = partial(questions.count, connection, self._number)
            ranges = ranges_under(self._parts.ontology, self._senses, under, held)
            classes = self._classes(connection, split)
            found = questions.labelled(connection, self._number, split)
        return samples_from(found, classes, ranges, self._parts.store)

    def labels(self, split: str = "val") -> Labels:
        """The labels of a split as a truth that predictions can be scored against, by the names of its images.

        Raises `ArchiveError` where there is no such split, `PredictionError` where it has no labelled images.
        """
        return labels_of_samples(self.samples(split), self._parts.ontology)

    def boxes(self, split: str = "val") -> Boxes:
        """The boxes of a split as a truth that predictions can be scored against, by the names of its images, in
        inclusive pixels, turned upright; those of groups and of what is difficult are crowds.

        Raises `ArchiveError` where there is no such split, `PredictionError` where no image of it has a box.
        """
        with self._parts.catalog.read() as connection:
            classes = self._classes(connection, split)
            numbers, names, sizes = questions.sizes(connection, self._number, split)
            said = releases.boxes(connection, numbers)
        wnids = [said.wnids[one] for one in said.wnid.tolist()]
        crowds = (said.flags[:, [Flags._fields.index(name) for name in AS_CROWDS]] == 1).any(axis=1)
        of = names[np.searchsorted(numbers, said.image)]
        return boxes_of(names, sizes, classes, of, wnids, said.corners, crowds)

    def outlines(self, split: str = "val") -> Outlined:
        """The masks of a split as a truth that predictions can be scored against, by the names of its images, in pixels
        of the upright picture; classes are numbered from 1.

        Raises `ArchiveError` where there is no such split, `PredictionError` where no image of it has a mask.
        """
        with self._parts.catalog.read() as connection:
            classes = self._classes(connection, split)
            numbers, names, sizes = questions.sizes(connection, self._number, split)
            said, _ = masks.said_of(connection, numbers.tolist())
        table = pa.Table.from_pylist([row.mask._asdict() for row in said], _MASK)
        return outlines_of(names, sizes, classes, names[np.searchsorted(numbers, [row.image for row in said])], table)

    def _classes(self, connection: Connection, split: str) -> list[str]:
        """All classes. Raises `ArchiveError` where there is no such split."""
        known = questions.splits(connection, self._number)
        if list(known) == [""] and split:
            raise ArchiveError(f"{self.name} has no splits, hence no {split!r}: its images are all in ''")
        if split not in known:
            raise ArchiveError(f"{self.name} has no split {split!r}, but: {', '.join(map(repr, known)) or 'none'}")
        return questions.classes(connection, self._number)

    def __repr__(self) -> str:
        return f"<dataset {self.name}>"


def imported_dataset(parts: Parts, senses: Senses, name: str) -> ImportedDataset:
    """The dataset of that name. Raises `ArchiveError` where there is none."""
    with parts.catalog.read() as connection:
        number = questions.dataset_number(connection, name)
    if number is None:
        raise ArchiveError(f"there is no dataset {name!r}")
    return ImportedDataset(name, number, parts, senses)


def samples_from(found: Labelled, classes: Sequence[str], ranges: Ranges | None, store: Store) -> Samples:
    """Labels as samples, with the names that images have in their datasets as ids; those in some ranges of rank."""
    index = {wnid: number for number, wnid in enumerate(classes)}
    labels = np.array([index[wnid] for wnid in found.wnids], np.int32)[found.wnid]
    path = pa.array(found.path, pa.string()) if any(file.kind == TREE for file in found.files) else None
    places = Places(found.files, found.file, found.offset, found.length, path)
    whole = Samples(places, store, labels, pa.array(found.name, pa.string()), tuple(classes))
    return whole if ranges is None else whole.take(np.flatnonzero(within(found.rank, ranges)))
