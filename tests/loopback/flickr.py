"""Flickr as far as holotype uses it: photos.search, whose failures come with status 200 and which repeats itself."""

from __future__ import annotations

import json
from collections.abc import Sequence

from loopback.corpus import Work, answering
from loopback.service import Answer, Asked, Service, whole

IDS = {
    ("arr", ""): "0", ("by-nc-sa", "2.0"): "1", ("by-nc", "2.0"): "2", ("by-nc-nd", "2.0"): "3", ("by", "2.0"): "4",
    ("by-sa", "2.0"): "5", ("by-nd", "2.0"): "6", ("nkc", ""): "7", ("us-gov", ""): "8", ("cc0", ""): "9",
    ("pdm", ""): "10", ("by", "4.0"): "11", ("by-sa", "4.0"): "12", ("by-nd", "4.0"): "13", ("by-nc", "4.0"): "14",
    ("by-nc-sa", "4.0"): "15", ("by-nc-nd", "4.0"): "16",
}  # fmt: skip
BUSY = Answer(200, {"stat": "fail", "code": 105, "message": "Service currently unavailable"})


class FlickrServer(Service):
    """The API: `key` is the one that it takes, `cap` how many photos a search has before it repeats itself."""

    path = "/services/rest/"

    def __init__(self, corpus: Sequence[Work] = (), key: str = "0123456789abcdef0123456789abcdef") -> None:
        super().__init__(corpus)
        self.key = key
        self.cap = 4_000

    def answer(self, asked: Asked) -> Answer:
        said = self._said(asked)
        if asked.fields.get("nojsoncallback") == "1":
            return Answer(200, said)
        return Answer(200, f"jsonFlickrApi({json.dumps(said)})".encode(), {"Content-Type": "text/javascript"})

    def _said(self, asked: Asked) -> dict[str, object]:
        key = asked.fields.get("api_key", "")
        if key != self.key:
            return {"stat": "fail", "code": 100, "message": f"Invalid API Key (Key not found): {key}"}
        if asked.fields.get("method") != "flickr.photos.search":
            return {"stat": "fail", "code": 112, "message": "Method not found"}
        if not asked.fields.get("text"):
            return {"stat": "fail", "code": 3, "message": "Parameterless searches have been disabled."}
        found = self._found(asked)
        size, page = min(whole(asked, "per_page", 100), 500), whole(asked, "page", 1)
        shown = found[: self.cap]
        start = (page - 1) * size
        if start >= self.cap:
            start %= self.cap  # again what was there before
        photos = [_photo(work, asked.fields.get("extras", "").split(",")) for work in shown[start : start + size]]
        counts = {"page": page, "pages": -(-len(found) // size), "perpage": size, "total": len(found)}
        return {"photos": {**counts, "photo": photos}, "stat": "ok"}

    def _found(self, asked: Asked) -> list[Work]:
        wanted = set(filter(None, asked.fields.get("license", "").split(",")))
        since, until = whole(asked, "min_upload_date", 0), whole(asked, "max_upload_date", 2**62)
        found = answering(self.corpus, asked.fields["text"])
        return [
            work for work in found if since <= work.uploaded <= until and (not wanted or licence_id(work) in wanted)
        ]


def licence_id(work: Work) -> str:
    """Flickr's id of a work's licence."""
    return IDS.get((work.licence, work.version if work.licence.startswith("by") else ""), "0")


def _photo(work: Work, extras: list[str]) -> dict[str, object]:
    photo: dict[str, object] = {
        "id": str(work.number),
        "owner": "71925535@N03",
        "secret": "35d1b4f8db",
        "server": "65535",
        "farm": 66,
        "title": work.title,
        "ispublic": 1,
        "isfriend": 0,
        "isfamily": 0,
    }
    if "license" in extras:
        photo["license"] = licence_id(work)
    if "owner_name" in extras:
        photo["ownername"] = work.creator
    if "media" in extras:
        photo |= {"media": "photo", "media_status": "ready"}
    if "url_l" in extras:
        photo |= {"url_l": work.url, "height_l": work.height, "width_l": work.width}
    return photo
