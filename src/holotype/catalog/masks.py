"""Questions about masks: which pixels of images instances have, and the files that say so."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, func, select, union

from holotype.catalog import schema as t
from holotype.catalog.candidates import FEW
from holotype.catalog.statements import ROWS, add_rows, chunks


class MaskRow(NamedTuple):
    """A mask as it is compared: wnid, the size of its picture, run lengths as COCO's compressed text, how many pixels,
    the inclusive pixels of the box around them, and 1 for a group that is no single instance."""

    wnid: str
    width: int
    height: int
    counts: str
    area: int
    x_min: int
    y_min: int
    x_max: int
    y_max: int
    crowd: int


class SaidOf(NamedTuple):
    """A mask, the id of the image it is of, and the place of the file that says so among the files."""

    image: int
    mask: MaskRow
    file: int


def add(connection: Connection, masks: Mapping[int, Sequence[MaskRow]], file: int) -> int:
    """Append the masks of images, by id, that are not there yet, each as often as it is said; how many were new."""
    there: dict[int, Counter[MaskRow]] = defaultdict(Counter)
    for number, row, _ in _rows(connection, masks):
        there[number][row] += 1
    new = ((number, row) for number, said in masks.items() for row in (Counter(said) - there[number]).elements())
    rows = [{"image_id": number, "file_id": file, **row._asdict()} for number, row in new]
    add_rows(connection, t.mask, rows)
    return len(rows)


def of_images(connection: Connection, images: Iterable[int]) -> list[MaskRow]:
    """The masks of images, each once, oldest first."""
    return list(dict.fromkeys(row for _, row, _ in _rows(connection, images)))


def said_of(connection: Connection, images: Iterable[int]) -> tuple[list[SaidOf], list[str]]:
    """The masks of images, oldest first, and the paths of the files that say so."""
    rows = sorted(_rows(connection, images), key=lambda row: row.image)
    files = sorted({row.file for row in rows})
    paths = {
        number: path
        for chunk in chunks(files)
        for number, path in connection.execute(select(t.file.c.id, t.file.c.path).where(t.file.c.id.in_(chunk)))
    }
    place = {number: at for at, number in enumerate(files)}
    return [row._replace(file=place[row.file]) for row in rows], [paths[number] for number in files]


def count_by_file(connection: Connection, files: Iterable[int]) -> dict[int, tuple[int, int]]:
    """How many masks files were the first to say, and of how many images they said masks or boxes, by the file's id;
    files without masks are left out."""
    mask, box = t.mask.c, t.box.c
    counted = select(mask.file_id, func.count()).group_by(mask.file_id)
    found: dict[int, tuple[int, int]] = {}
    for chunk in chunks(files):
        for number, masks in connection.execute(counted.where(mask.file_id.in_(chunk))).all():
            both = union(*(select(one.image_id).where(one.file_id == number) for one in (mask, box))).subquery()
            images = connection.execute(select(func.count()).select_from(both)).scalar_one()
            found[number] = masks, images
    return found


def counts_per_image(connection: Connection) -> dict[int, int]:
    """How many images have so many masks, by the number of masks, of images that have any."""
    each = select(func.count(t.mask.c.id).label("masks")).group_by(t.mask.c.image_id).subquery()
    rows = connection.execute(select(each.c.masks, func.count()).group_by(each.c.masks).order_by(each.c.masks))
    return dict(map(tuple, rows))


def by_class(connection: Connection) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """The masks of each class, one class at a time: wnid and image id, area, pixels of the picture and 1 for a crowd,
    shape ``(n, 4)``."""
    mask = t.mask.c
    question = select(mask.wnid, mask.image_id, mask.area, mask.width * mask.height, mask.crowd)
    rows = connection.execute(question.order_by(mask.wnid, mask.id), execution_options={"yield_per": ROWS})
    for wnid, group in groupby(rows, lambda row: row[0]):
        yield wnid, np.fromiter((row[1:] for row in group), np.dtype((np.int64, 4)))


def _rows(connection: Connection, images: Iterable[int]) -> Iterator[SaidOf]:
    mask = t.mask.c
    asked = select(mask.image_id, mask.file_id, *(mask[name] for name in MaskRow._fields)).order_by(mask.id)
    wanted = set(images)
    questions = [asked.where(mask.image_id.in_(some)) for some in chunks(wanted)] if len(wanted) <= FEW else [asked]
    for question in questions:
        for number, file, *row in connection.execute(question, execution_options={"yield_per": ROWS}):
            if number in wanted:
                yield SaidOf(number, MaskRow(*row), file)
