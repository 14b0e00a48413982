"""GBIF's API as far as holotype uses it: names, and occurrences with media."""

from __future__ import annotations

from collections.abc import Sequence

from loopback.corpus import Work
from loopback.service import Answer, Asked, Service, whole


class GbifServer(Service):
    """The API. A work's `taxon` is its scientific name and its `words` the common one of that.

    `media` are the media of a work's occurrence by its number, in place of its one picture.
    """

    path = "/v1/"

    def __init__(self, corpus: Sequence[Work] = ()) -> None:
        super().__init__(corpus)
        self.media: dict[int, object] = {}
        names = dict.fromkeys(work.taxon for work in corpus)
        self.keys = {name: 1_000 + number for number, name in enumerate(names)}

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/v1/species/match":
            return self._match(asked.fields.get("name", ""))
        if asked.path == "/v1/species/search":
            return self._called(asked.fields.get("q", ""))
        if asked.path != "/v1/occurrence/search":
            return Answer(404, b"")
        offset, limit = whole(asked, "offset", 0), min(whole(asked, "limit", 20), 300)
        if offset + limit > 100_000:
            return Answer(400, b"Max offset of 100001 exceeded")
        found = [work for work in self.corpus if self.keys[work.taxon] == whole(asked, "taxonKey", 0)]
        shown = found[offset : offset + limit]
        return Answer(
            200,
            {
                "offset": offset,
                "limit": limit,
                "endOfRecords": offset + limit >= len(found),
                "count": len(found),
                "results": [self._occurrence(work) for work in shown],
            },
        )

    def _match(self, name: str) -> Answer:
        if name in self.keys:
            return Answer(200, {"usageKey": self.keys[name], "scientificName": name, "matchType": "EXACT"})
        genus = next((known for known in self.keys if known.split()[:1] == name.split()[:1]), None)
        if genus:  # something like it
            return Answer(200, {"usageKey": 9, "scientificName": genus.split()[0], "matchType": "HIGHERRANK"})
        return Answer(200, {"confidence": 100, "matchType": "NONE", "synonym": False})

    def _called(self, name: str) -> Answer:
        common = {work.taxon: work.words for work in self.corpus}
        results = [
            {
                "key": self.keys[taxon],
                "rank": "SPECIES" if taxon.count(" ") == 1 else "SUBSPECIES",
                "scientificName": taxon,
                "vernacularNames": [{"vernacularName": words, "language": "eng"}],
            }
            for taxon, words in common.items()
            if name.lower() in words.lower()
        ]
        return Answer(200, {"offset": 0, "limit": 100, "endOfRecords": True, "results": results})

    def _occurrence(self, work: Work) -> dict[str, object]:
        picture = {
            "type": "StillImage",
            "format": "image/jpeg",
            "identifier": work.url,
            "creator": work.creator,
            "license": work.licence_url.replace("https:", "http:"),
        }
        return {
            "key": work.number,
            "license": "http://creativecommons.org/licenses/by/4.0/legalcode",  # of the record: not the picture's
            "scientificName": work.taxon,
            "taxonKey": self.keys[work.taxon],
            "recordedBy": "K. N.",
            "media": self.media.get(work.number, [picture]),
        }
