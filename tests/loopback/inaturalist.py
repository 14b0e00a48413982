"""iNaturalist's API as far as holotype uses it: observations, by page up to a window and by id beyond."""

from __future__ import annotations

from collections.abc import Sequence

from loopback.corpus import Work
from loopback.service import Answer, Asked, Service, whole

NGINX = Answer(429, b"<html><head><title>429 Too Many Requests</title></head></html>", {"Content-Type": "text/html"})
MAINTENANCE = Answer(503, {"error": "Down for maintenance", "status": 503}, {"Retry-After": "300"})


class INaturalistServer(Service):
    """The API. Works of one taxon are observations, one photo each, or `photos` in a row of the corpus.

    A photo lies at ``FILES/photos/NUMBER/square.jpg`` below `files`, or `closed` if all its rights are reserved.
    """

    path = "/v1/"

    def __init__(self, corpus: Sequence[Work] = (), photos: int = 1, files: str = "", closed: str = "") -> None:
        super().__init__(corpus)
        self.photos = photos
        self.files = files or "https://inaturalist-open-data.s3.amazonaws.com"
        self.closed = closed or "https://static.inaturalist.org"

    def answer(self, asked: Asked) -> Answer:
        if asked.path != "/v1/observations":
            return Answer(404, {"error": "Not Found", "status": 404})
        size, page = min(whole(asked, "per_page", 30), 200), whole(asked, "page", 1)
        if size * page > 10_000:
            why = "Result window is too large, page x per_page must be less than 10,000: use id_above or id_below"
            return Answer(422, {"error": {"original": why}, "status": 422})
        above = whole(asked, "id_above", 0)
        found = [one for one in self._observations(asked) if int(str(one["id"])) > above]
        shown = found[(page - 1) * size : page * size]
        return Answer(
            200,
            {"total_results": len(found), "page": page, "per_page": min(size, len(found)), "results": shown},
        )

    def _observations(self, asked: Asked) -> list[dict[str, object]]:
        wanted = asked.fields.get("taxon_name", "").lower()
        licences = set(filter(None, asked.fields.get("photo_license", "").split(",")))
        works = [work for work in self.corpus if wanted in (work.taxon.lower(), work.words.lower())]
        groups = [works[start : start + self.photos] for start in range(0, len(works), self.photos)]
        return [
            self._observation(group)
            for group in groups
            if not licences or any(code_of(work) in licences for work in group)
        ]

    def _observation(self, group: list[Work]) -> dict[str, object]:
        number = 10 * group[0].number
        return {
            "id": number,
            "uuid": f"00000000-0000-4000-8000-{number:012}",
            "uri": f"https://www.inaturalist.org/observations/{number}",
            "quality_grade": "research",
            "license_code": "cc0",  # of the record: not the photos'
            "taxon": {"id": 1, "name": group[0].taxon, "rank": "species"},
            "user": {"id": 1, "login": "ann", "name": group[0].creator},
            "photos": [self._photo(work) for work in group],
        }

    def _photo(self, work: Work) -> dict[str, object]:
        host = self.closed if work.licence == "arr" else self.files
        return {
            "id": work.number,
            "license_code": code_of(work),
            "attribution": f"(c) {work.creator}, some rights reserved",
            "url": f"{host}/photos/{work.number}/square.jpg?1545345700",
            "original_dimensions": {"width": work.width, "height": work.height},
            "flags": [],
        }


def code_of(work: Work) -> str | None:
    """iNaturalist's code of a licence; None where all rights are reserved."""
    return None if work.licence == "arr" else "cc0" if work.licence == "cc0" else f"cc-{work.licence}"
