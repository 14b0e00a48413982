"""The Smithsonian's open access collection: CC0 images of what its museums hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from holotype.collect.queries import Asked
from holotype.collect.sources.port import About, Found, Key, Page, Rate, Reply, Request
from holotype.collect.sources.replies import (
    CLOSED,
    NO_FILE,
    NO_IMAGE,
    Skips,
    cursor_of,
    numbers_of,
    odd,
    parsed,
    searched,
)
from holotype.collect.sources.values import at, number, objects, text, web
from holotype.licences import parse

KEY: Final = "HOLOTYPE_SMITHSONIAN_KEY"
PER_PAGE: Final = 200
"""A fifth of what may be asked for: rows are up to 50 KB long."""
_MADE_BY = re.compile(r"artist|author|creator|designer|maker|painter|photographer|sculptor", re.I)


@dataclass(frozen=True, slots=True)
class Smithsonian:
    """Objects with all of the words, by their images that are CC0: an object may have others beside.

    The key is one of api.data.gov.
    """

    key: Key
    api: str = "https://api.si.edu/openaccess/api/v1.0/"

    name: ClassVar[str] = "smithsonian"
    about: ClassVar[About] = About(
        per_page=PER_PAGE,
        most=None,
        keys=(KEY,),
        needs_key=True,
        rates=(Rate(1_000, 3_600),),
        note="only what is marked CC0 is taken",
    )

    def first(self, asked: Asked) -> str:
        searched(asked)
        return cursor_of(start=0, seen=0)

    def request(self, asked: Asked, cursor: str) -> Request:
        start, _ = numbers_of(cursor, "start", "seen")
        wanted = ["online_media_type:Images", "media_usage:CC0", *searched(asked).split()]
        fields = (("q", " AND ".join(wanted)), ("rows", str(PER_PAGE)), ("start", str(start)), ("api_key", self.key))
        return Request(f"{self.api}search", fields)

    def read(self, asked: Asked, cursor: str, reply: Reply) -> Page:
        said = parsed(self.name, reply, self.key)
        rows, total = at(said, "response", "rows"), number(at(said, "response", "rowCount"))
        if not isinstance(rows, list):
            raise odd(self.name, "rows")
        start, seen = numbers_of(cursor, "start", "seen")
        found, skipped = [], Skips()
        for row in objects(rows):
            for medium in _media(row, skipped):
                seen += 1
                if why := _unfit(medium):
                    skipped.add(why)
                else:
                    found.append(_found(row, medium, seen))
        after = start + len(rows)
        more = rows and (total is None or after < total)
        return Page(tuple(found), cursor_of(start=after, seen=seen) if more else None, total, skipped)


def _media(row: dict[str, object], skipped: Skips) -> Iterator[dict[str, object]]:
    media = at(row, "content", "descriptiveNonRepeating", "online_media", "media")
    if not isinstance(media, list):
        skipped.add(NO_IMAGE)
    yield from objects(media)


def _unfit(medium: dict[str, object]) -> str:
    """Why a medium is no candidate, "" if it is one: anything but the very mark of CC0 is closed."""
    if medium.get("type") != "Images":
        return NO_IMAGE
    if at(medium, "usage", "access") != "CC0":
        return CLOSED
    return "" if web(medium.get("content")) else NO_FILE


def _found(row: dict[str, object], medium: dict[str, object], position: int) -> Found:
    about = at(row, "content", "descriptiveNonRepeating")
    names = objects(at(row, "content", "freetext", "name"))
    makers = (text(name.get("content")) for name in names if _MADE_BY.search(text(name.get("label"))))
    return Found(
        url=web(medium["content"]),
        landing=web(at(about, "record_link")) or web(at(about, "guid")) or web(medium.get("guid")),
        position=position,
        licence=parse("CC0"),
        title=text(row.get("title")) or text(at(about, "title", "content")),
        creator=next(filter(None, makers), ""),
    )
