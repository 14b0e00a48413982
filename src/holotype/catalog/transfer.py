"""Copying a catalog into another database, table by table, and comparing every row of both."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Float, Select, Table, exc, func, select, text

from holotype.catalog import schema as t
from holotype.catalog.connect import Catalog
from holotype.errors import ProjectError

_ROWS: Final = 10_000
Told = Callable[[str, int], None]
"""Told the table, and how many of its rows are copied."""


class Copied(NamedTuple):
    """A table that was copied: how many rows, and the digest of all of them, in whatever order they lie."""

    table: str
    rows: int
    digest: str


def copy_rows(source: Connection, target: Connection, told: Told) -> list[Copied]:
    """Copy every table into an empty catalog, and compare what is there then.

    A block of rows is in memory at a time. Raises `ProjectError` where the two differ.
    """
    _clear(target)
    found = []
    for table in t.metadata.sorted_tables:
        copied = _copy(source, target, table, told)
        if (there := digest_of(target, table)) != copied:
            raise ProjectError(f"{there.rows:,} rows of {table.name} are not the {copied.rows:,} that were copied")
        found.append(copied)
    _set_sequences(target)
    return found


def digest_of(connection: Connection, table: Table) -> Copied:
    """How many rows a table has, and their digest."""
    count, total = 0, 0
    for rows in _blocks(connection, table):
        count, total = count + len(rows), _added(total, rows)
    return Copied(table.name, count, f"{total:032x}")


def hold(target: Connection) -> None:
    """Let nobody else write to a database while this transaction lasts. Raises `ProjectError` where somebody does, or
    where it is the one that is copied from."""
    if target.dialect.name == "sqlite":
        return
    names = map(target.dialect.identifier_preparer.format_table, t.metadata.sorted_tables)
    try:
        target.exec_driver_sql(f"LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE NOWAIT")
    except exc.OperationalError as error:
        raise ProjectError("that database is in use at this moment, or is the catalog itself: name another") from error


def is_new(connection: Connection) -> bool:
    """Whether nothing was ever written to a catalog but what it is made with."""
    return all(
        connection.execute(select(func.count()).select_from(table)).scalar_one() <= (table is t.dataset)
        for table in t.metadata.sorted_tables
    )


def _copy(source: Connection, target: Connection, table: Table, told: Told) -> Copied:
    count, total = 0, 0
    with _writer(target, table) as write:
        for rows in _blocks(source, table):
            write(rows)
            count, total = count + len(rows), _added(total, rows)
            told(table.name, count)
    return Copied(table.name, count, f"{total:032x}")


def _blocks(connection: Connection, table: Table) -> Iterator[Sequence[tuple[Any, ...]]]:
    with connection.execute(_asked(table).execution_options(stream_results=True, max_row_buffer=_ROWS)) as result:
        for rows in result.partitions(_ROWS):
            yield [tuple(row) for row in rows]


def _asked(table: Table) -> Select[Any]:
    """The rows of a table; a zero has no sign: SQLite keeps none."""
    columns = (column + 0 if isinstance(column.type, Float) else column for column in table.columns)
    return select(*columns).order_by(*table.primary_key.columns)


def _added(total: int, rows: Sequence[tuple[Any, ...]]) -> int:
    """The sum of the digests of rows, which does not depend on their order."""
    for row in rows:
        total += int.from_bytes(hashlib.blake2b(repr(row).encode(), digest_size=16).digest(), "big")
    return total % (1 << 128)


@contextmanager
def _writer(target: Connection, table: Table) -> Iterator[Callable[[Sequence[tuple[Any, ...]]], object]]:
    """What appends rows to a table, as fast as the database takes them."""
    quote = target.dialect.identifier_preparer.quote
    names = ", ".join(quote(column.name) for column in table.columns)
    if target.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        statement = f"INSERT INTO {quote(table.name)} ({names}) VALUES ({marks})"  # noqa: S608 - names of the schema
        try:
            yield lambda rows: target.exec_driver_sql(statement, list(rows))
        except exc.IntegrityError as error:
            raise _unwritten(table, error.orig) from error
        return
    from psycopg import Error

    raw: Any = target.connection.driver_connection
    try:
        with raw.cursor() as cursor, cursor.copy(f"COPY {quote(table.name)} ({names}) FROM STDIN") as copy:

            def write(rows: Sequence[tuple[Any, ...]]) -> None:
                for row in rows:
                    copy.write_row(row)

            yield write
    except Error as error:
        raise _unwritten(table, error) from error


def _unwritten(table: Table, error: BaseException | None) -> ProjectError:
    return ProjectError(f"{table.name} could not be written: {' '.join(str(error).split())}")


def _clear(target: Connection) -> None:
    """Take out what a new catalog is made with: the rows that are copied have it too."""
    for table in reversed(t.metadata.sorted_tables):
        target.execute(table.delete())


def _set_sequences(target: Connection) -> None:
    """Let PostgreSQL number what is appended from behind what is there; SQLite does so by itself."""
    if target.dialect.name == "sqlite":
        return
    for table in t.metadata.sorted_tables:
        if "id" in table.columns and table.c.id.autoincrement is True:
            last = target.execute(select(func.max(table.c.id))).scalar()
            sequence = f"pg_get_serial_sequence('{target.dialect.identifier_preparer.quote(table.name)}', 'id')"
            known = "true" if last else "false"
            target.execute(text(f"SELECT setval({sequence}, {last or 1}, {known})"))


def write_copy(catalog: Catalog, path: Path, told: Told = lambda *_: None) -> None:
    """Write what a catalog holds at this moment to a new SQLite file, while others may go on writing.

    SQLite copies its pages, in a snapshot; of PostgreSQL every row is copied, in one snapshot too. Raises
    `ProjectError`.
    """
    with catalog.read() as source:
        if source.dialect.name == "sqlite":
            _copy_pages(source, path)
            return
        copy = Catalog(path)
        try:
            with copy.write() as target:
                copy_rows(source, target, told)
        finally:
            copy.close()


def _copy_pages(source: Connection, path: Path) -> None:
    import sqlite3

    source.execute(select(func.count()).select_from(t.meta))  # the snapshot begins with what is read first
    raw: Any = source.connection.driver_connection
    with_pages = sqlite3.connect(path)
    try:
        raw.backup(with_pages)
        with_pages.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise ProjectError(f"the catalog could not be copied to {path}: {error}") from error
    finally:
        with_pages.close()
