"""Questions about images, and what became of inputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, and_, case, func, insert, select

from holotype.catalog import kept_counts, withdrawals
from holotype.catalog import schema as t
from holotype.catalog.statements import add_rows, chunks
from holotype.store.location import PACK, Location


@dataclass(frozen=True, slots=True)
class Input:
    """One file or download and what became of it: ``kept``, ``duplicate`` or ``rejected``.

    `folder` and `name` are its path below the folder that was taken in.
    """

    origin: str
    size: int
    mtime_ns: int
    outcome: str
    reason: str
    detail: str
    image_id: int | None
    at: float
    folder: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Packed:
    """An own image as it was packed: where it and its thumbnail lie, and what was read of it; `detail` says
    how it is turned (`holotype.catalog.fingerprints.turned`)."""

    sha256: str
    location: Location
    thumbnail: Location
    format: str
    mode: str
    width: int
    height: int
    hash: bytes
    mirrored: bytes
    detail: str = ""


def digest() -> ColumnElement[str]:
    """The sha256 of an image that was read, else its name."""
    read = select(t.fingerprint.c.sha256).where(t.fingerprint.c.image_id == t.image.c.id).scalar_subquery()
    other = func.coalesce(read, t.image.c.name)
    return case((t.image.c.dataset_id == t.OWN, t.image.c.name), else_=other).label("sha256")


def is_sound() -> ColumnElement[bool]:
    """Whether an image that was read can be shown, and is not withdrawn."""
    return and_(t.fingerprint.c.width > 0, t.fingerprint.c.reason == "")


@cache
def read_images() -> FromClause:
    """Images joined with their files and, where they were read, with what was read."""
    files = t.image.join(t.file, t.file.c.id == t.image.c.file_id)
    return files.outerjoin(t.fingerprint, t.fingerprint.c.image_id == t.image.c.id)


def known_inputs(connection: Connection, origins: Iterable[str]) -> dict[tuple[str, int, int], int | None]:
    """``(origin, size, mtime_ns)`` of the inputs with these origins that were taken in before, with their image id."""
    table = t.intake
    return {
        (origin, size, mtime): image_id
        for chunk in chunks(origins)
        for origin, size, mtime, image_id in connection.execute(
            select(table.c.origin, table.c.size, table.c.mtime_ns, table.c.image_id).where(table.c.origin.in_(chunk))
        )
    }


def own_ids(connection: Connection, digests: Iterable[str]) -> dict[str, int]:
    """sha256 to image id, for those of `digests` that are the project's own."""
    image = t.image.c
    return {
        sha256: number
        for chunk in chunks(digests)
        for sha256, number in connection.execute(
            select(image.name, image.id).where(image.dataset_id == t.OWN, image.name.in_(chunk))
        )
    }


def add(connection: Connection, packed: Sequence[Packed]) -> dict[str, int]:
    """Append own images, whose ids by sha256 are returned; a doubled sha256 is an IntegrityError."""
    files = {name: _pack_id(connection, name) for name in {one.location.file for one in packed}}
    rows = [
        {
            "dataset_id": t.OWN,
            "name": one.sha256,
            "split": "",
            "file_id": files[one.location.file],
            "path": "",
            "offset": one.location.offset,
            "length": one.location.length,
            "boxes": 0,
            "assigned": 0,
        }
        for one in packed
    ]
    add_rows(connection, t.image, rows)
    ids = own_ids(connection, (one.sha256 for one in packed))
    read = ("sha256", "format", "mode", "width", "height", "hash", "mirrored")
    fingerprints = [
        {
            "image_id": ids[one.sha256],
            **{name: getattr(one, name) for name in read},
            "reason": "",
            "detail": one.detail,
            "thumbnail_offset": one.thumbnail.offset,
            "thumbnail_length": one.thumbnail.length,
        }
        for one in packed
    ]
    add_rows(connection, t.fingerprint, fingerprints)
    add_rows(connection, t.ungrouped, [{"image_id": row["image_id"]} for row in fingerprints])
    withdrawals.hold(connection)
    return ids


def _pack_id(connection: Connection, name: str) -> int:
    file = t.file.c
    held = select(file.id).where(file.dataset_id == t.OWN, file.path == name)
    if (number := connection.execute(held).scalar()) is None:
        values = {"dataset_id": t.OWN, "kind": PACK, "path": name, "size": 0, "mtime_ns": 0, "at": 0.0}
        connection.execute(insert(t.file).values(**values))
        number = connection.execute(held).scalar_one()
    return int(number)


