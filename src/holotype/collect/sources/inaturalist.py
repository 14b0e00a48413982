"""iNaturalist: photographs of living things whose species people have agreed on, through its API. No key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from holotype.collect.queries import Asked
from holotype.collect.sources.port import About, Found, Page, Rate, Reply, Request
from holotype.collect.sources.replies import NO_FILE, NO_IMAGE, Skips, cursor_of, numbers_of, odd, parsed, searched
from holotype.collect.sources.values import at, number, objects, pixels, text, web
from holotype.licences import Licence, parse

PER_PAGE: Final = 200
"""The most observations a page: what asks for more is given these."""
SIZES: Final = {"original": 2048, "large": 1024, "medium": 500, "small": 240}
"""The longest side of a photo by the name of its size."""
_SIZED = re.compile(r"(.*/photos/[0-9]+/)(?:square|thumb|small|medium|large|original)(\.[A-Za-z]{3,4})(?:\?.*)?")
_CODE = re.compile(r"cc-(by(?:-nc)?(?:-nd|-sa)?)")


@dataclass(frozen=True, slots=True)
class INaturalist:
    """Photos of research grade observations of the taxa of a name, scientific or common, under `licences` if any.

    `licences` are iNaturalist's codes, such as ``cc-by``; `size` is one of `SIZES`. Pages go by the observations'
    ids, so that there is no last one. A photo's licence is its own, never that of its observation.
    """

    licences: tuple[str, ...] = ()
    size: str = "large"
    api: str = "https://api.inaturalist.org/v1/"

    name: ClassVar[str] = "inaturalist"
    about: ClassVar[About] = About(
        per_page=PER_PAGE,
        most=None,
        rates=(Rate(60, 60), Rate(10_000, 86_400)),
        note="most are CC BY-NC; its terms forbid commercial training, and want bulk taken from its open data files",
    )

    def first(self, asked: Asked) -> str:
        searched(asked)
        return cursor_of(id_above=0, seen=0, observations=0)

    def request(self, asked: Asked, cursor: str) -> Request:
        above, _, _ = numbers_of(cursor, "id_above", "seen", "observations")
        return Request(
            f"{self.api}observations",
            (
                ("taxon_name", searched(asked)),
                ("quality_grade", "research"),
                ("photos", "true"),
                *((("photo_license", ",".join(self.licences)),) if self.licences else ()),
                ("order_by", "id"),
                ("order", "asc"),
                ("id_above", str(above)),
                ("per_page", str(PER_PAGE)),
            ),
        )

    def read(self, asked: Asked, cursor: str, reply: Reply) -> Page:
        said = parsed(self.name, reply)
        results = said.get("results")
        if not isinstance(results, list):
            raise odd(self.name, "results")
        above, seen, before = numbers_of(cursor, "id_above", "seen", "observations")
        found, skipped = [], Skips()
        for observation in objects(results):
            for photo in _photos(observation, skipped):
                seen += 1
                if one := self._found(observation, photo, seen):
                    found.append(one)
                else:
                    skipped.add(NO_FILE)
        total = number(said.get("total_results"))
        ids = [one for one in (number(at(result, "id")) for result in results) if one is not None]
        last = max(ids, default=0)
        more = last > above and (total is None or total > len(results))
        after = cursor_of(id_above=last, seen=seen, observations=before + len(results))
        return Page(tuple(found), after if more else None, None if total is None else before + total, skipped)

    def _found(self, observation: dict[str, object], photo: dict[str, object], position: int) -> Found | None:
        parts = _SIZED.fullmatch(web(photo.get("url")))
        if not parts:
            return None
        width, height = self._scaled(photo)
        return Found(
            url=f"{parts[1]}{self.size}{parts[2]}",
            landing=web(observation.get("uri")),
            position=position,
            licence=licence_of(photo),
            width=width,
            height=height,
            title=text(at(observation, "taxon", "name")),
            creator=text(at(observation, "user", "name")) or text(at(observation, "user", "login")),
            depicts=text(at(observation, "taxon", "name")),
        )

    def _scaled(self, photo: dict[str, object]) -> tuple[int, int]:
        """Width and height at the size that is taken."""
        sides = [pixels(at(photo, "original_dimensions", side)) for side in ("width", "height")]
        scale = min(1.0, SIZES[self.size] / max(*sides, 1))
        return round(sides[0] * scale), round(sides[1] * scale)


def licence_of(photo: dict[str, object]) -> Licence:
    """The licence of a photo: a code without a version, or null, which is all rights reserved.

    Where the code is missing, nothing is known; what is on iNaturalist's open host is not taken for open by that.
    """
    if "license_code" in photo and photo["license_code"] is None:
        return parse("All rights reserved")
    return parse(code_in_words(text(photo.get("license_code"))))


def code_in_words(code: str) -> str:
    """A licence as iNaturalist and its files write it, as Creative Commons does.

    >>> code_in_words("cc-by-nc"), code_in_words("CC0"), code_in_words("gfdl")
    ('CC BY-NC', 'CC0', 'gfdl')
    """
    known = _CODE.fullmatch(code.lower())
    return f"CC {known[1].upper()}" if known else code


def _photos(observation: dict[str, object], skipped: Skips) -> Iterator[dict[str, object]]:
    photos = observation.get("photos")
    if not isinstance(photos, list):
        skipped.add(NO_IMAGE)
    yield from objects(photos)
