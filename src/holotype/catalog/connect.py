"""Opening a catalog: SQLite by default, PostgreSQL by URL, always at the newest migration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, exc, inspect, text

from holotype.catalog.schema import HEAD
from holotype.errors import ProjectError

Result = TypeVar("Result")
_ATTEMPTS: Final = 10


class Catalog:
    """All SQL state of a project. Reads see one snapshot; writes are whole transactions, durable when they return.

    On SQLite: write-ahead log, ``synchronous=FULL``, and a write transaction takes the write lock at its start,
    so what it reads cannot change before it writes. On PostgreSQL: any ``postgresql+psycopg://`` URL.
    """

    def __init__(self, url: str) -> None:
        try:
            self._engine = _engine(url)
            _migrate(self._engine)
        except exc.DatabaseError as error:
            raise ProjectError(
                f"cannot open the catalog at {self._engine.url.render_as_string()}: {error.orig}"
            ) from error
        except (exc.ArgumentError, exc.NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
            raise ProjectError(
                f"the catalog's URL is not usable ({error}); use sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME "
                "(pip install 'holotype[postgres]')"
            ) from error
        self._reader = self._engine.execution_options(reading=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one snapshot and must not write. Raises `ProjectError` where the database fails."""
        try:
            with self._reader.begin() as connection:
                yield connection
        except exc.DBAPIError as error:
            raise ProjectError(f"the catalog could not be read: {error.orig}") from error

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: committed and durable when the block ends, rolled back if it raises.

        Raises `ProjectError` where the database cannot go on: disk full, locked for a minute, connection lost.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except exc.DBAPIError as error:
            if _collided(error):
                raise
            raise ProjectError(
                f"the catalog could not be written: {error.orig}; nothing of this step was kept, "
                "run the same command again when that is mended"
            ) from error

    def transact(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns, done in one `write` transaction.

        `work` is done again where another process was first to append the same fact or to change the same row, which
        only databases with several writers at once let happen; it then sees what that did.
        """
        for _ in range(_ATTEMPTS):
            try:
                with self.write() as connection:
                    return work(connection)
            except exc.DBAPIError as error:
                last = error
        raise ProjectError(f"other processes were first {_ATTEMPTS} times over; run the same command again") from last

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def _collided(error: exc.DBAPIError) -> bool:
    """Whether another transaction was first: a doubled key, a serialization failure or a deadlock (SQLSTATE)."""
    return isinstance(error, exc.IntegrityError) or getattr(error.orig, "sqlstate", None) in ("40001", "40P01")


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, isolation_level="REPEATABLE READ")
    engine = create_engine(url, connect_args={"timeout": 60, "isolation_level": None})

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-65536;"
        )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("migrating"):  # a table that others refer to is made anew by way of a copy
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("BEGIN" if options.get("reading") else "BEGIN IMMEDIATE")

    return engine


def _migrate(engine: Engine) -> None:
    with engine.execution_options(reading=True).begin() as connection:
        version = None
        if inspect(connection).has_table("alembic_version"):
            version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if version == HEAD:
        return
    from alembic import command, util
    from alembic.config import Config

    with engine.execution_options(migrating=True).begin() as connection:
        config = Config()
        config.set_main_option("script_location", "holotype.catalog:migrations")
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, HEAD)
        except util.CommandError as error:
            raise ProjectError(
                f"this project's catalog is at version {version}, which this holotype does not know; upgrade holotype"
            ) from error
        if engine.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
            raise ProjectError("this project's catalog refers to rows that it does not have: bring it back from a copy")
    engine.dispose()  # the connection that did not look after references