@dataclass(frozen=True, slots=True)
class Named:
    """An image as it may be spoken of: its dataset, "" for own ones, the name that it has there, and its sha256, ""
    where it was not read yet."""

    id: int
    dataset: str
    name: str
    sha256: str

    @property
    def origin(self) -> str:
        """Where it comes from, in one word."""
        return f"{self.dataset}/{self.name}"


def named(connection: Connection, keys: Iterable[str], dataset: str | None = None) -> list[tuple[str, Named]]:
    """Images by their name in their dataset or their sha256, in order of their ids; of `dataset` alone, where given."""
    read = t.fingerprint.c
    asked = _named() if dataset is None else _named().where(t.dataset.c.name == dataset)
    found: dict[int, Named] = {}
    for chunk in chunks(keys):
        for meant in (is_named(connection, chunk), read.sha256.in_(chunk)):
            found |= {row.id: Named(*row) for row in connection.execute(asked.where(meant))}
    wanted = set(keys)
    ordered = [found[number] for number in sorted(found)]
    return [(key, one) for one in ordered for key in dict.fromkeys((one.name, one.sha256)) if key in wanted]


def with_ids(connection: Connection, ids: Iterable[int]) -> dict[int, Named]:
    """Images by their ids."""
    rows = (row for chunk in chunks(ids) for row in connection.execute(_named().where(t.image.c.id.in_(chunk))))
    return {row.id: Named(*row) for row in rows}


def _named() -> Select[Any]:
    image, sha256 = t.image.c, func.coalesce(t.fingerprint.c.sha256, "").label("sha256")
    joined = read_images().join(t.dataset, t.dataset.c.id == image.dataset_id)
    return select(image.id, t.dataset.c.name, image.name, sha256).select_from(joined)


def is_named(connection: Connection, names: Sequence[str]) -> ColumnElement[bool]:
    """Whether an image has one of some names in its dataset: all datasets are named, for the index begins with them."""
    datasets = connection.execute(select(t.dataset.c.id)).scalars().all()
    return and_(t.image.c.dataset_id.in_(datasets), t.image.c.name.in_(names))


def add_inputs(connection: Connection, inputs: Sequence[Input]) -> None:
    """Append what became of inputs."""
    names = Input.__slots__
    add_rows(connection, t.intake, [{name: getattr(row, name) for name in names} for row in inputs])


def pack_end(connection: Connection, pack: str) -> int:
    """Where the last committed member of a pack ends, in bytes; thumbnails follow their images."""
    read = t.fingerprint.c
    end = read.thumbnail_offset + read.thumbnail_length
    mine = t.file.c.path == pack, t.image.c.dataset_id == t.OWN
    return connection.execute(select(func.max(end)).select_from(read_images()).where(*mine)).scalar() or 0


def assign(connection: Connection, ids: Iterable[int]) -> None:
    """Say of images that they are candidates for something."""
    for chunk in chunks(ids):
        image = t.image.c
        connection.execute(t.image.update().where(image.id.in_(chunk), image.assigned == 0).values(assigned=t.ASSIGNED))


def intake_counts(connection: Connection) -> dict[tuple[str, str], int]:
    """Number of inputs by ``(outcome, reason)``."""
    columns = t.intake.c.outcome, t.intake.c.reason
    return {
        (outcome, reason): count
        for outcome, reason, count in connection.execute(
            select(*columns, func.count()).group_by(*columns).order_by(*columns)
        )
    }


def totals(connection: Connection) -> dict[str, int]:
    """Number of own images, of candidates that are asked about, of votes, workers and near-duplicates, and the bytes of
    own images."""
    own, count = t.image.c.dataset_id == t.OWN, func.count()
    kept = dict(zip((one.name for one in kept_counts.COUNTED), kept_counts.read(connection), strict=True))
    questions = {
        "images": select(count).select_from(t.image).where(own),
        "workers": select(count).select_from(t.worker),
        "near_duplicates": select(count).select_from(t.near_duplicate),
        "bytes": select(func.coalesce(func.sum(t.image.c.length), 0)).where(own),
    }
    found = {name: int(connection.execute(question).scalar_one()) for name, question in questions.items()}
    return {"images": found["images"], "candidates": kept["candidate"], "votes": kept["vote"], **found}
