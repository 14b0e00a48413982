"""Moving a project's catalog from one database to another: from SQLite to PostgreSQL, and back."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import exc, func, make_url, select

from holotype.catalog import Catalog, schema
from holotype.catalog.connect import without_secrets
from holotype.catalog.transfer import Copied, copy_rows, hold, is_new
from holotype.errors import ProjectError
from holotype.files import sync_folder
from holotype.project.dataset_said import Advance
from holotype.project.parts import Parts


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a catalog was copied to, without its password, and the tables with their rows and digests, which are the
    same in both."""

    where: str
    tables: tuple[Copied, ...]

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(one.rows for one in self.tables)


def move(parts: Parts, url: str, advance: Advance) -> Moved:
    """See `holotype.project.project.Project.move_catalog`."""
    try:
        place = make_url(url)
    except (exc.ArgumentError, ValueError) as error:
        raise ProjectError("a catalog is moved to sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME") from error
    if place.get_backend_name() == "sqlite" and place.database in (None, "", ":memory:"):
        raise ProjectError("name a file that the catalog is moved to: sqlite:///FILE")
    file = Path(str(place.database)) if place.get_backend_name() == "sqlite" else None
    if file is None:
        return Moved(without_secrets(place), _copied(parts, Catalog(url), advance))
    if file.exists():
        raise ProjectError(f"{file} is there already: move it away, or name another file")
    work = file.with_name(f".{file.name}.partial")
    _remove(work)
    try:
        tables = _copied(parts, Catalog(work), advance)
        os.link(work, file)  # never over a file that came meanwhile
    except FileExistsError as error:
        raise ProjectError(f"{file} is there already: move it away, or name another file") from error
    finally:
        _remove(work)
    sync_folder(file.parent)
    return Moved(str(file), tables)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()


def _copied(parts: Parts, target: Catalog, advance: Advance) -> tuple[Copied, ...]:
    """Copy everything in one transaction: killed on the way, nothing is there."""
    try:
        with parts.catalog.alone() as source:
            counts = {
                table.name: source.execute(select(func.count()).select_from(table)).scalar_one()
                for table in schema.metadata.sorted_tables
            }
            before, total, done = dict.fromkeys(counts, 0), sum(counts.values()), 0

            def told(table: str, rows: int) -> None:
                nonlocal done
                done += rows - before[table]
                before[table] = rows
                advance("rows", done, total)

            with target.write() as connection:
                hold(connection)
                if not is_new(connection):
                    raise ProjectError("there is something in that database already: name an empty one")
                return tuple(copy_rows(source, connection, told))
    finally:
        target.close()
