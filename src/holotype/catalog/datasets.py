"""Questions about imported datasets: their files, their images, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    select,
    update,
)

from holotype.catalog import candidates, fingerprints, withdrawals
from holotype.catalog import schema as t
from holotype.catalog.copying import copy_in, streams
from holotype.catalog.schema import STATES
from holotype.catalog.statements import chunks


class File(NamedTuple):
    """A file or folder of a dataset, with the dataset's name; how it looked when it was imported, at Unix time
    `at`, and how it is read."""

    id: int
    dataset_id: int
    dataset: str
    kind: str
    path: str
    size: int
    mtime_ns: int
    at: float
    reading: str = ""


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
    """Where a known image lies from now on; with `anew`, its bytes are to be read again."""

    id: int
    path: str
    offset: int
    length: int
    anew: bool


class Held(NamedTuple):
    """How many images, labelled images and boxes a dataset has of a split."""

    dataset: str
    split: str
    images: int
    labelled: int
    boxes: int


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
    columns = file.id, file.dataset_id, t.dataset.c.name, file.kind, file.path, file.size, file.mtime_ns, file.at
    reading = func.coalesce(t.reading.c.value, "")
    joined = t.file.join(t.dataset).outerjoin(t.reading, file.reading_id == t.reading.c.id)
    question = select(*columns, reading).select_from(joined).order_by(file.id)
    wanted = t.file.c.dataset_id != t.OWN if dataset is None else t.dataset.c.name == dataset
    return [File(*row) for row in connection.execute(question.where(wanted))]


def reading_id(connection: Connection, value: str) -> int | None:
    """The id of a way to read files, which is kept if it is new; None for that of ImageNet's own."""
    if not value:
        return None
    held = select(t.reading.c.id).where(t.reading.c.value == value)
    if (number := connection.execute(held).scalar()) is None:
        connection.execute(insert(t.reading).values(value=value))
        number = connection.execute(held).scalar_one()
    return int(number)


def put_file(connection: Connection, number: int | None, row: Mapping[str, Any]) -> int:
    """Append a file, or say anew where file `number` lies and how it looks; its id."""
    if number is not None:
        connection.execute(update(t.file).where(t.file.c.id == number).values(**row))
        return number
    return int(connection.execute(insert(t.file).values(**row).returning(t.file.c.id)).scalar_one())


CLAIM: Final = t.candidate.alias("claim")
"""What an image's dataset says that it shows; the first of it where it says several things."""
_CLAIMS: Final = t.candidate.alias("claims")
_SOME_CLAIM: Final = and_(CLAIM.c.image_id == t.image.c.id, CLAIM.c.labelled_by.is_not(None))
CLAIMED: Final = and_(
    _SOME_CLAIM,
    ~exists()
    .where(_CLAIMS.c.image_id == CLAIM.c.image_id, _CLAIMS.c.labelled_by.is_not(None), _CLAIMS.c.id < CLAIM.c.id)
    .correlate(CLAIM),
)


def images_by_name(connection: Connection, dataset: int, names: Iterable[str]) -> dict[str, Known]:
    """The images of a dataset that have these names, by name."""
    found: dict[str, Known] = {}
    for chunk in chunks(names, 2_000):
        rows = _with_claims(connection, dataset, chunk, _SOME_CLAIM)
        if len(rows) > len(chunk_of := {row.name: row for row in rows}):  # some have several
            chunk_of = {row.name: row for row in _with_claims(connection, dataset, chunk, CLAIMED)}
        found |= chunk_of
    return found


