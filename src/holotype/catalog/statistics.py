"""Questions about all images at once, summed up in SQL: what the papers' properties are computed from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Select, func, select

from holotype.catalog import schema as t
from holotype.catalog.datasets import size_columns


def _accepted_candidates() -> Select[tuple[int, int]]:
    """``(rank, image_id)`` of candidates labelled yes."""
    candidate, label = t.candidate, t.label
    return (
        select(candidate.c.rank, candidate.c.image_id).select_from(candidate.join(label)).where(label.c.state == "yes")
    )


def accepted_counts(connection: Connection) -> npt.NDArray[np.int64]:
    """Rank and number of images labelled yes, shape ``(n, 2)``."""
    held = _accepted_candidates().subquery()
    return _numbers(connection, select(held.c.rank, func.count()).group_by(held.c.rank), 2)


def item_counts(connection: Connection) -> npt.NDArray[np.int64]:
    """Rank, number of boxes and number of imported items that have both, shape ``(n, 3)``; rank -1 is no label."""
    table = t.item  # answered from the index on rank and boxes alone
    return _numbers(
        connection, select(table.c.rank, table.c.boxes, func.count()).group_by(table.c.rank, table.c.boxes), 3
    )


def size_counts(connection: Connection) -> npt.NDArray[np.int64]:
    """Width, height and number of images that have them, shape ``(n, 3)``; a size may have several rows.

    Images labelled yes and imported items. What was read of an item's bytes goes before what an annotation says.
    """
    read, said, image = t.fingerprint, t.annotation, t.image
    unread = ~select(read.c.item_id).where(read.c.item_id == said.c.item_id, read.c.width > 0).exists()
    accepted = select(_accepted_candidates().subquery().c.image_id)
    wanted = (read, read.c.width > 0), (said, unread), (image, image.c.id.in_(accepted))
    return np.concatenate(
        [
            _numbers(
                connection,
                select(table.c.width, table.c.height, func.count())
                .where(which, table.c.width > 0, table.c.height > 0)
                .group_by(table.c.width, table.c.height),
                3,
            )
            for table, which in wanted
        ]
    )


def boxes_by_class(connection: Connection) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """The boxes of each class, one class at a time: wnid and item id, corners, width and height, shape ``(n, 7)``.

    Width and height are the image's, read of its bytes or as an annotation says, 0 where not known.
    """
    box, read, said = t.box, t.fingerprint, t.annotation
    question = (
        select(
            box.c.wnid,
            box.c.item_id,
            *(box.c[name] for name in ("x_min", "y_min", "x_max", "y_max")),
            *size_columns(),
        )
        .select_from(box)
        .outerjoin(read, read.c.item_id == box.c.item_id)
        .outerjoin(said, said.c.item_id == box.c.item_id)
        .order_by(box.c.wnid, box.c.id)
    )
    rows = connection.execute(question, execution_options={"yield_per": 10_000})
    for wnid, group in groupby(rows, lambda row: row[0]):
        yield wnid, np.fromiter((row[1:] for row in group), np.dtype((np.int64, 7)))


def item_ids_of_rank(connection: Connection, rank: int) -> npt.NDArray[np.int64]:
    """The ids, shape ``(n, 1)``, of the imported items of a synset, by dataset and name."""
    table = t.item
    return _numbers(
        connection, select(table.c.id).where(table.c.rank == rank).order_by(table.c.dataset_id, table.c.name), 1
    )


def image_ids_of_rank(connection: Connection, rank: int) -> npt.NDArray[np.int64]:
    """The ids, shape ``(n, 1)``, of the images labelled yes for a synset, by sha256."""
    held = _accepted_candidates().subquery()
    question = select(t.image.c.id).join(held, held.c.image_id == t.image.c.id).where(held.c.rank == rank)
    return _numbers(connection, question.order_by(t.image.c.sha256), 1)


def _numbers(connection: Connection, question: Select[Any], columns: int) -> npt.NDArray[np.int64]:
    """Rows of whole numbers, shape ``(n, columns)``, without an object for each."""
    rows = connection.execute(question, execution_options={"yield_per": 10_000})
    return np.fromiter(map(tuple, rows), np.dtype((np.int64, columns)))
