"""What every question is made of: values in chunks, columns read, rows appended, and the project-wide values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Table,
    any_,
    func,
    insert,
    literal,
    select,
    update,
)

from holotype.catalog import schema as t
from holotype.catalog.copying import COPIED, columns_of, copy_in, streams

Value = TypeVar("Value")
ONTOLOGY: Final = "ontology"
"""What the catalog calls the digest of the ontology whose ranks it holds."""
Column = npt.NDArray[Any]

ROWS: Final = 50_000
"""Rows that are read, or written, at once: memory is bounded by them beside the columns."""


class Names(dict[str | None, int]):
    """Values by the order in which they were first met, from 0; `Names[value]` is its place."""

    def __missing__(self, value: str | None) -> int:
        self[value] = len(self)
        return self[value]


Kind = type[np.generic] | Names
"""What a column is read as."""
_NUMBERS: Final[frozenset[type[np.generic]]] = frozenset({np.int8, np.int16, np.int32, np.int64, np.float64})


def read_all(
    connection: Connection, statement: Select[Any], key: ColumnElement[int], *kinds: Kind, step: int = 10 * ROWS
) -> list[Column]:
    """The rows of a statement as arrays, one for each of its columns.

    Each of `kinds` is a numpy type, or `Names`, which texts are added to and whose places are the column, int32. Rows
    come as plain tuples in blocks, so a value takes its place in an array and no object of its own; and in ranges of
    `step` values of `key`, by which rows in order must be ordered first, so that no driver holds them all.
    """
    return _joined(kinds, list(read_parts(connection, statement, key, *kinds, step=step)))


def read_parts(
    connection: Connection, statement: Select[Any], key: ColumnElement[int], *kinds: Kind, step: int = 10 * ROWS
) -> Iterator[list[Column]]:
    """As `read_all`, range by range: nobody holds more than those."""
    bounds: Any = connection.execute(select(func.min(key), func.max(key))).one()
    starts = () if bounds[0] is None else range(bounds[0], bounds[1] + 1, step)
    return (_read(connection, statement.where(key >= start, key < start + step), kinds) for start in starts)


def read_some(
    connection: Connection, statement: Select[Any], key: ColumnElement[Any], values: Iterable[Any], *kinds: Kind
) -> list[Column]:
    """The rows of a statement whose `key` is one of `values`, as `read_all` has them; ordered in parts only."""
    return _joined(kinds, [_read(connection, statement.where(key.in_(chunk)), kinds) for chunk in chunks(values)])


def _read(connection: Connection, statement: Select[Any], kinds: Sequence[Kind]) -> list[Column]:
    types = [np.int32 if isinstance(kind, Names) else kind for kind in kinds]
    numbers = not any(isinstance(kind, Names) or kind not in _NUMBERS for kind in kinds)
    whole = columns_of(connection, statement) if numbers and streams(connection) else None
    if whole is not None:
        return [column.astype(kind) for column, kind in zip(whole, types, strict=True)]
    blocks = []
    result = connection.execute(statement)
    cursor: Any = result.cursor
    while rows := cursor.fetchmany(ROWS):
        if any(isinstance(kind, Names) for kind in kinds):
            block = [_column(values, kind) for values, kind in zip(zip(*rows, strict=True), kinds, strict=True)]
        else:
            table = np.fromiter(rows, np.dtype([(str(at), kind) for at, kind in enumerate(types)]), len(rows))
            block = [np.ascontiguousarray(table[str(at)]) for at in range(len(types))]
        blocks.append(block)
    result.close()
    return _joined(kinds, blocks)


def read_arrow(connection: Connection, statement: Select[Any], schema: pa.Schema) -> pa.Table:
    """The rows of a statement as an Arrow table of these columns, in blocks; NULL is null."""
    result = connection.execute(statement)
    cursor: Any = result.cursor
    blocks = []
    while rows := cursor.fetchmany(ROWS):
        columns = [pa.array(values, one.type) for values, one in zip(zip(*rows, strict=True), schema, strict=True)]
        blocks.append(pa.RecordBatch.from_arrays(columns, schema=schema))
    result.close()
    return pa.Table.from_batches(blocks, schema)


def _joined(kinds: Sequence[Kind], parts: Sequence[list[Column]]) -> list[Column]:
    nothing = [np.zeros(0, np.int32 if isinstance(kind, Names) else kind) for kind in kinds]
    return [np.concatenate([empty, *(part.pop(0) for part in parts)]) for empty in nothing]  # none is held twice


def _column(values: tuple[Any, ...], kind: Kind) -> Column:
    if isinstance(kind, Names):
        return np.fromiter(map(kind.__getitem__, values), np.int32, len(values))
    return np.fromiter(values, kind, len(values))


def chunks(values: Iterable[Value], size: int = 500) -> Iterator[list[Value]]:
    """`values` in lists of at most `size`: what one statement takes."""
    held = list(values)
    for start in range(0, len(held), size):
        yield held[start : start + size]


def among(connection: Connection, column: ColumnElement[int], numbers: Sequence[int]) -> ColumnElement[bool]:
    """That a column is one of some numbers; PostgreSQL takes them as one value, and need not read a longer statement
    for each more of them."""
    if streams(connection):
        return column == any_(literal(list(numbers), ARRAY(BigInteger)))
    return column.in_(numbers)


def held(connection: Connection, column: ColumnElement[int], numbers: Iterable[int]) -> set[int]:
    """Those of some numbers that a column has."""
    return {
        number
        for chunk in chunks(numbers, 2_000)
        for number in connection.execute(select(column).where(column.in_(chunk))).scalars()
    }


def some_rows(
    connection: Connection, asked: Select[Any], key: ColumnElement[int], values: Iterable[int] | None
) -> Iterable[Any]:
    """The rows of a statement by `key`, or those where it is one of `values`."""
    if values is None:
        return connection.execute(asked.order_by(key))
    return (row for chunk in chunks(values) for row in connection.execute(asked.where(key.in_(chunk)).order_by(key)))


def add_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append rows to a table, whose keys are columns, the same in each; none is fine."""
    if len(rows) >= COPIED and streams(connection) and all(row.keys() == rows[0].keys() for row in rows):
        columns = list(rows[0])
        copy_in(connection, table, columns, ([row[name] for name in columns] for row in rows))
    elif rows:
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


def set_meta(connection: Connection, key: str, value: str) -> None:
    """Let the project-wide value called `key` be `value`."""
    if meta_or_set(connection, key, value) != value:
        connection.execute(update(t.meta).where(t.meta.c.key == key).values(value=value))
