"""What was learned of all votes when labels were drawn last, and by what: nothing here is a fact."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, delete, insert, select

from holotype.catalog import schema as t
from holotype.catalog.statements import meta, set_meta

_DRAWN: Final = "drawn"


def drawn(connection: Connection) -> str | None:
    """What labels were drawn from last, as `set_drawn` was told; None where nothing is known of that."""
    return meta(connection, _DRAWN) or None


def set_drawn(connection: Connection, value: str) -> None:
    """Say what labels are drawn from now; nothing, if `value` is empty."""
    set_meta(connection, _DRAWN, value)


def read(connection: Connection, key: str) -> bytes | None:
    """What is kept under a name."""
    return connection.execute(select(t.learned.c.value).where(t.learned.c.key == key)).scalar()


def put(connection: Connection, key: str, value: bytes) -> None:
    """Keep something under a name instead of what was there."""
    connection.execute(delete(t.learned).where(t.learned.c.key == key))
    connection.execute(insert(t.learned).values(key=key, value=value))
