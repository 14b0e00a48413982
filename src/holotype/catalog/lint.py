"""Questions about what is odd in a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, func, select

from holotype.catalog import fingerprints
from holotype.catalog import schema as t
from holotype.catalog.annotations import BoxRow, size_columns
from holotype.catalog.datasets import CLAIM, CLAIMED
from holotype.catalog.withdrawals import REASON


class Labelled(NamedTuple):
    """An image, its split and its label; "" for none."""

    name: str
    split: str
    wnid: str


class Doubled(NamedTuple):
    """An image whose bytes, of this sha256, another one has too."""

    name: str
    split: str
    wnid: str
    sha256: str


class Boxed(NamedTuple):
    """A box, and its image's name, label and size: as read, else as annotated, else 0."""

    name: str
    wnid: str
    width: int
    height: int
    box: BoxRow


class Strange(NamedTuple):
    """What was read of an image, the kind of its file, and its size as annotated, or 0."""

    name: str
    wnid: str
    path: str
    kind: str
    format: str
    mode: str
    width: int
    height: int
    reason: str
    detail: str
    said_width: int
    said_height: int


class Turned(NamedTuple):
    """An image with boxes that is stored turned: its upright size, how it is turned, and its annotation's size or 0."""

    name: str
    wnid: str
    width: int
    height: int
    detail: str
    said_width: int
    said_height: int
    boxes: int


def wnid_counts(connection: Connection, dataset: int) -> dict[str, int]:
    """Number of a dataset's images by wnid, unlabelled ones left out."""
    candidate = t.candidate.c
    question = select(candidate.wnid, func.count()).join(t.file, t.file.c.id == candidate.labelled_by)
    rows = connection.execute(question.where(t.file.c.dataset_id == dataset).group_by(candidate.wnid))
    return {row[0]: row[1] for row in rows}


def _said(*columns: ColumnElement[Any]) -> Select[Any]:
    """Images with the synset that their dataset says they show, or ""."""
    image = t.image.c
    wnid = func.coalesce(CLAIM.c.wnid, "").label("wnid")
    return select(image.name, *columns, wnid).select_from(t.image.outerjoin(CLAIM, CLAIMED))


def unplaced(connection: Connection, dataset: int) -> Iterator[Labelled]:
    """The images without a label, or whose label the ontology did not know."""
    image = t.image.c
    question = _said(image.split).where(image.dataset_id == dataset, func.coalesce(CLAIM.c.rank, -1) < 0)
    yield from map(Labelled._make, _streamed(connection, question.order_by(image.id)))


def same_bytes(connection: Connection, dataset: int) -> Iterator[Doubled]:
    """The images whose bytes another image of the dataset has too, by sha256."""
    image, done = t.image, t.fingerprint
    mine = select(done.c.sha256).select_from(done.join(image)).where(image.c.dataset_id == dataset)
    several = mine.group_by(done.c.sha256).having(func.count() > 1)
    question = _said(image.c.split).add_columns(done.c.sha256).join(done, done.c.image_id == image.c.id)
    question = question.where(image.c.dataset_id == dataset, done.c.sha256.in_(several))
    yield from map(Doubled._make, _streamed(connection, question.order_by(done.c.sha256, image.c.name)))


def boxes_with_sizes(connection: Connection, dataset: int) -> Iterator[Boxed]:
    """Every box of a dataset, by image, with the image's label; of several labels with the one that the box is of."""
    image, said, done, box = t.image, t.annotation, t.fingerprint, t.box
    same = (
        t.candidate.c.image_id == image.c.id,
        t.candidate.c.wnid == box.c.wnid,
        t.candidate.c.labelled_by.is_not(None),
    )
    own = select(t.candidate.c.wnid).where(*same).correlate(image, box).scalar_subquery()
    label = func.coalesce(own, CLAIM.c.wnid, "").label("wnid")
    corners = box.c.wnid, box.c.x_min, box.c.y_min, box.c.x_max, box.c.y_max
    question = (
        select(image.c.name, label, *size_columns(), *corners)
        .select_from(image.outerjoin(CLAIM, CLAIMED))
        .join(box, box.c.image_id == image.c.id)
        .outerjoin(said, said.c.image_id == image.c.id)
        .outerjoin(done, done.c.image_id == image.c.id)
        .where(image.c.dataset_id == dataset)
        .order_by(box.c.image_id, box.c.id)
    )
    for name, wnid, width, height, *corners_of in _streamed(connection, question):
        yield Boxed(name, wnid, width, height, BoxRow(*corners_of))


def strange_fingerprints(connection: Connection, dataset: int) -> Iterator[Strange]:
    """Images that are no sound JPEG of one or three inks, or not of the size annotated."""
    image, said, done, file = t.image, t.annotation, t.fingerprint, t.file
    reason = func.replace(done.c.reason, REASON, "")
    columns = (done.c.format, done.c.mode, done.c.width, done.c.height, reason, done.c.detail)
    sizes = [func.coalesce(said.c[side], 0) for side in ("width", "height")]
    question = (
        _said()
        .add_columns(image.c.path, file.c.kind, *columns, *sizes)
        .join(done, done.c.image_id == image.c.id)
        .join(file, file.c.id == image.c.file_id)
        .outerjoin(said, said.c.image_id == image.c.id)
        .where(
            image.c.dataset_id == dataset,
            (done.c.format != "JPEG")
            | (done.c.mode == "CMYK")
            | (said.c.width != done.c.width)
            | (said.c.height != done.c.height),
        )
        .order_by(image.c.id)
    )
    yield from map(Strange._make, _streamed(connection, question))


def turned(connection: Connection, dataset: int) -> Iterator[Turned]:
    """The images with boxes whose EXIF orientation is not 1."""
    image, said, done = t.image, t.annotation, t.fingerprint
    wnid = func.coalesce(CLAIM.c.wnid, "")
    sizes = [func.coalesce(said.c[side], 0) for side in ("width", "height")]
    question = (
        select(image.c.name, wnid, done.c.width, done.c.height, done.c.detail, *sizes, image.c.boxes)
        .select_from(image.outerjoin(CLAIM, CLAIMED))
        .join(done, done.c.image_id == image.c.id)
        .outerjoin(said, said.c.image_id == image.c.id)
        .where(image.c.dataset_id == dataset, image.c.boxes > 0, fingerprints.is_turned())
        .order_by(image.c.id)
    )
    yield from map(Turned._make, _streamed(connection, question))


def _streamed(connection: Connection, question: Select[Any]) -> Iterator[Sequence[Any]]:
    yield from connection.execute(question, execution_options={"yield_per": 10_000})
