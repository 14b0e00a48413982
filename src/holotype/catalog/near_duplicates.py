"""Questions about near-duplicates among the images that were read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Select, bindparam, delete, func, select, update

from holotype.catalog import schema as t
from holotype.catalog.images import is_sound
from holotype.catalog.statements import add_rows, chunks, held, meta, set_meta

_GROUPED: Final = "near_duplicates"
_CROWD: Final = "near_crowd"
_READ: Final = 20_000


Hashes = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


@dataclass(frozen=True, slots=True)
class Grouped:
    """What the groups were found among: so many images that were read, and of those, where an index of them is kept, so
    many with something to compare, and which: the index's digest, "" where none is."""

    among: int
    compared: int = 0
    digest: str = ""


def hashes(connection: Connection) -> Hashes:
    """Ids ``(n,)``, hashes ``(n, 32)`` and mirrored hashes ``(n, 32)`` of all sound images that were read, by id."""
    return _together(hash_batches(connection))


def new_hashes(connection: Connection) -> tuple[list[int], Hashes]:
    """The images that were read since groups were found, and what `hashes` says of those of them that are sound."""
    ids = list(connection.execute(select(t.ungrouped.c.image_id).order_by(t.ungrouped.c.image_id)).scalars())
    among = _hashes().join(t.ungrouped, t.ungrouped.c.image_id == t.fingerprint.c.image_id)
    return ids, _together(_batches(connection, among))


def hash_batches(connection: Connection, but_new: bool = False) -> Iterator[Hashes]:
    """What `hashes` says, some images at a time; `but_new`, without those that were read since groups were found."""
    asked = _hashes()
    if but_new:
        asked = asked.where(t.fingerprint.c.image_id.not_in(select(t.ungrouped.c.image_id)))
    yield from _batches(connection, asked)


def _hashes() -> Select[Any]:
    read = t.fingerprint.c
    return select(read.image_id, read.hash, read.mirrored).where(is_sound()).order_by(read.image_id)


def _batches(connection: Connection, asked: Select[Any]) -> Iterator[Hashes]:
    for rows in connection.execute(asked.execution_options(yield_per=_READ)).partitions():
        ids, straight, mirrored = zip(*rows, strict=True)
        yield np.array(ids, np.int64), _packed(straight), _packed(mirrored)


def _packed(rows: Iterable[bytes]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(b"".join(rows), np.uint8).reshape(-1, 32)


def _together(batches: Iterable[Hashes]) -> Hashes:
    nothing = np.zeros((0, 32), np.uint8)
    ids, straight, mirrored = zip((np.zeros(0, np.int64), nothing, nothing), *batches, strict=True)
    return np.concatenate(ids), np.concatenate(straight), np.concatenate(mirrored)


def count_read(connection: Connection) -> int:
    """Number of images that were read."""
    return connection.execute(select(func.count()).select_from(t.fingerprint)).scalar_one()


def count_new(connection: Connection) -> int:
    """Number of images that were read since groups were found."""
    return connection.execute(select(func.count()).select_from(t.ungrouped)).scalar_one()


def groups(connection: Connection) -> dict[int, int]:
    """Image id to the group of near-duplicates it is in; images alone are left out."""
    table = t.near_duplicate
    return {row.image_id: row.group_id for row in connection.execute(select(table.c.image_id, table.c.group_id))}


def groups_of(connection: Connection, images: Iterable[int]) -> dict[int, int]:
    """Those of some images that are in a group, to that."""
    table = t.near_duplicate.c
    asked = (select(table.image_id, table.group_id).where(table.image_id.in_(some)) for some in chunks(images))
    return {image: group for one in asked for image, group in connection.execute(one)}


def grouped(connection: Connection) -> Grouped | None:
    """What the groups of near-duplicates were found among last; None if images changed since."""
    said = meta(connection, _GROUPED)
    if said is None:
        return None
    among, *index = said.split()
    return Grouped(int(among), int(index[0]), index[1]) if index else Grouped(int(among))


def forget(connection: Connection) -> None:
    """Say that groups of near-duplicates are to be found anew."""
    connection.execute(delete(t.meta).where(t.meta.c.key == _GROUPED))


def wait(connection: Connection, images: Sequence[int]) -> None:
    """Say that images were read and are to be compared; some may be waiting already."""
    waiting = held(connection, t.ungrouped.c.image_id, images)
    add_rows(connection, t.ungrouped, [{"image_id": image} for image in images if image not in waiting])


def put(connection: Connection, groups: Mapping[int, int], among: Grouped) -> None:
    """Replace the groups of near-duplicates, found among all images that were read."""
    connection.execute(delete(t.near_duplicate))
    connection.execute(delete(t.ungrouped))
    add_rows(connection, t.near_duplicate, [{"image_id": i, "group_id": g} for i, g in groups.items()])
    _say(connection, among)


def add(
    connection: Connection, new: Iterable[int], groups: Mapping[int, int], merged: Mapping[int, int], among: Grouped
) -> None:
    """Record the groups that images are in which were in none, and those that are parts of others now, after `new`
    images were compared with all."""
    table = t.near_duplicate
    if moves := [{"old": old, "new": group} for old, group in merged.items()]:
        moved = update(table).where(table.c.group_id == bindparam("old")).values(group_id=bindparam("new"))
        connection.execute(moved, moves)
    add_rows(connection, table, [{"image_id": i, "group_id": g} for i, g in groups.items()])
    for some in chunks(new):
        connection.execute(delete(t.ungrouped).where(t.ungrouped.c.image_id.in_(some)))
    _say(connection, among)


def _say(connection: Connection, among: Grouped) -> None:
    index = f" {among.compared} {among.digest}" if among.digest else ""
    set_meta(connection, _GROUPED, f"{among.among}{index}")


def crowd(connection: Connection) -> tuple[int, int] | None:
    """How many hashes had the same bits where that were too many to compare each with each, and an image that has one;
    None where there were not so many."""
    said = meta(connection, _CROWD)
    return None if said is None else (int(said.split()[0]), int(said.split()[1]))


def say_crowd(connection: Connection, size: int, image: int) -> None:
    """Say how large the largest crowd is that was met, and an image of it; a smaller one is not kept beside it."""
    if (largest := crowd(connection)) is None or largest[0] < size:
        set_meta(connection, _CROWD, f"{size} {image}")


def no_crowd(connection: Connection) -> None:
    """Forget the crowd: groups are found anew."""
    connection.execute(delete(t.meta).where(t.meta.c.key == _CROWD))
