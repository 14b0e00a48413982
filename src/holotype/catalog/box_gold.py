"""Boxes that archives gave to candidates, and what was ever said of boxes to be gold."""

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


def given(connection: Connection, wnids: Iterable[str] = ()) -> list[GivenBox]:
    """The boxes of archives, by synset and candidate, of images that can be seen; of all synsets unless some are given.

    Those that people or machines drew here are none."""
    box, candidate, read = t.box.c, t.candidate.c, t.fingerprint.c
    joined = t.box.join(t.candidate, and_(candidate.image_id == box.image_id, candidate.wnid == box.wnid))
    joined = joined.join(t.fingerprint, read.image_id == box.image_id)
    doubtful = or_(func.coalesce(box.group_of, 0) == 1, func.coalesce(box.difficult, 0) == 1)
    corners = box.x_min, box.y_min, box.x_max, box.y_max
    asked = select(candidate.id, candidate.wnid, read.sha256, read.width, read.height, *corners, doubtful)
    asked = asked.select_from(joined).where(box.drawing_id.is_(None), is_sound(), candidate.state != t.WITHDRAWN)
    asked = asked.where(box.image_id.not_in(removals.hidden_images())).order_by(candidate.wnid, candidate.id, box.id)
    wanted = list(dict.fromkeys(wnids))
    some = [asked] if not wanted else [asked.where(candidate.wnid.in_(chunk)) for chunk in chunks(wanted)]
    return [GivenBox(*row) for one in some for row in connection.execute(one)]


class Statement(NamedTuple):
    """What was said of a question about boxes to be known: `answer` None withdraws it. `kind` is a place in
    `BOX_KINDS`; `shown` has ids of drawings with commas, `drawing` is 0 but for quality."""

    question: int
    kind: int
    candidate: int
    wnid: str
    image: int
    sha256: str
    drawing: int
    shown: str
    number: int
    answer: int | None
    source: str
    reason: str
    at: float


def history(connection: Connection) -> list[Statement]:
    """All that was ever said, by synset, candidate and question, oldest first."""
    gold, question, candidate, read = t.box_gold.c, t.box_question.c, t.candidate.c, t.fingerprint.c
    joined = t.box_gold.join(t.box_question).join(t.candidate, candidate.id == question.candidate_id)
    joined = joined.outerjoin(t.fingerprint, read.image_id == candidate.image_id)
    asked = select(
        *(question.id, question.kind, candidate.id, candidate.wnid, candidate.image_id),
        *(func.coalesce(read.sha256, ""), question.drawing_id, question.shown),
        *(gold.number, gold.answer, gold.source, gold.reason, gold.at),
    ).select_from(joined)
    order = candidate.rank, candidate.id, question.id, gold.number
    return [Statement._make(row) for row in connection.execute(asked.order_by(*order))]
