"""Wikimedia Commons as far as holotype uses it: a generator search with imageinfo, and thumbnails in steps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from loopback.corpus import Work, answering
from loopback.service import Answer, Asked, Service, whole

STEPS = (20, 40, 60, 120, 250, 330, 500, 960, 1280, 1920, 3840)
MAXLAG = Answer(
    200,
    {"error": {"code": "maxlag", "info": "Waiting for db1: 6 seconds lagged", "lag": 6}},
    {"Retry-After": "5", "X-Database-Lag": "6"},
)
RATELIMITED = Answer(200, {"error": {"code": "ratelimited", "info": "You've exceeded your rate limit."}})


class CommonsServer(Service):
    """The API and its file host. `at_once` is how many files an answer describes: more pages come in further
    answers of the same batch. `extra` are extmetadata by a work's number, in place of what its licence would have.
    """

    path = "/w/api.php"

    def __init__(self, corpus: Sequence[Work] = (), at_once: int = 50) -> None:
        super().__init__(corpus)
        self.at_once = at_once
        self.extra: dict[int, Mapping[str, object]] = {}

    def answer(self, asked: Asked) -> Answer:
        if "holotype" not in asked.headers.get("user-agent", ""):
            return Answer(403, b"Please set a user-agent and respect our robot policy")
        if asked.path.startswith("/thumb/"):
            return self._thumbnail(asked.path)
        if asked.path != self.path:
            return Answer(404, b"")
        search = asked.fields.get("gsrsearch", "")
        offset = whole(asked, "gsroffset", 0)
        if len(search) > 300 or asked.fields.get("formatversion") != "2":
            return self._error("cirrussearch-query-too-long", "Search request is longer than the maximum")
        if offset > 10_000:
            return self._error("badvalue", "The value for offset must be no more than 10,000")
        return self._search(search, offset, asked)

    def _search(self, search: str, offset: int, asked: Asked) -> Answer:
        words = search.removeprefix("filetype:bitmap").strip()
        found = [work for work in answering(self.corpus, words) if work.mime.startswith("image/")]
        limit = min(whole(asked, "gsrlimit", 10), 50)
        batch = found[offset : offset + limit]
        if not batch:
            return Answer(200, {"batchcomplete": True})
        begin = whole(asked, "iistart", 0)
        described = batch[begin : begin + self.at_once]
        width = whole(asked, "iiurlwidth", 0)
        pages = [
            self._page(work, index, width if work in described else None)
            for index, work in enumerate(batch, offset + 1)
        ]
        said: dict[str, object] = {"query": {"pages": sorted(pages, key=lambda page: str(page["title"]))}}
        if begin + self.at_once < len(batch):
            more = {"iistart": str(begin + self.at_once), "continue": "||"}
            return Answer(200, said | {"continue": more})
        said["batchcomplete"] = True
        if offset + limit < len(found):
            said["continue"] = {"gsroffset": offset + limit, "continue": "gsroffset||"}
        return Answer(200, said)

    def _page(self, work: Work, index: int, width: int | None) -> dict[str, object]:
        name = f"{work.title} {work.number}.jpg"
        page: dict[str, object] = {"pageid": work.number, "ns": 6, "title": f"File:{name}", "index": index}
        if width is None:
            return page
        info: dict[str, object] = {
            "size": 9,
            "width": work.width,
            "height": work.height,
            "url": work.url,
            "descriptionurl": f"https://commons.wikimedia.org/wiki/File:{quote(name.replace(' ', '_'))}",
            "mime": work.mime,
            "mediatype": "BITMAP",
            "sha1": f"{work.number:040x}",
            "extmetadata": self.extra.get(work.number, extmetadata(work)),
        }
        if 0 < width < work.width:
            scaled = {"thumbwidth": width, "thumbheight": round(work.height * width / work.width)}
            info |= {"thumburl": f"{self.root}/thumb/{work.number}/{width}px-x.jpg", **scaled}
        elif width:
            info |= {"thumburl": work.url, "thumbwidth": work.width, "thumbheight": work.height}
        return page | {"imageinfo": [info]}

    def _thumbnail(self, path: str) -> Answer:
        width = re.fullmatch(r"/thumb/\d+/(\d+)px-x\.jpg", path)
        if not width or int(width[1]) not in STEPS:
            return Answer(400, b"Use thumbnail steps listed on https://w.wiki/GHai")
        return Answer(200, b"\xff\xd8\xff\xd9", {"Content-Type": "image/jpeg"})

    def _error(self, code: str, info: str) -> Answer:
        return Answer(200, {"error": {"code": code, "info": info}})


def extmetadata(work: Work) -> dict[str, object]:
    """What Commons says of a file: HTML, booleans in words, and no address for the public domain."""

    def said(value: str) -> dict[str, str]:
        return {"value": value, "source": "commons-desc-page", "hidden": ""}

    names = {"cc0": "CC0", "pd": "Public domain", "pdm": "Public domain", "nkc": "No restrictions"}
    free = work.licence in ("pd", "pdm", "nkc")
    return {
        "LicenseShortName": said(names.get(work.licence, f"CC {work.licence.upper()} {work.version}")),
        "LicenseUrl": said("" if free else work.licence_url.removesuffix("/")),
        "Artist": said(f'<a href="//commons.wikimedia.org/wiki/User:A" title="x">{work.creator}</a>'),
        "ObjectName": said(work.title),
        "AttributionRequired": said("false" if free else "true"),
        "Restrictions": said(""),
    }
