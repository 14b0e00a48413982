"""Questions about links whose pictures the project has: when they were asked for last, and what was there since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, FromClause, and_, func, literal, select

from holotype.catalog import schema as t
from holotype.catalog.statements import chunks

UNCHANGED: Final = "unchanged"
CHANGED: Final = "changed"
GONE: Final = "gone"
OPTED_OUT: Final = "opted_out"
FAILED: Final = "failed"
"""What can become of asking again: rows of `fetch` that are not final, so that what was kept stays so."""


@dataclass(frozen=True, slots=True)
class Held:
    """A link whose picture the project has, that picture's id and sha256, and what to ask by whether it is the same."""

    id: int
    url: str
    host: str
    image_id: int
    sha256: str
    etag: str
    modified: str


@dataclass(frozen=True, slots=True)
class Due:
    """Which links are to be asked for again: of those that searches for `wnids` found, of all where there are none,
    those that gave no answer after the Unix time `since`."""

    since: float
    wnids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Objection:
    """A link that is not what it was: ``opted_out``, ``gone`` or ``changed``, why, the picture's sha256, and when that
    was found."""

    outcome: str
    reason: str
    detail: str
    url: str
    host: str
    sha256: str
    at: float


def due(connection: Connection, asked: Due, after: int, most: int) -> list[Held]:
    """The next links that are to be asked for again, by id, those with ids above `after`.

    Withdrawn pictures are left out. Bytes are asked for by what their server called them when they were last the same.
    """
    link, kept, read = t.link.c, t.fetch.c, t.fingerprint.c
    columns = link.id, link.url, link.host, kept.image_id, read.sha256, kept.etag, kept.modified
    wanted = select(*columns).select_from(_held()).where(link.id > after, *_is_due(asked)).order_by(link.id).limit(most)
    found = [Held(*row) for row in connection.execute(wanted)]
    newest = _newest(connection, (one.id for one in found))
    return [_called(one, *newest.get(one.id, (one.etag, one.modified))) for one in found]


def _called(one: Held, etag: str, modified: str) -> Held:
    return Held(one.id, one.url, one.host, one.image_id, one.sha256, etag, modified)


def count_due(connection: Connection, asked: Due) -> int:
    """How many links are to be asked for again."""
    return connection.execute(select(func.count()).select_from(_held()).where(*_is_due(asked))).scalar_one()


def objections(connection: Connection) -> list[Objection]:
    """The links that are not what they were when they were last asked for: those that opted out, are gone, and have
    changed, each by host. Withdrawn pictures are left out."""
    link, read, said = t.link.c, t.fingerprint.c, t.fetch.alias("said")
    later = t.fetch.alias("later")
    newest = ~(
        select(literal(1))
        .where(later.c.link_id == said.c.link_id, later.c.id > said.c.id, later.c.outcome != FAILED)
        .exists()
    )
    columns = said.c.outcome, said.c.reason, said.c.detail, link.url, link.host, read.sha256, said.c.at
    order = (OPTED_OUT, GONE, CHANGED)
    joined = _held().join(said, said.c.link_id == link.id)
    rows = connection.execute(select(*columns).select_from(joined).where(said.c.outcome.in_(order), newest))
    found = [Objection(*row) for row in rows]
    return sorted(found, key=lambda one: (order.index(one.outcome), one.host, one.url))


def _held() -> FromClause:
    """Links with what settled them, and sound pictures of them."""
    link, kept, read = t.link.c, t.fetch.c, t.fingerprint.c
    settled = t.link.join(t.fetch, and_(kept.link_id == link.id, kept.final == 1))
    return settled.join(t.fingerprint, and_(read.image_id == kept.image_id, read.reason == ""))


def _is_due(asked: Due) -> list[ColumnElement[bool]]:
    link, found, page, search = t.link.c, t.found.c, t.search_page.c, t.search.c
    said = t.fetch.alias("said")
    answered = said.c.link_id == link.id, said.c.at > asked.since, said.c.outcome != FAILED
    conditions = [~select(literal(1)).where(*answered).exists()]
    if asked.wnids:
        pages = t.found.join(t.search_page, page.id == found.page_id).join(t.search, search.id == page.search_id)
        of_them = found.link_id == link.id, search.wnid.in_(sorted(asked.wnids))
        conditions.append(select(literal(1)).select_from(pages).where(*of_them).exists())
    return conditions


def _newest(connection: Connection, ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """The ETag and the time of change that links had when they were last found unchanged, by id."""
    said = t.fetch.c
    asked = select(said.link_id, said.etag, said.modified).order_by(said.id)
    return {
        link: (etag, modified)
        for chunk in chunks(ids)
        for link, etag, modified in connection.execute(
            asked.where(said.link_id.in_(chunk), said.outcome == UNCHANGED, said.etag + said.modified != "")
        )
    }
