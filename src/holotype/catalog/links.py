"""Questions about links: addresses of pictures that searches found, what was said of them, and what became of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Select, and_, case, false, func, literal, or_, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from holotype.catalog import schema as t
from holotype.catalog.statements import add_rows, chunks
from holotype.provenance import host_of, one_spelling

LICENCE: Final = "licence"
"""The reason of a link that was found under no licence that the project takes; the fetch's detail says which it took.
"""


@dataclass(frozen=True, slots=True)
class Result:
    """A result of a search: the address of a picture, its place among the results of the query from 1, and what is said
    of it, "" where nothing is: the page it is shown on, title, maker and their page, licence and its address."""

    url: str
    position: int
    landing: str = ""
    title: str = ""
    creator: str = ""
    creator_url: str = ""
    licence: str = ""
    licence_url: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A link that is to be fetched, and how often that was tried."""

    id: int
    url: str
    host: str
    tries: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Where a link was found: for which synset, by which search, and what was said of it there; see `Result`."""

    link_id: int
    wnid: str
    source: str
    query: str
    language: str
    rule: str
    position: int
    landing: str
    title: str
    creator: str
    creator_url: str
    licence: str
    licence_url: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """What became of fetching a link: see the table."""

    link_id: int
    outcome: str
    reason: str = ""
    detail: str = ""
    final: bool = True
    image_id: int | None = None
    etag: str = ""
    modified: str = ""


def key_of(url: str) -> bytes:
    """What tells an address from others, however it is spelt: 16 bytes."""
    return hashlib.sha256(one_spelling(url).encode()).digest()[:16]


def add(connection: Connection, urls: Iterable[str]) -> tuple[dict[str, int], int]:
    """The ids of links, and how many of them are new; of several spellings of an address the first is kept."""
    keys = {url: key_of(url) for url in urls}
    first = {key: url for url, key in reversed(keys.items())}
    held = _ids(connection, first)
    new = [key for key in dict.fromkeys(keys.values()) if key not in held]
    rows = [{"key": key, "url": first[key], "host": host_of(first[key])} for key in new]
    add_rows(connection, t.link, rows)
    held |= _ids(connection, new)
    return {url: held[key] for url, key in keys.items()}, len(new)


def _ids(connection: Connection, keys: Iterable[bytes]) -> dict[bytes, int]:
    table = t.link.c
    return {
        bytes(key): number
        for chunk in chunks(keys)
        for key, number in connection.execute(select(table.key, table.id).where(table.key.in_(chunk)))
    }


def add_found(connection: Connection, page: int, said: Mapping[int, Result]) -> None:
    """Append what a page says of links, by their ids."""
    names = [one.name for one in fields(Result) if one.name != "url"]
    rows = [
        {"link_id": link, "page_id": page, **{name: getattr(one, name) for name in names}} for link, one in said.items()
    ]
    add_rows(connection, t.found, rows)


def waiting(connection: Connection, after: int, most: int, licences: str = "") -> list[Link]:
    """The next links that are to be fetched, by id, those with ids above `after`.

    A link that was rejected for its licence is settled as long as the project takes just those `licences` that it took
    then, the words of its policy, and nobody says anything else of it: else it is to be decided on again.
    """
    link, fetch = t.link.c, t.fetch.c
    tries = select(func.count()).where(fetch.link_id == link.id, fetch.final == 0).scalar_subquery()
    asked = select(link.id, link.url, link.host, tries).where(link.id > after, ~_is_settled(licences))
    return [Link(*row) for row in connection.execute(asked.order_by(link.id).limit(most))]


def count_waiting(connection: Connection, licences: str = "") -> int:
    """How many links are to be fetched; see `waiting`."""
    asked = select(func.count()).select_from(t.link).where(~_is_settled(licences))
    return connection.execute(asked).scalar_one()


def _is_settled(licences: str) -> ColumnElement[bool]:
    fetch = t.fetch.alias("settling").c
    as_it_was = and_(fetch.detail == licences, ~_is_said_after(fetch, licences)) if licences else false()
    for_good = or_(fetch.reason != LICENCE, as_it_was)
    return select(literal(1)).where(fetch.link_id == t.link.c.id, fetch.final == 1, for_good).exists()


def _is_said_after(fetch: ReadOnlyColumnCollection[str, Column[Any]], licences: str) -> ColumnElement[bool]:
    """Whether a page that came after a fetch has the link. Few pages, if any, came after the first that was rejected
    for `licences`: only their links are looked up."""
    found, page, first = t.found.c, t.search_page.c, t.fetch.alias("first").c
    of_pages = t.found.join(t.search_page, page.id == found.page_id)
    began = select(first.at).where(first.reason == LICENCE, first.detail == licences).order_by(first.id).limit(1)
    recent = select(found.link_id).select_from(of_pages).where(page.at > began.scalar_subquery())
    after = select(literal(1)).select_from(of_pages).where(found.link_id == fetch.link_id, page.at > fetch.at)
    return and_(fetch.link_id.in_(recent), after.exists())


def seen(connection: Connection, ids: Iterable[int]) -> dict[int, list[Seen]]:
    """Where links were found, in that order, by id."""
    found: dict[int, list[Seen]] = {}
    for chunk in chunks(ids):
        for row in connection.execute(_seen().where(t.found.c.link_id.in_(chunk)).order_by(t.found.c.id)):
            one = Seen(*row)
            found.setdefault(one.link_id, []).append(one)
    return found


def seen_at(connection: Connection, urls: Iterable[str]) -> dict[str, list[Seen]]:
    """Where the links that some addresses are were found, in that order, by address."""
    keys = {url: key_of(url) for url in urls}
    ids = _ids(connection, set(keys.values()))
    found = seen(connection, ids.values())
    return {url: found[ids[key]] for url, key in keys.items() if ids.get(key) in found}


def any_found(connection: Connection) -> bool:
    """Whether any search ever found anything."""
    return connection.execute(select(t.found.c.id).limit(1)).first() is not None


def taken_in(connection: Connection, ids: Iterable[int]) -> dict[int, tuple[str, int]]:
    """The addresses, and the images, of those links whose pictures were taken in, by id."""
    link, fetch = t.link.c, t.fetch.c
    joined = t.link.join(t.fetch, and_(fetch.link_id == link.id, fetch.final == 1))
    asked = select(link.id, link.url, fetch.image_id).select_from(joined).where(fetch.image_id.is_not(None))
    return {
        number: (url, image)
        for chunk in chunks(ids)
        for number, url, image in connection.execute(asked.where(link.id.in_(chunk)))
    }


def _seen() -> Select[Any]:
    found, search = t.found.c, t.search.c
    columns = (
        *(found.link_id, search.wnid, search.source, search.query, search.language, search.rule, found.position),
        *(found.landing, found.title, found.creator, found.creator_url, found.licence, found.licence_url),
    )
    joined = t.found.join(t.search_page, t.search_page.c.id == found.page_id)
    return select(*columns).select_from(joined.join(t.search, search.id == t.search_page.c.search_id))


def settle(connection: Connection, fetches: Sequence[Fetch], at: float) -> None:
    """Append what became of links."""
    add_rows(connection, t.fetch, [asdict(one) | {"final": int(one.final), "at": at} for one in fetches])


def outcomes(connection: Connection, licences: str = "") -> dict[tuple[str, str, str], int]:
    """How many links there are by host, outcome and reason; outcome "" where they are to be fetched yet (`waiting`)."""
    link, fetch, later = t.link.c, t.fetch.c, t.fetch.alias("later").c
    after = select(literal(1)).where(later.link_id == link.id, later.final == 1, later.id > fetch.id).exists()
    newest = and_(fetch.link_id == link.id, fetch.final == 1, or_(fetch.reason != LICENCE, ~after))
    settled = or_(fetch.reason != LICENCE, _is_settled(licences))
    outcome, reason = (case((settled, one), else_="").label(one.name) for one in (fetch.outcome, fetch.reason))
    ends = select(link.host, outcome, reason).select_from(t.link.outerjoin(t.fetch, newest))
    named = ends.subquery().c
    columns = named.host, named.outcome, named.reason
    counted = connection.execute(select(*columns, func.count()).group_by(*columns))
    return {(host, outcome, reason): count for host, outcome, reason, count in counted}
