"""robots.txt (RFC 9309): what a host lets robots fetch, read by Protego, and what its absence means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from protego import Protego

MOST_BYTES: Final = 512_000
"""How much of a robots.txt is read: the RFC wants 500 KiB at least, and a parser needs a second for as much."""

_MARK: Final = b"\xef\xbb\xbf"
_TOO_OFTEN: Final = 429
_LONGEST: Final = 86_400.0
_VERSION: Final = re.compile(r"(?im)^([ \t]*user-agent[ \t]*:[ \t]*[a-z_-]+)/[^\s#]*")


@dataclass(frozen=True, slots=True)
class Robots:
    """What a robots.txt says: its `rules`, or, where there are none to be had, whether everything is `open` or not.

    `why` says what stands in the way where not.
    """

    rules: Protego | None = None
    open: bool = True
    why: str = ""

    def refused(self, url: str, tokens: Iterable[str]) -> str | None:
        """Why a URL may not be fetched by who goes by any of `tokens` (names without version), or None if it may."""
        if self.rules is None:
            return None if self.open else self.why
        kept_out = [token for token in tokens if not self.rules.can_fetch(url, token)]
        return f"robots.txt keeps {kept_out[0]} out" if kept_out else None

    def interval(self, tokens: Iterable[str]) -> float:
        """The seconds from one request to the next that are asked for: Crawl-delay or Request-rate, 0 if neither, and
        no more than a day."""
        rules = self.rules
        longest = max((_interval(rules, token) for token in tokens), default=0.0) if rules is not None else 0.0
        return min(longest, _LONGEST)


def _interval(rules: Protego, token: str) -> float:
    rate = rules.request_rate(token)
    between = rate.seconds / rate.requests if rate is not None and rate.requests else 0.0
    return max(rules.crawl_delay(token) or 0.0, between)


def read_robots(status: int, body: bytes) -> Robots:
    """What the answer to a request for /robots.txt says.

    A robots.txt that is not there (4xx, or more redirects than are followed) lets all in; one that cannot be had now
    (5xx) lets nobody in, and so does 429, which is a 4xx to the RFC and says that we come too often.

    >>> robots = read_robots(200, b"User-agent: *\\nDisallow: /private\\nCrawl-delay: 2")
    >>> robots.refused("http://example.org/private/a.jpg", ["holotype"])
    'robots.txt keeps holotype out'
    >>> robots.interval(["holotype"]), read_robots(404, b"").open, read_robots(503, b"").open
    (2.0, True, False)
    """
    if 200 <= status < 300:
        return Robots(parsed(body))
    if (300 <= status < 500) and status != _TOO_OFTEN:
        return Robots()
    return unreachable(f"robots.txt answered {status}")


def unreachable(why: str) -> Robots:
    """What it means that a robots.txt cannot be had: nothing may be fetched."""
    return Robots(open=False, why=why)


def parsed(body: bytes) -> Protego:
    """Rules in the syntax of robots.txt.

    Two things Protego would stumble on: a byte order mark, which would hide the first group, is left out, and so are
    versions behind names ("holotype/2.0"), which are no part of a product token (RFC 9309, section 2.2.1).
    """
    text = body[:MOST_BYTES].removeprefix(_MARK).decode("utf-8", "replace")
    return Protego.parse(_VERSION.sub(r"\1", text))
