"""Questions about what files say of images beside their labels: boxes, sizes, URLs; and marks of synsets."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, func, select, update

from holotype.catalog import schema as t
from holotype.catalog.statements import add_rows, chunks, held


class BoxRow(NamedTuple):
    """A box as it is compared: wnid and inclusive pixels."""

    wnid: str
    x_min: int
    y_min: int
    x_max: int
    y_max: int


class SaidBy(NamedTuple):
    """A file by its path, since a Unix time, and how many images have boxes that it was the first to say."""

    id: int
    path: str
    at: float
    images: int
    boxes: int


class Mark(NamedTuple):
    """What a list says of a synset."""

    wnid: str
    mark: str
    value: str


def add_boxes(connection: Connection, boxes: Mapping[int, Sequence[BoxRow]], file: int) -> int:
    """Append the boxes of images, by id, that are not there yet, each as often as it is said; how many were new."""
    there: dict[int, Counter[BoxRow]] = defaultdict(Counter)
    table = t.box
    for chunk in chunks(boxes, 2_000):
        columns = table.c.wnid, table.c.x_min, table.c.y_min, table.c.x_max, table.c.y_max
        said = table.c.image_id.in_(chunk), table.c.drawing_id.is_(None)
        for number, *box in connection.execute(select(table.c.image_id, *columns).where(*said)):
            there[number][BoxRow(*box)] += 1
    new = {number: list((Counter(found) - there[number]).elements()) for number, found in boxes.items()}
    rows = [{"image_id": number, "file_id": file, **box._asdict()} for number, found in new.items() for box in found]
    add_rows(connection, table, rows)
    counts = [{"number": number, "more": len(found)} for number, found in new.items() if found]
    if counts:
        for table, key in ((t.image, t.image.c.id), (t.candidate, t.candidate.c.image_id)):
            mine = update(table).where(key == bindparam("number"))
            connection.execute(mine.values(boxes=table.c.boxes + bindparam("more")), counts)
    return len(rows)


def add_sizes(connection: Connection, sizes: Mapping[int, tuple[int, int]], file: int) -> None:
    """Append what annotation files say of images' width and height, by id; the first to say it is believed."""
    known = held(connection, t.annotation.c.image_id, sizes)
    add_rows(
        connection,
        t.annotation,
        [
            {"image_id": number, "width": width, "height": height, "file_id": file}
            for number, (width, height) in sizes.items()
            if number not in known
        ],
    )


def sizes(connection: Connection, images: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Width and height of images, by id, of those whose size is known: as read, else as annotated."""
    image, read, said = t.image, t.fingerprint, t.annotation
    joined = image.outerjoin(read, read.c.image_id == image.c.id).outerjoin(said, said.c.image_id == image.c.id)
    question = select(image.c.id, *size_columns()).select_from(joined)
    rows = (row for chunk in chunks(images) for row in connection.execute(question.where(image.c.id.in_(chunk))))
    return {number: (width, height) for number, width, height in rows if width and height}


def boxes_by_file(connection: Connection, kind: str) -> list[SaidBy]:
    """The files of a kind, oldest first."""
    file, box = t.file, t.box.c
    columns = file.c.id, file.c.path, file.c.at, func.count(box.image_id.distinct()), func.count(box.id)
    asked = select(*columns).select_from(file.outerjoin(t.box)).where(file.c.kind == kind)
    return [SaidBy(*row) for row in connection.execute(asked.group_by(file.c.id).order_by(file.c.id))]


def add_urls(connection: Connection, urls: Mapping[int, str], file: int) -> int:
    """Append the URLs of images, by id, that have none yet; how many were new."""
    known = held(connection, t.url.c.image_id, urls)
    rows = [{"image_id": i, "url": url, "file_id": file} for i, url in urls.items() if i not in known]
    add_rows(connection, t.url, rows)
    return len(rows)


def put_marks(connection: Connection, marks: Iterable[tuple[str, str, str]], file: int) -> int:
    """Say all that a file says of synsets, as (wnid, mark, value); how much of it is new.

    What it said before by these marks is forgotten.
    """
    table = t.mark
    said = {(wnid, mark): value for wnid, mark, value in marks}
    earlier = and_(table.c.file_id == file, table.c.mark.in_({mark for _, mark in said}))
    known = {(row.wnid, row.mark): row.value for row in connection.execute(select(table).where(earlier))}
    if said == known:
        return 0
    connection.execute(delete(table).where(earlier))
    rows = [{"wnid": wnid, "mark": mark, "value": value, "file_id": file} for (wnid, mark), value in said.items()]
    add_rows(connection, table, rows)
    return sum(known.get(key) != value for key, value in said.items())


def marks(connection: Connection, names: Sequence[str]) -> list[Mark]:
    """Marks of synsets with one of these names, by wnid, each once."""
    table = t.mark
    rows = connection.execute(
        select(table.c.wnid, table.c.mark, table.c.value)
        .distinct()
        .where(table.c.mark.in_(names))
        .order_by(table.c.wnid, table.c.mark, table.c.value)
    )
    return [Mark(*row) for row in rows]


def size_columns() -> tuple[ColumnElement[int], ...]:
    """An image's width and height where fingerprint and annotation are joined: as read, else as annotated, else 0."""
    read, said = t.fingerprint.c, t.annotation.c
    return tuple(func.coalesce(func.nullif(read[side], 0), said[side], 0).label(side) for side in ("width", "height"))
