"""Opt-outs: what owners say against collecting their images, besides robots.txt.

Which stop a fetch, and why:

- **X-Robots-Tag** ``noai`` and ``noimageai`` say no to training; ``noindex``, ``noimageindex`` and ``none``, on the
  answer for an image, say that it must not be kept in an index of images, which a collection is.
- **tdm-reservation: 1** (TDMRep), as a header or in ``/.well-known/tdmrep.json``, reserves the right to mine. A
  ``tdm-policy`` tells on which terms one could; we cannot agree to terms, so that it stops, too. The header wins
  over the file, also where it says 0.
- **ai.txt** (Spawning) says by path and kind of file what must not be used for training.

Recorded, and no reason to stop: ``Content-Usage``, which is still a draft.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

MOST_BYTES: Final = 512_000
"""How much is read of a tdmrep.json or ai.txt."""

STOPPING: Final = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})
"""The directives of X-Robots-Tag that stop a fetch."""

_WITH_VALUE: Final = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_LONGEST_LOCATION: Final = 2_000
_MOST_LOCATIONS: Final = 1_000


def robots_tag(values: Iterable[str], tokens: Sequence[str]) -> str | None:
    """The first directive of X-Robots-Tag headers that stops us, or None.

    A directive behind ``name:`` is for that robot alone, and so are those that follow it in the same header.

    >>> robots_tag(["otherbot: noai, noindex", "max-snippet: 5, NoImageAI"], ["holotype"])
    'noimageai'
    >>> robots_tag(["otherbot: noai"], ["holotype"])
    """
    names = {token.lower() for token in tokens}
    for value in values:
        ours = True
        for part in value.lower().split(","):
            name, colon, directive = part.partition(":")
            if colon and name.strip() not in _WITH_VALUE:
                ours, part = name.strip() in names, directive
            if ours and part.strip() in STOPPING:
                return part.strip()
    return None


def reservation(values: Iterable[str]) -> bool | None:
    """Whether tdm-reservation headers reserve (1) or not (0); None where there is none. One that reserves is enough.

    >>> reservation(["1"]), reservation(["0"]), reservation([]), reservation(["0", "1"])
    (True, False, None, True)
    """
    found = {part.strip() for value in values for part in value.split(",")}
    return True if "1" in found else False if "0" in found else None


@dataclass(frozen=True, slots=True)
class Reserved:
    """The entries of a tdmrep.json: patterns of paths, and whether those are reserved. The first match counts."""

    entries: tuple[tuple[re.Pattern[str], bool], ...] = ()

    def covers(self, target: str) -> bool:
        """Whether a path with its query is reserved."""
        return next((reserved for pattern, reserved in self.entries if pattern.match(target)), False)


def read_tdmrep(status: int, body: bytes) -> Reserved:
    """What the answer to a request for /.well-known/tdmrep.json reserves: nothing where it is not such a file.

    >>> read_tdmrep(200, b'[{"location": "/art/*.jpg", "tdm-reservation": 1}]').covers("/art/a.jpg")
    True
    """
    try:
        said = json.loads(body) if status == 200 else []
    except (ValueError, RecursionError):
        return Reserved()
    entries = [one for one in said[:_MOST_LOCATIONS] if isinstance(one, dict)] if isinstance(said, list) else []
    return Reserved(
        tuple(
            (location_pattern(location), one.get("tdm-reservation") in (1, "1"))
            for one in entries
            if isinstance(location := one.get("location"), str) and len(location) <= _LONGEST_LOCATION
        )
    )


def location_pattern(location: str) -> re.Pattern[str]:
    """A pattern as in robots.txt, where ``*`` is anything and a last ``$`` is the end, as a regular expression.

    Stars in a row are one, and the expression gives back nothing that it took, so that none takes long to say no.

    >>> bool(location_pattern("/a/*.jpg$").match("/a/b/c.jpg")), bool(location_pattern("/a").match("/b/a"))
    (True, False)
    """
    end = location.endswith("$")
    parts = [re.escape(part) for part in re.split(r"\*+", location.removesuffix("$"))]
    first, last = parts[0], parts[1:]
    if end and last:
        return re.compile(first + "".join(f"(?>.*?{part})" for part in last[:-1]) + f".*{last[-1]}$", re.DOTALL)
    return re.compile(first + "".join(f"(?>.*?{part})" for part in last) + ("$" if end else ""), re.DOTALL)
