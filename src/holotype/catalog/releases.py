"""Questions about releases."""

from __future__ import annotations

from sqlalchemy import (
    Connection,
    insert,
    select,
)

from holotype.catalog import schema as t


def add(connection: Connection, name: str, checksum: str, at: float) -> None:
    """Append a release, its name and the sha256 of its checksum file, unless just that is known."""
    if checksums(connection).get(name) == checksum:
        return
    connection.execute(insert(t.release).values(name=name, checksum=checksum, at=at))


def checksums(connection: Connection) -> dict[str, str]:
    """Name and checksum of every release, oldest first."""
    table = t.release
    rows = connection.execute(select(table.c.name, table.c.checksum).order_by(table.c.at))
    return {row.name: row.checksum for row in rows}
