"""The credit that a work asks for: title, author, source, licence, each with its address, and what was changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from holotype.licences import creative_commons as cc
from holotype.licences.licence import Licence
from holotype.provenance import in_one_line, is_web_url

_UNKNOWN: Final = Licence()
_VERBS: Final = {
    **dict.fromkeys(cc.LICENCES, "is licensed under"),
    "cc0": "is dedicated to the public domain under",
    "pdm": "is marked with",
    "pd": "is in the",
    "nkc": "has",
    "us-gov": "is a",
    "other": "is under these terms:",
    "arr": "is under these terms:",
}


@dataclass(frozen=True, slots=True)
class Work:
    """A work as its source tells of it, "" where it does not: the place it was found at is `landing`.

    Before version 4.0 Creative Commons' licences ask for the title where there is one, and all ask to say what was
    changed: `changes`.
    """

    title: str = ""
    title_url: str = ""
    creator: str = ""
    creator_url: str = ""
    source: str = ""
    landing: str = ""
    licence: Licence = _UNKNOWN
    changes: str = ""


def credit_parts(work: Work) -> Iterator[tuple[str, str]]:
    """The pieces of a credit line, one after the other, each with the address that it links to or ""; one line, no
    characters that cannot be printed, no addresses that are not of the web."""
    title, creator, source = (in_one_line(text) for text in (work.title, work.creator, work.source))
    title = title.replace('"', "\N{RIGHT DOUBLE QUOTATION MARK}")  # a title ends where it ends
    at = _web(work.title_url) or _web(work.landing)
    yield (f'"{title}"' if title else "Image"), at
    if creator:
        yield " by ", ""
        yield creator, _web(work.creator_url)
    if source:
        yield ", via ", ""
        yield source, "" if _web(work.landing) == at else _web(work.landing)
    yield from _licence(work.licence, ", " if source else " ")
    if work.changes:
        yield f"; changed: {in_one_line(work.changes)}", ""


def credit_line(work: Work) -> str:
    """The credit of a work as a line of plain text.

    >>> from holotype.licences import parse
    >>> work = Work("At rest", creator="Ann", source="flickr", landing="https://a.org/2", licence=parse("CC BY 2.0"))
    >>> print(credit_line(work))
    "At rest" (https://a.org/2) by Ann, via flickr, is licensed under CC BY 2.0 (https://creativecommons.org/licenses/by/2.0/)
    """
    return "".join(f"{text} ({url})" if url else text for text, url in credit_parts(work))


def _licence(licence: Licence, before: str) -> Iterator[tuple[str, str]]:
    """What is said of the licence."""
    url = licence.canonical or _web(licence.url)
    if licence.code:
        yield f"{before}{_VERBS[licence.code]} ", ""
        yield "public domain" if licence.code == "pd" else licence.name, url
    elif said := in_one_line(licence.name):
        yield f"{before}is under these terms, as its source has them: ", ""
        yield said, "" if url == said else url
    else:
        yield f"{before}is under a licence that is not known", ""


def _web(url: str) -> str:
    return url if is_web_url(url) else ""
