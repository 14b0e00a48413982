"""What every question is made of: values in chunks, rows appended, and the project-wide values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    Table,
    insert,
    select,
)

from holotype.catalog import schema as t

Value = TypeVar("Value")


def chunks(values: Iterable[Value], size: int = 500) -> Iterator[list[Value]]:
    """`values` in lists of at most `size`: what one statement takes."""
    held = list(values)
    for start in range(0, len(held), size):
        yield held[start : start + size]


def add_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append rows to a table; none is fine."""
    if rows:
        connection.execute(insert(table), list(rows))


def meta(connection: Connection, key: str) -> str | None:
    """The project-wide value called `key`."""
    return connection.execute(select(t.meta.c.value).where(t.meta.c.key == key)).scalar()


def meta_or_set(connection: Connection, key: str, value: str) -> str:
    """The project-wide value called `key`, which is `value` if none was given before."""
    held = meta(connection, key)
    if held is None:
        connection.execute(insert(t.meta).values(key=key, value=value))
    return value if held is None else held
