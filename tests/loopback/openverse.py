"""Openverse as far as holotype uses it: the image search, tokens, and its two walls."""

from __future__ import annotations

from collections.abc import Sequence

from loopback.corpus import Work, answering
from loopback.service import Answer, Asked, Service, whole

LICENCES = ("by", "by-nc", "by-nc-nd", "by-nc-sa", "by-nd", "by-sa", "cc0", "pdm")


class OpenverseServer(Service):
    """The API: `burst` anonymous requests, then 429; `largest` is a page's size for those with a token.

    `clients` are secrets by id, `tokens` those that are valid: empty it, and they have expired.
    """

    path = "/v1/"

    def __init__(self, corpus: Sequence[Work] = (), burst: int = 10**9, largest: int = 500) -> None:
        super().__init__(corpus)
        self.burst, self.largest = burst, largest
        self.clients: dict[str, str] = {}
        self.tokens: set[str] = set()
        self.given = 0

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/v1/auth_tokens/token/":
            return self._token(asked)
        if asked.path != "/v1/images/":
            return Answer(404, {"detail": "Not found."})
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if token and token not in self.tokens:
            return Answer(401, {"detail": "Authentication credentials were not provided."})
        if not token and self.burst <= 0:
            detail = "Request was throttled. Expected available in 720 seconds."
            return Answer(429, {"detail": detail}, {"Retry-After": "720", **self._limits()})
        self.burst -= not token
        return self._search(asked, self.largest if token else 20)

    def _search(self, asked: Asked, largest: int) -> Answer:
        size, page = whole(asked, "page_size", 20), whole(asked, "page", 1)
        if size > largest and largest == 20:
            return Answer(401, {"detail": "page_size may not exceed 20 for anonymous requests."})
        if size > largest:
            return Answer(400, {"detail": {"page_size": [f"Value must be at most {largest}."]}})
        wanted = set(filter(None, asked.fields.get("license", "").split(",")))
        if wrong := wanted - set(LICENCES):
            return Answer(400, {"detail": {"license": [f"License '{min(wrong)}' does not exist."]}})
        if "source" in asked.fields and "excluded_source" in asked.fields:
            return Answer(400, {"detail": ["cannot set both source and excluded_source"]})
        if (page - 1) * size >= 240:
            return Answer(400, {"detail": "Deep pagination is not allowed."})
        works = [one for one in answering(self.corpus, asked.fields["q"][:200]) if one.licence in (wanted or LICENCES)]
        shown = works[:240]
        results = [_result(work) for work in shown[(page - 1) * size : page * size]]
        counts = {"result_count": len(shown), "page_count": -(-len(shown) // size), "page_size": size, "page": page}
        return Answer(200, {**counts, "results": results}, self._limits())

    def _token(self, asked: Asked) -> Answer:
        form = asked.headers.get("content-type") == "application/x-www-form-urlencoded" and asked.method == "POST"
        if not form or asked.fields.get("grant_type") != "client_credentials":
            return Answer(400, {"error": "unsupported_grant_type"})
        if self.clients.get(asked.fields.get("client_id", "")) != asked.fields.get("client_secret"):
            return Answer(401, {"error": "invalid_client"})
        self.given += 1
        self.tokens.add(f"token-{self.given:08}")
        said = {"access_token": f"token-{self.given:08}", "scope": "read write", "expires_in": 36000}
        return Answer(200, said | {"token_type": "Bearer"})

    def _limits(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit-anon_burst": "5/hour",
            "X-RateLimit-Available-anon_burst": str(min(max(self.burst, 0), 5)),
        }


def _result(work: Work) -> dict[str, object]:
    return {
        "id": f"5f0b8a52-0000-4000-8000-{work.number:012}",
        "title": work.title,
        "foreign_landing_url": f"https://www.flickr.com/photos/1@N00/{work.number}",
        "url": work.url,
        "creator": work.creator,
        "creator_url": "https://www.flickr.com/photos/1@N00",
        "license": work.licence,
        "license_version": work.version if work.licence.startswith("by") else "1.0",
        "license_url": work.licence_url,
        "provider": "flickr",
        "source": "flickr",
        "category": None,
        "tags": [{"name": "dog", "accuracy": None}],
        "mature": False,
        "height": work.height,
        "width": work.width,
    }
