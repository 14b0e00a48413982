"""Boxes that archives gave to candidates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, and_, func, or_, select

from holotype.catalog import removals
from holotype.catalog import schema as t
from holotype.catalog.images import is_sound
from holotype.catalog.statements import chunks


class GivenBox(NamedTuple):
    """A box that an archive gave to a candidate, whose picture has so many upright pixels; `doubtful` where it is of a
    group, or said to be difficult."""

    candidate: int
    wnid: str
    sha256: str
    width: int
    height: int
    x_min: int
    y_min: int
    x_max: int
    y_max: int
    doubtful: int


def boxed(connection: Connection, wnids: Iterable[str] = ()) -> list[tuple[str, int]]:
    """The candidates that archives gave boxes to, by synset, or those of some synsets: wnid and candidate."""
    box, candidate = t.box.c, t.candidate.c
    joined = t.box.join(t.candidate, and_(candidate.image_id == box.image_id, candidate.wnid == box.wnid))
    asked = select(candidate.wnid, candidate.id).distinct().select_from(joined)
    asked = asked.where(box.drawing_id.is_(None), candidate.state != t.WITHDRAWN)
    asked = asked.order_by(candidate.wnid, candidate.id)
    wanted = list(dict.fromkeys(wnids))
    some = [asked] if not wanted else [asked.where(candidate.wnid.in_(chunk)) for chunk in chunks(wanted)]
    return sorted((wnid, number) for one in some for wnid, number in connection.execute(one))


def given(connection: Connection, candidates: Iterable[int]) -> list[GivenBox]:
    """The boxes of archives of some candidates, by synset and candidate, of images that can be seen.

    Those that people or machines drew here are none."""
    box, candidate, read = t.box.c, t.candidate.c, t.fingerprint.c
    joined = t.box.join(t.candidate, and_(candidate.image_id == box.image_id, candidate.wnid == box.wnid))
    joined = joined.join(t.fingerprint, read.image_id == box.image_id)
    doubtful = or_(func.coalesce(box.group_of, 0) == 1, func.coalesce(box.difficult, 0) == 1)
    corners = box.x_min, box.y_min, box.x_max, box.y_max
    asked = select(candidate.id, candidate.wnid, read.sha256, read.width, read.height, *corners, doubtful)
    asked = asked.select_from(joined).where(box.drawing_id.is_(None), is_sound(), candidate.state != t.WITHDRAWN)
    asked = asked.where(box.image_id.not_in(removals.hidden_images())).order_by(box.id)
    rows = [
        GivenBox(*row)
        for chunk in chunks(candidates)
        for row in connection.execute(asked.where(candidate.id.in_(chunk)))
    ]
    return sorted(rows, key=lambda row: (row.wnid, row.candidate))
