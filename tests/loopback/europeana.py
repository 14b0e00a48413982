"""Europeana's search as far as holotype uses it: a cursor, a key in a header, and arrays everywhere."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from loopback.corpus import Work, answering
from loopback.service import Answer, Asked, Service, whole

OPEN = ("cc0", "pdm", "by", "by-sa")


class EuropeanaServer(Service):
    """The API: `key` is the one that it takes, and repeats in its answers."""

    path = "/record/v2/"

    def __init__(self, corpus: Sequence[Work] = (), key: str = "europeana-key") -> None:
        super().__init__(corpus)
        self.key = key

    def answer(self, asked: Asked) -> Answer:
        key = asked.headers.get("x-api-key", "")
        if key != self.key:
            return Answer(401, {"apikey": key, "success": False, "error": f"Invalid API key {key}"})
        if asked.path != "/record/v2/search.json":
            return Answer(404, {"apikey": key, "success": False, "error": "no such place"})
        found = answering(self.corpus, asked.fields["query"].replace(" AND ", " "))
        if asked.fields.get("reusability") == "open":
            found = [work for work in found if work.licence in OPEN]
        place = asked.fields.get("cursor", "*")
        start = 0 if place == "*" else int(base64.b64decode(place))
        rows = min(whole(asked, "rows", 12), 100)
        said: dict[str, object] = {"apikey": key, "success": True, "itemsCount": len(found[start : start + rows])}
        said |= {"totalResults": len(found), "items": [self._item(one) for one in found[start : start + rows]]}
        if start + rows < len(found):
            said["nextCursor"] = base64.b64encode(str(start + rows).encode()).decode()
        return Answer(200, said)

    def _item(self, work: Work) -> dict[str, object]:
        statement = {
            "arr": "http://rightsstatements.org/vocab/InC/1.0/",
            "nkc": "http://rightsstatements.org/vocab/NKC/1.0/",
        }
        return {
            "id": f"/2022704/{work.number}",
            "type": "IMAGE",
            "title": [work.title],
            "guid": f"https://www.europeana.eu/item/2022704/{work.number}?utm_source=api&utm_campaign={self.key}",
            "edmIsShownBy": [work.url],
            "edmIsShownAt": [f"http://museum.example.org/{work.number}"],
            "rights": [statement.get(work.licence) or work.licence_url.replace("https:", "http:")],
            "dataProvider": ["A Museum"],
            "dcCreator": ["http://data.europeana.eu/agent/1"],
            "edmAgentLabel": [{"def": work.creator}],
        }
