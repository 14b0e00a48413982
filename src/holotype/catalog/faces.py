"""Questions about faces: where detectors and people say they are, by the bytes of images."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, insert, select

from holotype.catalog import schema as t
from holotype.catalog.images import is_sound, read_images
from holotype.catalog.locations import location_columns
from holotype.catalog.statements import chunks
from holotype.store.location import Location

Face = tuple[float, float, float, float, float]
"""Left, top, right and bottom edge in pixels of the upright picture, and a score."""


@dataclass(frozen=True, slots=True)
class Looked:
    """The faces that somebody says are in an image, at a Unix time; of what was said of an image the last counts."""

    said_by: str
    faces: tuple[Face, ...]
    at: float


def newest(connection: Connection, digests: Iterable[str]) -> dict[str, Looked]:
    """What counts of each of these images that anybody looked at, by sha256."""
    table = t.face.c
    asked = select(table.sha256, table.said_by, table.boxes, table.at).order_by(table.number)
    rows = (row for chunk in chunks(digests) for row in connection.execute(asked.where(table.sha256.in_(chunk))))
    return {sha256: Looked(by, _faces(boxes), at) for sha256, by, boxes, at in rows}


def say(connection: Connection, faces: Mapping[str, Sequence[Face]], said_by: str, at: float) -> int:
    """Append where somebody says faces are, by sha256; how many images that is of which it was not what counts."""
    table = t.face.c
    held = newest(connection, faces)
    new = {
        sha256: boxes
        for sha256, boxes in faces.items()
        if sha256 not in held or (held[sha256].said_by, held[sha256].faces) != (said_by, tuple(boxes))
    }
    asked = select(table.sha256, func.max(table.number)).group_by(table.sha256)
    last = {
        sha256: number
        for chunk in chunks([one for one in new if one in held])
        for sha256, number in connection.execute(asked.where(table.sha256.in_(chunk)))
    }
    said = {"said_by": said_by, "at": at}
    rows = [
        {"sha256": sha256, "number": last.get(sha256, 0) + 1, "boxes": json.dumps(list(boxes)), **said}
        for sha256, boxes in new.items()
    ]
    if rows:
        connection.execute(insert(t.face), rows)
    return len(rows)


def unlooked(connection: Connection, after: int, limit: int) -> list[tuple[int, str, Location]]:
    """The first sound images beyond id `after` that nobody looked at, one of each: id, sha256 and where they lie."""
    asked = _located().where(t.image.c.id > after).order_by(t.image.c.id).limit(limit)
    return [(number, sha256, Location(*location)) for number, sha256, *location in connection.execute(asked)]


def unlooked_of(connection: Connection, digests: Iterable[str]) -> list[tuple[int, str, Location]]:
    """Those of the images with these bytes that are sound and nobody looked at, one of each."""
    asked = (_located().where(t.fingerprint.c.sha256.in_(chunk)) for chunk in chunks(digests))
    rows = (row for one in asked for row in connection.execute(one))
    return [(number, sha256, Location(*location)) for number, sha256, *location in rows]


def _unlooked(*columns: ColumnElement[Any]) -> Select[Any]:
    """Columns of the first of the sound images with the same bytes, where nobody looked at these."""
    read, other = t.fingerprint.c, t.fingerprint.alias("other").c
    looked = select(t.face.c.sha256).where(t.face.c.sha256 == read.sha256).exists()
    sound = (other.sha256 == read.sha256) & (other.width > 0) & (other.reason == "")
    before = select(other.image_id).where(sound, other.image_id < read.image_id).exists()
    return select(*columns).select_from(read_images()).where(is_sound(), ~looked, ~before)


def _located() -> Select[Any]:
    return _unlooked(t.image.c.id, t.fingerprint.c.sha256, *location_columns())


def count_unlooked(connection: Connection) -> int:
    """How many different sound pictures nobody looked at."""
    return int(connection.execute(_unlooked(func.count())).scalar_one())


def every(connection: Connection) -> Iterator[tuple[str, Looked]]:
    """What counts of every image that anybody looked at, by sha256."""
    table = t.face.c
    last = select(table.sha256, func.max(table.number).label("number")).group_by(table.sha256).subquery()
    joined = t.face.join(last, (table.sha256 == last.c.sha256) & (table.number == last.c.number))
    asked = select(table.sha256, table.said_by, table.boxes, table.at).select_from(joined).order_by(table.sha256)
    for sha256, by, boxes, at in connection.execute(asked):
        yield sha256, Looked(by, _faces(boxes), at)


def wnids_of(connection: Connection, digests: Iterable[str]) -> Counter[str]:
    """How many of the images with these bytes are candidates of each synset."""
    found = Counter[str]()
    pair = select(t.candidate.c.wnid, t.fingerprint.c.sha256).join(
        t.fingerprint, t.fingerprint.c.image_id == t.candidate.c.image_id
    )
    for chunk in chunks(digests):
        found.update(wnid for wnid, _ in connection.execute(pair.where(t.fingerprint.c.sha256.in_(chunk)).distinct()))
    return found


def _faces(boxes: str) -> tuple[Face, ...]:
    return tuple((left, top, right, bottom, score) for left, top, right, bottom, score in json.loads(boxes))
