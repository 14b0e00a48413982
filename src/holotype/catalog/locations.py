"""Where the bytes of images lie, and the questions that tell."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from holotype.catalog import schema as t
from holotype.catalog.statements import chunks
from holotype.store.location import Location


def place_columns() -> tuple[ColumnElement[Any], ...]:
    """What a `Location` of an imported item is made of, where item and archive are joined."""
    item, archive = t.item.c, t.archive.c
    return archive.path, item.offset, item.length, archive.kind, item.path, archive.size, archive.mtime_ns


def item_places(connection: Connection, ids: Iterable[int]) -> dict[int, Location]:
    """Where imported items lie, by id."""
    joined = t.item.join(t.archive, t.archive.c.id == t.item.c.archive_id)
    return _places(connection, select(t.item.c.id, *place_columns()).select_from(joined), t.item.c.id, ids)


def image_places(connection: Connection, ids: Iterable[int]) -> dict[int, Location]:
    """Where images lie, by id."""
    image = t.image.c
    return _places(connection, select(image.id, image.pack, image.offset, image.length), image.id, ids)


def _places(
    connection: Connection, question: Select[Any], key: ColumnElement[int], ids: Iterable[int]
) -> dict[int, Location]:
    return {
        number: Location(*place)
        for chunk in chunks(ids)
        for number, *place in connection.execute(question.where(key.in_(chunk)))
    }
