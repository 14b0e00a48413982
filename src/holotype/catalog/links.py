"""Questions about links: addresses of pictures that searches found, what was said of them, and what became of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal, select

from holotype.catalog import schema as t
from holotype.catalog.statements import add_rows, chunks


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
    """What tells an address from others: 16 bytes."""
    return hashlib.sha256(url.encode()).digest()[:16]


def add(connection: Connection, urls: Iterable[str]) -> tuple[dict[str, int], int]:
    """The ids of links, and how many of them are new."""
    keys = {key_of(url): url for url in urls}
    held = _ids(connection, keys)
    new = [key for key in keys if key not in held]
    rows = [{"key": key, "url": keys[key], "host": urlsplit(keys[key]).hostname or ""} for key in new]
    add_rows(connection, t.link, rows)
    held |= _ids(connection, new)
    return {url: held[key] for key, url in keys.items()}, len(new)


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


def waiting(connection: Connection, after: int, most: int) -> list[Link]:
    """The next links that are to be fetched, by id, those with ids above `after`."""
    link, fetch = t.link.c, t.fetch.c
    tries = select(func.count()).where(fetch.link_id == link.id).scalar_subquery()
    asked = select(link.id, link.url, link.host, tries).where(link.id > after, ~_is_settled()).order_by(link.id)
    return [Link(*row) for row in connection.execute(asked.limit(most))]


def count_waiting(connection: Connection) -> int:
    """How many links are to be fetched."""
    return connection.execute(select(func.count()).select_from(t.link).where(~_is_settled())).scalar_one()


def _is_settled() -> ColumnElement[bool]:
    fetch = t.fetch.c
    return select(literal(1)).where(fetch.link_id == t.link.c.id, fetch.final == 1).exists()


def seen(connection: Connection, ids: Iterable[int]) -> dict[int, list[Seen]]:
    """Where links were found, in that order, by id."""
    found: dict[int, list[Seen]] = {}
    for chunk in chunks(ids):
        for row in connection.execute(_seen().where(t.found.c.link_id.in_(chunk)).order_by(t.found.c.id)):
            one = Seen(*row)
            found.setdefault(one.link_id, []).append(one)
    return found


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


def outcomes(connection: Connection) -> dict[tuple[str, str, str], int]:
    """How many links there are by host, outcome and reason; outcome "" where they are to be fetched yet."""
    link, fetch = t.link.c, t.fetch.c
    settled = t.link.outerjoin(t.fetch, and_(fetch.link_id == link.id, fetch.final == 1))
    columns = link.host, func.coalesce(fetch.outcome, ""), func.coalesce(fetch.reason, "")
    asked = select(*columns, func.count()).select_from(settled).group_by(*columns)
    return {(host, outcome, reason): count for host, outcome, reason, count in connection.execute(asked)}
