"""Questions about what an imported dataset can be trained on: images labelled yes, in columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlalchemy import ColumnElement, Connection, func, or_, select

from holotype.catalog import schema as t
from holotype.catalog.candidates import Ranges, under
from holotype.catalog.removals import hidden_images
from holotype.catalog.schema import STATES
from holotype.catalog.statements import Names, chunks, read_all
from holotype.store.location import Location

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Labels yes of images, in the order in which the images were imported; all arrays are ``(labels,)``.

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
    image, candidate, read = t.image.c, t.candidate.c, t.fingerprint.c
    joined = t.image.join(t.candidate, candidate.image_id == image.id)
    joined = joined.outerjoin(t.fingerprint, read.image_id == image.id)
    columns = candidate.wnid, candidate.rank, image.name, image.file_id, image.offset, image.length, image.path
    asked = select(*columns).select_from(joined).where(_yes(), *_usable(dataset, split))
    asked = asked.order_by(image.id, candidate.id)
    wnids = Names()
    kinds = wnids, np.int32, np.object_, np.int64, np.int64, np.int64, np.object_
    wnid, rank, name, number, offset, length, path = read_all(connection, asked, image.id, *kinds)
    numbers, file = np.unique(number, return_inverse=True)
    lie = _files(connection, dataset)
    files = tuple(lie[one] for one in numbers.tolist())
    return Labelled(wnid, tuple(map(str, wnids)), rank, name, file.astype(np.int32), files, offset, length, path)


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
    image, read = t.image.c, t.fingerprint.c
    sound = or_(read.reason.is_(None), read.reason == "")
    return image.dataset_id == dataset, image.split == split, sound, image.id.not_in(hidden_images())


def _files(connection: Connection, dataset: int) -> dict[int, Location]:
    """What images of a dataset lie in, by id."""
    file = t.file.c
    asked = select(file.id, file.path, file.kind, file.size, file.mtime_ns).where(file.dataset_id == dataset)
    return {
        number: Location(path, 0, 0, kind, "", size, mtime)
        for number, path, kind, size, mtime in connection.execute(asked)
    }


def _yes() -> ColumnElement[bool]:
    return t.candidate.c.state == STATES.index("yes")
