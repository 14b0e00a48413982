"""Opening a catalog: SQLite by default, PostgreSQL by URL, always at the newest migration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from threading import Lock
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, Transaction, create_engine, exc, inspect, make_url, text

from holotype.catalog.advisory import Advisory, hold_until_commit
from holotype.catalog.group import GroupCommit
from holotype.catalog.schema import HEAD, metadata
from holotype.catalog.sqlite_file import THREADS, SqliteFile, sqlite_engine
from holotype.catalog.statements import ONTOLOGY, meta
from holotype.errors import OntologyExtended, ProjectError

Result = TypeVar("Result")
_ATTEMPTS: Final = 10
_NOT_LONG: Final = 500


class Catalog:
    """All SQL state of a project. Reads see one snapshot; writes are whole transactions, durable when they return.

    On SQLite: write-ahead log, ``synchronous=FULL``, and a write transaction takes the write lock at its start,
    so what it reads cannot change before it writes. On PostgreSQL: any ``postgresql+psycopg://`` URL; many processes,
    on whatever machines, write at once. Where the server was started again meanwhile, what was going on fails and the
    next read or write goes on.
    """

    def __init__(self, where: str | Path) -> None:
        """Open the SQLite file at a path, or the database of a URL. Raises `ProjectError`."""
        self._file: SqliteFile | None = None
        self.ontology = ""
        """The digest of the ontology whose ranks are written, once it is known."""
        self._fixed: tuple[int, int] | None = None
        self._clean_up: Callable[[], None] = _nothing
        self._turn = Lock()
        self._group: GroupCommit | None = None
        try:
            self._file = SqliteFile.of(where)
            self._engine = self._opened(where)
        except exc.DatabaseError as error:
            name = self._file.path if self._file else without_secrets(make_url(str(where)))
            raise ProjectError(f"cannot open the catalog at {name}: {_line(error)}") from error
        except (exc.ArgumentError, exc.NoSuchModuleError, ModuleNotFoundError, ValueError) as error:
            why = "what is special in a password is written like %40" if isinstance(error, ValueError) else error
            raise ProjectError(
                f"the catalog's URL is not usable ({why}); use sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME "
                "(pip install 'holotype[postgres]')"
            ) from error
        self._reader = self._engine.execution_options(reading=True)

    def _opened(self, where: str | Path) -> Engine:
        if self.hindrance and self._file is not None:
            return self._opened_to_read(self._file)
        engine = self._file.engine() if self._file is not None else _engine(str(where))
        _migrate(engine)
        return engine

    def _opened_to_read(self, file: SqliteFile) -> Engine:
        """The file where it lies, or, where SQLite cannot read that or it is of an older version, a copy."""
        state = file.state()
        if (found := file.reader()) is not None:
            engine, fixed = found
            with suppress(exc.OperationalError):
                if _version(engine) == HEAD:
                    self._fixed = state if fixed else None
                    return engine
            engine.dispose()
        copy, self._clean_up = file.copied()
        try:
            engine = copy.engine()
            _migrate(engine)
        except BaseException:
            self._clean_up()
            raise
        return engine

    @property
    def hindrance(self) -> str:
        """Why the catalog cannot be written, "" where it can."""
        return self._file.hindrance if self._file is not None else ""

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one snapshot and must not write. Raises `ProjectError` where the database fails."""
        try:
            with self._reader.begin() as connection:
                yield connection
        except exc.DBAPIError as error:
            raise ProjectError(f"the catalog could not be read: {_line(error)}") from error
        finally:
            self._check_fixed()

    def _check_fixed(self) -> None:
        if self._fixed is not None and self._file is not None and self._file.state() != self._fixed:
            raise ProjectError("the catalog was written to by another since it was opened; run the same command again")

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: committed and durable when the block ends, rolled back if it raises.

        Raises `ProjectError` where the database cannot be written, or cannot go on: disk full, locked for a minute,
        connection lost.
        """
        if self.hindrance:
            raise ProjectError(f"{self.hindrance}, so nothing can be changed here; go on in a copy of the project")
        try:
            with self._turn if self._group else nullcontext(), self._engine.begin() as connection:
                self._check_ontology(connection)
                yield connection
        except exc.DBAPIError as error:
            if _collided(error):
                raise
            kept = "what was acknowledged is kept" if error.connection_invalidated else "nothing of this step was kept"
            raise ProjectError(
                f"the catalog could not be written: {_line(error)}; {kept}, "
                "run the same command again when that is mended"
            ) from error

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A connection that reads while nobody can write. Raises `ProjectError` where somebody does at this moment."""
        with self._engine.connect() as connection:
            try:
                transaction = _begun_alone(connection)
            except exc.OperationalError as error:
                raise ProjectError("somebody writes to the catalog at this moment: stop all that does") from error
            with transaction:
                yield connection
            connection.invalidate()  # it waits for others less long than all others do

    def _check_ontology(self, connection: Connection) -> None:
        """Raises `OntologyExtended` where another process has done that: ranks known here are not those now."""
        if self.ontology and (meta(connection, ONTOLOGY) or self.ontology) != self.ontology:
            raise OntologyExtended("the project's ontology has been extended meanwhile: run the same command again")

    def advisory(self, name: str, who: str = "") -> Advisory | None:
        """The lock of a name that processes hold against each other on whatever machines, and `who` is told to have it
        where this one does; None on SQLite, where a lock of a file does that."""
        return Advisory(self._engine, name, who) if self._engine.dialect.name == "postgresql" else None

    @property
    def shared(self) -> bool:
        """Whether many threads may write now, each waiting while another one does: within `grouped`."""
        return self._group is not None

    @contextmanager
    def still(self) -> Iterator[None]:
        """While this lasts, no thread of those that are `grouped` writes: what all of them go by may be changed."""
        with self._turn:
            yield

    def transact(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns, done in one `write` transaction.

        `work` is done again where another process was first to append the same fact or to change the same row, which
        only databases with several writers at once let happen; it then sees what that did.
        """
        return self._alone(work) if self._group is None else self._group.do(work)

    @contextmanager
    def grouped(self) -> Iterator[None]:
        """While this lasts, many threads may `transact` at once: see `holotype.catalog.group`."""
        self._group = GroupCommit(self.write, self._alone)
        try:
            yield
        finally:
            self._group.close()
            self._group = None

    def _alone(self, work: Callable[[Connection], Result]) -> Result:
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
        self._clean_up()


def without_secrets(url: URL) -> str:
    """A database's URL without what is said there of passwords."""
    return url.difference_update_query([name for name in url.query if "pass" in name]).render_as_string()


def _nothing() -> None:
    pass


def _begun_alone(connection: Connection) -> Transaction:
    """A transaction in which nobody else can write. Raises OperationalError where somebody does."""
    if connection.dialect.name == "sqlite":
        raw: Any = connection.connection.driver_connection
        raw.execute(f"PRAGMA busy_timeout = {_NOT_LONG}")
        return connection.begin()
    transaction = connection.begin()
    names = map(connection.dialect.identifier_preparer.format_table, metadata.sorted_tables)
    connection.exec_driver_sql(f"LOCK TABLE {', '.join(names)} IN SHARE MODE NOWAIT")
    return transaction


def _collided(error: exc.DBAPIError) -> bool:
    """Whether another transaction was first: a doubled key, a serialization failure or a deadlock (SQLSTATE)."""
    return isinstance(error, exc.IntegrityError) or getattr(error.orig, "sqlstate", None) in ("40001", "40P01")


def _line(error: exc.DBAPIError) -> str:
    """What a database says, on one line, and no values that it was about."""
    primary = getattr(getattr(error.orig, "diag", None), "message_primary", None)
    return " ".join(str(primary or error.orig).split())


def _engine(url: str) -> Engine:
    if url.startswith("sqlite"):
        return sqlite_engine(url)
    if "@" in (make_url(url).host or ""):
        raise ValueError("a part of the password would be taken for the host, and shown")
    pool = {"max_overflow": THREADS, "pool_pre_ping": True}
    return create_engine(url, isolation_level="REPEATABLE READ", hide_parameters=True, **pool)


def _version(engine: Engine) -> str | None:
    with engine.execution_options(reading=True).begin() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found


def _migrating(engine: Engine) -> Engine:
    """The engine for migrations, which see what others did while they waited for their turn."""
    options: dict[str, Any] = {} if engine.dialect.name == "sqlite" else {"isolation_level": "READ COMMITTED"}
    return engine.execution_options(migrating=True, **options)


def _migrate(engine: Engine) -> None:
    """Bring a catalog to the newest version; of several processes that do one does, and the others wait for it."""
    version = _version(engine)
    if version == HEAD:
        return
    from alembic import command, util
    from alembic.config import Config

    with _migrating(engine).begin() as connection:
        if engine.dialect.name == "postgresql":
            hold_until_commit(connection, "migration")
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
