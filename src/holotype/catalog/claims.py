"""What datasets say that images show, taken back: candidates that nobody else speaks of go, others stay."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import Connection, delete, select, update

from holotype.catalog import candidates
from holotype.catalog import schema as t
from holotype.catalog.audits import accepted_at
from holotype.catalog.statements import chunks

SPOKEN = (
    t.vote,
    t.gold,
    t.overruling,
    t.audit_answer,
    t.audit_correction,
    t.audit_sample,
    t.prior,
    t.sighting,
    t.example,
    t.flag,
    t.coverage,
    t.box_question,
)
"""What else may be said of a candidate."""


def of_images(connection: Connection, images: Iterable[int], but: Collection[int] = ()) -> list[int]:
    """The candidates that a dataset says images show, by the images' ids, but for what some files say."""
    table = t.candidate.c
    said = select(table.id).where(table.labelled_by.is_not(None), table.labelled_by.not_in(but))
    asked = (said.where(table.image_id.in_(chunk)) for chunk in chunks(images))
    return [number for one in asked for number in connection.execute(one).scalars()]


def first_wnids(connection: Connection, images: Iterable[int], but: Collection[int]) -> dict[int, str]:
    """The first synset that a dataset says each image shows, but for what some files say."""
    table, found = t.candidate.c, dict[int, str]()
    said = select(table.image_id, table.wnid).where(table.labelled_by.is_not(None), table.labelled_by.not_in(but))
    for chunk in chunks(images):
        rows = connection.execute(said.where(table.image_id.in_(chunk)).order_by(table.id.desc()))
        found |= dict(map(tuple, rows))
    return found


def by_files(connection: Connection, files: Iterable[int]) -> list[int]:
    """The candidates that files say images show."""
    table = t.candidate.c
    asked = (select(table.id).where(table.labelled_by.in_(chunk)) for chunk in chunks(files))
    return [number for one in asked for number in connection.execute(one).scalars()]


def withdraw(connection: Connection, numbers: Sequence[int]) -> None:
    """Take back that datasets say that images show candidates.

    What the dataset alone decided is open again; a candidate that nobody else speaks of, and that no audit drew, goes.
    """
    table, drawn = t.candidate.c, drawn_by_audits(connection)
    imported = select(t.policy.c.id).where(t.policy.c.name.startswith("imported:"))
    for chunk in chunks(numbers):
        mine = table.id.in_(chunk)
        images = connection.execute(select(table.image_id).where(mine)).scalars().all()
        candidates.changed(connection, images)
        connection.execute(update(t.candidate).where(mine).values(labelled_by=None))
        decided = select(table.id).where(mine, table.policy_id.in_(imported))
        candidates.rest(connection, connection.execute(decided).scalars().all())
        idle = [~select(other.c.candidate_id).where(other.c.candidate_id == table.id).exists() for other in SPOKEN]
        free = connection.execute(select(table.id).where(mine, table.asked == 0, *idle)).scalars()
        gone = [number for number in free if number not in drawn]
        connection.execute(delete(t.candidate).where(table.id.in_(gone)))
        _assign(connection, images)


def drawn_by_audits(connection: Connection) -> set[int]:
    """The candidates that were accepted when an audit was drawn."""
    seeds = connection.execute(select(t.audit_draw.c.seed)).scalars().all()
    return {number for seed in seeds for number in accepted_at(connection, seed).tolist()}


def _assign(connection: Connection, images: Sequence[int]) -> None:
    """Say anew which of these images are assigned to a synset, and by whom."""
    table = t.candidate.c
    rows = connection.execute(select(table.image_id, table.labelled_by).where(table.image_id.in_(images))).all()
    labelled = {row.image_id for row in rows if row.labelled_by is not None}
    known = {row.image_id for row in rows}
    for value, some in ((0, set(images) - known), (t.ASSIGNED, known - labelled), (t.LABELLED, labelled)):
        if some:
            connection.execute(update(t.image).where(t.image.c.id.in_(some)).values(assigned=value))
