"""What searches said of the works that images are, beside what their credits say: title, pages, and which source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection

from holotype.catalog import credits, links
from holotype.catalog.credits import Credit
from holotype.catalog.links import Seen
from holotype.licences import Licence, parse
from holotype.provenance import is_web_url


@dataclass(frozen=True, slots=True)
class Told:
    """What a search said of a work, "" where it said nothing: the title, its maker's page, the address of the licence
    where that is not what the credit has for a licence; the source that said it, and the address of the file."""

    title: str = ""
    creator_url: str = ""
    licence_url: str = ""
    source: str = ""
    file: str = ""


NOTHING: Final = Told()


def licence_of(seen: Seen) -> Licence:
    """The licence that a result says."""
    return _parsed(seen.licence, seen.licence_url)


@lru_cache(maxsize=1 << 12)
def _parsed(text: str, url: str) -> Licence:
    return parse(text, url)


def as_said(seen: Seen) -> str:
    """A licence in one text, of its source's own words, in which just what the source said is read: the address or the
    name that is enough, or else both. Where these contradict each other, nothing is read in both."""
    meant = licence_of(seen)
    for text in _in_one_text(seen.licence, seen.licence_url):
        if _parsed(text, "").is_same(meant):
            return text
    return f"{seen.licence}, but {seen.licence_url}"


def _in_one_text(text: str, url: str) -> Iterator[str]:
    if _parsed("", url).code:
        yield url
    yield text or url
    yield f"{text} ({url})"


def credited(seen: Sequence[Seen]) -> Seen:
    """The result that the credit of a link is taken from: the first that says a licence, or else a maker."""
    licensed = (one for one in seen if one.licence or one.licence_url)
    return next(licensed, None) or next((one for one in seen if one.creator), seen[0])


def works_of(connection: Connection, images: Iterable[int]) -> dict[int, Told]:
    """What searches said of the works that some images are, by the images' ids: of each by whom its credit is from.

    An image whose credit is no search's has none: what one source said is never put together with another's words.
    """
    newest = credits.newest(connection, images)
    found = links.seen_at(connection, {one.origin for one in newest.values() if is_web_url(one.origin)})
    told = ((number, _told(one, found.get(one.origin, ()))) for number, one in newest.items())
    return {number: one for number, one in told if one is not None}


def _told(credit: Credit, seen: Iterable[Seen]) -> Told | None:
    """What the result says that a credit was taken from, if one says the same."""
    for one in seen:
        if (one.creator, one.landing) == (credit.author, credit.url) and _is_said(credit.licence, one):
            more = "" if one.licence_url in credit.licence else _web(one.licence_url)
            return Told(one.title, _web(one.creator_url), more, one.source, credit.origin)
    return None


def _is_said(licence: str, seen: Seen) -> bool:
    return licence in (seen.licence, seen.licence_url) or licence == as_said(seen)


def _web(url: str) -> str:
    return url if is_web_url(url) else ""
