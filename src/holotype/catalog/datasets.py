"""Questions about imported datasets: their files, their images, and what is said of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    update,
)

from holotype.catalog import candidates
from holotype.catalog import schema as t
from holotype.catalog.images import forget_groups, read_images
from holotype.catalog.locations import location_columns
from holotype.catalog.schema import STATES
from holotype.catalog.statements import add_rows, chunks
from holotype.store.location import Location


class BoxRow(NamedTuple):
    """A box as it is compared: wnid and inclusive pixels."""

    wnid: str
    x_min: int
    y_min: int
    x_max: int
    y_max: int


class File(NamedTuple):
    """A file or folder of a dataset, with the dataset's name, and how it looked when it was imported."""

    id: int
    dataset_id: int
    dataset: str
    kind: str
    path: str
    size: int
    mtime_ns: int


class Known(NamedTuple):
    """An image of a dataset: where it lies in file `file_id`, and the label its dataset gives it, or ""."""

    id: int
    name: str
    file_id: int
    path: str
    offset: int
    length: int
    wnid: str


class Moved(NamedTuple):
    """Where a known image lies from now on; with `anew`, what was read of its bytes is forgotten."""

    id: int
    path: str
    offset: int
    length: int
    anew: bool


class Mark(NamedTuple):
    """What a list says of a synset."""

    wnid: str
    mark: str
    value: str


class Held(NamedTuple):
    """How many images, labelled images and boxes a dataset has of a split."""

    dataset: str
    split: str
    images: int
    labelled: int
    boxes: int


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


def dataset_id(connection: Connection, name: str) -> int:
    """The id of a dataset, which is made if it is new."""
    question = select(t.dataset.c.id).where(t.dataset.c.name == name)
    held = connection.execute(question).scalar()
    if held is None:
        connection.execute(insert(t.dataset).values(name=name))
        held = connection.execute(question).scalar_one()
    return int(held)


def files(connection: Connection, dataset: str | None = None) -> list[File]:
    """The files and folders of a dataset, or of all, oldest first."""
    file = t.file.c
    columns = file.id, file.dataset_id, t.dataset.c.name, file.kind, file.path, file.size, file.mtime_ns
    question = select(*columns).join(t.dataset).order_by(file.id)
    wanted = t.file.c.dataset_id != t.OWN if dataset is None else t.dataset.c.name == dataset
    return [File(*row) for row in connection.execute(question.where(wanted))]


def put_file(connection: Connection, number: int | None, row: Mapping[str, Any]) -> int:
    """Append a file, or say anew where file `number` lies and how it looks; its id."""
    if number is not None:
        connection.execute(update(t.file).where(t.file.c.id == number).values(**row))
        return number
    return int(connection.execute(insert(t.file).values(**row).returning(t.file.c.id)).scalar_one())


_CLAIM: Final = t.candidate.alias("claim")
"""What an image's dataset says that it shows."""
_claimed: Final = and_(_CLAIM.c.image_id == t.image.c.id, _CLAIM.c.labelled_by.is_not(None))


def images_by_name(connection: Connection, dataset: int, names: Iterable[str]) -> dict[str, Known]:
    """The images of a dataset that have these names, by name."""
    image = t.image.c
    columns = (image.id, image.name, image.file_id, image.path, image.offset, image.length)
    asked = select(*columns, func.coalesce(_CLAIM.c.wnid, "")).outerjoin(_CLAIM, _claimed)
    return {
        row.name: Known(*row)
        for chunk in chunks(names, 2_000)
        for row in connection.execute(asked.where(image.dataset_id == dataset, image.name.in_(chunk)))
    }


class Imported(NamedTuple):
    """An image of a dataset as it is imported: its name and split there, the synset it shows or "" with its rank, and
    where it lies in file `file_id`."""

    name: str
    split: str
    wnid: str
    rank: int
    file_id: int
    path: str
    offset: int
    length: int


def add_images(connection: Connection, dataset: int, policy: int, rows: Sequence[Imported]) -> None:
    """Append images, and candidates for those whose synset is told; a name that the dataset has is an IntegrityError.

    There may be fourteen million: rows go to the driver as they are.
    """
    numbers = _reserve(connection, len(rows))
    told = [t.LABELLED if one.wnid else 0 for one in rows]
    _insert(
        connection,
        t.image,
        ("id", "dataset_id", "name", "split", "file_id", "path", "offset", "length", "boxes", "assigned"),
        [
            (number, dataset, one.name, one.split, one.file_id, one.path, one.offset, one.length, 0, known)
            for number, one, known in zip(numbers, rows, told, strict=True)
        ],
    )
    pairs = zip(numbers, rows, strict=True)
    _claim(connection, policy, ((one.wnid, one.rank, number, one.file_id, 0) for number, one in pairs if one.wnid))


