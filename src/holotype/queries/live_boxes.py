"""Terms about boxes, in SQL."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Numeric, Select, cast, literal, select

from holotype.catalog import schema as t
from holotype.catalog.annotations import is_said_by, size_columns
from holotype.queries.query import COMPARE, Term

_MILLION: Final = 1_000_000


def has_box(image: ColumnElement[Any], wnid: ColumnElement[Any] | None, term: Term) -> ColumnElement[bool]:
    """Whether some box of an image, by its id, satisfies a term of `BOXED`: one of a synset, or without one any."""
    box = t.box.c
    found = _boxes(term).where(box.image_id == image, *([] if wnid is None else [box.wnid == wnid]))
    return found.correlate(image.table).exists()


def _boxes(term: Term) -> Select[Any]:
    """The boxes that satisfy a term, of all images."""
    box = t.box.c
    if term.field == "boxes.by":
        files = select(t.file.c.id).where(is_said_by(t.file.c.kind, term.value))
        return select(box.id).where(box.file_id.in_(files))
    if term.field == "boxes.support":
        return select(box.id).where(COMPARE[term.compare](box.support, float(term.value)))
    read, said = t.fingerprint.c, t.annotation.c
    joined = t.box.outerjoin(t.fingerprint, read.image_id == box.image_id)
    joined = joined.outerjoin(t.annotation, said.image_id == box.image_id)
    picture = _product(*size_columns())
    area = _product(box.x_max - box.x_min + 1, box.y_max - box.y_min + 1)
    million, share = (literal(value, BigInteger) for value in (_MILLION, term.millionths))
    satisfied = COMPARE[term.compare](area * million, picture * share)
    return select(box.id).select_from(joined).where(picture > 0, satisfied)


def _product(width: ColumnElement[int], height: ColumnElement[int]) -> ColumnElement[Any]:
    """The pixels of a box or a picture: millionths of them may be beyond 64 bits, as files say boxes of any size."""
    return cast(width, Numeric) * cast(height, Numeric)
