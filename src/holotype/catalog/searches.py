"""Questions about searches: what sources were asked for synsets, and which pages they answered with what."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection, FromClause, and_, case, func, insert, select

from holotype.catalog import links
from holotype.catalog import schema as t
from holotype.catalog.links import Result
from holotype.catalog.statements import Column, Names, add_rows, chunks, read_all, read_some


@dataclass(frozen=True, slots=True)
class Search:
    """A query that a source is asked for a synset, in a language, and the rule that made it."""

    wnid: str
    source: str
    query: str
    language: str
    rule: str


@dataclass(frozen=True, slots=True)
class Answered:
    """How far a search has come: pages that were answered, their results and how many of these had links that were new,
    how many results there are in all as the source says, if it does, and the cursor of the next page, None after the
    last one and before the first."""

    pages: int = 0
    results: int = 0
    fresh: int = 0
    total: int | None = None
    following: str | None = None

    @property
    def is_done(self) -> bool:
        """Whether there is no other page."""
        return self.pages > 0 and self.following is None


@dataclass(frozen=True, slots=True)
class Page:
    """A page as it was answered, by its `number` from 1: see the table."""

    number: int
    cursor: str
    following: str | None
    total: int | None
    cost: float
    reply: bytes
    results: Sequence[Result]


def add(connection: Connection, searches: Iterable[Search], at: float) -> dict[Search, int]:
    """Append searches that are new; the ids of all. A rule that made a query first stays the one that made it."""
    wanted = {_key(one): one for one in searches}
    held = _ids(connection, wanted)
    add_rows(connection, t.search, [asdict(one) | {"at": at} for key, one in wanted.items() if key not in held])
    held |= _ids(connection, wanted.keys() - held.keys())
    return {one: held[key] for key, one in wanted.items()}


def ids(connection: Connection, searches: Iterable[Search]) -> dict[Search, int]:
    """The ids of those searches that were made, whatever rule made them."""
    wanted = {_key(one): one for one in searches}
    return {wanted[key]: number for key, number in _ids(connection, wanted).items()}


_Key = tuple[str, str, str, str]
"""The wnid, source, language and query of a search."""


def _key(one: Search) -> _Key:
    return one.wnid, one.source, one.language, one.query


def _ids(connection: Connection, keys: Iterable[_Key]) -> dict[_Key, int]:
    table, wanted = t.search.c, set(keys)
    asked = select(table.wnid, table.source, table.language, table.query, table.id)
    rows = (connection.execute(asked.where(table.wnid.in_(chunk))) for chunk in chunks({key[0] for key in wanted}))
    return {(*key,): number for some in rows for *key, number in some if (*key,) in wanted}


def answered(connection: Connection, ids: Iterable[int]) -> dict[int, Answered]:
    """How far searches have come, by id."""
    page = t.search_page.c
    columns = page.search_id, page.results, page.fresh, page.total, page.following
    asked = select(*columns).order_by(page.search_id, page.number)
    found: dict[int, Answered] = {}
    for chunk in chunks(ids):
        for search, results, fresh, *newest in connection.execute(asked.where(page.search_id.in_(chunk))):
            before = found.get(search, Answered())
            found[search] = Answered(before.pages + 1, before.results + results, before.fresh + fresh, *newest)
    return found


@dataclass(frozen=True, slots=True)
class Added:
    """The ids of the links of a page, and how many of them nobody had found before."""

    links: frozenset[int]
    fresh: int


def add_page(connection: Connection, search: int, page: Page, at: float) -> Added | None:
    """Append a page of a search, its reply, its links and what it says of them. None where that page was answered
    before: it is not counted, and nothing is changed."""
    table = t.search_page
    there = select(table.c.id).where(table.c.search_id == search, table.c.number == page.number)
    if connection.execute(there).first() is not None:
        return None
    ids, fresh = links.add(connection, (one.url for one in page.results))
    row = {
        **{name: getattr(page, name) for name in ("number", "cursor", "following", "total", "cost")},
        **{"search_id": search, "results": len(page.results), "fresh": fresh, "at": at},
        "reply_sha256": _keep_reply(connection, page.reply),
    }
    number = connection.execute(insert(table).values(row).returning(table.c.id)).scalar_one()
    said: Mapping[int, Result] = {ids[one.url]: one for one in reversed(page.results)}  # the first of a link counts
    links.add_found(connection, number, said)
    return Added(frozenset(said), fresh)


def _keep_reply(connection: Connection, body: bytes) -> str | None:
    if not body:
        return None
    sha256 = hashlib.sha256(body).hexdigest()
    if connection.execute(select(t.reply.c.sha256).where(t.reply.c.sha256 == sha256)).first() is None:
        connection.execute(insert(t.reply).values(sha256=sha256, body=zlib.compress(body)))
    return sha256


WAITING: Final = -1
"""The state of a link that is no candidate yet."""
REJECTED: Final = -2
"""The state of a link that was rejected: nothing is to be expected of it."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What pages of searches brought, a row each for a link that a page has, in the order of pages: the ids of search,
    page and link, the number of the page, and the state of the candidate that it became: `WAITING` where it is none
    yet, `REJECTED` where it will be none."""

    search: Column
    page: Column
    number: Column
    link: Column
    state: Column


def history(connection: Connection, ids: Iterable[int]) -> History:
    """What the pages of some searches brought."""
    found, page, search, state = t.found.c, t.search_page.c, t.search.c, t.candidate.c.state
    none = case((t.fetch.c.outcome == "rejected", REJECTED), else_=WAITING)
    columns = search.id, page.id, page.number, found.link_id, func.coalesce(state, none)
    asked = select(*columns).select_from(_became())
    rows = read_some(connection, asked, search.id, ids, *[np.int64] * 5)
    order = np.lexsort((rows[3], rows[1]))
    return History(*(column[order] for column in rows))


def _became() -> FromClause:
    """What pages of searches have, and the candidate that each became, if any."""
    found, page, search, fetch, candidate = t.found.c, t.search_page.c, t.search.c, t.fetch.c, t.candidate.c
    fetched = and_(fetch.link_id == found.link_id, fetch.final == 1, fetch.reason != links.LICENCE)  # one at most
    return (
        t.found.join(t.search_page, page.id == found.page_id)
        .join(t.search, search.id == page.search_id)
        .outerjoin(t.fetch, fetched)
        .outerjoin(t.candidate, and_(candidate.image_id == fetch.image_id, candidate.wnid == search.wnid))
    )


@dataclass(frozen=True, slots=True, eq=False)
class Brought:
    """Candidates and the ways that they were found by, a row for each pair: ids and states of candidates, and places of
    (rule, source, language) among `arms`."""

    candidate: Column
    state: Column
    arm: Column
    arms: Sequence[tuple[str, str, str]]


def brought(connection: Connection) -> Brought:
    """All candidates that searches brought."""
    search, candidate = t.search.c, t.candidate.c
    rules, sources, languages = Names(), Names(), Names()
    asked = select(candidate.id, candidate.state, search.rule, search.source, search.language).select_from(_became())
    rows = read_all(connection, asked, candidate.id, np.int64, np.int64, rules, sources, languages)
    pairs = np.unique(np.stack([column.astype(np.int64) for column in rows], axis=1), axis=0)
    arms, place = np.unique(pairs[:, 2:], axis=0, return_inverse=True)
    named = [[str(name) for name in names] for names in (rules, sources, languages)]
    told = [(named[0][rule], named[1][source], named[2][language]) for rule, source, language in arms.tolist()]
    return Brought(pairs[:, 0], pairs[:, 1], place, told)


def requests(connection: Connection, source: str, since: float) -> list[float]:
    """The times at which a source answered a page, from one on."""
    page = t.search_page.c
    joined = t.search_page.join(t.search, t.search.c.id == page.search_id)
    asked = select(page.at).select_from(joined).where(t.search.c.source == source, page.at >= since).order_by(page.at)
    return list(connection.execute(asked).scalars())