def _with_claims(connection: Connection, dataset: int, names: Sequence[str], claim: ColumnElement[bool]) -> list[Known]:
    image = t.image.c
    columns = (image.id, image.name, image.file_id, image.path, image.offset, image.length)
    asked = select(*columns, func.coalesce(CLAIM.c.wnid, "")).select_from(t.image.outerjoin(CLAIM, claim))
    return [Known(*row) for row in connection.execute(asked.where(image.dataset_id == dataset, image.name.in_(names)))]


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

    An image that is a candidate for that already keeps what was concluded of it; where nothing was, and nobody proposed
    it either, the dataset decides.
    """
    known = candidates.ids(connection, ((wnid, image) for image, wnid, _ in labels))
    candidates.changed(connection, [image for _, image in known])
    for chunk in chunks(known.values(), 2_000):
        mine = t.candidate.c.id.in_(chunk)
        connection.execute(update(t.candidate).where(mine).values(labelled_by=file))
        proposed = select(t.sighting.c.candidate_id).where(t.sighting.c.candidate_id == t.candidate.c.id).exists()
        undecided = t.candidate.c.policy_id.is_(None), ~proposed
        said = {"state": STATES.index("yes"), "posterior": 1.0, "policy_id": policy}
        connection.execute(update(t.candidate).where(mine, *undecided).values(**said))
    boxes: dict[int, int] = {}
    for chunk in chunks((image for image, _, _ in labels), 2_000):
        image = t.image.c
        held = select(image.id, image.boxes).where(image.id.in_(chunk))
        boxes |= dict(map(tuple, connection.execute(held)))
        connection.execute(update(t.image).where(image.id.in_(chunk)).values(assigned=t.LABELLED))
    new = ((wnid, rank, image, file, boxes[image]) for image, wnid, rank in labels if (wnid, image) not in known)
    _claim(connection, policy, new)
    withdrawals.hold(connection)


def further_labels(connection: Connection, labels: Sequence[tuple[int, str, int]], file: int, policy: int) -> int:
    """Say what else images show, by (image id, wnid, rank), whether they have a label or not; how much of it is new."""
    if not labels:
        return 0
    known = candidates.ids(connection, ((wnid, image) for image, wnid, _ in labels))
    claimed = set(candidates.claimed(connection, known.values()))
    new = [label for label in dict.fromkeys(labels) if known.get((label[1], label[0])) not in claimed]
    set_labels(connection, new, file, policy)
    return len(new)


def _claim(connection: Connection, policy: int, rows: Iterable[tuple[str, int, int, int, int]]) -> None:
    """Append candidates that a dataset decides, as (wnid, rank, image id, file id, boxes)."""
    columns = ("wnid", "rank", "image_id", "labelled_by", "asked", "boxes", "state", "posterior", "policy_id")
    yes = STATES.index("yes")
    told = [(wnid, rank, image, file, 0, boxes, yes, 1.0, policy) for wnid, rank, image, file, boxes in rows]
    _insert(connection, t.candidate, columns, told)


def _insert(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Append rows by a statement that is compiled once, or as a stream."""
    if rows and streams(connection):
        copy_in(connection, table, columns, rows)
    elif rows:
        made = insert(table).compile(dialect=connection.dialect, column_keys=list(columns))
        turn = [columns.index(name) for name in made.positiontup or columns]
        values = rows if turn == list(range(len(columns))) else [tuple(map(row.__getitem__, turn)) for row in rows]
        connection.exec_driver_sql(made.string, list(values))


def _reserve(connection: Connection, count: int) -> Sequence[int]:
    """Ids for so many new images; on SQLite nobody else writes meanwhile, PostgreSQL counts for all who do."""
    if connection.dialect.name == "postgresql":
        sequence = func.nextval(func.pg_get_serial_sequence("image", "id"))
        return connection.execute(select(sequence).select_from(func.generate_series(1, count))).scalars().all()
    first = newest_image(connection) + 1
    return range(first, first + count)


def newest_image(connection: Connection) -> int:
    """The highest id of an image, 0 if there is none."""
    return connection.execute(select(func.max(t.image.c.id))).scalar() or 0


def images_in(connection: Connection, file: int) -> int:
    """Number of images that lie in a file."""
    question = select(func.count()).select_from(t.image).where(t.image.c.file_id == file)
    return connection.execute(question).scalar_one()


def paths_in(connection: Connection, file: int) -> Iterator[tuple[str, int]]:
    """The path and the length of every image that lies in a folder."""
    question = select(t.image.c.path, t.image.c.length).where(t.image.c.file_id == file)
    yield from map(tuple, connection.execute(question, execution_options={"yield_per": 10_000}))


def move_images(connection: Connection, rows: Sequence[Moved], file: int, overwritten: bool = False) -> None:
    """Say where images lie now, in a file; whether their bytes may be others than were read before."""
    if rows:
        names = ("path", "offset", "length")
        lie = [{"number": row.id, **{f"new_{name}": getattr(row, name) for name in names}} for row in rows]
        moved = update(t.image).where(t.image.c.id == bindparam("number")).values(file_id=file)
        connection.execute(moved.values({name: bindparam(f"new_{name}") for name in names}), lie)
    fingerprints.forget(connection, [row.id for row in rows if row.anew], overwritten)


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
