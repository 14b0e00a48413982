"""GBIF: occurrences of species from museums and observers, with photographs at those who publish them. No key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from holotype.collect.queries import Asked
from holotype.collect.sources.port import About, Found, Page, Rate, Reply, Request
from holotype.collect.sources.replies import (
    NO_FILE,
    NO_IMAGE,
    Skips,
    cursor_of,
    fields_of,
    numbers_of,
    odd,
    parsed,
    searched,
)
from holotype.collect.sources.values import at, licence_text, number, objects, text, web
from holotype.errors import SourceError
from holotype.licences import Licence, parse

PER_PAGE: Final = 300
DEEPEST: Final = 100_000
BACKBONE: Final = "d7dddbf4-2cf0-4f39-9b2a-bb099caae36c"
"""The checklist that GBIF arranges its occurrences by."""
_NAMED: Final = 100
"""How many taxa with a common name are looked at."""


@dataclass(frozen=True, slots=True)
class Gbif:
    """Still images of the occurrences of a taxon. What it is called is looked up first: its scientific name, letter by
    letter, or else a common one; what no taxon is called has no images, rather than those of something like it.

    A picture's licence is what its own record says. That of the occurrence is about the data, and is not taken.
    """

    api: str = "https://api.gbif.org/v1/"

    name: ClassVar[str] = "gbif"
    about: ClassVar[About] = About(
        per_page=PER_PAGE,
        most=DEEPEST,
        rates=(Rate(60, 60), Rate(5_000, 86_400)),
        note="each publisher's licence; whoever trains models must say who they are, and take bulk from downloads",
    )

    def first(self, asked: Asked) -> str:
        searched(asked)
        return cursor_of(step="match")

    def request(self, asked: Asked, cursor: str) -> Request:
        step = fields_of(cursor, "step")["step"]
        called = searched(asked)
        if step == "match":
            return Request(f"{self.api}species/match", (("name", called), ("strict", "true")))
        if step == "common":
            return Request(
                f"{self.api}species/search",
                (
                    ("q", called),
                    ("qField", "VERNACULAR"),
                    ("datasetKey", BACKBONE),
                    ("status", "ACCEPTED"),
                    ("limit", str(_NAMED)),
                ),
            )
        if step != "images":
            raise SourceError(f"no cursor of this source: {step[:20]!r} is no step")
        taxon, offset, _ = numbers_of(cursor, "taxon", "offset", "seen")
        return Request(
            f"{self.api}occurrence/search",
            (
                ("taxonKey", str(taxon)),
                ("mediaType", "StillImage"),
                ("limit", str(min(PER_PAGE, DEEPEST - offset))),
                ("offset", str(offset)),
            ),
        )

    def read(self, asked: Asked, cursor: str, reply: Reply) -> Page:
        said = parsed(self.name, reply)
        step = fields_of(cursor, "step")["step"]
        if step == "match":
            exact = said.get("matchType") == "EXACT"
            return Page((), _images(number(said.get("usageKey"))) if exact else cursor_of(step="common"))
        results = said.get("results")
        if not isinstance(results, list):
            raise odd(self.name, "results")
        if step == "common":
            return Page((), _images(_commonly(results, searched(asked))))
        return self._images(cursor, said, results)

    def _images(self, cursor: str, said: dict[str, object], results: list[object]) -> Page:
        taxon, offset, seen = numbers_of(cursor, "taxon", "offset", "seen")
        found, skipped = [], Skips()
        for record in objects(results):
            if not isinstance(record.get("media"), list):
                skipped.add(NO_IMAGE)
            for medium in objects(record.get("media")):
                seen += 1
                if not _is_image(medium):
                    skipped.add(NO_IMAGE)
                elif not (url := web(medium.get("identifier"))):
                    skipped.add(NO_FILE)
                else:
                    found.append(_found(record, medium, url, seen))
        after = offset + len(results)
        last = not results or said.get("endOfRecords") is True or after >= DEEPEST
        following = None if last else cursor_of(step="images", taxon=taxon, offset=after, seen=seen)
        return Page(tuple(found), following, number(said.get("count")), skipped)


def licence_of(medium: dict[str, object]) -> Licence:
    """The licence of a medium: an address, with or without ``legalcode``, or a text of any kind."""
    said = licence_text(medium.get("license"))
    return parse("" if web(said) else said, web(said))


def _images(taxon: int | None) -> str | None:
    """The cursor of the first images of a taxon."""
    return None if taxon is None else cursor_of(step="images", taxon=taxon, offset=0, seen=0)


def _commonly(results: list[object], called: str) -> int | None:
    """The one taxon, or the one species, that has exactly this common name; None where there is none, or several."""
    taxa = {}
    for one in objects(results):
        names = {text(name.get("vernacularName")).casefold() for name in objects(one.get("vernacularNames"))}
        taxon = number(one.get("nubKey")) or number(one.get("key"))
        if called.casefold() in names and taxon is not None:
            taxa[taxon] = one.get("rank") == "SPECIES"
    species = [taxon for taxon, is_species in taxa.items() if is_species]
    meant = species or list(taxa)
    return meant[0] if len(meant) == 1 else None


def _is_image(medium: dict[str, object]) -> bool:
    return medium.get("type") == "StillImage" and (text(medium.get("format")) or "image/").startswith("image/")


def _found(record: dict[str, object], medium: dict[str, object], url: str, position: int) -> Found:
    key = number(record.get("key"))
    page = "" if key is None else f"https://www.gbif.org/occurrence/{key}"
    names = (medium.get("creator"), medium.get("rightsHolder"), record.get("recordedBy"))
    return Found(
        url=url,
        landing=web(medium.get("references")) or page,
        position=position,
        licence=licence_of(medium),
        title=text(medium.get("title")) or text(record.get("scientificName")),
        creator=next(filter(None, map(text, names)), ""),
        depicts=text(at(record, "scientificName")),
    )
