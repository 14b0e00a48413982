"""A few pictures of a release, small enough to stand in a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from holotype.errors import HolotypeError
from holotype.images import Rejected, decode, encode_jpeg, fit
from holotype.releases.census import batches
from holotype.releases.layout import MANIFEST
from holotype.releases.release import Release

MOST: Final = 48
SIDE: Final = 120
"""The longer side of a picture of the gallery, in pixels."""
_COLUMNS: Final = ("wnid", "shard", "offset", "length", "author", "licence", "url")


@dataclass(frozen=True, slots=True)
class Picture:
    """A small JPEG of an image of a synset, its size in pixels, and whom it is by, as far as that was told."""

    wnid: str
    jpeg: bytes
    width: int
    height: int
    author: str
    licence: str
    url: str


def gallery(release: Release, most: int = MOST) -> list[Picture]:
    """The first image of each synset, or of `most` synsets evenly spread over all, in the order of the ontology.

    What cannot be read, as archives that were moved, is left out.
    """
    found = []
    store = release.store()
    try:
        for table in _rows(release, most):
            places = release.places(table)
            for number, row in enumerate(table.to_pylist()):
                try:
                    small = _small(store.read(places[number]))
                except (HolotypeError, OSError, Rejected):
                    continue
                found.append(Picture(row["wnid"], *small, row["author"], row["licence"], row["url"]))
    finally:
        store.close()
    return found


def _rows(release: Release, most: int) -> list[pa.Table]:
    """The first row of each synset that is shown."""
    left = set(_spread(_synsets(release), most))
    path = release.path / MANIFEST
    columns = [*_COLUMNS, *(["path"] if release.files and "path" in pa.parquet.read_schema(path).names else [])]
    found = []
    for table in batches(path, columns):
        if not left:
            break
        here = table.filter(pc.is_in(table["wnid"], pa.array(sorted(left))))
        first: dict[str, int] = {}
        for place, name in enumerate(here["wnid"].to_pylist()):
            first.setdefault(name, place)
        left -= first.keys()
        if first:
            found.append(here.take(pa.array(list(first.values()))))
    return found


def _synsets(release: Release) -> list[str]:
    """The synsets that have images, in the order of the ontology."""
    found: dict[str, None] = {}
    for table in batches(release.path / MANIFEST, ["wnid"]):
        found.update(dict.fromkeys(pc.unique(table["wnid"]).to_pylist()))
    return list(found)


def _spread(wnids: Sequence[str], most: int) -> list[str]:
    if len(wnids) <= most:
        return list(wnids)
    return [wnids[place * len(wnids) // most] for place in range(most)]


def _small(data: bytes) -> tuple[bytes, int, int]:
    pixels = decode(data, side=SIDE).pixels
    pixels = fit(pixels, min(SIDE, max(pixels.shape[:2])))
    return encode_jpeg(pixels, quality=75), pixels.shape[1], pixels.shape[0]
