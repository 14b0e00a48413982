"""Questions about imported datasets: archives, items and what is said of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, delete, func, insert, select, update

from holotype.catalog import schema as t
from holotype.catalog.locations import place_columns
from holotype.catalog.statements import add_rows, chunks
from holotype.store.location import Location


class BoxRow(NamedTuple):
    """A box as it is compared: wnid and inclusive pixels."""

    wnid: str
    x_min: int
    y_min: int
    x_max: int
    y_max: int


def dataset_id(connection: Connection, name: str) -> int:
    """The id of a dataset, which is made if it is new."""
    question = select(t.dataset.c.id).where(t.dataset.c.name == name)
    held = connection.execute(question).scalar()
    if held is None:
        connection.execute(insert(t.dataset).values(name=name))
        held = connection.execute(question).scalar_one()
    return int(held)


def archives(connection: Connection, dataset: str | None = None) -> Sequence[Any]:
    """The archives of a dataset, or of all, oldest first: every column, and ``dataset``, its name."""
    question = select(*t.archive.c, t.dataset.c.name.label("dataset")).join(t.dataset).order_by(t.archive.c.id)
    if dataset is not None:
        question = question.where(t.dataset.c.name == dataset)
    return connection.execute(question).all()


def put_archive(connection: Connection, number: int | None, row: Mapping[str, Any]) -> int:
    """Append an archive, or say anew where archive `number` lies and how it looks; its id."""
    if number is not None:
        connection.execute(update(t.archive).where(t.archive.c.id == number).values(**row))
        return number
    return int(connection.execute(insert(t.archive).values(**row).returning(t.archive.c.id)).scalar_one())


def items_by_name(connection: Connection, dataset: int, names: Iterable[str]) -> dict[str, Any]:
    """The items of a dataset that have these names."""
    item = t.item
    columns = (item.c.id, item.c.name, item.c.wnid, item.c.archive_id, item.c.path, item.c.offset, item.c.length)
    return {
        row.name: row
        for chunk in chunks(names, 2_000)
        for row in connection.execute(
            select(*columns, item.c.boxes).where(item.c.dataset_id == dataset, item.c.name.in_(chunk))
        )
    }


def add_items(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append items; a name that the dataset has is an IntegrityError.

    There may be fourteen million: the statement is compiled once, and rows go to the driver as they are.
    """
    if rows:
        made = insert(t.item).compile(dialect=connection.dialect, column_keys=list(rows[0]))
        order = made.positiontup
        values = list(rows) if order is None else [tuple(row[name] for name in order) for row in rows]
        connection.exec_driver_sql(made.string, values)


def set_labels(connection: Connection, labels: Iterable[tuple[int, str, int]], archive: int) -> None:
    """Label items that had no label, by (item id, wnid, rank); `archive` is where that is said."""
    rows = [{"number": number, "wnid": wnid, "rank": rank} for number, wnid, rank in labels]
    if rows:
        known = update(t.item).where(t.item.c.id == bindparam("number")).values(labelled_by=archive)
        connection.execute(known.values(wnid=bindparam("wnid"), rank=bindparam("rank")), rows)


def add_boxes(connection: Connection, boxes: Mapping[int, Sequence[BoxRow]], archive: int) -> int:
    """Append the boxes of items, by id, that are not there yet, each as often as it is said; how many were new."""
    held: dict[int, Counter[BoxRow]] = defaultdict(Counter)
    table = t.box
    for chunk in chunks(boxes, 2_000):
        columns = table.c.wnid, table.c.x_min, table.c.y_min, table.c.x_max, table.c.y_max
        for number, *box in connection.execute(select(table.c.item_id, *columns).where(table.c.item_id.in_(chunk))):
            held[number][BoxRow(*box)] += 1
    new = {number: list((Counter(found) - held[number]).elements()) for number, found in boxes.items()}
    rows = [
        {"item_id": number, "archive_id": archive, **box._asdict()} for number, found in new.items() for box in found
    ]
    add_rows(connection, table, rows)
    counts = [{"number": number, "more": len(found)} for number, found in new.items() if found]
    if counts:
        item = update(t.item).where(t.item.c.id == bindparam("number"))
        connection.execute(item.values(boxes=t.item.c.boxes + bindparam("more")), counts)
    return len(rows)


