"""Questions about near-duplicates among the images that were read."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, delete, func, select

from holotype.catalog import schema as t
from holotype.catalog.images import is_sound
from holotype.catalog.statements import add_rows, meta, meta_or_set

_GROUPED: Final = "near_duplicates"


Hashes = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]


def hashes(connection: Connection) -> Hashes:
    """Ids ``(n,)``, hashes ``(n, 32)`` and mirrored hashes ``(n, 32)`` of all sound images that were read, by id."""
    read = t.fingerprint.c
    asked = select(read.image_id, read.hash, read.mirrored).where(is_sound()).order_by(read.image_id)
    ids, straight, mirrored = array("q"), bytearray(), bytearray()
    for rows in connection.execute(asked.execution_options(yield_per=20_000)).partitions():
        ids.extend(row[0] for row in rows)
        straight += b"".join(row[1] for row in rows)
        mirrored += b"".join(row[2] for row in rows)
    numbers = np.frombuffer(ids, np.int64) if ids else np.zeros(0, np.int64)
    return numbers, np.frombuffer(straight, np.uint8).reshape(-1, 32), np.frombuffer(mirrored, np.uint8).reshape(-1, 32)


def count_read(connection: Connection) -> int:
    """Number of images that were read."""
    return connection.execute(select(func.count()).select_from(t.fingerprint)).scalar_one()


def groups(connection: Connection) -> dict[int, int]:
    """Image id to the group of near-duplicates it is in; images alone are left out."""
    table = t.near_duplicate
    return {row.image_id: row.group_id for row in connection.execute(select(table.c.image_id, table.c.group_id))}


def grouped(connection: Connection) -> int:
    """Among how many images that were read the groups of near-duplicates were found last; -1 if some changed since."""
    return int(meta(connection, _GROUPED) or -1)


def forget(connection: Connection) -> None:
    """Say that groups of near-duplicates are to be found anew."""
    connection.execute(delete(t.meta).where(t.meta.c.key == _GROUPED))


def put(connection: Connection, groups: Mapping[int, int], among: int) -> None:
    """Replace the groups of near-duplicates, found `among` so many images that were read."""
    forget(connection)
    meta_or_set(connection, _GROUPED, str(among))
    connection.execute(delete(t.near_duplicate))
    add_rows(connection, t.near_duplicate, [{"image_id": i, "group_id": g} for i, g in groups.items()])
