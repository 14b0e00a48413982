"""What sources and lists say of a picture, as the catalog keeps it."""

from __future__ import annotations

from typing import Final

from holotype.catalog.links import Result
from holotype.collect.sources.port import Found
from holotype.provenance import in_one_line

_LONGEST: Final = 2_000


def result_of(one: Found) -> Result:
    """A result as a row: texts in one line each, of a length that can be kept."""
    texts = one.landing, one.title, one.creator, one.creator_url, one.licence.text, one.licence.url
    return Result(one.url, one.position, *(in_one_line(text[:_LONGEST]) for text in texts))
