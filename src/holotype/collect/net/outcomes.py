"""What is wanted, and what became of it: every URL ends as exactly one outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Wanted:
    """A URL to fetch. With the `etag` or the time `modified` of a copy that is there, only a changed one is sent."""

    url: str
    etag: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A URL's bytes, those of an image by how they begin; `final_url` is where redirects led.

    `etag` and `modified` are for asking again, `headers` what else of the answer is worth keeping, by lower-case name.
    """

    url: str
    final_url: str
    body: bytes = field(repr=False)
    etag: str = ""
    modified: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A URL whose bytes are those of the copy that is there (304)."""

    url: str
    final_url: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A URL that was not fetched: `reason` is one of `holotype.collect.net.reasons.REASONS`, `detail` says more.

    `again` says that it may be otherwise soon.
    """

    url: str
    reason: str
    detail: str = ""
    again: bool = False


Outcome = Fetched | Unchanged | Refused