def set_labels(connection: Connection, labels: Sequence[tuple[int, str, int]], file: int, policy: int) -> None:
    """Say what images without a label show, by (image id, wnid, rank); `file` is where that is said.

    An image that is a candidate for that already keeps what was concluded of it.
    """
    known = candidates.ids(connection, ((wnid, image) for image, wnid, _ in labels))
    candidates.changed(connection, [image for _, image in known])
    for chunk in chunks(known.values(), 2_000):
        connection.execute(update(t.candidate).where(t.candidate.c.id.in_(chunk)).values(labelled_by=file))
    boxes: dict[int, int] = {}
    for chunk in chunks((image for image, _, _ in labels), 2_000):
        image = t.image.c
        held = select(image.id, image.boxes).where(image.id.in_(chunk))
        boxes |= dict(map(tuple, connection.execute(held)))
        connection.execute(update(t.image).where(image.id.in_(chunk)).values(assigned=t.LABELLED))
    new = ((wnid, rank, image, file, boxes[image]) for image, wnid, rank in labels if (wnid, image) not in known)
    _claim(connection, policy, new)


def _claim(connection: Connection, policy: int, rows: Iterable[tuple[str, int, int, int, int]]) -> None:
    """Append candidates that a dataset decides, as (wnid, rank, image id, file id, boxes)."""
    columns = ("wnid", "rank", "image_id", "labelled_by", "asked", "boxes", "state", "posterior", "policy_id")
    yes = STATES.index("yes")
    told = [(wnid, rank, image, file, 0, boxes, yes, 1.0, policy) for wnid, rank, image, file, boxes in rows]
    _insert(connection, t.candidate, columns, told)


