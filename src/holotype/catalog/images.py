"""Questions about images, what became of inputs, and near-duplicates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import (
    Connection,
    delete,
    func,
    select,
)

from holotype.catalog import schema as t
from holotype.catalog.statements import add_rows, chunks


@dataclass(frozen=True, slots=True)
class Input:
    """One file or download and what became of it: ``kept``, ``duplicate`` or ``rejected``."""

    origin: str
    size: int
    mtime_ns: int
    outcome: str
    reason: str
    detail: str
    image_id: int | None
    at: float


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


def ids(connection: Connection, digests: Iterable[str]) -> dict[str, int]:
    """sha256 to image id, for those of `digests` that are stored."""
    return {
        sha256: number
        for chunk in chunks(digests)
        for sha256, number in connection.execute(
            select(t.image.c.sha256, t.image.c.id).where(t.image.c.sha256.in_(chunk))
        )
    }


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append images; a doubled sha256 is an IntegrityError."""
    add_rows(connection, t.image, rows)


def add_inputs(connection: Connection, inputs: Sequence[Input]) -> None:
    """Append what became of inputs."""
    names = Input.__slots__
    add_rows(connection, t.intake, [{name: getattr(row, name) for name in names} for row in inputs])


def pack_end(connection: Connection, pack: str) -> int:
    """Where the last committed member of a pack ends, in bytes; thumbnails follow their images."""
    table = t.image
    end = table.c.thumbnail_offset + table.c.thumbnail_length
    return connection.execute(select(func.max(end)).where(table.c.pack == pack)).scalar() or 0


def hashes(
    connection: Connection,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Ids ``(n,)``, hashes ``(n, 32)`` and mirrored hashes ``(n, 32)`` of all images, by id."""
    rows = connection.execute(select(t.image.c.id, t.image.c.hash, t.image.c.mirrored).order_by(t.image.c.id)).all()
    straight, mirrored = (
        np.frombuffer(b"".join(row[column] for row in rows), np.uint8).reshape(-1, 32) for column in (1, 2)
    )
    return np.array([row.id for row in rows], np.int64), straight, mirrored


def near_duplicates(connection: Connection) -> dict[int, int]:
    """Image id to the group of near-duplicates it is in; images alone are left out."""
    table = t.near_duplicate
    return {row.image_id: row.group_id for row in connection.execute(select(table.c.image_id, table.c.group_id))}


def set_near_duplicates(connection: Connection, groups: Mapping[int, int]) -> None:
    """Replace the groups of near-duplicates."""
    connection.execute(delete(t.near_duplicate))
    add_rows(connection, t.near_duplicate, [{"image_id": i, "group_id": g} for i, g in groups.items()])


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
    """Number of rows of images, candidates, votes and workers, and the bytes of all images."""
    count = {
        name: connection.execute(select(func.count()).select_from(table)).scalar() or 0
        for name, table in (
            ("images", t.image),
            ("candidates", t.candidate),
            ("votes", t.vote),
            ("workers", t.worker),
            ("near_duplicates", t.near_duplicate),
        )
    }
    count["bytes"] = connection.execute(select(func.sum(t.image.c.length))).scalar() or 0
    return {name: int(value) for name, value in count.items()}


def count(connection: Connection) -> int:
    """Number of images."""
    return connection.execute(select(func.count()).select_from(t.image)).scalar() or 0
