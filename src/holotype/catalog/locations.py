"""Where the bytes of images lie, and the questions that tell."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from holotype.catalog import schema as t
from holotype.catalog.statements import chunks
from holotype.store.location import Location


@cache
def location_columns() -> tuple[ColumnElement[Any], ...]:
    """What a `Location` is made of, in its order, where image and file are joined."""
    image, file = t.image.c, t.file.c
    return file.path, image.offset, image.length, file.kind, image.path, file.size, file.mtime_ns


def locations(connection: Connection, ids: Iterable[int]) -> dict[int, Location]:
    """Where images lie, by id."""
    asked = select(t.image.c.id, *location_columns()).select_from(
        t.image.join(t.file, t.file.c.id == t.image.c.file_id)
    )
    return {
        number: Location(*location)
        for chunk in chunks(ids)
        for number, *location in connection.execute(asked.where(t.image.c.id.in_(chunk)))
    }