def _insert(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Append rows by a statement that is compiled once."""
    if rows:
        made = insert(table).compile(dialect=connection.dialect, column_keys=list(columns))
        order = made.positiontup
        if order is None:
            values: Any = [dict(zip(columns, row, strict=True)) for row in rows]
        else:
            turn = [columns.index(name) for name in order]
            values = rows if turn == list(range(len(columns))) else [tuple(map(row.__getitem__, turn)) for row in rows]
        connection.exec_driver_sql(made.string, values)


def _reserve(connection: Connection, count: int) -> Sequence[int]:
    """Ids for so many new images; on SQLite nobody else writes meanwhile, PostgreSQL counts for all who do."""
    if connection.dialect.name == "postgresql":
        sequence = func.nextval(func.pg_get_serial_sequence("image", "id"))
        return connection.execute(select(sequence).select_from(func.generate_series(1, count))).scalars().all()
    first = newest_image(connection) + 1
    return range(first, first + count)


def add_boxes(connection: Connection, boxes: Mapping[int, Sequence[BoxRow]], file: int) -> int:
    """Append the boxes of images, by id, that are not there yet, each as often as it is said; how many were new."""
    held: dict[int, Counter[BoxRow]] = defaultdict(Counter)
    table = t.box
    for chunk in chunks(boxes, 2_000):
        columns = table.c.wnid, table.c.x_min, table.c.y_min, table.c.x_max, table.c.y_max
        for number, *box in connection.execute(select(table.c.image_id, *columns).where(table.c.image_id.in_(chunk))):
            held[number][BoxRow(*box)] += 1
    new = {number: list((Counter(found) - held[number]).elements()) for number, found in boxes.items()}
    rows = [{"image_id": number, "file_id": file, **box._asdict()} for number, found in new.items() for box in found]
    add_rows(connection, table, rows)
    counts = [{"number": number, "more": len(found)} for number, found in new.items() if found]
    if counts:
        for table, key in ((t.image, t.image.c.id), (t.candidate, t.candidate.c.image_id)):
            mine = update(table).where(key == bindparam("number"))
            connection.execute(mine.values(boxes=table.c.boxes + bindparam("more")), counts)
    return len(rows)


def add_annotations(connection: Connection, sizes: Mapping[int, tuple[int, int]], file: int) -> None:
    """Append what annotation files say of images' width and height, by id; the first to say it is believed."""
    held = _held(connection, t.annotation.c.image_id, sizes)
    add_rows(
        connection,
        t.annotation,
        [
            {"image_id": number, "width": width, "height": height, "file_id": file}
            for number, (width, height) in sizes.items()
            if number not in held
        ],
    )


def add_urls(connection: Connection, urls: Mapping[int, str], file: int) -> int:
    """Append the URLs of images, by id, that have none yet; how many were new."""
    held = _held(connection, t.url.c.image_id, urls)
    rows = [{"image_id": i, "url": url, "file_id": file} for i, url in urls.items() if i not in held]
    add_rows(connection, t.url, rows)
    return len(rows)


def _held(connection: Connection, column: ColumnElement[int], numbers: Iterable[int]) -> set[int]:
    return {
        number
        for chunk in chunks(numbers, 2_000)
        for number in connection.execute(select(column).where(column.in_(chunk))).scalars()
    }


def newest_image(connection: Connection) -> int:
    """The highest id of an image, 0 if there is none."""
    return connection.execute(select(func.max(t.image.c.id))).scalar() or 0


def images_in(connection: Connection, file: int) -> int:
    """Number of images that lie in a file."""
    question = select(func.count()).select_from(t.image).where(t.image.c.file_id == file)
    return connection.execute(question).scalar_one()


def move_images(connection: Connection, rows: Sequence[Moved], file: int) -> None:
    """Say where images lie now, in a file."""
    if rows:
        names = ("path", "offset", "length")
        lie = [{"number": row.id, **{f"new_{name}": getattr(row, name) for name in names}} for row in rows]
        moved = update(t.image).where(t.image.c.id == bindparam("number")).values(file_id=file)
        connection.execute(moved.values({name: bindparam(f"new_{name}") for name in names}), lie)
    anew = [row.id for row in rows if row.anew]
    if anew:
        forget_groups(connection)
        candidates.changed(connection, anew)
    for chunk in chunks(anew, 2_000):
        _keep_seen(connection, chunk)
        for table in (t.fingerprint, t.near_duplicate):
            connection.execute(delete(table).where(table.c.image_id.in_(chunk)))


def _keep_seen(connection: Connection, images: Sequence[int]) -> None:
    """Keep the sha256 that images have, for those that people have spoken of."""
    candidate, read = t.candidate.c, t.fingerprint.c
    spoken = {
        number
        for table in (t.vote, t.gold, t.overruling, t.audit_answer)
        for number in connection.execute(
            select(candidate.image_id)
            .join(table, table.c.candidate_id == candidate.id)
            .where(candidate.image_id.in_(images))
        ).scalars()
    }
    new = spoken - seen(connection, images).keys()
    rows = connection.execute(select(read.image_id, read.sha256).where(read.image_id.in_(new)))
    add_rows(connection, t.seen, [row._asdict() for row in rows])


def put_marks(connection: Connection, marks: Iterable[tuple[str, str, str]], file: int) -> int:
    """Say all that a file says of synsets, as (wnid, mark, value); how much of it is new.

    What it said before by these marks is forgotten.
    """
    table = t.mark
    said = {(wnid, mark): value for wnid, mark, value in marks}
    earlier = and_(table.c.file_id == file, table.c.mark.in_({mark for _, mark in said}))
    held = {(row.wnid, row.mark): row.value for row in connection.execute(select(table).where(earlier))}
    if said == held:
        return 0
    connection.execute(delete(table).where(earlier))
    rows = [{"wnid": wnid, "mark": mark, "value": value, "file_id": file} for (wnid, mark), value in said.items()]
    add_rows(connection, table, rows)
    return sum(held.get(key) != value for key, value in said.items())


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


def unread(connection: Connection, after: int, limit: int) -> list[tuple[int, Location]]:
    """The first images that were not read beyond id `after`, by id, and where their bytes lie."""
    rows = connection.execute(_unread().where(t.image.c.id > after).order_by(t.image.c.id).limit(limit))
    return [(number, Location(*location)) for number, *location in rows]


def unread_of(connection: Connection, ids: Iterable[int]) -> list[tuple[int, Location]]:
    """Those of some images that were not read, and where their bytes lie."""
    asked = (_unread().where(t.image.c.id.in_(chunk)) for chunk in chunks(ids))
    return [(number, Location(*location)) for one in asked for number, *location in connection.execute(one)]


def _unread() -> Select[Any]:
    return (
        select(t.image.c.id, *location_columns()).select_from(read_images()).where(t.fingerprint.c.image_id.is_(None))
    )


def read_counts(connection: Connection) -> tuple[int, int]:
    """Number of images, and of those that were read."""
    images, done = (
        connection.execute(select(func.count()).select_from(table)).scalar_one() for table in (t.image, t.fingerprint)
    )
    return images, done


def add_fingerprints(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append fingerprints; those another process was first to add are skipped."""
    held = _held(connection, t.fingerprint.c.image_id, [row["image_id"] for row in rows])
    add_rows(connection, t.fingerprint, new := [row for row in rows if row["image_id"] not in held])
    candidates.changed(connection, [row["image_id"] for row in new])


def seen(connection: Connection, images: Iterable[int]) -> dict[int, str]:
    """The sha256 that people saw of images, by id, of those whose bytes may be others now."""
    asked = (select(t.seen).where(t.seen.c.image_id.in_(chunk)) for chunk in chunks(images, 2_000))
    return {number: sha256 for one in asked for number, sha256 in connection.execute(one)}


def dataset_counts(connection: Connection) -> list[Held]:
    """Images, labelled images and boxes by imported dataset and split."""
    image, dataset = t.image, t.dataset
    labelled = func.count(case((image.c.assigned == t.LABELLED, 1)))
    sums = func.count(), labelled, func.sum(image.c.boxes)
    rows = connection.execute(
        select(dataset.c.name, image.c.split, *sums)
        .select_from(image.join(dataset))
        .where(image.c.dataset_id != t.OWN)
        .group_by(dataset.c.name, image.c.split)
        .order_by(dataset.c.name, image.c.split)
    )
    return [Held(*row) for row in rows]


def wnid_counts(connection: Connection, dataset: int) -> dict[str, int]:
    """Number of a dataset's images by wnid, unlabelled ones left out."""
    candidate = t.candidate.c
    question = select(candidate.wnid, func.count()).join(t.file, t.file.c.id == candidate.labelled_by)
    rows = connection.execute(question.where(t.file.c.dataset_id == dataset).group_by(candidate.wnid))
    return {row[0]: row[1] for row in rows}


def _said(*columns: ColumnElement[Any]) -> Select[Any]:
    """Images with the synset that their dataset says they show, or ""."""
    image = t.image.c
    wnid = func.coalesce(_CLAIM.c.wnid, "").label("wnid")
    return select(image.name, *columns, wnid).select_from(t.image.outerjoin(_CLAIM, _claimed))


def unplaced(connection: Connection, dataset: int) -> Iterator[Labelled]:
    """The images without a label, or whose label the ontology did not know."""
    image = t.image.c
    question = _said(image.split).where(image.dataset_id == dataset, func.coalesce(_CLAIM.c.rank, -1) < 0)
    yield from map(Labelled._make, _streamed(connection, question.order_by(image.id)))


def same_bytes(connection: Connection, dataset: int) -> Iterator[Doubled]:
    """The images whose bytes another image of the dataset has too, by sha256."""
    image, done = t.image, t.fingerprint
    mine = select(done.c.sha256).select_from(done.join(image)).where(image.c.dataset_id == dataset)
    several = mine.group_by(done.c.sha256).having(func.count() > 1)
    question = _said(image.c.split).add_columns(done.c.sha256).join(done, done.c.image_id == image.c.id)
    question = question.where(image.c.dataset_id == dataset, done.c.sha256.in_(several))
    yield from map(Doubled._make, _streamed(connection, question.order_by(done.c.sha256, image.c.name)))


def size_columns() -> tuple[ColumnElement[int], ...]:
    """An image's width and height where fingerprint and annotation are joined: as read, else as annotated, else 0."""
    read, said = t.fingerprint.c, t.annotation.c
    return tuple(func.coalesce(func.nullif(read[side], 0), said[side], 0).label(side) for side in ("width", "height"))


def boxes_with_sizes(connection: Connection, dataset: int) -> Iterator[Boxed]:
    """Every box of a dataset, by image."""
    image, said, done, box = t.image, t.annotation, t.fingerprint, t.box
    corners = box.c.wnid, box.c.x_min, box.c.y_min, box.c.x_max, box.c.y_max
    question = (
        _said()
        .add_columns(*size_columns(), *corners)
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
    columns = (done.c.format, done.c.mode, done.c.width, done.c.height, done.c.reason, done.c.detail)
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


def _streamed(connection: Connection, question: Select[Any]) -> Iterator[Sequence[Any]]:
    yield from connection.execute(question, execution_options={"yield_per": 10_000})
