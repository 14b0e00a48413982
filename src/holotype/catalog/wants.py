"""Questions about which pages on the web are wanted, and are open.

A page is wanted as often as its postings say, and open while fewer sheets than that came in. A posting may take some
back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from sqlalchemy import ColumnElement, Connection, FromClause, and_, func, select

from holotype.catalog import schema as t
from holotype.catalog.pages import KeptPage
from holotype.catalog.statements import add_rows, chunks

HERE = "here"
"""What postings of pages that lie on no platform have for a reference."""


@dataclass(frozen=True, slots=True)
class OpenPage:
    """A page that wants a sheet, when it was put up, and how often it is wanted in all."""

    id: str
    wnid: str
    at: float
    wanted: int


@cache
def _wanted() -> ColumnElement[int]:
    posting = t.posting.c
    of = select(func.coalesce(func.sum(posting.assignments), 0))
    return of.where(posting.page_id == t.page.c.id, posting.crowd == t.page.c.crowd).scalar_subquery()


@cache
def _brought(counted: bool) -> ColumnElement[int]:
    sheet = t.sheet.c
    of = select(func.count()).where(sheet.page == t.page.c.id, sheet.crowd == t.page.c.crowd)
    if counted:
        of = of.where(sheet.id.in_(select(t.counted.c.sheet_id)))
    return of.scalar_subquery()


def open_pages(connection: Connection, crowd: str, few: Iterable[str] | None = None) -> list[OpenPage]:
    """The pages of a crowd, or those among a `few`, that want a sheet, oldest first."""
    page = t.page.c
    if few is None:
        pages, wanted, is_open = _all_pages(crowd, False)
        parts = [select(page.id, page.wnid, page.at, wanted).select_from(pages).where(is_open)]
    else:
        asked = select(page.id, page.wnid, page.at, _wanted()).where(page.crowd == crowd, _wanted() > _brought(False))
        parts = [asked.where(page.id.in_(chunk)) for chunk in chunks(few)]
    rows = (row for part in parts for row in connection.execute(part.order_by(page.at, page.id)))
    return [OpenPage(id, wnid, at, int(wanted)) for id, wnid, at, wanted in rows]


def _all_pages(crowd: str, counted: bool) -> tuple[FromClause, ColumnElement[int], ColumnElement[bool]]:
    """All pages of a crowd, how often each is wanted, and whether that is more often than sheets of it came in, or were
    `counted`: put together once, for who looks up each page reads the tables a million times over."""
    page, posting, sheet = t.page.c, t.posting.c, t.sheet.c
    posted = select(posting.page_id, func.sum(posting.assignments).label("wanted"))
    wanted = posted.where(posting.crowd == crowd).group_by(posting.page_id).subquery("wanted")
    came = select(sheet.page, func.count().label("brought"))
    if counted:
        came = came.join(t.counted, t.counted.c.sheet_id == sheet.id)
    brought = came.where(sheet.crowd == crowd).group_by(sheet.page).subquery("brought")
    pages = t.page.join(wanted, and_(wanted.c.page_id == page.id, page.crowd == crowd))
    joined = pages.outerjoin(brought, brought.c.page == page.id)
    return joined, wanted.c.wanted, wanted.c.wanted > func.coalesce(brought.c.brought, 0)


def waiting(connection: Connection, crowd: str, few: Iterable[str] | None = None) -> list[KeptPage]:
    """The pages of a crowd, or those among a `few`, that were asked for more often than sheets of theirs were counted,
    oldest first."""
    page = t.page.c
    asked = select(page.id, page.wnid, page.tasks, page.round).order_by(page.at, page.id)
    if few is None:
        pages, _, waits = _all_pages(crowd, True)
        parts = [asked.select_from(pages).where(waits)]
    else:
        asked = asked.where(page.crowd == crowd, _wanted() > _brought(True))
        parts = [asked.where(page.id.in_(chunk)) for chunk in chunks(few)]
    return [KeptPage(*row) for part in parts for row in connection.execute(part)]


def posted_since(connection: Connection, number: int) -> list[str]:
    """The pages of the postings of all crowds after one, by its id."""
    posting = t.posting.c
    return list(connection.execute(select(posting.page_id).where(posting.id > number)).scalars())


def postings_since(connection: Connection, crowd: str, number: int) -> dict[int, str]:
    """The pages of the postings of a crowd after one, by the postings' ids."""
    posting = t.posting.c
    asked = select(posting.id, posting.page_id).where(posting.id > number, posting.crowd == crowd)
    return dict(map(tuple, connection.execute(asked)))


def numbers(connection: Connection) -> tuple[int, int, int]:
    """The id of the last posting, how many postings there are, and how many sheets were counted, of all crowds."""
    posting = select(func.coalesce(func.max(t.posting.c.id), 0)).scalar_subquery()
    postings, counted = (select(func.count()).select_from(one).scalar_subquery() for one in (t.posting, t.counted))
    last, posted, done = connection.execute(select(posting, postings, counted)).one()
    return last, posted, done


def last_posting(connection: Connection) -> tuple[int, float]:
    """What changes whenever a page is wanted, or is not any more."""
    posting = t.posting.c
    row = connection.execute(select(posting.id, posting.at).order_by(posting.id.desc()).limit(1)).first()
    return (0, 0.0) if row is None else (row.id, row.at)


def want(connection: Connection, crowd: str, ids: Iterable[str], at: float) -> None:
    """Want one more sheet of those of these pages that want none, or none that was not counted yet.

    Who wants a page at the same time as another is an IntegrityError for one of them, who does it again.
    """
    rows = []
    for id, wanted, brought, counted, number in _states(connection, crowd, ids):
        if wanted <= brought and brought == counted:
            rows.append(_posting(crowd, id, number + 1, brought + 1 - wanted, at))
    add_rows(connection, t.posting, rows)


def unwant(connection: Connection, crowd: str, ids: Iterable[str], at: float) -> int:
    """Want no more sheets of these pages than came in; how many were open."""
    rows = [
        _posting(crowd, id, number + 1, brought - wanted, at)
        for id, wanted, brought, _, number in _states(connection, crowd, ids)
        if wanted > brought
    ]
    add_rows(connection, t.posting, rows)
    return len(rows)


def _states(connection: Connection, crowd: str, ids: Iterable[str]) -> list[tuple[str, int, int, int, int]]:
    """Of pages: how often they are wanted, sheets that came in, sheets that were counted, postings."""
    page, posting = t.page.c, t.posting.c
    last = select(func.coalesce(func.max(posting.number), 0))
    last_number = last.where(posting.page_id == page.id, posting.crowd == page.crowd).scalar_subquery()
    asked = select(page.id, _wanted(), _brought(False), _brought(True), last_number).where(page.crowd == crowd)
    rows = (connection.execute(asked.where(page.id.in_(chunk))) for chunk in chunks(dict.fromkeys(ids)))
    return [(id, int(wanted), brought, counted, last) for part in rows for id, wanted, brought, counted, last in part]


def _posting(crowd: str, id: str, number: int, assignments: int, at: float) -> dict[str, object]:
    about = {"page_id": id, "crowd": crowd, "reference": HERE, "at": at}
    return about | {"assignments": assignments, "number": number}


def still_open(connection: Connection, crowd: str, ids: Iterable[str]) -> set[str]:
    """Those of these pages that want a sheet."""
    page = t.page.c
    asked = select(page.id).where(page.crowd == crowd, _wanted() > _brought(False))
    parts = (connection.execute(asked.where(page.id.in_(chunk))) for chunk in chunks(ids))
    return {id for part in parts for id in part.scalars()}
