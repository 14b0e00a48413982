"""Flickr: photographs by anybody, under the licence that each has chosen. Its key takes a paid account."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Self

from holotype.collect.queries import Asked
from holotype.collect.sources.port import About, Found, Key, Page, Rate, Reply, Request
from holotype.collect.sources.replies import (
    AGAIN,
    NO_FILE,
    NO_IMAGE,
    Skips,
    cursor_of,
    fields_of,
    numbers_of,
    odd,
    parsed,
    searched,
    waits,
)
from holotype.collect.sources.values import at, number, objects, pixels, plain, text, web
from holotype.errors import SourceBusy, SourceError, SourceRefused
from holotype.licences import Licence, parse

KEY: Final = "HOLOTYPE_FLICKR_KEY"
PER_PAGE: Final = 500
DEEPEST: Final = 4_000
"""The most photos of a search: later pages repeat earlier ones."""
SLICE: Final = 3_000
"""The most photos of a window of time, which more come back of than it says that it has."""
BEGAN: Final = 1_072_915_200
"""Nothing was uploaded before 2004-01-01 (UTC, in seconds since 1970)."""

_CC: Final = "https://creativecommons.org"
LICENCES: Final[Mapping[str, tuple[str, str]]] = {
    "0": ("All Rights Reserved", ""),
    "1": ("CC BY-NC-SA 2.0", f"{_CC}/licenses/by-nc-sa/2.0/"),
    "2": ("CC BY-NC 2.0", f"{_CC}/licenses/by-nc/2.0/"),
    "3": ("CC BY-NC-ND 2.0", f"{_CC}/licenses/by-nc-nd/2.0/"),
    "4": ("CC BY 2.0", f"{_CC}/licenses/by/2.0/"),
    "5": ("CC BY-SA 2.0", f"{_CC}/licenses/by-sa/2.0/"),
    "6": ("CC BY-ND 2.0", f"{_CC}/licenses/by-nd/2.0/"),
    "7": ("No known copyright restrictions", "https://www.flickr.com/commons/usage/"),
    "8": ("United States Government Work", "https://www.usa.gov/government-copyright"),
    "9": ("CC0 1.0", f"{_CC}/publicdomain/zero/1.0/"),
    "10": ("Public Domain Mark 1.0", f"{_CC}/publicdomain/mark/1.0/"),
    "11": ("CC BY 4.0", f"{_CC}/licenses/by/4.0/"),
    "12": ("CC BY-SA 4.0", f"{_CC}/licenses/by-sa/4.0/"),
    "13": ("CC BY-ND 4.0", f"{_CC}/licenses/by-nd/4.0/"),
    "14": ("CC BY-NC 4.0", f"{_CC}/licenses/by-nc/4.0/"),
    "15": ("CC BY-NC-SA 4.0", f"{_CC}/licenses/by-nc-sa/4.0/"),
    "16": ("CC BY-NC-ND 4.0", f"{_CC}/licenses/by-nc-nd/4.0/"),
}
"""Name and address of the licences by Flickr's ids."""
OPEN: Final = tuple(one for one in LICENCES if one != "0")
"""What is asked for where nobody says which."""

