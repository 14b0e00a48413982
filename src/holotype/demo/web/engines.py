"""The search engines of the demo's web: a text match that answers as Openverse's API does, and as Commons'."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from holotype.demo.described import Photo, TextSearch
from holotype.demo.web.hosts import DOMAIN, Said
from holotype.demo.web.works import Work
from holotype.files import printable
from holotype.ontology import Ontology, lemma_key

OPENVERSE: Final = f"openverse.{DOMAIN}"
COMMONS: Final = f"commons.{DOMAIN}"
_DEEPEST: Final = 240
_PER_MATCH: Final = 2.0
_LONGEST: Final = 4
_COMMONS_NAMES: Final = {"cc0": "CC0", "pdm": "Public domain", "by": "CC BY 4.0", "by-sa": "CC BY-SA 4.0"}

Fields = Mapping[str, str]


class Engine:
    """Finds photographs by words, in any of their senses, and then, as engines do, what lies near and what does not.

    `has` tells which of the works it knows.
    """

    def __init__(
        self,
        photos: Sequence[Photo],
        works: Mapping[int, Sequence[Work]],
        ontology: Ontology,
        at_least: int,
        has: Callable[[Work], bool],
    ) -> None:
        self._photos, self._ontology, self._at_least = photos, ontology, at_least
        self._search = TextSearch(photos, ontology)
        self._works = {number: found for number, some in works.items() if (found := [one for one in some if has(one)])}
        self._named: dict[str, frozenset[int]] = {}

    def find(self, query: str) -> list[Work]:
        """The works for a query, best first: those of photographs that match all that it names, then part of it."""
        parts = list(self._parts(lemma_key(query).split()))
        matched = Counter(number for part in parts for number in self._of(part) if number in self._works)
        context = frozenset[str]().union(*(self._photos[number].folders for number in matched))

        def order(number: int) -> tuple[int, int, bytes]:
            photo = self._photos[number]
            lucky = hashlib.sha256(f"{query} {printable(photo.path)}".encode()).digest()
            return -matched[number], 0 if number in matched else -len(photo.folders & context), lucky

        whole = sum(count == len(parts) for count in matched.values())
        wanted = max(self._at_least, math.ceil(_PER_MATCH * whole))
        return [one for number in sorted(self._works, key=order)[:wanted] for one in self._works[number]]

    def _parts(self, words: Sequence[str]) -> Iterator[str]:
        """The lemmas in words, the longest first; words that are none are passed over."""
        start = 0
        while start < len(words):
            ends = range(min(len(words), start + _LONGEST), start, -1)
            end = next((end for end in ends if self._ontology.senses(" ".join(words[start:end]))), None)
            if end is not None:
                yield " ".join(words[start:end])
            start = start + 1 if end is None else end

    def _of(self, lemma: str) -> frozenset[int]:
        if lemma not in self._named:
            senses = self._ontology.senses(lemma)
            self._named[lemma] = frozenset(number for sense in senses for number in self._search.matches(sense))
        return self._named[lemma]


def openverse(engine: Engine, shown: set[str]) -> Callable[[str], Said]:
    """The image search of Openverse's API, 20 results a page. Addresses that it gives are added to `shown`."""

    def said(target: str) -> Said:
        fields = _fields(target)
        page, size = int(fields.get("page", "1")), int(fields.get("page_size", "20"))
        wanted = set(filter(None, fields.get("license", "").split(",")))
        found = [one for one in engine.find(fields["q"]) if not wanted or one.licence in wanted][:_DEEPEST]
        results = found[(page - 1) * size : page * size]
        shown.update(one.url for one in results)
        counts = {"result_count": len(found), "page_count": -(-len(found) // size), "page_size": size, "page": page}
        return _json({**counts, "results": [_result(one) for one in results]})

    return _at("/v1/images/", said)


def _result(work: Work) -> dict[str, object]:
    return {
        "title": work.title,
        "foreign_landing_url": work.landing,
        "url": work.url,
        "creator": work.creator,
        "creator_url": f"http://{urlsplit(work.url).netloc}/",
        "license": work.licence,
        "license_version": "1.0" if work.licence in ("cc0", "pdm") else "4.0",
        "license_url": work.licence_url,
        "provider": work.host,
        "source": work.host,
    }


def commons(engine: Engine, shown: set[str]) -> Callable[[str], Said]:
    """The search of Commons' API with what it says of files. Addresses that it gives are added to `shown`."""

    def said(target: str) -> Said:
        fields = _fields(target)
        found = engine.find(fields.get("gsrsearch", "").removeprefix("filetype:bitmap"))
        offset, most = int(fields.get("gsroffset", "0")), int(fields.get("gsrlimit", "10"))
        batch = found[offset : offset + most]
        shown.update(one.url for one in batch)
        answer: dict[str, object] = {"batchcomplete": True}
        if batch:
            answer["query"] = {"pages": [_page(one, index) for index, one in enumerate(batch, offset + 1)]}
        if offset + most < len(found):
            answer["continue"] = {"gsroffset": offset + most, "continue": "gsroffset||"}
        return _json(answer)

    return _at("/w/api.php", said)


def _page(work: Work, index: int) -> dict[str, object]:
    about = {
        "LicenseShortName": _COMMONS_NAMES[work.licence],
        "LicenseUrl": "" if work.licence == "pdm" else work.licence_url,
        "Artist": work.creator,
        "ObjectName": work.title,
    }
    info = {
        "url": work.url,
        "thumburl": work.url,
        "descriptionurl": work.landing,
        "mime": "image/png",
        "mediatype": "BITMAP",
        "extmetadata": {name: {"value": value} for name, value in about.items()},
    }
    return {"ns": 6, "title": f"File:{work.title}.png", "index": index, "imageinfo": [info]}


def in_openverse(work: Work) -> bool:
    """Whether Openverse knows a work: two thirds."""
    return _third(work) != 0


def in_commons(work: Work) -> bool:
    """Whether Commons knows a work: two thirds of those under licences that it takes."""
    return _third(work) != 1 and work.licence in _COMMONS_NAMES


def _third(work: Work) -> int:
    path = work.url.partition("://")[2].partition("/")[2]
    return hashlib.sha256(f"{work.host} {path}".encode()).digest()[0] % 3


def _fields(target: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(target).query))


def _json(said: Mapping[str, Any]) -> Said:
    return Said(headers=(("Content-Type", "application/json"),), body=json.dumps(said).encode())


def _at(path: str, said: Callable[[str], Said]) -> Callable[[str], Said]:
    return lambda target: said(target) if target.partition("?")[0] == path else Said(404)
