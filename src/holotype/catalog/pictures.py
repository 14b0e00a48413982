"""Questions about images as they are shown to people who are asked about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from holotype.catalog import removals
from holotype.catalog import schema as t
from holotype.catalog.images import read_images
from holotype.catalog.locations import location_columns
from holotype.catalog.statements import chunks
from holotype.store.location import Location


@dataclass(frozen=True, slots=True)
class Shown:
    """The image of a candidate: its size upright, 0 where it was not read, where it and its thumbnail lie, and whether
    it is `hidden`: withdrawn, no sound image any more, or asked to be taken down."""

    candidate: int
    width: int
    height: int
    location: Location
    thumbnail: Location | None
    hidden: bool


def shown(connection: Connection, candidates: Iterable[int]) -> dict[int, Shown]:
    """The images of candidates, by the candidates' ids."""
    read, candidate = t.fingerprint.c, t.candidate.c
    about = candidate.id, candidate.state, read.width, read.height, read.reason, read.sha256
    kept = read.thumbnail_offset, read.thumbnail_length
    asked = select(*about, *kept, *location_columns())
    asked = asked.select_from(read_images().join(t.candidate, candidate.image_id == t.image.c.id))
    rows = [
        row for chunk in chunks(candidates) for row in connection.execute(asked.where(candidate.id.in_(chunk))).all()
    ]
    gone = removals.hidden_among(connection, {row[5] for row in rows if row[5]})
    found = {}
    for number, state, width, height, reason, sha256, offset, length, *where in rows:
        location = Location(*where)
        thumbnail = None if offset is None else replace(location, offset=offset, length=length)
        hidden = state == t.WITHDRAWN or bool(reason) or sha256 in gone
        found[number] = Shown(number, width or 0, height or 0, location, thumbnail, hidden)
    return found