def add_annotations(connection: Connection, sizes: Mapping[int, tuple[int, int]], archive: int) -> None:
    """Append what annotation files say of items' width and height, by id; the first to say it is believed."""
    held = _held(connection, t.annotation.c.item_id, sizes)
    add_rows(
        connection,
        t.annotation,
        [
            {"item_id": number, "width": width, "height": height, "archive_id": archive}
            for number, (width, height) in sizes.items()
            if number not in held
        ],
    )


def add_urls(connection: Connection, urls: Mapping[int, str], archive: int) -> int:
    """Append the URLs of items, by id, that have none yet; how many were new."""
    held = _held(connection, t.url.c.item_id, urls)
    rows = [{"item_id": i, "url": url, "archive_id": archive} for i, url in urls.items() if i not in held]
    add_rows(connection, t.url, rows)
    return len(rows)


def _held(connection: Connection, column: Any, numbers: Iterable[int]) -> set[int]:
    return {
        number
        for chunk in chunks(numbers, 2_000)
        for number in connection.execute(select(column).where(column.in_(chunk))).scalars()
    }


def newest_item(connection: Connection) -> int:
    """The highest id of an item, 0 if there is none."""
    return connection.execute(select(func.max(t.item.c.id))).scalar() or 0


def items_in(connection: Connection, archive: int) -> int:
    """Number of items that lie in an archive."""
    question = select(func.count()).select_from(t.item).where(t.item.c.archive_id == archive)
    return connection.execute(question).scalar_one()


def move_items(connection: Connection, rows: Sequence[Mapping[str, Any]], archive: int) -> None:
    """Say where items lie now: ``number``, path, offset and length; ``anew`` forgets the fingerprint."""
    if rows:
        places = (
            {"number": row["number"], **{f"new_{n}": row[n] for n in ("path", "offset", "length")}} for row in rows
        )
        moved = update(t.item).where(t.item.c.id == bindparam("number")).values(archive_id=archive)
        names = ("path", "offset", "length")
        connection.execute(moved.values({name: bindparam(f"new_{name}") for name in names}), list(places))
    for chunk in chunks((row["number"] for row in rows if row["anew"]), 2_000):
        connection.execute(delete(t.fingerprint).where(t.fingerprint.c.item_id.in_(chunk)))


def put_marks(connection: Connection, marks: Iterable[tuple[str, str, str]], archive: int) -> int:
    """Say all that an archive says of synsets, as (wnid, mark, value); how much of it is new.

    What it said before by these marks is forgotten.
    """
    table = t.mark
    said = {(wnid, mark): value for wnid, mark, value in marks}
    earlier = and_(table.c.archive_id == archive, table.c.mark.in_({mark for _, mark in said}))
    held = {(row.wnid, row.mark): row.value for row in connection.execute(select(table).where(earlier))}
    if said == held:
        return 0
    connection.execute(delete(table).where(earlier))
    rows = [{"wnid": wnid, "mark": mark, "value": value, "archive_id": archive} for (wnid, mark), value in said.items()]
    add_rows(connection, table, rows)
    return sum(held.get(key) != value for key, value in said.items())


def marks(connection: Connection, names: Sequence[str]) -> Sequence[Any]:
    """Marks of synsets with one of these names, by wnid, each once."""
    table = t.mark
    return connection.execute(
        select(table.c.wnid, table.c.mark, table.c.value)
        .distinct()
        .where(table.c.mark.in_(names))
        .order_by(table.c.wnid, table.c.mark, table.c.value)
    ).all()


def to_fingerprint(connection: Connection, after: int, limit: int) -> list[tuple[int, Location]]:
    """The first items without a fingerprint beyond id `after`, by id, and where their bytes lie."""
    item, archive, done = t.item, t.archive, t.fingerprint
    rows = connection.execute(
        select(item.c.id, *place_columns())
        .select_from(item.join(archive, archive.c.id == item.c.archive_id).outerjoin(done, done.c.item_id == item.c.id))
        .where(item.c.id > after, done.c.item_id.is_(None))
        .order_by(item.c.id)
        .limit(limit)
    )
    return [(number, Location(*place)) for number, *place in rows]


def fingerprint_counts(connection: Connection) -> tuple[int, int]:
    """Number of items, and of those with a fingerprint."""
    items, done = (
        connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (t.item, t.fingerprint)
    )
    return items, done


