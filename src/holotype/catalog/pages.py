"""Questions about pages that were put up for a crowd."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    func,
    insert,
    or_,
    select,
)

from holotype.catalog import schema as t
from holotype.catalog.corrections import standing
from holotype.catalog.statements import add_rows, chunks


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append pages put up for a crowd, with ``id, crowd, wnid, tasks, at``; those already known are skipped."""
    table = t.page
    known = {
        (id, crowd)
        for chunk in chunks(row["id"] for row in rows)
        for id, crowd in connection.execute(select(table.c.id, table.c.crowd).where(table.c.id.in_(chunk)))
    }
    add_rows(connection, table, [row for row in rows if (row["id"], row["crowd"]) not in known])


def read(connection: Connection, crowd: str, ids: Iterable[str]) -> list[Any]:
    """``(id, wnid, tasks)`` of a crowd's pages among `ids`."""
    table = t.page
    return [
        row
        for chunk in chunks(ids)
        for row in connection.execute(
            select(table.c.id, table.c.wnid, table.c.tasks).where(table.c.crowd == crowd, table.c.id.in_(chunk))
        )
    ]


def ids(connection: Connection, crowd: str) -> list[str]:
    """The ids of all pages that were put up for a crowd."""
    return list(connection.execute(select(t.page.c.id).where(t.page.c.crowd == crowd)).scalars())


def answered(connection: Connection, crowd: str) -> list[str]:
    """The ids of a crowd's pages that brought a vote on anything but gold."""
    voted = select(t.vote.c.page).where(t.vote.c.candidate_id.not_in(standing(t.gold)))
    return list(
        connection.execute(select(t.page.c.id).where(t.page.c.crowd == crowd, t.page.c.id.in_(voted))).scalars()
    )


def add_posting(connection: Connection, crowd: str, page: str, row: Mapping[str, Any]) -> None:
    """Append a posting, with ``reference, assignments, at``; the second of a page is kept as PAGE/2, and so on."""
    key = t.posting.c.page_id
    mine = t.posting.c.crowd == crowd, or_(key == page, key.startswith(f"{page}/", autoescape=True))
    count = connection.execute(select(func.count()).select_from(t.posting).where(*mine)).scalar() or 0
    connection.execute(insert(t.posting).values(page_id=f"{page}/{count + 1}" if count else page, crowd=crowd, **row))


def postings(connection: Connection, crowd: str) -> list[Any]:
    """``(page, reference, assignments, at)`` of all postings with a crowd, oldest first."""
    table = t.posting
    rows = connection.execute(select(table).where(table.c.crowd == crowd).order_by(table.c.id))
    return [(row.page_id.partition("/")[0], row.reference, row.assignments, row.at) for row in rows]
