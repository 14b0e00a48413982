"""Questions about pages that were put up for a crowd."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Connection,
    func,
    insert,
    select,
)

from holotype.catalog import schema as t
from holotype.catalog.corrections import standing
from holotype.catalog.statements import add_rows, chunks


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A page that was put up in a round; `tasks` is a JSON list of candidate ids."""

    id: str
    wnid: str
    tasks: str
    round: int


@dataclass(frozen=True, slots=True)
class KeptPosting:
    """What a platform calls a page, the assignments that were added by it, and its Unix time."""

    page: str
    reference: str
    assignments: int
    at: float


def add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append pages put up for a crowd, with ``id, crowd, wnid, tasks, round, at``; those already known are skipped."""
    table = t.page
    known = {
        (id, crowd)
        for chunk in chunks(row["id"] for row in rows)
        for id, crowd in connection.execute(select(table.c.id, table.c.crowd).where(table.c.id.in_(chunk)))
    }
    add_rows(connection, table, [row for row in rows if (row["id"], row["crowd"]) not in known])


def read(connection: Connection, crowd: str, ids: Iterable[str]) -> list[KeptPage]:
    """A crowd's pages among `ids`."""
    table = t.page
    return [
        KeptPage(*row)
        for chunk in chunks(ids)
        for row in connection.execute(
            select(table.c.id, table.c.wnid, table.c.tasks, table.c.round).where(
                table.c.crowd == crowd, table.c.id.in_(chunk)
            )
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
    """Append a posting, with ``reference, assignments, at``; those of a page are numbered.

    Two who post a page at once are an IntegrityError for one of them, who does it again.
    """
    table = t.posting
    mine = select(func.max(table.c.number)).where(table.c.crowd == crowd, table.c.page_id == page)
    number = (connection.execute(mine).scalar() or 0) + 1
    connection.execute(insert(table).values(page_id=page, crowd=crowd, number=number, **row))


def postings(connection: Connection, crowd: str) -> list[KeptPosting]:
    """All postings with a crowd, oldest first."""
    table = t.posting
    columns = table.c.page_id, table.c.reference, table.c.assignments, table.c.at
    rows = connection.execute(select(*columns).where(table.c.crowd == crowd).order_by(table.c.id))
    return [KeptPosting(*row) for row in rows]
