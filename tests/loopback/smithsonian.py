"""The Smithsonian's open access API as far as holotype uses it."""

from __future__ import annotations

from collections.abc import Sequence

from loopback.corpus import Work, answering
from loopback.service import Answer, Asked, Service, whole


class SmithsonianServer(Service):
    """The API: `key` is the one that it takes. `media` are an object's by its number, in place of its one picture."""

    path = "/openaccess/api/v1.0/"

    def __init__(self, corpus: Sequence[Work] = (), key: str = "smithsonian-key") -> None:
        super().__init__(corpus)
        self.key = key
        self.media: dict[int, object] = {}

    def answer(self, asked: Asked) -> Answer:
        key = asked.fields.get("api_key", "")
        if key != self.key:
            why = {"code": "API_KEY_INVALID", "message": f"An invalid api_key was supplied: {key}."}
            return Answer(403, {"error": why})
        if asked.path != "/openaccess/api/v1.0/search":
            return Answer(404, {"error": {"code": "NOT_FOUND", "message": "no such place"}})
        words = [one for one in asked.fields["q"].split(" AND ") if ":" not in one]
        found = answering(self.corpus, " ".join(words))
        start, rows = whole(asked, "start", 0), min(whole(asked, "rows", 10), 1_000)
        shown = [self._row(work) for work in found[start : start + rows]]
        said = {"status": 200, "responseCode": 1, "response": {"rows": shown, "rowCount": len(found)}}
        return Answer(200, said)

    def _row(self, work: Work) -> dict[str, object]:
        picture = {
            "type": "Images",
            "content": work.url,
            "guid": f"http://n2t.net/ark:/65665/m{work.number}",
            "usage": {"access": "CC0" if work.licence == "cc0" else "Usage conditions apply"},
        }
        about = {
            "record_link": f"http://n2t.net/ark:/65665/{work.number}",
            "title": {"label": "Title", "content": work.title},
            "online_media": {"mediaCount": 1, "media": self.media.get(work.number, [picture])},
        }
        names = [{"label": "Collector", "content": "S. L."}, {"label": "Artist", "content": work.creator}]
        content = {"descriptiveNonRepeating": about, "freetext": {"name": names}}
        return {"id": f"ld1-{work.number}", "title": work.title, "unitCode": "NMNHBIRDS", "content": content}
