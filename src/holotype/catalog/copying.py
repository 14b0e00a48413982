"""Many rows at once to PostgreSQL and from it: a stream of rows in, whole columns out.

A statement for each row costs a server more than the row. What comes of it is the same, and so are the errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NoReturn

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Select, Table, exc, func, select

COPIED: Final = 10
"""Rows from which on a stream is quicker than statements."""

_DTYPES: Final = {20: ">i8", 21: ">i2", 23: ">i4", 701: ">f8"}
"""How PostgreSQL writes a value of a type (`pg_type.oid`)."""


def streams(connection: Connection) -> bool:
    """Whether a database takes rows as a stream."""
    return connection.dialect.name == "postgresql"


def copy_in(connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Append rows with these columns to a table; the others are what they are by default.

    Raises `sqlalchemy.exc.DBAPIError` as an INSERT does: an `IntegrityError` for a doubled key or a NULL that may not
    be, a `DataError` for a value that does not fit.
    """
    quote = connection.dialect.identifier_preparer.quote
    statement = f"COPY {quote(table.name)} ({', '.join(map(quote, columns))}) FROM STDIN"
    adapted = _adapted(connection, table, columns, rows)
    raw: Any = connection.connection.driver_connection
    module: Any = connection.dialect.loaded_dbapi
    try:
        with raw.cursor() as cursor, cursor.copy(statement) as copy:
            for row in adapted:
                copy.write_row(row)
    except module.Error as error:
        _fail(connection, statement, error)


def _adapted(
    connection: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> Iterable[Sequence[Any]]:
    """Rows as the driver takes them: what SQLAlchemy does to values of a column's type before an INSERT."""
    types = (table.c[name].type.dialect_impl(connection.dialect) for name in columns)
    bound = [(at, do) for at, one in enumerate(types) if (do := one.bind_processor(connection.dialect)) is not None]
    if not bound:
        yield from rows
        return
    for row in rows:
        held = list(row)
        for at, do in bound:
            held[at] = do(held[at])
        yield held


def _fail(connection: Connection, statement: str, error: Any) -> NoReturn:
    """Raise what SQLAlchemy raises for an error of the driver."""
    module: Any = connection.dialect.loaded_dbapi
    raw: Any = connection.connection.driver_connection
    lost = connection.dialect.is_disconnect(error, raw, None)
    if lost:
        connection.invalidate(error)
    about: dict[str, Any] = {"hide_parameters": True, "connection_invalidated": lost, "dialect": connection.dialect}
    raise exc.DBAPIError.instance(statement, None, error, module.Error, **about) from error


def columns_of(connection: Connection, statement: Select[Any]) -> list[npt.NDArray[Any]] | None:
    """The rows of a statement as an array for each of its columns, in its order; None where some value is NULL or of a
    type that has no fixed width.

    The server puts columns together, so no value takes the way of a row.
    """
    rows = statement.subquery("held")
    asked = select(*(func.array_agg(column) for column in rows.c))
    compiled = asked.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    raw: Any = connection.connection.driver_connection
    module: Any = connection.dialect.loaded_dbapi
    try:
        with raw.cursor(binary=True) as cursor:
            cursor.execute(compiled.string, compiled.params)
            found = [cursor.pgresult.get_value(0, at) for at in range(len(rows.c))]
    except module.Error as error:
        _fail(connection, compiled.string, error)
    columns = [_column(one) for one in found]
    return None if any(one is None for one in columns) else [one for one in columns if one is not None]


def _column(told: bytes | None) -> npt.NDArray[Any] | None:
    """An array as PostgreSQL sends it: dimensions, whether some are NULL, a type, its length and its first place, each
    of 4 bytes; then for each value how long it is, and the value."""
    if told is None:
        return np.zeros(0, np.int64)
    dimensions, nulls, kind = np.frombuffer(told, ">i4", 3).tolist()
    if dimensions != 1 or nulls or kind not in _DTYPES:
        return None
    values = np.frombuffer(told, [("length", ">i4"), ("value", _DTYPES[kind])], offset=20)
    return values["value"]
