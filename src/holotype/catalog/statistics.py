"""Questions about all images at once, summed up in SQL: what the papers' statistics are computed from."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Select, case, func, select, true

from holotype.catalog import schema as t
from holotype.catalog.annotations import Flags, by_whom, size_columns
from holotype.catalog.candidates import LACKING
from holotype.catalog.schema import STATES

_YES: Final = STATES.index("yes")
_CORNERS: Final = ("x_min", "y_min", "x_max", "y_max")


def label_counts(connection: Connection) -> npt.NDArray[np.int64]:
    """Rank, number of boxes and number of labels yes of images that have both, shape ``(n, 3)``."""
    table = t.candidate.c  # answered from the index on rank, state and boxes alone
    question = select(table.rank, table.boxes, func.count()).where(table.rank >= 0, table.state == _YES)
    return _numbers(connection, question.group_by(table.rank, table.boxes), 3)


def box_counts(connection: Connection) -> npt.NDArray[np.int64]:
    """Number of boxes and number of images that have so many, shape ``(n, 2)``, of images that have any."""
    boxed = select(func.count(t.box.c.id).label("boxes")).group_by(t.box.c.image_id).subquery()
    return _numbers(connection, select(boxed.c.boxes, func.count()).group_by(boxed.c.boxes), 2)


def size_counts(connection: Connection) -> npt.NDArray[np.int64]:
    """Width, height and number of images that have them, shape ``(n, 3)``; a size may have several rows.

    Of images of datasets, and own ones labelled yes. What was read of an image's bytes goes before what an annotation
    says.
    """
    read, said, image = t.fingerprint, t.annotation, t.image
    unread = ~select(read.c.image_id).where(read.c.image_id == said.c.image_id, read.c.width > 0).exists()
    candidate = t.candidate.c
    shown = (
        select(candidate.id)
        .where(candidate.image_id == image.c.id, candidate.state == _YES, candidate.rank >= LACKING)
        .exists()
    )
    return np.concatenate(
        [
            _numbers(
                connection,
                select(table.c.width, table.c.height, func.count())
                .select_from(table.join(image, image.c.id == table.c.image_id))
                .where(which, (image.c.dataset_id != t.OWN) | shown, table.c.width > 0, table.c.height > 0)
                .group_by(table.c.width, table.c.height),
                3,
            )
            for table, which in ((read, true()), (said, unread))
        ]
    )


def boxes_by_class(connection: Connection) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """The boxes of each class, one class at a time: wnid and image id, corners, width and height, shape ``(n, 7)``.

    Width and height are the image's, read of its bytes or as an annotation says, 0 where not known.
    """
    box, read, said = t.box, t.fingerprint, t.annotation
    question = (
        select(
            box.c.wnid,
            box.c.image_id,
            *(box.c[name] for name in ("x_min", "y_min", "x_max", "y_max")),
            *size_columns(),
        )
        .select_from(box)
        .outerjoin(read, read.c.image_id == box.c.image_id)
        .outerjoin(said, said.c.image_id == box.c.image_id)
        .order_by(box.c.wnid, box.c.id)
    )
    rows = connection.execute(question, execution_options={"yield_per": 10_000})
    for wnid, group in groupby(rows, lambda row: row[0]):
        yield wnid, np.fromiter((row[1:] for row in group), np.dtype((np.int64, 7)))


def boxes_said_by(connection: Connection) -> list[dict[str, Any]]:
    """Of people, machines and archives (`by`) that say any boxes: how many, in how many images, their mean support,
    None where nobody counted, and how many have which flag."""
    box, by = t.box.c, by_whom(t.file.c.kind).label("by")
    flags = (func.coalesce(func.sum(case((box[name] == 1, 1), else_=0)), 0).label(name) for name in Flags._fields)
    counted = func.count(box.image_id.distinct()).label("images"), func.count().label("boxes")
    asked = select(by, *counted, func.avg(box.support).label("support"), *flags)
    rows = connection.execute(asked.select_from(t.box.join(t.file, t.file.c.id == box.file_id)).group_by(by))
    return sorted((dict(row) for row in rows.mappings()), key=lambda row: str(row["by"]))


def coverage_counts(connection: Connection) -> tuple[dict[str, int], int]:
    """Labels yes by what is concluded of their boxes, and how many people were ever asked about."""
    candidate, question = t.candidate.c, t.box_question.c
    joined = t.coverage.join(t.candidate, candidate.id == t.coverage.c.candidate_id)
    states = select(t.coverage.c.state, func.count()).select_from(joined).where(candidate.state == _YES)
    rows = connection.execute(states.group_by(t.coverage.c.state))
    found = {t.COVERAGES[state]: int(count) for state, count in rows}
    ever = select(question.candidate_id).where(question.kind == t.BOX_KINDS.index("draw"))  # all else may be gold
    asked = select(func.count()).select_from(t.candidate).where(candidate.state == _YES, candidate.id.in_(ever))
    return found, int(connection.execute(asked).scalar_one())


def drawings_and_boxes(connection: Connection) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """What people drew, but for gold, of candidates that are concluded, and the boxes that follow: candidate and
    inclusive corners, ``(n, 5)`` each."""
    drawing, question, box = t.drawing.c, t.box_question.c, t.box.c
    drawn = t.drawing.join(t.box_question, question.id == drawing.question_id).join(t.worker)
    concluded = question.candidate_id.in_(select(t.coverage.c.candidate_id))
    people = (
        drawing.x_min.is_not(None),
        question.kind != t.BOX_KINDS.index("gold"),
        t.worker.c.name.not_like("machine:%"),
        t.worker.c.name.not_like("curator:%"),
    )
    asked = select(question.candidate_id, *(drawing[name] for name in _CORNERS)).select_from(drawn)
    held = t.box.join(t.drawing, drawing.id == box.drawing_id).join(t.box_question, question.id == drawing.question_id)
    boxes = select(question.candidate_id, *(box[name] for name in _CORNERS)).select_from(held).where(concluded)
    return _numbers(connection, asked.where(concluded, *people), 5), _numbers(connection, boxes, 5)


def image_ids_of_rank(connection: Connection, rank: int) -> npt.NDArray[np.int64]:
    """The ids, shape ``(n, 1)``, of the images labelled yes for a synset, by dataset and name; own ones come last."""
    candidate, image = t.candidate.c, t.image.c
    question = select(image.id).join(t.candidate, candidate.image_id == image.id)
    question = question.where(candidate.rank == rank, candidate.state == _YES)
    return _numbers(connection, question.order_by(image.dataset_id == t.OWN, image.dataset_id, image.name), 1)


def _numbers(connection: Connection, question: Select[Any], columns: int) -> npt.NDArray[np.int64]:
    """Rows of whole numbers, shape ``(n, columns)``, without an object for each."""
    rows = connection.execute(question, execution_options={"yield_per": 10_000})
    return np.fromiter(map(tuple, rows), np.dtype((np.int64, columns)))
