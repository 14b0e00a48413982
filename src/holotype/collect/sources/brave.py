"""Brave: the one general search engine, paid by the request. It says nothing of licences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from holotype.collect.queries import Asked
from holotype.collect.sources.port import About, Found, Key, Page, Rate, Reply, Request
from holotype.collect.sources.replies import NO_FILE, Skips, cursor_of, numbers_of, odd, parsed, searched
from holotype.collect.sources.values import at, number, objects, pixels, text, web
from holotype.errors import SourceBusy, SourceRefused
from holotype.licences import parse

KEY: Final = "HOLOTYPE_BRAVE_KEY"
DEEPEST: Final = 200
PRICE: Final = 0.005
"""US dollars a request, as of 2026; a plan may have another."""
_LONGEST, _MOST_WORDS = 400, 50
LANGUAGES: Final[Mapping[str, str]] = {
    "cmn": "zh-hans", "deu": "de", "eng": "en", "fra": "fr", "ita": "it", "jpn": "jp", "nld": "nl", "pol": "pl",
    "por": "pt-pt", "spa": "es",
}  # fmt: skip
"""Brave's names of languages by the wordnets'."""


@dataclass(frozen=True, slots=True)
class Brave:
    """Images on pages about the words: one page of 200 a question, at `price` US dollars.

    Nothing is known of their licences, so a project that wants any takes none of them.
    """

    key: Key
    price: float = PRICE
    api: str = "https://api.search.brave.com/res/v1/"

    name: ClassVar[str] = "brave"

    @property
    def about(self) -> About:
        note = "no licences: each image's rights are its owner's; whether results may be kept depends on the plan"
        return About(DEEPEST, DEEPEST, note, (KEY,), needs_key=True, rates=(Rate(1, 1),), cost=self.price)

    def first(self, asked: Asked) -> str:
        searched(asked)
        return cursor_of(page=1)

    def request(self, asked: Asked, cursor: str) -> Request:
        numbers_of(cursor, "page")
        language = LANGUAGES.get(asked.language)
        return Request(
            f"{self.api}images/search",
            (
                ("q", searched(asked, _LONGEST, _MOST_WORDS)),
                ("count", str(DEEPEST)),
                ("safesearch", "strict"),
                ("spellcheck", "false"),
                *((("search_lang", language),) if language else ()),
            ),
            (("Accept", "application/json"), ("X-Subscription-Token", self.key)),
        )

    def read(self, asked: Asked, cursor: str, reply: Reply) -> Page:
        said = self._parsed(reply)
        results = said.get("results")
        if not isinstance(results, list):
            raise odd(self.name, "results")
        found, skipped = [], Skips()
        for position, one in enumerate(objects(results), 1):
            if url := web(at(one, "properties", "url")):
                found.append(_found(one, url, position))
            else:
                skipped.add(NO_FILE)
        return Page(tuple(found), None, None, skipped, self.price, _spent(reply) or 0.0)

    def _parsed(self, reply: Reply) -> dict[str, object]:
        try:
            return parsed(self.name, reply, self.key)
        except SourceBusy as error:
            raise SourceBusy(str(error), _spent(reply) if error.seconds is None else error.seconds) from None
        except SourceRefused as error:  # a token that is not known is 422 as a bad question is
            raise SourceRefused(str(error), whole=error.whole or b"TOKEN_INVALID" in reply.body) from None


def _found(one: dict[str, object], url: str, position: int) -> Found:
    return Found(
        url=url,
        landing=web(one.get("url")),
        position=position,
        licence=parse(""),
        width=pixels(at(one, "properties", "width")),
        height=pixels(at(one, "properties", "height")),
        title=text(one.get("title")),
    )


def _spent(reply: Reply) -> float | None:
    """The seconds until every quota that nothing is left of begins anew; None where none is used up, or none said."""
    names = ("x-ratelimit-remaining", "x-ratelimit-reset")
    left, resets = ([number(one.strip()) for one in reply.headers.get(name, "").split(",")] for name in names)
    waits = [reset for one, reset in zip(left, resets, strict=False) if one == 0 and reset is not None]
    return float(max(waits)) if waits else None
