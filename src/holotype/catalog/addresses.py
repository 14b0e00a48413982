"""Questions about where all images lie: packs and other files with what they hold, a file at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from sqlalchemy import Connection, func, select

from holotype.catalog import schema as t
from holotype.catalog.locations import location_columns
from holotype.store.location import PACK, Location
from holotype.store.pack_check import Addressed

_AT_ONCE: Final = 5_000


class HeldFile(NamedTuple):
    """A file or folder as the catalog has it, and how many images lie in it."""

    id: int
    dataset: int
    kind: str
    path: str
    size: int
    mtime_ns: int
    images: int


def files(connection: Connection) -> list[HeldFile]:
    """Every file that the catalog speaks of, packs first."""
    file = t.file.c
    count = select(t.image.c.file_id, func.count().label("images")).group_by(t.image.c.file_id).subquery()
    columns = file.id, file.dataset_id, file.kind, file.path, file.size, file.mtime_ns
    asked = select(*columns, func.coalesce(count.c.images, 0)).outerjoin(count, count.c.file_id == file.id)
    return [HeldFile(*row) for row in connection.execute(asked.order_by(file.dataset_id, file.id))]


def in_pack(connection: Connection, file: int) -> list[Addressed]:
    """The images of a pack by where they lie; those without a thumbnail, which there should be none of, left out."""
    image, read = t.image.c, t.fingerprint.c
    columns = image.name, image.offset, image.length, read.thumbnail_offset, read.thumbnail_length
    asked = select(*columns).join(t.fingerprint, read.image_id == image.id)
    mine = image.dataset_id == t.OWN, image.file_id == file, read.thumbnail_offset.is_not(None)
    return [Addressed(*row) for row in connection.execute(asked.where(*mine).order_by(image.offset))]


def pack_ends(connection: Connection) -> dict[str, int]:
    """Every pack with images by its name, and where the addresses in it end, in bytes."""
    read, image, file = t.fingerprint.c, t.image.c, t.file.c
    end, thumbnail = func.max(image.offset + image.length), func.max(read.thumbnail_offset + read.thumbnail_length)
    joined = t.image.join(t.file, file.id == image.file_id).join(t.fingerprint, read.image_id == image.id)
    asked = select(file.path, end, thumbnail).select_from(joined).where(file.kind == PACK, image.dataset_id == t.OWN)
    return {path: max(one, other or 0) for path, one, other in connection.execute(asked.group_by(file.path))}


def in_file(connection: Connection, file: int) -> Iterator[list[tuple[str, str, Location]]]:
    """The images of another file, a block at a time: the name, the sha256, "" where it was not read, and where it
    lies."""
    image, read, after = t.image.c, t.fingerprint.c, 0
    joined = t.image.join(t.file, t.file.c.id == image.file_id).outerjoin(t.fingerprint, read.image_id == image.id)
    columns = image.id, image.name, func.coalesce(read.sha256, ""), *location_columns()
    asked = select(*columns).select_from(joined).where(image.file_id == file).order_by(image.id).limit(_AT_ONCE)
    while rows := connection.execute(asked.where(image.id > after)).all():
        after = rows[-1][0]
        yield [(name, sha256, Location(*where)) for _, name, sha256, *where in rows]
