"""Europeana: what Europe's museums, archives and libraries show, each object under a rights statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from holotype.collect.queries import Asked
from holotype.collect.sources.port import About, Found, Key, Page, Reply, Request
from holotype.collect.sources.replies import (
    NO_FILE,
    NO_IMAGE,
    Skips,
    cursor_of,
    fields_of,
    numbers_of,
    odd,
    parsed,
    searched,
)
from holotype.collect.sources.values import at, licence_text, number, objects, plain, text, web
from holotype.errors import SourceRefused
from holotype.licences import Licence, parse

KEY: Final = "HOLOTYPE_EUROPEANA_KEY"
PER_PAGE: Final = 100
ITEM: Final = "https://www.europeana.eu/item"


@dataclass(frozen=True, slots=True)
class Europeana:
    """Objects with the words that have a picture, which may be reused openly, or as `reusability` has it.

    `reusability` is a list of ``open`` and ``restricted`` with commas between. The key goes in a header.
    """

    key: Key
    reusability: str = "open"
    api: str = "https://api.europeana.eu/record/v2/"

    name: ClassVar[str] = "europeana"
    about: ClassVar[About] = About(
        per_page=PER_PAGE,
        most=None,
        keys=(KEY,),
        needs_key=True,
        note="each object has its own rights statement; files lie with the museums",
    )

    def first(self, asked: Asked) -> str:
        searched(asked)
        return cursor_of(cursor="*", seen=0)

    def request(self, asked: Asked, cursor: str) -> Request:
        place = fields_of(cursor, "cursor", "seen")["cursor"]
        return Request(
            f"{self.api}search.json",
            (
                ("query", " AND ".join(searched(asked).split())),
                ("qf", "TYPE:IMAGE"),
                ("reusability", self.reusability),
                ("media", "true"),
                ("profile", "rich"),
                ("rows", str(PER_PAGE)),
                ("cursor", place),
            ),
            (("X-Api-Key", self.key),),
        )

    def read(self, asked: Asked, cursor: str, reply: Reply) -> Page:
        said = parsed(self.name, reply, self.key)
        if said.get("success") is False:
            raise SourceRefused(f"europeana answered: {plain(said.get('error'))[:200]}")
        items = said.get("items")
        if not isinstance(items, list):
            raise odd(self.name, "items")
        (seen,) = numbers_of(cursor, "seen")
        found, skipped = [], Skips()
        for position, item in enumerate(objects(items), seen + 1):
            url = web(at(item, "edmIsShownBy", 0))
            if item.get("type") == "IMAGE" and url:
                found.append(_found(item, url, position))
            else:
                skipped.add(NO_FILE if item.get("type") == "IMAGE" else NO_IMAGE)
        place = said.get("nextCursor") or ""
        if place != text(place):  # half a cursor would lead somewhere
            raise odd(self.name, "a cursor that can be kept")
        more = items and place and place != fields_of(cursor)["cursor"]
        following = cursor_of(cursor=place, seen=seen + len(items)) if more else None
        return Page(tuple(found), following, number(said.get("totalResults")), skipped)


def licence_of(rights: object) -> Licence:
    """The licence in an object's ``rights``: addresses, which must all be one to be taken for what they say."""
    said = list(dict.fromkeys(map(licence_text, rights if isinstance(rights, list) else [])))
    if len(said) == 1:
        return parse("" if web(said[0]) else said[0], web(said[0]))
    return parse("several: " + " ; ".join(said) if said else "")


def _found(item: dict[str, object], url: str, position: int) -> Found:
    identity = text(item.get("id"))
    creator = text(at(item, "dcCreator", 0))
    return Found(
        url=url,
        landing=web(at(item, "edmIsShownAt", 0)) or (web(f"{ITEM}{identity}") if identity.startswith("/") else ""),
        position=position,
        licence=licence_of(item.get("rights")),
        title=text(at(item, "title", 0)),
        creator=text(at(item, "edmAgentLabel", 0, "def")) or ("" if web(creator) else creator),
        creator_url=web(creator),
    )
