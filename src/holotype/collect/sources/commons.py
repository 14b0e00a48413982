"""Wikimedia Commons: free files of all kinds, by MediaWiki's API. No key, but a user agent with a contact."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from holotype.collect.queries import Asked
from holotype.collect.sources.port import About, Found, Page, Rate, Reply, Request
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
from holotype.collect.sources.values import at, licence_text, link, number, pixels, plain, text, web
from holotype.errors import SourceBusy, SourceError, SourceRefused
from holotype.licences import Licence, parse

STEPS: Final = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)
"""The widths that thumbnails are made in: for any other the file host answers 400."""
PER_PAGE: Final = 50
DEEPEST: Final = 10_000
_LONGEST: Final = 300
_BITMAPS: Final = "filetype:bitmap"
_BUSY = re.compile(r"maxlag|ratelimited|readonly|timeout|cirrussearch-(?:too-busy|backend).*|internal_api_error.*")
_BLOCKED: Final = ("blocked", "autoblocked", "permissiondenied", "readapidenied")
_CONTINUED = re.compile(r"continue|(?:gsr|ii)[a-z]+")
_ITEM = re.compile(r"Q[1-9][0-9]{0,11}")
_SHA1 = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Commons:
    """Files whose page has the words, or, for the id of a Wikidata item such as ``Q146``, that depict it.

    They are taken `width` pixels wide where they are wider, one of `STEPS`, or as they are if that is None.
    """

    width: int | None = 1280
    api: str = "https://commons.wikimedia.org/w/api.php"

    name: ClassVar[str] = "commons"
    about: ClassVar[About] = About(
        per_page=PER_PAGE,
        most=DEEPEST,
        rates=(Rate(200, 60),),
        note="free licences, given file by file; the robot policy wants a user agent with a contact",
    )

    def __post_init__(self) -> None:
        if self.width is not None and self.width not in STEPS:
            raise SourceError(f"Commons makes no thumbnails {self.width} wide: one of {', '.join(map(str, STEPS))}")

    def first(self, asked: Asked) -> str:
        _search(asked)
        return cursor_of(gsroffset=0)

    def request(self, asked: Asked, cursor: str) -> Request:
        numbers_of(cursor, "gsroffset")
        thumbnails = () if self.width is None else (("iiurlwidth", str(self.width)),)
        return Request(
            self.api,
            (
                ("action", "query"),
                ("format", "json"),
                ("formatversion", "2"),
                ("generator", "search"),
                ("gsrnamespace", "6"),
                ("gsrsearch", _search(asked)),
                ("gsrlimit", str(PER_PAGE)),
                ("prop", "imageinfo"),
                ("iiprop", "url|size|mime|mediatype|sha1|extmetadata"),
                *thumbnails,
                ("maxlag", "5"),
                *((name, value) for name, value in fields_of(cursor).items() if _CONTINUED.fullmatch(name)),
            ),
        )

    def read(self, asked: Asked, cursor: str, reply: Reply) -> Page:
        said = parsed(self.name, reply)
        if "error" in said:
            raise _failure(said["error"], reply)
        pages = at(said, "query", "pages") if "query" in said else []
        if not isinstance(pages, list) or not said.keys() & {"query", "batchcomplete", "continue"}:
            raise odd(self.name, "pages")
        (offset,) = numbers_of(cursor, "gsroffset")
        partly = not said.get("batchcomplete") or any(name.startswith("ii") for name in fields_of(cursor))
        found, skipped = [], Skips()
        for position, page in enumerate(sorted(pages, key=_rank), offset + 1):
            if one := self._found(asked, page, position):
                found.append(one)
            else:
                info = at(page, "imageinfo", 0)
                skipped.add(NO_IMAGE if info and not _is_image(info) else AGAIN if partly and not info else NO_FILE)
        return Page(tuple(found), _following(said.get("continue"), cursor), None, skipped)

    def _found(self, asked: Asked, page: object, position: int) -> Found | None:
        """The file of a page; None where it has none, or none that is a picture."""
        info = at(page, "imageinfo", 0)
        smaller = self.width is not None and pixels(at(info, "width")) > self.width and web(at(info, "thumburl"))
        url = smaller or web(at(info, "url"))
        if not url or not _is_image(info):
            return None
        said = at(info, "extmetadata")
        sha1 = text(at(info, "sha1"))
        title = text(at(page, "title")).partition(":")[2].rpartition(".")[0]
        return Found(
            url=url,
            landing=web(at(info, "descriptionurl")),
            position=position,
            licence=licence_of(said if isinstance(said, dict) else {}),
            width=pixels(at(info, "thumbwidth" if smaller else "width")),
            height=pixels(at(info, "thumbheight" if smaller else "height")),
            title=plain(at(said, "ObjectName", "value")) or title,
            creator=plain(at(said, "Artist", "value")) or plain(at(said, "Attribution", "value")),
            creator_url=link(at(said, "Artist", "value")),
            depicts=asked.text if _ITEM.fullmatch(asked.text) else "",
            checksum=f"sha1:{sha1}" if not smaller and _SHA1.fullmatch(sha1) else "",
        )


def licence_of(said: Mapping[str, Any]) -> Licence:
    """The licence in a file's ``extmetadata``, whose values are HTML and whose URL is empty for the public domain.

    What is marked as not free has none of the licences that may be named beside.
    """
    if text(at(said, "NonFree", "value")).lower() == "true":
        return parse("not free")
    names = (plain(licence_text(at(said, name, "value"))) for name in ("LicenseShortName", "UsageTerms", "License"))
    return parse(next(filter(None, names), ""), web(at(said, "LicenseUrl", "value")))


def _search(asked: Asked) -> str:
    if _ITEM.fullmatch(asked.text):
        return f"{_BITMAPS} haswbstatement:P180={asked.text}"
    return f"{_BITMAPS} {searched(asked, _LONGEST - len(_BITMAPS) - 1)}"


def _is_image(info: object) -> bool:
    mime = text(at(info, "mime")) or "image/"
    return mime.startswith("image/") and text(at(info, "mediatype")) in ("", "BITMAP")


def _rank(page: object) -> int:
    """Where the search had a page: the reply is in another order."""
    index = number(at(page, "index"))
    return 2**53 if index is None else index


def _following(more: object, cursor: str) -> str | None:
    """The cursor that an answer's ``continue`` makes: all of it is sent back. None at the end, and past the depth."""
    if not isinstance(more, dict):
        return None
    sent = {name: text(value) for name, value in more.items() if _CONTINUED.fullmatch(name)}
    found = cursor_of(**{"gsroffset": fields_of(cursor)["gsroffset"], **sent})
    offset = number(sent.get("gsroffset", "0"))
    return None if offset is None or offset >= DEEPEST or found == cursor else found


def _failure(error: object, reply: Reply) -> SourceError:
    """What an error means that comes with status 200."""
    code = text(at(error, "code"))[:60]
    why = f"commons answered {code}: {plain(at(error, 'info'))[:200]}"
    if _BUSY.fullmatch(code):
        return SourceBusy(why, waits(reply))
    return SourceRefused(why, whole=code in _BLOCKED)
