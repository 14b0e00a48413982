"""Brave's image search as far as holotype uses it: one page, quotas in headers."""

from __future__ import annotations

from collections.abc import Sequence

from loopback.corpus import Work, answering
from loopback.service import Answer, Asked, Service, whole


class BraveServer(Service):
    """The API: `key` is the one that it takes, `month` how many requests are left of it."""

    path = "/res/v1/"

    def __init__(self, corpus: Sequence[Work] = (), key: str = "brave-key", month: int = 15_000) -> None:
        super().__init__(corpus)
        self.key, self.month = key, month
        self.billed = 0

    def answer(self, asked: Asked) -> Answer:
        key = asked.headers.get("x-subscription-token", "")
        if key != self.key:
            said = {"id": "1", "status": 422, "code": "SUBSCRIPTION_TOKEN_INVALID", "detail": f"no token {key}"}
            return Answer(422, {"type": "ErrorResponse", "error": said})
        query = asked.fields.get("q", "")
        if len(query) > 400 or len(query.split()) > 50 or not 1 <= whole(asked, "count", 50) <= 200:
            said = {"id": "1", "status": 422, "code": "VALIDATION", "detail": "Unable to validate request parameter(s)"}
            return Answer(422, {"type": "ErrorResponse", "error": said})
        if self.month <= 0:
            said = {"id": "1", "status": 429, "code": "RATE_LIMITED", "detail": "Request quota exceeded"}
            return Answer(429, {"type": "ErrorResponse", "error": said}, self._limits(1))
        self.month -= 1
        self.billed += 1
        found = answering(self.corpus, query)[: whole(asked, "count", 50)]
        said = {"type": "images", "query": {"original": query}, "results": [_result(work) for work in found]}
        return Answer(200, said, self._limits(0))

    def _limits(self, left: int) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": "1, 15000",
            "X-RateLimit-Policy": "1;w=1, 15000;w=2592000",
            "X-RateLimit-Remaining": f"{left}, {self.month}",
            "X-RateLimit-Reset": "1, 1419704",
        }


def _result(work: Work) -> dict[str, object]:
    return {
        "type": "image_result",
        "title": work.title,
        "url": f"https://page.example.org/{work.number}",
        "source": "page.example.org",
        "thumbnail": {"src": "https://imgs.search.brave.com/1", "width": 500, "height": 333},
        "properties": {"url": work.url, "width": work.width, "height": work.height},
        "confidence": "high",
    }