_SIZES: Final = "lczm"
"""The sizes that may be taken, the best first; of a free account's photos none above 1,024 pixels may."""
_BUSY: Final = frozenset(("0", "10", "105", "106", "201"))
_REFUSED: Final = frozenset(("96", "97", "98", "99", "100", "111", "112", "114", "115", "116"))
_OWNER = re.compile(r"[0-9A-Za-z@_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Flickr:
    """Photos with the words, under one of `licences` (Flickr's ids).

    The first 4,000 are the most relevant. What there is beyond comes by windows of the time of upload, the newest
    first, each small enough to be given whole, and where a second has too many, by licence too; what was among the
    first comes again in these.
    """

    key: Key
    licences: tuple[str, ...] = OPEN
    api: str = "https://api.flickr.com/services/rest/"
    clock: Callable[[], float] = field(default=time.time, repr=False)

    name: ClassVar[str] = "flickr"
    about: ClassVar[About] = About(
        per_page=PER_PAGE,
        most=None,
        keys=(KEY,),
        needs_key=True,
        rates=(Rate(3_600, 3_600),),
        note="each photo's licence holds, and it must link back to its page; keys are for Pro accounts",
    )

    def first(self, asked: Asked) -> str:
        searched(asked)
        return _Place(tuple(self.licences), until=int(self.clock())).cursor

    def request(self, asked: Asked, cursor: str) -> Request:
        place = _Place.at(cursor)
        return Request(
            self.api,
            (
                ("method", "flickr.photos.search"),
                ("api_key", self.key),
                ("text", searched(asked)),
                ("license", ",".join(place.asked)),
                ("media", "photos"),
                ("content_type", "1"),
                ("safe_search", "1"),
                ("sort", "relevance"),
                *((("min_upload_date", str(place.since)),) if place.since else ()),
                ("max_upload_date", str(place.until)),
                ("extras", ",".join(["license", "owner_name", "media", *(f"url_{size}" for size in _SIZES)])),
                ("per_page", str(PER_PAGE)),
                ("page", str(place.page)),
                ("format", "json"),
                ("nojsoncallback", "1"),
            ),
        )

    def read(self, asked: Asked, cursor: str, reply: Reply) -> Page:
        said = parsed(self.name, reply, self.key)
        if said.get("stat") != "ok":
            raise _failure(said, reply)
        photos, total = at(said, "photos", "photo"), number(at(said, "photos", "total"))
        if not isinstance(photos, list):
            raise odd(self.name, "photos")
        place, skipped = _Place.at(cursor), Skips()
        total = len(photos) if total is None else total
        if place.too_large(total):
            skipped.add(AGAIN, len(photos))
            return Page((), place.smaller().cursor, None, skipped)
        found = []
        for position, photo in enumerate(objects(photos), place.seen + 1):
            if one := _found(photo, position):
                found.append(one)
            else:
                skipped.add(NO_FILE if text(photo.get("media")) in ("", "photo") else NO_IMAGE)
        after = place.after(len(photos), total)
        return Page(tuple(found), after.cursor if after else None, None if place.since else total, skipped)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the results one is: in all of them (`since` 0) or in a window of seconds, under all licences or one."""

    licences: tuple[str, ...]
    until: int
    since: int = 0
    page: int = 1
    seen: int = 0
    only: int = 0
    """Which of the licences alone, from 1; 0 for all of them."""

    @property
    def cursor(self) -> str:
        numbers = {"until": self.until, "since": self.since, "page": self.page, "seen": self.seen, "only": self.only}
        return cursor_of(**numbers, licences=",".join(self.licences))

    @classmethod
    def at(cls, cursor: str) -> Self:
        """The place that a cursor is. Raises `SourceError`."""
        until, since, page, seen, only = numbers_of(cursor, "until", "since", "page", "seen", "only")
        licences = tuple(fields_of(cursor, "licences")["licences"].split(","))
        if not set(licences) <= set(LICENCES) or only > len(licences):
            raise SourceError("no cursor of this source: it has no such licence")
        return cls(licences, until, since, page, seen, only)

    @property
    def asked(self) -> tuple[str, ...]:
        """The licences to ask for."""
        return self.licences[self.only - 1 : self.only] if self.only else self.licences

    def too_large(self, total: int) -> bool:
        """Whether it is a window, of more than are given, that can be made smaller."""
        smaller = self.since < self.until or (not self.only and len(self.licences) > 1)
        return self.since > 0 and self.page == 1 and total > SLICE and smaller

    def smaller(self) -> _Place:
        """The newer half of a window; of one second, its first licence."""
        if self.since < self.until:
            return replace(self, since=self.until - (self.until - self.since) // 2)
        return replace(self, only=1)

    def after(self, photos: int, total: int) -> _Place | None:
        """Where to go on after a page of so many photos; None at the end."""
        here = replace(self, seen=self.seen + photos)
        if photos and self.page * PER_PAGE < DEEPEST and (photos == PER_PAGE or self.page * PER_PAGE < total):
            return replace(here, page=self.page + 1)
        if not self.since:
            return here.windowed(total) if total > DEEPEST else None
        if self.only and self.only < len(self.licences):
            return replace(here, page=1, only=self.only + 1)
        return here.earlier(total)

    def windowed(self, total: int) -> _Place | None:
        """The first window, as wide as it takes to hold half a slice if uploads were even."""
        width = (self.until - BEGAN) * SLICE // (2 * total)
        return None if self.until < BEGAN else replace(self, page=1, since=max(BEGAN, self.until - width))

    def earlier(self, total: int) -> _Place | None:
        """The window before this one, wider if this one was nearly empty."""
        width = self.until - self.since
        if total < SLICE // 4:
            width = 2 * width + 1
        until = self.since - 1
        return None if until < BEGAN else replace(self, page=1, only=0, until=until, since=max(BEGAN, until - width))


def licence_of(code: object) -> Licence:
    """The licence with one of Flickr's ids; an id that is not in `LICENCES` is no licence that anybody here knows."""
    said = text(code)
    name, url = LICENCES.get(said, ("", ""))
    return parse(name or f"Flickr's licence {said[:20] or 'unsaid'}", url)


def _found(photo: dict[str, object], position: int) -> Found | None:
    size = next((one for one in _SIZES if web(photo.get(f"url_{one}"))), "")
    if not size or text(photo.get("media")) not in ("", "photo"):
        return None
    owner, photo_id = text(photo.get("owner")), text(photo.get("id"))
    owner = owner if _OWNER.fullmatch(owner) else ""
    page = owner and photo_id.isascii() and photo_id.isdigit()
    return Found(
        url=web(photo[f"url_{size}"]),
        landing=f"https://www.flickr.com/photos/{owner}/{photo_id}" if page else "",
        position=position,
        licence=licence_of(photo.get("license")),
        width=pixels(photo.get(f"width_{size}")),
        height=pixels(photo.get(f"height_{size}")),
        title=text(photo.get("title")),
        creator=text(photo.get("ownername")),
        creator_url=f"https://www.flickr.com/people/{owner}/" if owner else "",
    )


def _failure(said: Mapping[str, object], reply: Reply) -> SourceError:
    """What a failure means that comes with status 200."""
    code = text(said.get("code"))[:10]
    why = f"flickr answered {text(said.get('stat'))[:20]} {code}: {plain(said.get('message'))[:200]}"
    if code in _BUSY:
        return SourceBusy(why, waits(reply))
    return SourceRefused(why, whole=code in _REFUSED)
