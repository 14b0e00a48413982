"""Questions about what can be trained on: images labelled yes, or proposed, in columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Connection, func, or_, select

from holotype.catalog import schema as t
from holotype.catalog.candidates import Ranges, under
from holotype.catalog.removals import hidden_images
from holotype.catalog.schema import STATES
from holotype.catalog.statements import Column, Kind, Names, chunks, read_all
from holotype.store.location import Location

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Labels of images, in the order in which the images were imported; all arrays are ``(labels,)``.

    `wnid` are numbers of `wnids`, `file` of `files`; `name` and `path` are texts.
    """

    wnid: npt.NDArray[np.int32]
    wnids: tuple[str, ...]
    rank: npt.NDArray[np.int32]
    name: npt.NDArray[np.object_]
    file: npt.NDArray[np.int32]
    files: tuple[Location, ...]
    offset: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]
    path: npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Proposed:
    """Candidates, with the ids of their images and the sha256 of those, "" where nobody read them."""

    labelled: Labelled
    image: npt.NDArray[np.int64]
    sha256: Texts


def dataset_number(connection: Connection, name: str) -> int | None:
    """The id of an imported dataset, None where there is none of that name."""
    asked = select(t.dataset.c.id).where(t.dataset.c.name == name, t.dataset.c.id != t.OWN)
    return connection.execute(asked).scalar()


def splits(connection: Connection, dataset: int) -> list[str]:
    """The splits that a dataset has images of."""
    asked = select(t.image.c.split).where(t.image.c.dataset_id == dataset).distinct()
    return sorted(connection.execute(asked).scalars())


def classes(connection: Connection, dataset: int) -> list[str]:
    """The synsets that images of a dataset are labelled yes for, sorted by wnid."""
    joined = t.candidate.join(t.image, t.image.c.id == t.candidate.c.image_id)
    asked = select(t.candidate.c.wnid).select_from(joined).where(t.image.c.dataset_id == dataset, _yes()).distinct()
    return sorted(connection.execute(asked).scalars())


def count(connection: Connection, dataset: int, ranges: Ranges) -> int:
    """How many labels yes images of a dataset have in half-open ranges of ranks."""
    joined = t.candidate.join(t.image, t.image.c.id == t.candidate.c.image_id)
    of_it = select(func.count()).select_from(joined).where(t.image.c.dataset_id == dataset, _yes())
    return sum(connection.execute(of_it.where(under(some))).scalar_one() for some in chunks(ranges, 200))


def labelled(connection: Connection, dataset: int, split: str) -> Labelled:
    """The labels yes of a split of a dataset, but for images that are known to be unsound, or that are withdrawn or
    asked to be."""
    return _read(connection, (_yes(), *_usable(dataset, split)))[0]


def proposed(connection: Connection, clean: bool, ranges: Ranges | None) -> Proposed:
    """All that was ever a candidate, whatever was concluded of it since, or, `clean`, what is labelled yes; in
    half-open ranges of ranks, or all.

    Images that are known to be unsound are left out, and those that are withdrawn or asked to be; so are synsets that
    the ontology does not have."""
    candidate, image = t.candidate.c, t.image.c
    conditions = [candidate.rank >= 0, candidate.state != STATES.index("withdrawn"), *_sound()]
    if clean:
        conditions.append(_yes())
    if ranges is not None:
        conditions.append(under(ranges))
    beside = {image.id: np.int64, func.coalesce(t.fingerprint.c.sha256, ""): np.object_}
    found, (number, sha256) = _read(connection, conditions, beside)
    return Proposed(found, number, sha256)


def proposed_classes(connection: Connection) -> list[str]:
    """The synsets of the ontology that any image is a candidate for, sorted by wnid."""
    candidate = t.candidate.c
    asked = select(candidate.wnid).where(candidate.rank >= 0, candidate.state != STATES.index("withdrawn")).distinct()
    return sorted(connection.execute(asked).scalars())


def _read(
    connection: Connection,
    conditions: Sequence[ColumnElement[bool]],
    beside: Mapping[ColumnElement[Any], Kind] = MappingProxyType({}),
) -> tuple[Labelled, list[Column]]:
    """The candidates that meet conditions, by image and candidate, and other columns of theirs."""
    candidate, image, read = t.candidate.c, t.image.c, t.fingerprint.c
    joined = t.image.join(t.candidate, candidate.image_id == image.id)
    joined = joined.outerjoin(t.fingerprint, read.image_id == image.id)
    columns = candidate.wnid, candidate.rank, image.name, image.file_id, image.offset, image.length, image.path
    asked = select(*columns, *beside).select_from(joined).where(*conditions).order_by(image.id, candidate.id)
    wnids = Names()
    kinds = wnids, np.int32, np.object_, np.int64, np.int64, np.int64, np.object_, *beside.values()
    wnid, rank, name, number, offset, length, path, *others = read_all(connection, asked, image.id, *kinds)
    numbers, file = np.unique(number, return_inverse=True)
    files = tuple(_files(connection, numbers.tolist()))
    found = Labelled(wnid, tuple(map(str, wnids)), rank, name, file.astype(np.int32), files, offset, length, path)
    return found, others


def sizes(
    connection: Connection, dataset: int, split: str
) -> tuple[npt.NDArray[np.int64], Texts, npt.NDArray[np.int64]]:
    """Ids, names and upright sizes in pixels ``(images, 2)``, 0 where nobody read it, of the images of a split of a
    dataset, but for those that `labelled` leaves out, too."""
    image, read = t.image.c, t.fingerprint.c
    joined = t.image.outerjoin(t.fingerprint, read.image_id == image.id)
    columns = image.id, image.name, func.coalesce(read.width, 0), func.coalesce(read.height, 0)
    asked = select(*columns).select_from(joined).where(*_usable(dataset, split)).order_by(image.id)
    number, name, width, height = read_all(connection, asked, image.id, np.int64, np.object_, np.int64, np.int64)
    return number, name, np.stack([width, height], axis=1)


def _usable(dataset: int, split: str) -> tuple[ColumnElement[bool], ...]:
    """Of a split of a dataset images that are not known to be unsound, nor withdrawn or asked to be."""
    image = t.image.c
    return image.dataset_id == dataset, image.split == split, *_sound()


def _sound() -> tuple[ColumnElement[bool], ...]:
    """Images that are not known to be unsound, nor withdrawn or asked to be."""
    reason = t.fingerprint.c.reason
    return or_(reason.is_(None), reason == ""), t.image.c.id.not_in(hidden_images())


def _files(connection: Connection, numbers: Sequence[int]) -> list[Location]:
    """What images lie in, by ascending ids."""
    file = t.file.c
    asked = select(file.id, file.path, file.kind, file.size, file.mtime_ns)
    found = {
        number: Location(path, 0, 0, kind, "", size, mtime)
        for chunk in chunks(numbers)
        for number, path, kind, size, mtime in connection.execute(asked.where(file.id.in_(chunk)))
    }
    return [found[number] for number in numbers]


def _yes() -> ColumnElement[bool]:
    return t.candidate.c.state == STATES.index("yes")