def add_fingerprints(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append fingerprints; those another process was first to add are skipped."""
    held = _held(connection, t.fingerprint.c.item_id, [row["item_id"] for row in rows])
    add_rows(connection, t.fingerprint, [row for row in rows if row["item_id"] not in held])


def dataset_counts(connection: Connection) -> Iterator[Any]:
    """Images, labelled images and boxes by dataset and split."""
    item, dataset = t.item, t.dataset
    yield from connection.execute(
        select(
            dataset.c.name.label("dataset"),
            item.c.split,
            func.count().label("images"),
            func.count(func.nullif(item.c.wnid, "")).label("labelled"),
            func.sum(item.c.boxes).label("boxes"),
        )
        .select_from(item.join(dataset))
        .group_by(dataset.c.name, item.c.split)
        .order_by(dataset.c.name, item.c.split)
    )


def wnid_counts(connection: Connection, dataset: int) -> dict[str, int]:
    """Number of a dataset's images by wnid, unlabelled ones left out."""
    item = t.item
    question = select(item.c.wnid, func.count()).where(item.c.dataset_id == dataset, item.c.wnid != "")
    return {row[0]: row[1] for row in connection.execute(question.group_by(item.c.wnid))}


def unplaced(connection: Connection, dataset: int) -> Iterator[Any]:
    """Name, split and wnid of the images without a label, or whose label the ontology did not know."""
    item = t.item
    question = select(item.c.name, item.c.split, item.c.wnid).where(item.c.dataset_id == dataset, item.c.rank < 0)
    yield from _streamed(connection, question.order_by(item.c.id))


def same_bytes(connection: Connection, dataset: int) -> Iterator[Any]:
    """Name, split, wnid and sha256 of images whose bytes another image of the dataset has too, by sha256."""
    item, done = t.item, t.fingerprint
    mine = select(done.c.sha256).select_from(done.join(item)).where(item.c.dataset_id == dataset)
    several = mine.group_by(done.c.sha256).having(func.count() > 1)
    question = select(item.c.name, item.c.split, item.c.wnid, done.c.sha256).select_from(item.join(done))
    question = question.where(item.c.dataset_id == dataset, done.c.sha256.in_(several))
    yield from _streamed(connection, question.order_by(done.c.sha256, item.c.name))


def size_columns() -> tuple[ColumnElement[int], ...]:
    """An item's width and height where fingerprint and annotation are joined: as read, else as annotated, else 0."""
    read, said = t.fingerprint.c, t.annotation.c
    return tuple(func.coalesce(func.nullif(read[side], 0), said[side], 0).label(side) for side in ("width", "height"))


def boxes_with_sizes(connection: Connection, dataset: int) -> Iterator[Any]:
    """Every box of a dataset, with its image's name, wnid, and size: as read, else as annotated, else 0."""
    item, said, done, box = t.item, t.annotation, t.fingerprint, t.box
    question = (
        select(
            item.c.name, item.c.wnid, *size_columns(), box.c.wnid, box.c.x_min, box.c.y_min, box.c.x_max, box.c.y_max
        )
        .select_from(
            box.join(item, item.c.id == box.c.item_id)
            .outerjoin(said, said.c.item_id == item.c.id)
            .outerjoin(done, done.c.item_id == item.c.id)
        )
        .where(item.c.dataset_id == dataset)
        .order_by(box.c.item_id, box.c.id)
    )
    yield from _streamed(connection, question)


def strange_fingerprints(connection: Connection, dataset: int) -> Iterator[Any]:
    """Images that are no sound JPEG of one or three inks, or not of the size annotated; with their archive's kind."""
    item, said, done, archive = t.item, t.annotation, t.fingerprint, t.archive
    columns = (done.c.format, done.c.mode, done.c.width, done.c.height, done.c.reason, done.c.detail)
    sizes = [func.coalesce(said.c[side], 0).label(f"said_{side}") for side in ("width", "height")]
    question = (
        select(item.c.name, item.c.wnid, item.c.path, archive.c.kind, *columns, *sizes)
        .select_from(
            item.join(done)
            .join(archive, archive.c.id == item.c.archive_id)
            .outerjoin(said, said.c.item_id == item.c.id)
        )
        .where(
            item.c.dataset_id == dataset,
            (done.c.format != "JPEG")
            | (done.c.mode == "CMYK")
            | (said.c.width != done.c.width)
            | (said.c.height != done.c.height),
        )
        .order_by(item.c.id)
    )
    yield from _streamed(connection, question)


def _streamed(connection: Connection, question: Select[Any]) -> Iterator[Any]:
    yield from connection.execute(question, execution_options={"yield_per": 10_000})
