"""A catalog in an SQLite file: named by its path, whatever characters that has, and read where it cannot be written.

Reading a database with a write-ahead log needs a file beside it. Where none can be made, it is read as one that does
not change, which is checked afterwards. What a stopped writer left in the log must not be passed over: where SQLite
cannot take it from there, a copy of both files is read.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url

from holotype.errors import ProjectError
from holotype.files import hindrance

_WAIT: Final = 60
THREADS: Final = 45
"""How many may use a catalog at once: the threads of a site, and some more."""
_State = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """An SQLite file by its path; `hindrance` says why it cannot be written, "" where it can, or is not there yet."""

    path: Path
    hindrance: str = ""

    @classmethod
    def of(cls, where: str | Path) -> SqliteFile | None:
        """The file that a path or a URL names; None for other databases, and where SQLite is told more of it."""
        if isinstance(where, Path):
            return cls.at(where)
        url = make_url(where)
        plain = url.get_backend_name() == "sqlite" and not url.query and url.database not in (None, "", ":memory:")
        return cls.at(Path(str(url.database))) if plain else None

    @classmethod
    def at(cls, path: Path) -> SqliteFile:
        """The file at `path` as it is now; SQLite puts its log beside the file that a link points to."""
        real = Path(os.path.realpath(path))
        needed = [one for one in (real.parent, real, _log(real), _index(real)) if one.exists()] if real.exists() else []
        return cls(real, next(filter(None, map(hindrance, needed)), ""))

    def state(self) -> _State:
        """Size and time of change, by which a change is noticed."""
        status = self.path.stat()
        return status.st_size, status.st_mtime_ns

    def engine(self) -> Engine:
        """An engine for reading and writing."""
        return sqlite_engine(URL.create("sqlite", database=str(self.path)))

    def reader(self) -> tuple[Engine, bool] | None:
        """An engine that reads it where it lies, and whether it is taken not to change; None where a copy is needed."""
        if not _holds(_log(self.path)):
            options, fixed = {"immutable": "1"}, True
        elif _index(self.path).exists():
            options, fixed = {"mode": "ro"}, False
        else:
            return None
        url = URL.create("sqlite", database=self.path.as_uri(), query={"uri": "true", **options})
        return _engine(url, ""), fixed

    def copied(self) -> tuple[SqliteFile, Callable[[], None]]:
        """A copy, with what is in the log, that can be written, and what takes it away again. Raises `ProjectError`."""
        folder = tempfile.TemporaryDirectory(prefix="holotype-")
        copy = Path(folder.name, self.path.name)
        try:
            for source, target in ((self.path, copy), (_log(self.path), _log(copy))):
                if source.exists():
                    shutil.copyfile(source, target)
        except OSError as error:
            folder.cleanup()
            raise ProjectError(
                f"{self.hindrance}, so that it takes a copy to read the catalog, for which there is no room in "
                f"{Path(folder.name).parent}: {error.strerror}; name another folder with TMPDIR"
            ) from error
        return SqliteFile(copy), folder.cleanup


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _index(path: Path) -> Path:
    return path.with_name(f"{path.name}-shm")


def _holds(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def sqlite_engine(url: str | URL) -> Engine:
    """An engine for reading and writing an SQLite database."""
    return _engine(url, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;")


def _engine(url: str | URL, pragmas: str) -> Engine:
    connecting = {"timeout": _WAIT, "isolation_level": None}
    engine = create_engine(url, connect_args=connecting, max_overflow=THREADS, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        connection.executescript(f"{pragmas} PRAGMA cache_size=-65536;")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("migrating"):  # a table that others refer to is made anew by way of a copy
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("BEGIN" if options.get("reading") else "BEGIN IMMEDIATE")

    return engine
